// The daily summary: what came of a test has the colour of its outcome.

document.addEventListener("done", ({ target, detail }) => {
  if ("test" in target.dataset) document.getElementById("tried").className = detail.sent ? "done" : "alert";
});
