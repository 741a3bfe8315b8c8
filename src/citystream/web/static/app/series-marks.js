// What is drawn over the bars of a series: the year before, breaks, alerts, and names at the ends of lines.

import * as format from "./format.js";
import { html } from "./parts.js";
import { FLOOR, TOP } from "./series-frame.js";
import { indexOfDay } from "./series-points.js";
import { current } from "./store.js";

/** @typedef {import("./series-points.js").Point} Point */

/** @param {Point[]} points @param {(index: number) => number} x @param {(n: number) => number} y */
export function agoPath(points, x, y) {
  const smooth = points.map((point, index) => {
    if (point.ago === null) return null;
    const part = points.slice(Math.max(0, index - (points.length > 60 ? 6 : 0)), index + 1).filter(each => each.ago !== null);
    return part.reduce((sum, each) => sum + (each.ago ?? 0), 0) / part.length;
  });
  let path = "";
  smooth.forEach((n, index) => {
    if (n !== null) path += `${path && smooth[index - 1] !== null ? "L" : "M"}${x(index).toFixed(1)} ${y(n).toFixed(1)}`;
  });
  return path;
}

/** @param {{points: Point[], x: (index: number) => number, narrow: boolean, width: number}} props */
export function Breaks({ points, x, narrow, width }) {
  const list = (current.value?.series_breaks ?? []).map(each => ({ ...each, at: indexOfDay(points, each.from), end: each.until ? indexOfDay(points, each.until) : -1 })).filter(each => each.at >= 0 || each.end >= 0);
  let free = -Infinity;
  return list.map(each => {
    const from = x(Math.max(0, each.at)) - 2;
    const left = from > width - 260;
    const named = (left ? from - 260 : from) >= free;
    if (named) free = left ? from : from + 260;
    return html`<g data-break=${each.from}>${each.end > each.at && html`<rect x=${from} y="14" width=${x(each.end) - from} height=${FLOOR - 14} style="fill:var(--hatch-ink);opacity:.35" />`}
      <line x1=${from} x2=${from} y1="12" y2=${FLOOR} style="stroke:var(--ink-2);stroke-width:1.5;stroke-dasharray:5 3" /><title>${each.why}</title>
      ${named && html`<text x=${left ? from - 6 : from + 6} y="12" class="lab" text-anchor=${left ? "end" : "start"}>Series break ${format.date(each.from)}</text>`}
      ${named && !narrow && html`<text x=${left ? from - 6 : from + 6} y="25" text-anchor=${left ? "end" : "start"}>${each.why.length > 60 ? `${each.why.slice(0, 58)}…` : each.why}</text>`}</g>`;
  });
}

/** Pixels from one number to the next. */
const APART = 18;

/** @param {{points: Point[], alerts: Record<string, number>, x: (index: number) => number}} props */
export function AlertTicks({ points, alerts, x }) {
  const at = /** @type {Map<number, number>} */ (new Map());
  for (const [day, n] of Object.entries(alerts)) {
    const index = indexOfDay(points, day);
    if (index >= 0) at.set(index, (at.get(index) ?? 0) + n);
  }
  const spots = [...at].sort((a, b) => a[0] - b[0]);
  const crowded = spots.length > 30;
  let free = -Infinity;
  return spots.map(([index, n]) => {
    const named = !crowded && x(index) >= free;
    if (named) free = x(index) + APART;
    return html`<g data-alerts=${n}><title>${n} ${n === 1 ? "alert" : "alerts"}</title><path d="M${x(index) - (crowded ? 3 : 5)} ${TOP - 12}h${crowded ? 6 : 10}l${crowded ? -3 : -5} ${crowded ? 5 : 7}z" style="fill:var(--alert)" />
    ${named && html`<text x=${x(index)} y=${TOP - 14} text-anchor="middle" style="fill:var(--alert);font-weight:600">${n}</text>`}</g>`;
  });
}

/** Names at the ends of lines, moved apart. @param {{points: Point[], whole: number, line7: number[], y: (n: number) => number, x: number, mean: string}} props */
export function Ends({ points, whole, line7, y, x, mean }) {
  const labels = /** @type {{text: string, at: number, cls: string}[]} */ ([]);
  if (mean && whole > 0) labels.push({ text: mean, at: y(line7[whole - 1]) + 4, cls: "lab" });
  const ago = points.filter(point => point.ago !== null).slice(-7);
  if (ago.length) labels.push({ text: "a year earlier", at: y(ago.reduce((sum, each) => sum + (each.ago ?? 0), 0) / ago.length) + 4, cls: "" });
  if (whole < points.length) labels.push({ text: "received so far", at: FLOOR - 8, cls: "" }, { text: "Still filling up", at: TOP + 4, cls: "lab" });
  labels.sort((a, b) => a.at - b.at);
  labels.forEach((each, index) => {
    if (index) each.at = Math.max(each.at, labels[index - 1].at + 14);
  });
  return labels.map(each => html`<text x=${x} y=${each.at} class=${each.cls}>${each.text}</text>`);
}
