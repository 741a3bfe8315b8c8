// Tokens as colours that a canvas takes. A probe resolves them: a property itself would say light-dark(...).

import { signal } from "../vendor/signals.js";

/** Moves when the theme does, so that what is painted is painted again. */
export const theme = signal(document.documentElement.dataset.theme ?? "");
const dark = matchMedia("(prefers-color-scheme: dark)");
const forced = matchMedia("(forced-colors: active)");
for (const each of [dark, forced]) {
  each.addEventListener("change", () => {
    cache.clear();
    theme.value = `${document.documentElement.dataset.theme ?? ""}${dark.matches ? "+" : "-"}${forced.matches ? "forced" : ""}`;
  });
}

/** @type {Map<string, string>} */
const cache = new Map();
/** @type {HTMLElement | null} */
let probe = null;

/** @param {string} token  without the dashes */
export function colour(token) {
  const known = cache.get(token);
  if (known) return known;
  probe ??= document.body.appendChild(Object.assign(document.createElement("i"), { hidden: true, className: "probe" }));
  probe.style.color = `var(--${token})`;
  const found = getComputedStyle(probe).color;
  cache.set(token, found);
  return found;
}

export const isDark = () => (document.documentElement.dataset.theme ? document.documentElement.dataset.theme === "dark" : dark.matches);

export function switchTheme() {
  const next = isDark() ? "light" : "dark";
  document.documentElement.dataset.theme = next;
  localStorage.setItem("theme", next);
  cache.clear();
  theme.value = next;
}

/** Steps of the ramp: 1..7 for values up to *most*, on a square-root scale. @param {number} value @param {number} most */
export const rampStep = (value, most) => (value <= 0 ? 0 : Math.max(1, Math.min(7, Math.ceil(7 * Math.sqrt(value / most)))));
/** The largest value of each step. @param {number} most */
export const rampEnds = most => [1, 2, 3, 4, 5, 6, 7].map(step => most * (step / 7) ** 2);
/** Steps of a change, -1..1: 1 fewer .. 5 more. @param {number} ratio */
export const changeStep = ratio => (ratio < -0.2 ? 1 : ratio < -0.05 ? 2 : ratio <= 0.05 ? 3 : ratio <= 0.2 ? 4 : 5);
