// Hour by weekday. What has no known hour is in no cell, and said; cells are buttons, moved among by arrows.

import { useRef, useState } from "../vendor/preact-hooks.js";
import * as format from "./format.js";
import { Card, html, Icon, useWidth } from "./parts.js";
import { filters, go, toggle, valuesOf } from "./state.js";
import { answer, current } from "./store.js";

const TOP = 28;
const ROW = 20;
const LEFT = 34;
const RIGHT = 34;

/** @param {{state: string, problem: unknown, retry: () => void}} props */
export function HeatCard({ state, problem, retry }) {
  const said = answer.value;
  const hours = said?.kpis.hours;
  const tools = hours && hours.without > 0 && html`<span class="tag hollow" title=${current.value?.hours.why}>${format.share(hours.share)} no hour</span>`;
  const foot = hours && hours.without > 0 && html`<${Icon} name="info" />${format.title(current.value?.hours.why ?? "Hours that are not known")}: ${format.count(hours.without)} ${current.value?.units} are left out here and counted everywhere else.`;
  const counts = said ? Array.from(said.views.when?.counts ?? []) : [];
  const table = () => [["weekday", "hour", "count"], ...counts.slice(0, 168).map((n, index) => [format.WEEKDAYS[Math.floor(index / 24)], index % 24, n])];
  return html`<${Card} title="When" name="When" sub="local hour by weekday" tools=${tools} state=${state} problem=${problem} retry=${retry} shape="chart" foot=${foot} table=${table}>
    <${Cells} counts=${counts} /><//>`;
}

/** What of the week the filters hold. */
function held() {
  const when = new Set(valuesOf("when"));
  const days = valuesOf("weekday");
  const hours = valuesOf("hour")[0];
  if (!when.size && !days.length && !hours) return null;
  const [from, to] = (hours ?? "0..23").split("..").map(Number);
  const inHours = (/** @type {number} */ hour) => (from <= to ? hour >= from && hour <= to : hour >= from || hour <= to);
  return (/** @type {number} */ day, /** @type {number} */ hour) =>
    (!when.size || when.has(key(day, hour))) && (!days.length || days.includes(format.WEEKDAYS[day])) && (!hours || inHours(hour));
}

/** @param {number} day @param {number} hour */
const key = (day, hour) => `${format.WEEKDAYS[day]}-${String(hour).padStart(2, "0")}`;

