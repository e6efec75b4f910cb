// Light or dark: the system's choice, until another one is made here.
const KEPT = "ion.theme";
const dark = matchMedia("(prefers-color-scheme: dark)");

export const theme = () => localStorage.getItem(KEPT) || (dark.matches ? "dark" : "light");

export function showTheme() {
  document.documentElement.dataset.theme = theme();
}

export function turnTheme() {
  localStorage.setItem(KEPT, theme() === "dark" ? "light" : "dark");
  showTheme();
}

dark.addEventListener("change", showTheme);
