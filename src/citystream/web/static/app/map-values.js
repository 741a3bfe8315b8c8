// What a colour on the map stands for.

import { changeStep, rampEnds, rampStep } from "./colours.js";
import * as format from "./format.js";
import { html } from "./parts.js";
import { answer, city } from "./store.js";

/** @typedef {import("./types.js").Dimension} Dimension */
/** @typedef {(number | null)[]} Values */
/** @typedef {{most: number, step: (value: number | null) => number, tokens: string[], ends: string[]}} Scale */

export const MEASURES = { count: "count", rate: "per 1,000 people", km2: "per km²", change: "change" };

/** @param {Dimension | null} of @param {string} measure @returns {Values} */
export function areaValues(of, measure) {
  const view = of ? answer.value?.views[of.name] : null;
  if (!of || !view) return [];
  return of.values.map((_, index) => valueOf(view, index, measure, of.areas?.[index]?.km2 ?? null, of.areas?.[index]?.residents ?? null));
}

/** What has no place is counted in a cell without one: it is no hexagon. @param {string} measure @param {import("./map-shapes.js").CellShapes | null} cells @returns {Values} */
export function cellValues(measure, cells) {
  const view = answer.value?.views.cells;
  return view ? Array.from(view.counts, (_, index) => (cells && !Number.isFinite(cells.x[index]) ? null : valueOf(view, index, measure, cells?.km2 ?? null, null))) : [];
}

/** The change of one value of a view; none across a series break, or where records are missing. @param {import("./types.js").View | null | undefined} view @param {number} index */
export const changeIn = (view, index) => (view?.before && view.compared && !answer.value?.compared?.break ? format.changeOf(view.compared[index] ?? 0, view.before[index] ?? 0) : null);

/** @param {import("./types.js").View} view @param {number} index @param {string} measure @param {number | null} km2 @param {number | null} residents */
function valueOf(view, index, measure, km2, residents) {
  const n = view.counts[index] ?? 0;
  if (measure === "change") return changeIn(view, index);
  if (measure === "km2") return km2 ? n / km2 : null;
  if (measure === "rate") return residents && n >= 20 ? (1000 * n) / residents : null;
  return n;
}

/** @param {Values} values @param {string} measure @returns {Scale} */
export function spread(values, measure) {
  if (measure === "change") return { most: 1, step: value => (value === null ? 0 : changeStep(value)), tokens: ["d1", "d2", "d3", "d4", "d5"], ends: ["−20 %", "−5 %", "±0", "+5 %", "+20 %"] };
  const most = Math.max(1e-9, ...values.map(value => value ?? 0));
  const ends = rampEnds(most).map(end => (measure === "count" ? format.short(Math.max(1, Math.round(end))) : format.measure(end)));
  return { most, step: value => rampStep(value ?? 0, most), tokens: ["r1", "r2", "r3", "r4", "r5", "r6", "r7"], ends };
}

/** @param {{scale: Scale, measure: string, mode: string, areas: Dimension | null}} props */
export function Legend({ scale, measure, mode, areas }) {
  const population = city.value?.residents.at(-1);
  const says = measure === "change" ? "change against the period before, from 20 on" : measure === "rate" ? `per 1,000 residents as listed with the areas; visitors are not counted${population ? ` (city: ${format.count(population.residents)}, ${population.year})` : ""}` : measure === "km2" ? "per km², square-root scale" : mode === "heat" ? "smoothed from hexagons, square-root scale" : "count up to, square-root scale";
  // every second one, from the last, where all would touch
  const tight = scale.ends.length > 5 && scale.ends.join("").length > 26;
  return html`<div class="map-pop leg legend" data-areas=${areas?.name}><div class="ramp">${scale.tokens.map(token => html`<i style=${{ background: `var(--${token})` }}></i>`)}</div>
    <div class="tick">${scale.ends.map((end, index) => html`<span>${tight && (scale.ends.length - 1 - index) % 2 ? "" : index && end === scale.ends[index - 1] ? "" : end}</span>`)}</div><span class="muted">${says}</span></div>`;
}
