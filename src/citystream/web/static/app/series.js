// Counts over time: bars, their mean, the year before, what is still filling up, breaks, alerts; below it all years to choose from.

import { useId, useMemo, useState } from "../vendor/preact-hooks.js";
import { useAnswer } from "./asking.js";
import { playing, preview, togglePlay } from "./brush.js";
import * as format from "./format.js";
import { Card, html, Icon, Menu, useWidth } from "./parts.js";
import { Brush } from "./series-brush.js";
import { FLOOR, HEIGHT, isNarrow, LEFT, rightOf, TOP } from "./series-frame.js";
import { agoPath, AlertTicks, Breaks, Ends } from "./series-marks.js";
import { dateTicks, GRAINS, grainOf, meanOf, pointsOf, sayPoint } from "./series-points.js";
import { choose, show, shown } from "./state.js";
import { answer, current, period } from "./store.js";
import { bars, Hatch, line, ticks } from "./svg.js";
import { YearsChart } from "./years.js";

/** @typedef {import("./series-points.js").Point} Point */

/** @param {{state: string, problem: unknown, retry: () => void}} props */
export function SeriesCard({ state, problem, retry }) {
  const said = answer.value;
  const of = current.value;
  const shownPeriod = preview.value ?? period.value;
  const grain = grainOf(shownPeriod);
  const points = useMemo(() => (said ? pointsOf(grain, shownPeriod) : []), [said, grain, shownPeriod.first, shownPeriod.last]);
  const years = shown("over") === "years";
  const alerts = useAnswer(of && !years ? "api/series" : "", { dataset: of?.dataset ?? "", grain: "year" }, "series-alerts");
  const mean = grain === "day" ? "7-day mean" : grain === "week" ? "4-week mean" : "";
  const options = [["auto", "whatever fits"], ...GRAINS.map(([name]) => [name, `by ${name}`])].map(([name, text]) => ({ label: text, checked: shown("by", "auto") === name && !years, onClick: () => show({ by: name === "auto" ? "" : name, over: "" }, { replace: true }) }));
  const items = [...options, { label: "years side by side", checked: years, onClick: () => show({ over: "years" }, { replace: true }) }];
  const provisional = points.length > 0 && !points[points.length - 1].whole;
  const tools = html`${!years && html`<span class="keys opt-m">${mean && html`<span><i class="key line"></i>${mean}</span>`}<span><i class="key ghost"></i>a year earlier</span>${provisional && html`<span><i class="key prov"></i>still filling up</span>`}<span><i class="key tri"></i>alerts</span>${(of?.series_breaks.length ?? 0) > 0 && html`<span><i class="key brkk"></i>series break</span>`}</span>`}
    <button class="btn small icon" aria-pressed=${playing.value} aria-label=${playing.value ? "Stop playing" : "Play the period through the years"} title=${playing.value ? "Stop" : "Play the period through the years"} onClick=${togglePlay}><${Icon} name=${playing.value ? "pause" : "play"} /></button>
    <${Menu} label="Grain" text=${html`by <b>${years ? "year" : grain}</b>`} items=${items} />`;
  const filling = provisional && html`<${Icon} name="clock" />The days after ${format.date(of?.complete_until)} are still filling up. They are not compared with anything.`;
  const foot = alerts.problem ? html`${filling}<span>Alerts could not be marked: ${/** @type {Error} */ (alerts.problem).message} <button class="link" onClick=${alerts.again}>Try again</button></span>` : filling;
  const table = () => [["from", "count", "a year earlier", "complete"], ...points.map(point => [format.dayOf(point.start), point.n, point.ago, point.whole ? "yes" : "no"])];
  const sub = years ? `${of?.units} a month, one line a year; all years, whatever the period` : `${of?.units} ${GRAINS.find(([name]) => name === grain)?.[1]}${mean ? `, ${mean}` : ""}; drag to choose a period`;
  return html`<${Card} title="Over time" name="Over time" cls="c-series" sub=${sub} tools=${tools} state=${state} problem=${problem} retry=${retry} shape="chart" foot=${foot} table=${table}>
    ${years ? html`<${YearsChart} />` : html`<${Chart} points=${points} grain=${grain} mean=${mean} alerts=${alerts.said?.alerts ?? {}} />`}<${Brush} /><//>`;
}

/** @param {Point} point */
const comparable = point => point.whole && point.begun;

/** @param {{points: Point[], grain: string, mean: string, alerts: Record<string, number>}} props  *alerts*: by the day of their window */
function Chart({ points, grain, mean, alerts }) {
  const [ref, width] = useWidth();
  const [at, setAt] = useState(-1);
  const [drag, setDrag] = useState(/** @type {{from: number, to: number} | null} */ (null));
  const id = useId();
  const narrow = isNarrow(width);
  const right = rightOf(width);
  const room = width - LEFT - right;
  const most = Math.max(1, ...points.map(point => Math.max(point.n, point.ago ?? 0)));
  const scale = ticks(most);
  const top = scale[scale.length - 1];
  const step = room / Math.max(1, points.length);
  const x = (/** @type {number} */ index) => LEFT + (index + 0.5) * step;
  const y = (/** @type {number} */ n) => FLOOR - ((FLOOR - TOP) * n) / top;
  const whole = points.filter(point => point.whole).length;
  const barsOf = (/** @type {(index: number) => boolean} */ wanted) => {
    const indexes = points.map((_, index) => index).filter(wanted);
    return bars(indexes.map(index => x(index) - step * 0.42), Math.max(0.7, step * 0.84), indexes.map(index => y(points[index].n)), FLOOR);
  };
  const meant = points.map((_, index) => index).filter(index => comparable(points[index]));
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
    <path d=${barsOf(index => comparable(points[index]))} style="fill:var(--bar-2)" /><path d=${barsOf(index => !comparable(points[index]))} style="fill:var(--bar-off)" />
    <path d=${agoPath(points, x, y)} style="fill:none;stroke:var(--ghost);stroke-width:1.5;stroke-dasharray:3 3" />
    ${mean && whole > 1 && html`<path d=${line(meant.map(x), meant.map(index => y(line7[index])))} style="fill:none;stroke:var(--ink);stroke-width:2;stroke-linejoin:round" />`}
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
