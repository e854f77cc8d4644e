// The ringtones to choose from stand once in the page (#tones); each select[data-tones] gets them.

/** What is chosen stays chosen, also where it is no ringtone any more. */
export function offerTones(within = document) {
  const offered = document.getElementById("tones").content;
  for (const select of within.querySelectorAll("select[data-tones]")) {
    const chosen = select.value;
    const options = offered.cloneNode(true);
    const isOffered = [...options.children].some((option) => option.value === chosen);
    const kept = [...select.options].filter((option) => !option.value || (option.value === chosen && !isOffered));
    select.replaceChildren(...kept, options);
    select.value = chosen;
    select.removeAttribute("data-tones");
  }
}
