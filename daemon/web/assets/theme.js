// Runs before anything is painted, so that the page never flashes in the other theme. The choice stays in this browser.
{
  const wanted = () => {
    try {
      return localStorage.getItem("theme");
    } catch {
      return null; // a browser that keeps nothing follows the system
    }
  };
  const system = matchMedia("(prefers-color-scheme: dark)");
  const paint = () => {
    document.documentElement.dataset.theme = wanted() ?? (system.matches ? "dark" : "light");
  };
  system.addEventListener("change", paint);
  addEventListener("storage", paint);
  paint();
}
