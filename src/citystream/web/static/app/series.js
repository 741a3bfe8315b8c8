// Counts over time: bars, their mean, the year before, what is still filling up, breaks, alerts; below it all years to choose from.

import { useEffect, useId, useMemo, useRef, useState } from "../vendor/preact-hooks.js";
import { ask } from "./api.js";
import { endBrush, playing, preview, startBrush, stepBrush, togglePlay } from "./brush.js";
import * as format from "./format.js";
import { Card, html, Icon, Menu, useWidth } from "./parts.js";
import { choose, show, shown } from "./state.js";
import { answer, current, moved, period } from "./store.js";
import { bars, Hatch, line, ticks } from "./svg.js";
import { YearsChart } from "./years.js";

/** @typedef {import("./types.js").Break} Break */
/** @typedef {{start: number, n: number, whole: boolean, ago: number | null, days: number}} Point  start: a day's number */

const GRAINS = /** @type {[string, string, number][]} */ ([["day", "a day", 1], ["week", "a week", 7], ["month", "a month", 30]]);
const LEFT = 40;
const TOP = 34;
const HEIGHT = 216;
const FLOOR = HEIGHT - 22;

/** @param {{state: string, problem: unknown, retry: () => void}} props */
export function SeriesCard({ state, problem, retry }) {
  const said = answer.value;
  const of = current.value;
  const shownPeriod = preview.value ?? period.value;
  const grain = grainOf(shownPeriod);
  const points = useMemo(() => (said ? pointsOf(grain, shownPeriod) : []), [said, grain, shownPeriod.first, shownPeriod.last]);
  const years = shown("over") === "years";
  const mean = grain === "day" ? "7-day mean" : grain === "week" ? "4-week mean" : "";
  const options = [["auto", "whatever fits"], ...GRAINS.map(([name]) => [name, `by ${name}`])].map(([name, text]) => ({ label: text, checked: shown("by", "auto") === name && !years, onClick: () => show({ by: name === "auto" ? "" : name, over: "" }, { replace: true }) }));
  const items = [...options, { label: "years side by side", checked: years, onClick: () => show({ over: "years" }, { replace: true }) }];
  const provisional = points.length > 0 && !points[points.length - 1].whole;
  const tools = html`${!years && html`<span class="keys opt-m">${mean && html`<span><i class="key line"></i>${mean}</span>`}<span><i class="key ghost"></i>a year earlier</span>${provisional && html`<span><i class="key prov"></i>still filling up</span>`}<span><i class="key tri"></i>alerts</span>${(of?.series_breaks.length ?? 0) > 0 && html`<span><i class="key brkk"></i>series break</span>`}</span>`}
    <button class="btn small icon" aria-pressed=${playing.value} aria-label=${playing.value ? "Stop playing" : "Play the period through the years"} title=${playing.value ? "Stop" : "Play the period through the years"} onClick=${togglePlay}><${Icon} name=${playing.value ? "pause" : "play"} /></button>
    <${Menu} label="Grain" text=${html`by <b>${years ? "year" : grain}</b>`} items=${items} />`;
  const foot = provisional && html`<${Icon} name="clock" />The days after ${format.date(of?.complete_until)} are still filling up. They are not compared with anything.`;
  const table = () => [["from", "count", "a year earlier", "complete"], ...points.map(point => [format.dayOf(point.start), point.n, point.ago, point.whole ? "yes" : "no"])];
  const sub = years ? `${of?.units} a month, one line a year; all years, whatever the period` : `${of?.units} ${GRAINS.find(([name]) => name === grain)?.[1]}${mean ? `, ${mean}` : ""}; drag to choose a period`;
  return html`<${Card} title="Over time" name="Over time" cls="c-series" sub=${sub} tools=${tools} state=${state} problem=${problem} retry=${retry} shape="chart" foot=${foot} table=${table}>
    ${years ? html`<${YearsChart} />` : html`<${Chart} points=${points} grain=${grain} mean=${mean} />`}<${Brush} /><//>`;
}

/** @param {{first: string, last: string}} of */
function grainOf(of) {
  const chosen = shown("by", "auto");
  if (chosen !== "auto") return chosen;
  const days = of.first && of.last ? format.dayNumber(of.last) - format.dayNumber(of.first) : 0;
  return days <= 460 ? "day" : days <= 1900 ? "week" : "month";
}

