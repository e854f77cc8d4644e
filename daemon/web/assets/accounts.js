// Suggests a password for somebody else: twelve syllables of 80 kinds are 75 bits, and can be said on the phone.

const CONSONANTS = "bcdfghklmnprstvz";
const VOWELS = "aeiou";
const GROUPS = 6;

/** An even draw from 0 to below - 1: bytes beyond the last whole multiple are thrown away. */
function draw(below) {
  const whole = 256 - (256 % below);
  const byte = new Uint8Array(1);
  do crypto.getRandomValues(byte);
  while (byte[0] >= whole);
  return byte[0] % below;
}

const syllable = () => CONSONANTS[draw(CONSONANTS.length)] + VOWELS[draw(VOWELS.length)];

export const passphrase = () => Array.from({ length: GROUPS }, () => syllable() + syllable()).join("-");

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-suggest]");
  if (!button) return;
  const field = document.querySelector(button.dataset.suggest);
  field.type = "text"; // it has to be passed on
  field.value = passphrase();
  button.parentElement.querySelector("[data-suggested]").hidden = false;
  field.focus();
  field.select();
});
