// Dragging a period without asking: the server sends, once, every view's counts by month, added up from the first month on.

import { batch, signal } from "../vendor/signals.js";
import { ask, isOld } from "./api.js";
import { choose } from "./state.js";
import { answer, asked, cellSize, current, period } from "./store.js";

/** @typedef {import("./types.js").Answer} Answer */
/** @typedef {{first: string, last: string, from: number, to: number}} Window  months by number */

/** The period being dragged; null: none is. */
export const preview = signal(/** @type {Window | null} */ (null));
export const playing = signal(false);

/** @type {{key: string, index: Answer} | null} */
let held = null;
let wanted = "";

const keyNow = () => JSON.stringify([current.value?.dataset, { ...asked.value, t: "" }, Object.keys(answer.value?.views ?? {}), answer.value?.version]);

/** Fetch the index, as soon as the pointer comes near. */
export async function startBrush() {
  const key = keyNow();
  if (held?.key === key || wanted === key || !answer.value || !current.value) return;
  wanted = key;
  const views = Object.keys(answer.value.views).filter(name => name !== "days");
  const { t, ...others } = /** @type {any} */ (asked.value);
  try {
    const index = await ask("api/index", { ...others, dataset: current.value.dataset, views: views.join(","), cells: cellSize.value }, { key: "index", binary: true });
    held = { key, index };
  } catch (problem) {
    if (!isOld(problem)) console.info("brush index:", String(problem));
  } finally {
    wanted = "";
  }
}

/** @param {Window} window */
export function stepBrush(window) {
  batch(() => {
    preview.value = window;
    if (held?.key === keyNow() && held.index.months && answer.value) answer.value = within(answer.value, held.index, window);
  });
}

/** The answer for some months, by two look-ups a number. @param {Answer} old @param {Answer} index @param {Window} window @returns {Answer} */
function within(old, index, window) {
  const months = /** @type {string[]} */ (index.months);
  const from = months.findIndex(month => month >= window.first.slice(0, 7));
  let to = months.length - 1;
  while (to >= 0 && months[to] > window.last.slice(0, 7)) to -= 1;
  const views = { ...old.views };
  for (const [name, view] of Object.entries(index.views)) {
    if (!views[name]) continue;
    const size = view.counts.length / (months.length + 1);
    const counts = new Int32Array(size);
    if (from >= 0 && to >= from) for (let i = 0; i < size; i += 1) counts[i] = view.counts[(to + 1) * size + i] - view.counts[from * size + i];
    views[name] = { ...views[name], counts, compared: null, before: null };
  }
  return { ...old, views, compared: null };
}

export function endBrush() {
  const chosen = preview.value;
  batch(() => {
    preview.value = null;
    if (chosen) choose("t", [`${chosen.first.slice(0, 7)}..${chosen.last.slice(0, 7)}`], { replace: playing.value });
  });
}

let timer = 0;

/** The chosen months walk to the end, a month at a time, and begin anew. */
export function togglePlay() {
  playing.value = !playing.value;
  clearInterval(timer);
  if (!playing.value) return void endBrush();
  startBrush();
  timer = window.setInterval(playStep, matchMedia("(prefers-reduced-motion: reduce)").matches ? 1500 : 600);
}

function playStep() {
  const of = preview.value ?? period.value;
  const all = current.value;
  if (!all?.first_day || !all.last_day || document.hidden) return;
  const size = Math.max(0, monthNumber(of.last) - monthNumber(of.first));
  const end = monthNumber(of.last) + 1 > monthNumber(all.last_day);
  const from = end ? monthNumber(all.first_day) : monthNumber(of.first) + 1;
  stepBrush({ first: `${monthName(from)}-01`, last: `${monthName(from + size)}-28`, from, to: from + size });
}

/** @param {string} day */
const monthNumber = day => Number(day.slice(0, 4)) * 12 + Number(day.slice(5, 7)) - 1;
/** @param {number} number */
const monthName = number => `${Math.floor(number / 12)}-${String((number % 12) + 1).padStart(2, "0")}`;