/** @param {string} grain @param {{first: string, last: string}} within @returns {Point[]} */
function pointsOf(grain, within) {
  const view = answer.value?.views.days;
  if (!view?.first || !within.first) return [];
  const base = format.dayNumber(view.first);
  const until = format.dayNumber(current.value?.complete_until ?? current.value?.last_day ?? within.last);
  const sum = (/** @type {number} */ from, /** @type {number} */ to) => {
    let n = 0;
    for (let day = Math.max(0, from - base); day < Math.min(view.counts.length, to - base); day += 1) n += view.counts[day];
    return n;
  };
  return stretches(grain, format.dayNumber(within.first), format.dayNumber(within.last)).map(([from, to]) => {
    const [agoFrom, agoTo] = grain === "month" ? [yearBack(from), yearBack(to)] : [from - 364, to - 364];
    return { start: from, n: sum(from, to), whole: to - 1 <= until, ago: agoFrom >= base && to - 1 <= until ? sum(agoFrom, agoTo) : null, days: to - from };
  });
}

/** @param {number} day */
const yearBack = day => {
  const said = format.dayOf(day);
  return format.dayNumber(`${Number(said.slice(0, 4)) - 1}${said.slice(4, 8)}01`);
};

/** @param {string} grain @param {number} first @param {number} last @returns {[number, number][]} from, to (not included) */
function stretches(grain, first, last) {
  const found = /** @type {[number, number][]} */ ([]);
  let at = grain === "week" ? first - ((first + 3) % 7) : grain === "month" ? format.dayNumber(`${format.dayOf(first).slice(0, 8)}01`) : first;
  while (at <= last) {
    const next = grain === "day" ? at + 1 : grain === "week" ? at + 7 : nextMonth(at);
    found.push([at, next]);
    at = next;
  }
  return found;
}

/** @param {number} day */
export const nextMonth = day => {
  const [year, month] = format.dayOf(day).split("-").map(Number);
  return Math.round(Date.UTC(year, month, 1) / 86_400_000);
};

/** Alerts by the day of their window. */
function useAlerts() {
  const [days, setDays] = useState(/** @type {Record<string, number>} */ ({}));
  const name = current.value?.dataset;
  useEffect(() => {
    if (name) ask("api/series", { dataset: name, grain: "year" }, { key: "series-alerts" }).then(said => setDays(said.alerts ?? {})).catch(() => setDays({}));
  }, [name, moved.value]);
  return days;
}

/** @param {Point[]} points @param {number} over */
const meanOf = (points, over) => points.map((_, index) => {
  const part = points.slice(Math.max(0, index - over + 1), index + 1);
  return part.reduce((sum, point) => sum + point.n, 0) / part.length;
});

