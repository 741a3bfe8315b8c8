// Small drawings. Marks take their colours from CSS, so a change of theme needs no redraw.

import { html } from "./parts.js";

/** A line through points. @param {number[]} xs @param {number[]} ys */
export const line = (xs, ys) => xs.map((x, index) => `${index ? "L" : "M"}${x.toFixed(1)} ${ys[index].toFixed(1)}`).join("");

/** Bars as one path. @param {number[]} xs left edges @param {number} width @param {number[]} tops @param {number} floor */
export const bars = (xs, width, tops, floor) =>
  xs.map((x, index) => (tops[index] < floor ? `M${x.toFixed(2)} ${floor}V${tops[index].toFixed(1)}h${width.toFixed(2)}V${floor}Z` : "")).join("");

/** The area between two lines. @param {number[]} xs @param {number[]} highs @param {number[]} lows */
export const band = (xs, highs, lows) => (xs.length ? `${line(xs, highs)}${line([...xs].reverse(), [...lows].reverse()).replace("M", "L")}Z` : "");

/** Steps of 1, 2 or 5 from 0 to at least *most*. @param {number} most @param {number} about how many */
export function ticks(most, about = 4) {
  if (most <= 0) return [0, 1];
  const rough = most / about;
  const ten = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(1, ten * ([1, 2, 5, 10].find(each => each * ten >= rough) ?? 10));
  return Array.from({ length: Math.ceil(most / step) + 1 }, (_, index) => index * step);
}

/** @param {{id: string}} props */
export const Hatch = ({ id }) => html`<defs><pattern id=${id} width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
  <rect width="1.4" height="6" style="fill:var(--hatch-ink)" /></pattern></defs>`;

/** A course without axes; the end is marked. @param {{values: number[], width: number, height?: number, tone?: string, label: string}} props */
export function Spark({ values, width, height = 20, tone = "--bar", label }) {
  if (values.length < 2 || width < 20) return null;
  const low = Math.min(...values);
  const high = Math.max(...values, low + 1);
  const xs = values.map((_, index) => 1 + ((width - 5) * index) / (values.length - 1));
  const ys = values.map(value => height - 2 - ((height - 5) * (value - low)) / (high - low));
  return html`<svg width=${width} height=${height} role="img" aria-label=${label}>
    <path d=${line(xs, ys)} style="fill:none;stroke:var(${tone});stroke-width:1.5;stroke-linejoin:round" />
    <circle cx=${xs.at(-1)} cy=${ys.at(-1)} r="2" style="fill:var(${tone})" /></svg>`;
}

/** A change and what chance alone leaves open, -60 % to +60 %. @param {{value: number | null, low: number | null, high: number | null}} props */
export function Interval({ value, low, high }) {
  const width = 112;
  const x = (/** @type {number} */ ratio) => Math.max(3, Math.min(width - 3, (width * (ratio + 0.6)) / 1.2));
  const says = value !== null && low !== null && high !== null;
  const sure = says && (low > 0 || high < 0);
  return html`<svg width=${width} height="20" aria-hidden="true"><line x1=${x(0)} x2=${x(0)} y1="0" y2="20" style="stroke:var(--line-2)" />
    ${says && html`<line x1=${x(low)} x2=${x(high)} y1="10" y2="10" style="stroke:var(${sure ? "--ink-2" : "--ghost"});stroke-width:1.5" />
    <circle cx=${x(value)} cy="10" r="4" style=${sure ? "fill:var(--ink)" : "fill:var(--surface);stroke:var(--ghost);stroke-width:1.75"} />`}</svg>`;
}

/** What was observed against what was expected, on a scale from *least* to *most*; *side* is room for words. @param {{observed: number, expected: number, low: number, high: number, most: number, least?: number, side?: number, off: boolean, width: number}} props */
export function Bullet({ observed, expected, low, high, most, least = 0, side = 104, off, width }) {
  const room = Math.max(40, width - side);
  const x = (/** @type {number} */ value) => (room * (Math.max(Math.min(value, most), least) - least)) / (most - least || 1);
  const [end, far] = observed > high ? [high, true] : [low, observed < low];
  return html`<svg width=${width} height="20" aria-hidden="true"><line x1="0" x2=${room} y1="10.5" y2="10.5" class="grid" />
    <rect x=${x(low)} y="4" width=${Math.max(1, x(high) - x(low))} height="12" rx="2" style="fill:var(--band);stroke:var(--line-2)" />
    <line x1=${x(expected)} x2=${x(expected)} y1="3" y2="17" style="stroke:var(--ink-2);stroke-width:1.5" />
    ${!off && far && html`<line x1=${x(end)} x2=${x(observed)} y1="10.5" y2="10.5" style="stroke:var(--alert);stroke-width:2" />`}
    <circle cx=${x(observed)} cy="10.5" r="5" style=${off ? "fill:var(--surface);stroke:var(--ink-3);stroke-width:1.75" : "fill:var(--alert)"} /></svg>`;
}

