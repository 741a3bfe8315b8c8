// All years in months; a window to drag, to stretch and to move by keys.

import { useId, useMemo, useRef } from "../vendor/preact-hooks.js";
import { endBrush, preview, startBrush, stepBrush } from "./brush.js";
import * as format from "./format.js";
import { html, useWidth } from "./parts.js";
import { isNarrow, LEFT, rightOf } from "./series-frame.js";
import { monthsOf, nextMonth } from "./series-points.js";
import { choose } from "./state.js";
import { answer, current, period } from "./store.js";
import { line } from "./svg.js";

const HEIGHT = 52;
const BASE = 36;

export function Brush() {
  const [ref, width] = useWidth();
  const id = useId();
  const view = answer.value?.views.days;
  const drag = useRef(/** @type {{what: "from" | "to" | "move" | "new", at: number, a: number, b: number, moved: boolean} | null} */ (null));
  const months = useMemo(() => (view?.first ? monthsOf(view.first, view.counts) : []), [view]);
  if (!view?.first) return html`<div class="draw" ref=${ref}></div>`;
  const narrow = isNarrow(width);
  const room = width - LEFT - rightOf(width);
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
  return html`<div class="draw brush" ref=${ref}>${width > 80 && html`<svg width=${width} height=${HEIGHT} role="group" aria-label="All years; the chosen period is outlined" data-chart="brush" onPointerEnter=${startBrush} onPointerDown=${down} onPointerMove=${move} onPointerUp=${up} onDblClick=${() => choose("t", [])}>
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