/** @param {{points: Point[], grain: string, mean: string}} props */
function Chart({ points, grain, mean }) {
  const [ref, width] = useWidth();
  const [at, setAt] = useState(-1);
  const [drag, setDrag] = useState(/** @type {{from: number, to: number} | null} */ (null));
  const id = useId();
  const alerts = useAlerts();
  const narrow = width < 600;
  const right = narrow ? 8 : 96;
  const room = width - LEFT - right;
  const most = Math.max(1, ...points.map(point => Math.max(point.n, point.ago ?? 0)));
  const scale = ticks(most);
  const top = scale[scale.length - 1];
  const step = room / Math.max(1, points.length);
  const x = (/** @type {number} */ index) => LEFT + (index + 0.5) * step;
  const y = (/** @type {number} */ n) => FLOOR - ((FLOOR - TOP) * n) / top;
  const whole = points.filter(point => point.whole).length;
  const line7 = mean ? meanOf(points, grain === "day" ? 7 : 4) : [];
  const indexAt = (/** @type {PointerEvent} */ event) => Math.max(0, Math.min(points.length - 1, Math.floor((event.clientX - /** @type {Element} */ (event.currentTarget).getBoundingClientRect().left - LEFT) / step)));
  const down = (/** @type {PointerEvent} */ event) => {
    if (event.button !== 0) return;
    /** @type {Element} */ (event.currentTarget).setPointerCapture(event.pointerId);
    setDrag({ from: indexAt(event), to: indexAt(event) });
  };
  const move = (/** @type {PointerEvent} */ event) => {
    setAt(indexAt(event));
    if (drag) setDrag({ ...drag, to: indexAt(event) });
  };
  const up = () => {
    if (drag && Math.abs(drag.to - drag.from) > 1) takePoints(points, drag.from, drag.to);
    setDrag(null);
  };
  const keys = (/** @type {KeyboardEvent} */ event) => {
    const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (by) {
      event.preventDefault();
      setAt(Math.max(0, Math.min(points.length - 1, (at < 0 ? points.length - 1 : at) + by)));
    } else if (event.key === "Enter" && at >= 0) takePoints(points, at, at);
  };
  const says = at >= 0 && points[at] ? sayPoint(points[at], grain) : "";
  const label = `${current.value?.units} by ${grain}, ${points.length ? format.span(format.dayOf(points[0].start), format.dayOf(points[points.length - 1].start)) : ""}; arrows move, Enter chooses. ${says}`;
  return html`<div class="draw" ref=${ref}>${width > 80 && points.length > 0 && html`<svg width=${width} height=${HEIGHT} tabindex="0" role="application" aria-roledescription="time series" aria-label=${label} data-chart="series"
      onPointerDown=${down} onPointerMove=${move} onPointerUp=${up} onPointerLeave=${() => setAt(-1)} onKeyDown=${keys} onDblClick=${() => choose("t", [])}>
    <${Hatch} id=${id} />
    ${scale.map(n => html`<line x1=${LEFT} x2=${width - right} y1=${y(n)} y2=${y(n)} class=${n ? "grid" : "grid zero"} /><text x=${LEFT - 6} y=${y(n) + 4} text-anchor="end">${format.short(n)}</text>`)}
    <path d=${bars(points.slice(0, whole).map((_, i) => x(i) - step * 0.42), Math.max(0.7, step * 0.84), points.slice(0, whole).map(p => y(p.n)), FLOOR)} style="fill:var(--bar-2)" />
    <path d=${bars(points.slice(whole).map((_, i) => x(whole + i) - step * 0.42), Math.max(0.7, step * 0.84), points.slice(whole).map(p => y(p.n)), FLOOR)} style="fill:var(--bar-off)" />
    <path d=${agoPath(points, x, y)} style="fill:none;stroke:var(--ghost);stroke-width:1.5;stroke-dasharray:3 3" />
    ${mean && whole > 1 && html`<path d=${line(line7.slice(0, whole).map((_, i) => x(i)), line7.slice(0, whole).map(y))} style="fill:none;stroke:var(--ink);stroke-width:2;stroke-linejoin:round" />`}
    ${whole < points.length && html`<rect x=${LEFT + whole * step} y=${TOP - 6} width=${(points.length - whole) * step} height=${FLOOR - TOP + 6} style="fill:url(#${id})" data-provisional=${points.length - whole} />
      <line x1=${LEFT + whole * step} x2=${LEFT + whole * step} y1=${TOP - 6} y2=${FLOOR} style="stroke:var(--ink-3)" />`}
    <${Breaks} points=${points} x=${x} narrow=${narrow} width=${width - right} />
    <${AlertTicks} points=${points} alerts=${alerts} x=${x} />
    ${!narrow && html`<${Ends} points=${points} whole=${whole} line7=${line7} y=${y} x=${width - right + 8} mean=${mean} />`}
    ${dateTicks(points, grain, narrow ? 70 : 90, step).map(([index, text]) => html`<text x=${x(index)} y=${HEIGHT - 6} text-anchor=${index * step < 24 ? "start" : "middle"}>${text}</text>`)}
    ${drag && html`<rect x=${LEFT + Math.min(drag.from, drag.to) * step} y=${TOP} width=${(Math.abs(drag.to - drag.from) + 1) * step} height=${FLOOR - TOP} style="fill:var(--you-wash);stroke:var(--you);stroke-width:1.5" />`}
    ${at >= 0 && points[at] && html`<line x1=${x(at)} x2=${x(at)} y1=${TOP} y2=${FLOOR} style="stroke:var(--you);stroke-width:1" />`}</svg>
    ${says && html`<div class="map-pop tip series-tip" style=${{ left: `${Math.max(0, Math.min(width - 216, x(at) + 12))}px`, top: "36px" }} aria-hidden="true">${says.split("; ").map((part, index) => (index ? html`<div>${part}</div>` : html`<b>${part}</b>`))}</div>`}`}</div>`;
}