/** @param {{counts: number[]}} props */
function Cells({ counts }) {
  const [ref, width] = useWidth();
  const [at, setAt] = useState(/** @type {[number, number]} */ ([0, 0]));
  const drag = useRef(/** @type {{from: [number, number], to: [number, number]} | null} */ (null));
  const [box, setBox] = useState(/** @type {{from: [number, number], to: [number, number]} | null} */ (null));
  const cell = Math.max(4, (width - LEFT - RIGHT) / 24);
  const most = Math.max(1, ...counts.slice(0, 168));
  const busiest = counts.slice(0, 168).indexOf(most);
  const holds = held();
  const perHour = Array.from({ length: 24 }, (_, hour) => [0, 1, 2, 3, 4, 5, 6].reduce((sum, day) => sum + (counts[day * 24 + hour] ?? 0), 0));
  const perDay = Array.from({ length: 7 }, (_, day) => counts.slice(day * 24, day * 24 + 24).reduce((sum, n) => sum + n, 0));
  const of = (/** @type {PointerEvent} */ event) => {
    const bounds = /** @type {Element} */ (event.currentTarget).getBoundingClientRect();
    const hour = Math.floor((event.clientX - bounds.left - LEFT) / cell);
    const day = Math.floor((event.clientY - bounds.top - TOP) / ROW);
    return /** @type {[number, number]} */ ([Math.max(0, Math.min(6, day)), Math.max(0, Math.min(23, hour))]);
  };
  const down = (/** @type {PointerEvent} */ event) => {
    if (event.button !== 0) return;
    drag.current = { from: of(event), to: of(event) };
    /** @type {Element} */ (event.currentTarget).setPointerCapture(event.pointerId);
  };
  const move = (/** @type {PointerEvent} */ event) => {
    setAt(of(event));
    if (!drag.current) return;
    drag.current.to = of(event);
    setBox({ ...drag.current });
  };
  const up = (/** @type {PointerEvent} */ event) => {
    if (drag.current) select(drag.current.from, drag.current.to, event.altKey);
    drag.current = null;
    setBox(null);
  };
  const keys = (/** @type {KeyboardEvent} */ event) => {
    const by = /** @type {Record<string, [number, number]>} */ ({ ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] })[event.key];
    if (by) {
      event.preventDefault();
      setAt([(at[0] + by[0] + 7) % 7, (at[1] + by[1] + 24) % 24]);
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      select(at, at, event.altKey);
    } else if (event.key === "Escape") clear();
  };
  const n = counts[at[0] * 24 + at[1]] ?? 0;
  const says = `${format.WEEKDAYS[at[0]]} ${String(at[1]).padStart(2, "0")}:00, ${format.count(n)} ${current.value?.units}`;
  const inBox = (/** @type {number} */ day, /** @type {number} */ hour) => box && day >= Math.min(box.from[0], box.to[0]) && day <= Math.max(box.from[0], box.to[0]) && hour >= Math.min(box.from[1], box.to[1]) && hour <= Math.max(box.from[1], box.to[1]);
  return html`<div class="draw heat" ref=${ref}>${width > 60 && html`<svg width=${width} height=${TOP + 7 * ROW + 20} tabindex="0" role="application" aria-roledescription="hour by weekday chart" aria-label="Hour by weekday; arrows move, Enter filters. ${says}" data-chart="heat"
      onPointerDown=${down} onPointerMove=${move} onPointerUp=${up} onDblClick=${clear} onKeyDown=${keys}>
    ${perHour.map((sum, hour) => html`<rect x=${LEFT + hour * cell + 1} y=${TOP - 4 - (20 * sum) / Math.max(1, ...perHour)} width=${cell - 2} height=${(20 * sum) / Math.max(1, ...perHour)} style="fill:var(--bar-2)" />`)}
    ${format.WEEKDAYS.map((day, index) => html`<text x="0" y=${TOP + index * ROW + 14} style=${index > 4 ? "font-weight:600;fill:var(--ink-2)" : ""}>${day}</text>
      <rect x=${width - RIGHT + 6} y=${TOP + index * ROW + 4} height=${ROW - 8} width=${((RIGHT - 6) * perDay[index]) / Math.max(1, ...perDay)} style="fill:var(--bar-2)" />`)}
    ${counts.slice(0, 168).map((value, index) => {
      const [day, hour] = [Math.floor(index / 24), index % 24];
      const quiet = (holds && !holds(day, hour)) || (box && !inBox(day, hour));
      return html`<rect x=${LEFT + hour * cell + 0.5} y=${TOP + day * ROW + 0.5} width=${cell - 1} height=${ROW - 1} rx="1.5" style=${`fill:var(--r${value && Math.max(1, Math.ceil((7 * value) / most))});opacity:${quiet ? 0.28 : 1}`} />`;
    })}
    ${busiest >= 0 && counts.length > 0 && html`<rect class="busiest" x=${LEFT + (busiest % 24) * cell - 0.5} y=${TOP + Math.floor(busiest / 24) * ROW - 0.5} width=${cell + 1} height=${ROW + 1} rx="2" style="fill:none;stroke:var(--ink);stroke-width:2" />`}
    <rect class="cursor" x=${LEFT + at[1] * cell} y=${TOP + at[0] * ROW} width=${cell} height=${ROW} rx="2" style="fill:none;stroke:var(--you);stroke-width:2" />
    ${[0, 6, 12, 18].map(hour => html`<text x=${LEFT + hour * cell} y=${TOP + 7 * ROW + 16}>${String(hour).padStart(2, "0")}</text>`)}
    <text x=${LEFT + 24 * cell} y=${TOP + 7 * ROW + 16} text-anchor="end">24 h</text></svg>
    <p class="heat-said" aria-hidden="true"><b>${says}</b> · busiest ${busiest >= 0 ? `${format.WEEKDAYS[Math.floor(busiest / 24)]} ${String(busiest % 24).padStart(2, "0")}:00` : "–"} · linear</p>`}</div>`;
}

const PARTS = ["when", "hour", "weekday"];
const others = () => filters.value.filter(each => !PARTS.includes(each.name) || each.off);
const clear = () => go({ filters: others() });

/** One cell is toggled; a rectangle becomes hours and weekdays. @param {[number, number]} from @param {[number, number]} to @param {boolean} out */
function select(from, to, out) {
  if (from[0] === to[0] && from[1] === to[1]) return void toggle("when", key(...from), out);
  const [day, lastDay] = [from[0], to[0]].sort((a, b) => a - b);
  const [hour, lastHour] = [from[1], to[1]].sort((a, b) => a - b);
  const made = others();
  if (hour > 0 || lastHour < 23) made.push({ name: "hour", exclude: false, off: false, values: [`${hour}..${lastHour}`] });
  if (day > 0 || lastDay < 6) made.push({ name: "weekday", exclude: false, off: false, values: format.WEEKDAYS.slice(day, lastDay + 1) });
  go({ filters: made });
}
