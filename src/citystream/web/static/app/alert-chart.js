// The course of a type in a district, or of a station, around the window of an alert.

import * as format from "./format.js";
import { isReading, usual, valueSaid } from "./alert-words.js";
import { html, useWidth } from "./parts.js";
import { current } from "./store.js";
import { band, line, ticks } from "./svg.js";

/** @typedef {import("./types.js").Alert} Alert */
/** @typedef {import("./types.js").Around} Around_ */

const HEIGHT = 220;
const TOP = 30;
const FLOOR = HEIGHT - 24;

/** @param {{alert: Alert, around: Around_}} props */
export const Around = props => (isReading(props.alert) ? html`<${Course} ...${props} />` : html`<${Counts} ...${props} />`);

/** Steps from below *low* to above *high*, which need not be 0. @param {number} low @param {number} high */
export function scaleOf(low, high) {
  const reach = high - low || Math.abs(high) || 1;
  const ten = 10 ** Math.floor(Math.log10(reach / 4));
  const step = ten * ([1, 2, 5, 10].find(each => each * ten >= reach / 4) ?? 10);
  const first = Math.floor(low / step);
  return Array.from({ length: Math.ceil(high / step) - first + 1 }, (_, index) => (first + index) * step);
}

/** What the station said, with what is usual in the window. @param {{alert: Alert, around: Around_}} props */
function Course({ alert, around }) {
  const [ref, width] = useWidth();
  const range = usual(alert);
  const known = around.starts.map((start, index) => ({ at: Date.parse(`${start.slice(0, 19)}Z`), value: around.values?.[index] ?? null, within: around.within?.[index] ?? false })).filter(each => each.value !== null);
  const values = known.map(each => Number(each.value));
  const scale = scaleOf(Math.min(...values, range?.low ?? alert.observed, alert.observed), Math.max(...values, range?.high ?? alert.observed, alert.observed));
  const digits = Math.max(0, -Math.floor(Math.log10(scale[1] - scale[0]) + 1e-9));
  const [from, to] = [alert.window_start_local, alert.window_end_local].map(each => Date.parse(`${each.slice(0, 19)}Z`));
  const [first, last] = [Math.min(from, known[0]?.at ?? from), Math.max(to, known.at(-1)?.at ?? to)];
  const left = 22 + 7 * Math.max(...scale.map(each => each.toFixed(digits).length));
  const right = 16;
  const x = (/** @type {number} */ at) => left + ((width - left - right) * (at - first)) / Math.max(1, last - first);
  const y = (/** @type {number} */ value) => FLOOR - ((FLOOR - TOP) * (value - scale[0])) / (scale[scale.length - 1] - scale[0]);
  const days = Array.from({ length: Math.ceil((last - first) / 86_400_000) }, (_, index) => Math.ceil(first / 86_400_000) * 86_400_000 + index * 86_400_000).filter(day => day < last && x(day) < width - 64);
  const room = (width - left - right) / Math.max(1, days.length);
  const gap = 3 * median(known.slice(1).map((each, index) => each.at - known[index].at));
  const parts = known.reduce((/** @type {typeof known[]} */ found, each, index) => { if (index && each.at - known[index - 1].at <= gap) found[found.length - 1].push(each); else found.push([each]); return found; }, []);
  return html`<div class="draw" ref=${ref}>${width > 80 && known.length > 0 && html`<svg width=${width} height=${HEIGHT} role="img" aria-label="${alert.type} at ${alert.district}: ${valueSaid(alert, alert.observed)} in the window" data-chart="around">
    ${scale.map(n => html`<line x1=${left} x2=${width - right} y1=${y(n)} y2=${y(n)} class="grid" /><text x=${left - 6} y=${y(n) + 4} text-anchor="end">${n.toFixed(digits).replace("-", "−")}</text>`)}
    <rect x=${x(from) - 1} y=${TOP - 8} width=${Math.max(2, x(to) - x(from)) + 2} height=${FLOOR - TOP + 8} style="fill:var(--alert-soft)" data-window />
    <text x=${Math.min(Math.max((x(from) + x(to)) / 2, left + 60), width - 70)} y=${TOP - 14} text-anchor="middle" class="lab">window ${alert.window_start_local.slice(11, 16)}–${alert.window_end_local.slice(11, 16)}</text>
    ${range && html`<path d=${band([x(from) - 1, Math.max(x(to), x(from) + 1)], [y(range.high), y(range.high)], [y(range.low), y(range.low)])} style="fill:var(--band);stroke:var(--line-2)" /><line x1=${x(from) - 1} x2=${Math.max(x(to), x(from) + 1)} y1=${y(range.expected)} y2=${y(range.expected)} style="stroke:var(--ghost);stroke-width:1.5;stroke-dasharray:3 3" />`}
    ${parts.map(part => html`<path d=${line(part.map(each => x(each.at)), part.map(each => y(Number(each.value))))} style="fill:none;stroke:var(--ink);stroke-width:1.5;stroke-linejoin:round" />`)}
    ${known.filter(each => each.within).slice(0, 400).map(each => html`<circle cx=${x(each.at)} cy=${y(Number(each.value))} r="3" style="fill:var(--alert)" />`)}
    ${days.map(day => html`<text x=${x(day)} y=${HEIGHT - 6} text-anchor="start">${room < 96 ? "" : `${format.weekday(new Date(day).toISOString())} `}${format.date(new Date(day).toISOString(), false)}</text>`)}</svg>`}</div>
    <p class="muted">${known.length ? `What the station said, in ${alert.unit ?? ""}; gaps are where it said nothing.` : "No reading around the window is in the store."} Times are the city's clock.${range ? " The usual range is known for the window only." : ""}</p>`;
}

