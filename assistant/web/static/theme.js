// Before the first paint: the theme that the user chose, else the system's.
{
  const chosen = localStorage.getItem("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    document.documentElement.dataset.theme = localStorage.getItem("theme") || (system.matches ? "dark" : "light");
  };
  apply();
  if (!chosen) system.addEventListener("change", apply);
  document.documentElement.classList.add("scripts");
}