/** @param {Point[]} points @param {number} from @param {number} to */
function takePoints(points, from, to) {
  const [a, b] = [from, to].sort((p, q) => p - q);
  choose("t", [`${format.dayOf(points[a].start)}..${format.dayOf(points[b].start + points[b].days - 1)}`]);
}

/** @param {Point} point @param {string} grain */
function sayPoint(point, grain) {
  const day = format.dayOf(point.start);
  const what = grain === "day" ? `${format.weekday(day)} ${format.date(day)}` : grain === "week" ? `week of ${format.date(day)}` : `${format.MONTHS[Number(day.slice(5, 7)) - 1]} ${day.slice(0, 4)}`;
  const parts = [what, `${format.count(point.n)} ${current.value?.units}`];
  if (!point.whole) parts.push("still filling up: not compared");
  else if (point.ago !== null) parts.push(`${format.count(point.ago)} a year earlier`);
  return parts.join("; ");
}

/** @param {Point[]} points @param {(index: number) => number} x @param {(n: number) => number} y */
function agoPath(points, x, y) {
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

/** @param {Point[]} points @param {string} day */
const indexOfDay = (points, day) => {
  const number = format.dayNumber(day);
  if (!points.length || number < points[0].start) return -1;
  const found = points.findIndex(point => number < point.start + point.days);
  return found;
};

/** @param {{points: Point[], x: (index: number) => number, narrow: boolean, width: number}} props */
function Breaks({ points, x, narrow, width }) {
  const list = (current.value?.series_breaks ?? []).map(each => ({ ...each, at: indexOfDay(points, each.from), end: each.until ? indexOfDay(points, each.until) : -1 })).filter(each => each.at >= 0 || each.end >= 0);
  return list.map(each => {
    const from = x(Math.max(0, each.at)) - 2;
    const left = from > width - 260;
    return html`<g data-break=${each.from}>${each.end > each.at && html`<rect x=${from} y="14" width=${x(each.end) - from} height=${FLOOR - 14} style="fill:var(--hatch-ink);opacity:.35" />`}
      <line x1=${from} x2=${from} y1="12" y2=${FLOOR} style="stroke:var(--ink-2);stroke-width:1.5;stroke-dasharray:5 3" /><title>${each.why}</title>
      <text x=${left ? from - 6 : from + 6} y="12" class="lab" text-anchor=${left ? "end" : "start"}>Series break ${format.date(each.from)}</text>
      ${!narrow && html`<text x=${left ? from - 6 : from + 6} y="25" text-anchor=${left ? "end" : "start"}>${each.why.length > 60 ? `${each.why.slice(0, 58)}…` : each.why}</text>`}</g>`;
  });
}

/** @param {{points: Point[], alerts: Record<string, number>, x: (index: number) => number}} props */
function AlertTicks({ points, alerts, x }) {
  const at = /** @type {Map<number, number>} */ (new Map());
  for (const [day, n] of Object.entries(alerts)) {
    const index = indexOfDay(points, day);
    if (index >= 0) at.set(index, (at.get(index) ?? 0) + n);
  }
  const spots = [...at];
  const crowded = spots.length > 30;
  return spots.map(([index, n]) => html`<g data-alerts=${n}><title>${n} ${n === 1 ? "alert" : "alerts"}</title><path d="M${x(index) - (crowded ? 3 : 5)} ${TOP - 12}h${crowded ? 6 : 10}l${crowded ? -3 : -5} ${crowded ? 5 : 7}z" style="fill:var(--alert)" />
    ${!crowded && html`<text x=${x(index)} y=${TOP - 16} text-anchor="middle" style="fill:var(--alert);font-weight:600">${n}</text>`}</g>`);
}

/** Names at the ends of lines, moved apart. @param {{points: Point[], whole: number, line7: number[], y: (n: number) => number, x: number, mean: string}} props */
function Ends({ points, whole, line7, y, x, mean }) {
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

/** @param {Point[]} points @param {string} grain @param {number} apart @param {number} step @returns {[number, string][]} */
function dateTicks(points, grain, apart, step) {
  const found = /** @type {[number, string][]} */ ([]);
  const short = grain === "day" && points.length <= 45;
  let last = -Infinity;
  let lastYear = "";
  points.forEach((point, index) => {
    const day = format.dayOf(point.start);
    const starts = short || index === 0 || day.slice(0, 7) !== format.dayOf(points[index - 1].start).slice(0, 7);
    if (!starts || (index - last) * step < apart || (!short && index > 0 && Number(day.slice(8)) > 7)) return;
    const year = day.slice(0, 4);
    const text = short ? format.date(day, false) : format.MONTHS[Number(day.slice(5, 7)) - 1];
    found.push([index, year === lastYear ? text : `${text} ${year}`]);
    last = index;
    lastYear = year;
  });
  return found;
}

const BRUSH = 52;
const BASE = 36;

/** All years in months; a window to drag, to stretch and to move by keys. */
function Brush() {
  const [ref, width] = useWidth();
  const id = useId();
  const view = answer.value?.views.days;
  const drag = useRef(/** @type {{what: "from" | "to" | "move" | "new", at: number, a: number, b: number, moved: boolean} | null} */ (null));
  if (!view?.first) return html`<div class="draw" ref=${ref}></div>`;
  const months = monthsOf(view.first, view.counts);
  const narrow = width < 600;
  const room = width - LEFT - (narrow ? 8 : 96);
  const step = room / Math.max(1, months.length);
  const most = Math.max(1, ...months.map(each => each.n));
  const of = preview.value ?? period.value;
  const place = (/** @type {string} */ day) => Math.max(0, months.findIndex(each => each.month === day.slice(0, 7)));
  const a = place(of.first || view.first);
  const found = months.findIndex(each => each.month === of.last.slice(0, 7));
  const b = found < 0 ? months.length - 1 : found;
  const take = (/** @type {number} */ from, /** @type {number} */ to) => ({ first: `${months[from].month}-01`, last: format.dayOf(nextMonth(format.dayNumber(`${months[to].month}-01`)) - 1), from, to });
  const monthAt = (/** @type {PointerEvent} */ event) => Math.max(0, Math.min(months.length - 1, Math.floor((event.clientX - (ref.current?.getBoundingClientRect().left ?? 0) - LEFT) / step)));
  const down = (/** @type {PointerEvent} */ event) => {
    if (event.button !== 0) return;
    const said = /** @type {any} */ (event.target).dataset?.edge;
    const at = monthAt(event);
    const what = said ?? (at >= a && at <= b && b - a < months.length - 1 ? "move" : "new");
    /** @type {Element} */ (event.currentTarget).setPointerCapture(event.pointerId);
    drag.current = { what, at, a, b, moved: false };
    startBrush();
  };
  const move = (/** @type {PointerEvent} */ event) => {
    const held = drag.current;
    if (!held) return;
    const at = monthAt(event);
    if (at !== held.at) held.moved = true;
    if (!held.moved) return;
    const [from, to] = stretched(held, at, months.length);
    stepBrush(take(from, to));
  };
  const up = () => {
    const held = drag.current;
    drag.current = null;
    if (held?.moved) endBrush();
  };
  const keys = (/** @type {"from" | "to"} */ edge) => (/** @type {KeyboardEvent} */ event) => {
    const by = event.key === "ArrowRight" || event.key === "ArrowUp" ? 1 : event.key === "ArrowLeft" || event.key === "ArrowDown" ? -1 : 0;
    if (!by) return;
    event.preventDefault();
    const [from, to] = event.shiftKey ? [a + by, b + by] : edge === "from" ? [Math.min(b, a + by), b] : [a, Math.max(a, b + by)];
    if (from < 0 || to >= months.length) return;
    const next = take(from, to);
    choose("t", [`${next.first.slice(0, 7)}..${next.last.slice(0, 7)}`], { replace: event.repeat });
  };
  const xs = months.flatMap((_, index) => [LEFT + index * step, LEFT + (index + 1) * step]);
  const ys = months.flatMap(each => [BASE - (30 * each.n) / most, BASE - (30 * each.n) / most]);
  const whole = `${line(xs, ys)}L${xs.at(-1)} ${BASE}L${xs[0]} ${BASE}Z`;
  const [left, right] = [LEFT + a * step, LEFT + (b + 1) * step];
  const years = months.map((each, index) => ({ ...each, index })).filter(each => each.month.endsWith("-01"));
  const every = Math.ceil(40 / (step * 12));
  return html`<div class="draw brush" ref=${ref}>${width > 80 && html`<svg width=${width} height=${BRUSH} role="group" aria-label="All years; the chosen period is outlined" data-chart="brush" onPointerEnter=${startBrush} onPointerDown=${down} onPointerMove=${move} onPointerUp=${up} onDblClick=${() => choose("t", [])}>
    <rect x=${LEFT} y="0" width=${room} height=${BASE} style="fill:transparent" />
    <path d=${whole} style="fill:var(--bar-off)" />
    <clipPath id=${id}><rect x=${left} y="0" width=${Math.max(2, right - left)} height=${BASE} /></clipPath><path d=${whole} style="fill:var(--bar)" clip-path="url(#${id})" />
    ${(current.value?.series_breaks ?? []).map(each => { const at = months.findIndex(month => month.month === each.from.slice(0, 7)); return at < 0 ? null : html`<line x1=${LEFT + (at + 0.5) * step} x2=${LEFT + (at + 0.5) * step} y1="0" y2=${BASE} style="stroke:var(--ink-2);stroke-width:1.25;stroke-dasharray:4 3"><title>${each.why}</title></line>`; })}
    <rect class="window" x=${left} y="0" width=${Math.max(2, right - left)} height=${BASE + 0.5} style="fill:var(--you-wash);stroke:var(--you);stroke-width:1.5" />
    <line x1=${LEFT} x2=${LEFT + room} y1=${BASE + 0.5} y2=${BASE + 0.5} class="grid zero" />
    ${["from", "to"].map(edge => { const at = edge === "from" ? left : right; const month = edge === "from" ? a : b; return html`<g tabindex="0" role="slider" class="edge" aria-label=${edge === "from" ? "First month" : "Last month"} aria-valuemin="0" aria-valuemax=${months.length - 1} aria-valuenow=${month} aria-valuetext=${months[month]?.month} onKeyDown=${keys(/** @type {"from" | "to"} */ (edge))}>
      <rect x=${at - 12} y="0" width="24" height=${BASE} style="fill:transparent" data-edge=${edge} /><rect x=${at - 4} y="9" width="8" height="18" rx="3" data-edge=${edge} style="fill:var(--surface);stroke:var(--you);stroke-width:1.5" /><line x1=${at} x2=${at} y1="14" y2="22" style="stroke:var(--you)" /></g>`; })}
    ${years.filter((_, index) => index % every === 0).map(each => html`<text x=${LEFT + each.index * step} y="50" text-anchor=${each.index ? "middle" : "start"}>${each.month.slice(0, 4)}</text>`)}
    ${!narrow && html`<text x=${width - 88} y="14">drag to move,</text><text x=${width - 88} y="27">edges to resize</text>`}</svg>`}</div>`;
}

/** @param {{what: string, at: number, a: number, b: number}} held @param {number} at @param {number} size @returns {[number, number]} */
function stretched(held, at, size) {
  if (held.what === "from") return [Math.min(at, held.b), Math.max(at, held.b)];
  if (held.what === "to") return [Math.min(at, held.a), Math.max(at, held.a)];
  if (held.what === "new") return [Math.min(at, held.at), Math.max(at, held.at)];
  const by = Math.max(-held.a, Math.min(size - 1 - held.b, at - held.at));
  return [held.a + by, held.b + by];
}

/** @param {string} first @param {ArrayLike<number>} counts @returns {{month: string, n: number}[]} */
export function monthsOf(first, counts) {
  const found = /** @type {{month: string, n: number}[]} */ ([]);
  let at = format.dayNumber(first);
  const base = at;
  while (at < base + counts.length) {
    const next = nextMonth(at);
    let n = 0;
    for (let day = at - base; day < Math.min(counts.length, next - base); day += 1) n += counts[day];
    found.push({ month: format.dayOf(at).slice(0, 7), n });
    at = next;
  }
  return found;
}