/** @param {number[]} numbers */
const median = numbers => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;

/** Hours around the window, added up over the window's length as the detector sees them; whole days where it is of days. @param {{alert: Alert, around: Around_}} props */
function Counts({ alert, around }) {
  const [ref, width] = useWidth();
  const daily = around.grain === "day";
  const hours = Math.max(1, Math.round(format.secondsBetween(alert.window_start, alert.window_end) / 3600));
  const steps = daily ? 1 : hours;
  const { starts } = around;
  const counts = around.counts ?? [];
  const sums = counts.map((_, index) => counts.slice(Math.max(0, index - steps + 1), index + 1).reduce((sum, n) => sum + n, 0));
  const range = usual(alert);
  const share = daily ? 24 / hours : 1; // what is expected of one day of the window
  const most = daily ? [range ? range.expected * share : 0] : [alert.observed, range?.high ?? 0];
  const scale = ticks(Math.max(...most, ...sums, 4));
  const top = scale[scale.length - 1];
  const left = 30;
  const right = width < 600 || daily ? 12 : 92;
  const step = (width - left - right) / Math.max(1, sums.length);
  const x = (/** @type {number} */ index) => left + step * index;
  const y = (/** @type {number} */ n) => FLOOR - ((FLOOR - TOP) * n) / top;
  const [from, to] = daily ? [alert.window_start_local, alert.window_end_local] : [alert.window_start, alert.window_end];
  const shift = daily ? 0 : format.secondsBetween(alert.window_start, alert.window_start_local);
  const local = (/** @type {string} */ start) => new Date(Date.parse(`${start.slice(0, 19)}Z`) + 1000 * shift).toISOString();
  const first = starts.findIndex(start => start.slice(0, 13) >= from.slice(0, 13));
  const found = starts.findIndex(start => start.slice(0, 13) >= to.slice(0, 13));
  const end = found < 0 ? starts.length : found;
  let path = "";
  sums.forEach((n, index) => { path += `${index ? "L" : "M"}${x(index)} ${y(n)}L${x(index + 1)} ${y(n)}`; });
  const days = starts.map((start, index) => ({ start: local(start), index })).filter(({ start, index }) => start.slice(11, 13) === "00" && (!daily || index % 7 === 0));
  const said = daily ? `since ${format.date(alert.window_start_local, false)}` : `window ${alert.window_start_local.slice(11, 16)}–${alert.window_end_local.slice(11, 16)}`;
  return html`<div class="draw" ref=${ref}>${width > 80 && sums.length > 0 && html`<svg width=${width} height=${HEIGHT} role="img" aria-label=${daily ? `Counts by day; ${alert.observed} in the window` : `Counts over sliding ${hours} hours; ${alert.observed} at the end of the window`} data-chart="around">
    ${scale.map(n => html`<line x1=${left} x2=${width - right} y1=${y(n)} y2=${y(n)} class=${n ? "grid" : "grid zero"} /><text x=${left - 6} y=${y(n) + 4} text-anchor="end">${n}</text>`)}
    ${first >= 0 && html`<rect x=${x(first)} y=${TOP - 8} width=${x(end) - x(first)} height=${FLOOR - TOP + 8} style="fill:var(--alert-soft)" data-window /><text x=${Math.min(Math.max((x(first) + x(end)) / 2, left + 50), width - 60)} y=${TOP - 14} text-anchor="middle" class="lab">${said}</text>`}
    ${range && first >= 0 && !daily && html`<path d=${band([x(first), x(end)], [y(range.high), y(range.high)], [y(range.low), y(range.low)])} style="fill:var(--band);stroke:var(--line-2)" />`}
    ${range && first >= 0 && html`<line x1=${x(first)} x2=${x(end)} y1=${y(range.expected * share)} y2=${y(range.expected * share)} style="stroke:var(--ghost);stroke-width:1.5;stroke-dasharray:3 3" />`}
    <path d=${path} style="fill:none;stroke:var(--ink);stroke-width:1.75;stroke-linejoin:round" />
    ${first >= 0 && !daily && html`<circle cx=${x(end)} cy=${y(alert.observed)} r="4.5" style="fill:var(--alert);stroke:var(--surface);stroke-width:2" /><text x=${Math.min(x(end) + 10, width - 70)} y=${y(alert.observed) + 4} style="fill:var(--alert);font-weight:600;font-size:12px">${alert.observed} observed</text>`}
    ${days.map(({ start, index }) => html`<text x=${x(index)} y=${HEIGHT - 6} text-anchor=${x(index) < left + 30 ? "start" : x(index) > width - 30 ? "end" : "middle"}>${step * 24 < 96 || daily ? "" : `${format.weekday(start)} `}${format.date(start, false)}</text>`)}</svg>`}</div>
    <p class="muted">${current.value?.units} of this type and district, ${daily ? "by local day; the newest days may still be filling up" : `added up over ${hours} h ending at each hour`}. ${range ? (daily ? "Dashed: what was expected of a day of the window, on average." : "The expectation is known for the window only.") : ""}</p>`;
}