/** One small multiple of the live page: counts in a sliding window against their usual range. @param {{counts: number[], low: number, high: number, most: number, hot: boolean, width: number, first: boolean, hours: number, label: string}} props */
export function Multiple({ counts, low, high, most, hot, width, first, hours, label }) {
  const height = 60;
  const floor = height - 14;
  const y = (/** @type {number} */ value) => floor - ((floor - 4) * value) / Math.max(1, most);
  const xs = counts.map((_, index) => ((width - 4) * index) / Math.max(1, counts.length - 1));
  const ys = counts.map(y);
  return html`<svg width=${width} height=${height} role="img" aria-label=${label}>
    <rect x="0" y=${y(high)} width=${width} height=${Math.max(1, y(low) - y(high))} style="fill:var(--band)" />
    <line x1="0" x2=${width} y1=${floor} y2=${floor} class="grid zero" />
    <path d=${line(xs, ys)} style="fill:none;stroke:var(${hot ? "--alert" : "--bar"});stroke-width:1.5;stroke-linejoin:round" />
    <circle cx=${xs.at(-1)} cy=${ys.at(-1)} r="2.5" style="fill:var(--surface);stroke:var(${hot ? "--alert" : "--bar"});stroke-width:1.75" />
    ${first && html`<text x="0" y=${height - 1}>−${hours} h</text><text x=${width - 1} y=${height - 1} text-anchor="end">now</text>`}</svg>`;
}

/** Months or years of one series, on its own scale; broken where counts cannot be compared. *whole*: how many points are complete.
 * @param {{counts: number[], starts: string[], breaks: number[], whole: number, width: number, label: string, height?: number}} props */
export function Course({ counts, starts, breaks, whole, width, label, height = 68 }) {
  if (counts.length < 2 || width < 20) return null;
  const floor = height - 16;
  const most = Math.max(...counts, 1);
  const x = (/** @type {number} */ index) => ((width - 2) * index) / (counts.length - 1);
  const y = (/** @type {number} */ value) => floor - ((floor - 12) * value) / most;
  const ends = [0, ...breaks.filter(each => each > 0 && each < whole), whole];
  const parts = ends.slice(1).map((end, index) => ({ from: ends[index], to: end })).filter(part => part.to - part.from > 1);
  return html`<svg width=${width} height=${height} role="img" aria-label=${label}>
    <line x1="0" x2=${width} y1=${floor} y2=${floor} class="grid zero" />
    ${parts.map(({ from, to }) => {
      const xs = Array.from({ length: to - from }, (_, index) => x(from + index));
      const ys = counts.slice(from, to).map(y);
      return html`<path d=${`${line(xs, ys)}L${xs.at(-1)} ${floor}L${xs[0]} ${floor}Z`} style="fill:var(--bar-2);opacity:.45" />
        <path d=${line(xs, ys)} style="fill:none;stroke:var(--bar);stroke-width:1.5;stroke-linejoin:round" />`;
    })}
    ${breaks.map(at => html`<line x1=${x(at - 0.5)} x2=${x(at - 0.5)} y1="0" y2=${floor} style="stroke:var(--ink-2);stroke-dasharray:3 2;stroke-width:1.25" />`)}
    <text x="0" y=${height - 3}>${starts[0].slice(0, 4)}</text><text x=${width} y=${height - 3} text-anchor="end">${starts.at(-1)?.slice(0, 4)}</text></svg>`;
}

/** Records a day. @param {{days: {day: string, records: number}[], width: number, height?: number, label: string}} props */
export function Arrivals({ days, width, height = 24, label }) {
  const most = Math.max(1, ...days.map(each => each.records));
  const step = width / Math.max(1, days.length);
  const xs = days.map((_, index) => index * step + 0.5);
  const tops = days.map(each => height - 1 - (height - 4) * Math.sqrt(each.records / most));
  return html`<svg width=${width} height=${height} role="img" aria-label=${label}><path d=${bars(xs, Math.max(0.8, step - 1.2), tops, height - 1)} style="fill:var(--bar-2)" />
    <line x1="0" x2=${width} y1=${height - 0.5} y2=${height - 0.5} class="grid zero" /></svg>`;
}
