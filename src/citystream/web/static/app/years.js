// Months of every year on one axis, to see whether this year is like the others.

import * as format from "./format.js";
import { html, useWidth } from "./parts.js";
import { monthsOf } from "./series-points.js";
import { answer, current } from "./store.js";
import { line, ticks } from "./svg.js";

const HEIGHT = 216;
const LEFT = 40;
const FLOOR = HEIGHT - 22;

export function YearsChart() {
  const [ref, width] = useWidth();
  const view = answer.value?.views.days;
  if (!view?.first) return html`<div class="draw" ref=${ref}></div>`;
  const until = (current.value?.complete_until ?? "9999").slice(0, 7);
  const years = /** @type {Map<string, [number, number][]>} */ (new Map());
  for (const { month, n } of monthsOf(view.first, view.counts)) {
    if (month >= until) continue;
    const year = month.slice(0, 4);
    years.set(year, [...(years.get(year) ?? []), [Number(month.slice(5)) - 1, n]]);
  }
  const list = [...years].slice(-12);
  const scale = ticks(Math.max(1, ...list.flatMap(([, points]) => points.map(([, n]) => n))));
  const top = scale[scale.length - 1];
  const right = 56;
  const x = (/** @type {number} */ month) => LEFT + ((width - LEFT - right) * month) / 11;
  const y = (/** @type {number} */ n) => FLOOR - ((FLOOR - 12) * n) / top;
  const said = list.map(([year, points]) => `${year}: ${format.count(points.reduce((sum, [, n]) => sum + n, 0))}`).join(", ");
  return html`<div class="draw" ref=${ref}>${width > 80 && html`<svg width=${width} height=${HEIGHT} role="img" aria-label="Months of each year; ${said}" data-chart="years">
    ${scale.map(n => html`<line x1=${LEFT} x2=${width - right} y1=${y(n)} y2=${y(n)} class=${n ? "grid" : "grid zero"} /><text x=${LEFT - 6} y=${y(n) + 4} text-anchor="end">${format.short(n)}</text>`)}
    ${list.map(([year, points], index) => {
      const newest = index === list.length - 1;
      const tone = newest ? "--ink" : index === list.length - 2 ? "--bar" : "--ghost";
      const faint = newest || index === list.length - 2 ? 1 : 0.25 + (0.5 * index) / list.length;
      return html`<g style="opacity:${faint}"><title>${year}</title><path d=${line(points.map(([month]) => x(month)), points.map(([, n]) => y(n)))} style="fill:none;stroke:var(${tone});stroke-width:${newest ? 2.25 : 1.5}" />
        ${(newest || index === list.length - 2) && html`<text x=${x(points[points.length - 1][0]) + 8} y=${y(points[points.length - 1][1]) + (newest ? -2 : 10)} class="lab">${year}</text>`}</g>`;
    })}
    ${format.MONTHS.map((month, index) => html`<text x=${x(index)} y=${HEIGHT - 6} text-anchor="middle">${width < 600 ? month[0] : month}</text>`)}</svg>`}</div>`;
}
