// More than expected: what, how much, why, which records, and whether it is still true.

import { signal } from "../vendor/signals.js";
import * as format from "./format.js";
import { useAnswer } from "./asking.js";
import { range95 } from "./chance.js";
import { openRows, RowTable } from "./drawer.js";
import { Card, html, Icon, Segments, useWidth } from "./parts.js";
import { show, shown } from "./state.js";
import { current, dimension, label } from "./store.js";
import { Bullet, band, ticks } from "./svg.js";

/** @typedef {import("./types.js").Alert} Alert */
/** @typedef {import("./types.js").Dataset} Dataset */

/** Acknowledged and muted ones are of this browser only: the store is read, never written. @param {string} name */
const kept = name => signal(/** @type {string[]} */ (JSON.parse(localStorage.getItem(name) ?? "[]")));
const seen = kept("alerts-seen");
const muted = kept("alerts-muted");

/** @param {string} name @param {import("../vendor/signals.js").Signal<string[]>} list @param {string} value */
function flip(name, list, value) {
  list.value = list.value.includes(value) ? list.value.filter(each => each !== value) : [...list.value, value];
  localStorage.setItem(name, JSON.stringify(list.value));
}

/** What is muted: a type in a district, by one detector. @param {Alert} alert */
const series = alert => `${alert.dataset} ${alert.detector} ${alert.type} ${alert.district}`;

export function Alerts() {
  const of = current.value;
  if (!of) return null;
  const status = shown("status", "active");
  const { said, problem, state, again } = useAnswer("api/alerts", { dataset: of.dataset, limit: "200", ...(status === "active" ? { status } : {}) }, "alerts");
  const all = /** @type {Alert[]} */ (said?.alerts ?? []);
  const list = episodes(status === "muted" ? all.filter(each => muted.value.includes(series(each))) : all.filter(each => !muted.value.includes(series(each))));
  const chosen = shown("alert") || list[0]?.alert_id || "";
  const options = /** @type {[string, string][]} */ ([["active", `Active ${said ? format.count(said.active) : ""}`], ["all", `All ${said ? format.count(said.all) : ""}`], ["muted", `Muted ${muted.value.length || ""}`]]);
  const tools = html`<${Segments} label="Which" options=${options} value=${status} onChange=${(/** @type {string} */ to) => show({ status: to === "active" ? "" : to, alert: "" }, { replace: true })} />`;
  return html`<main class="page" id="page" tabindex="-1"><div class="page-h"><div><h1>Alerts</h1><p>More ${of.units} than expected, or than a fixed rule allows, in one district and of one type. An alert says that reports are unusual, not why.</p></div></div>
    <div class="al"><${Card} title="Episodes" name="Episodes" sub="newest first; band: usual range or what the rule allows" tools=${tools} state=${state} problem=${problem} retry=${again} bare=${true} table=${() => tableOf(list)}>
      <div class="eps" role="list">${list.map(each => html`<${Episode} key=${each.alert_id} alert=${each} chosen=${each.alert_id === chosen} />`)}</div>
      ${said && !list.length && html`<div class="card-b"><div class="void"><h3>Nothing unusual</h3><p>${status === "active" ? `No alert of ${of.title} is active. “All” shows those of before.` : status === "muted" ? "Nothing is muted in this browser." : "No alert was ever raised here."}</p></div></div>`}
      ${said?.next && html`<p class="card-f">The newest 200; the others are in “citystream alerts”.</p>`}<//>
    ${chosen && html`<${Detail} id=${chosen} />`}</div></main>`;
}

/** @param {Alert[]} list */
const tableOf = list => [["alert_id", "type", "district", "from", "to", "observed", "expected", "recurrence_days", "status"], ...list.map(each => [each.alert_id, each.type, each.district, each.window_start_local, each.window_end_local, each.observed, each.expected, each.recurrence_days, each.status])];

/** @typedef {Alert & {windows: number}} Merged  the fullest of windows that overlap, with the time of all of them */

/** One alert for windows of the same rule, type and district that overlap: a reader sees one thing that happened. @param {Alert[]} list @returns {Merged[]} */
function episodes(list) {
  const open = /** @type {Map<string, Merged>} */ (new Map());
  const found = /** @type {Merged[]} */ ([]);
  for (const alert of list) {
    const key = `${series(alert)} ${alert.status}`;
    const last = open.get(key);
    if (last && (alert.episode ? alert.episode === last.episode : alert.window_end >= last.window_start && alert.window_start <= last.window_end)) {
      const fuller = alert.observed > last.observed ? alert : last;
      const ends = [last, alert].map(each => [each.window_start, each.window_start_local, each.window_end, each.window_end_local]);
      const [from, to] = [ends[0][0] < ends[1][0] ? ends[0] : ends[1], ends[0][2] > ends[1][2] ? ends[0] : ends[1]];
      Object.assign(last, fuller, { windows: last.windows + 1, window_start: from[0], window_start_local: from[1], window_end: to[2], window_end_local: to[3] });
    } else {
      const one = { ...alert, windows: 1 };
      found.push(one);
      open.set(key, one);
    }
  }
  return found;
}

/** @param {Alert} alert */
const titleOf = alert => [label(dimension("type"), alert.type), label(dimension("district"), alert.district)].join(", ");

/** Fri 20 Nov, 18:00–23:00; with the year, if it is not the newest. @param {string} from @param {string} to @param {boolean} [year] */
function windowSaid(from, to, year = from.slice(0, 4) !== current.value?.last_day?.slice(0, 4)) {
  const day = `${format.weekday(from)} ${format.date(from, year)}`;
  if (from.slice(0, 10) === to.slice(0, 10)) return `${day}, ${from.slice(11, 16)}–${to.slice(11, 16)}`;
  return `${day}, ${from.slice(11, 16)} – ${format.weekday(to)} ${format.date(to, false)}, ${to.slice(11, 16)}`;
}

/** The rule that was passed, if it is a fixed one. @param {Alert} alert */
function ruleOf(alert) {
  if (!alert.rule || typeof alert.rule === "string") return alert.rule ?? "";
  const parts = Object.entries(alert.rule).map(([name, value]) => (name === "over" ? `more than ${value}` : `${name.replaceAll("_", " ")} ${value}`));
  return parts.join(", ");
}

/** What a fixed rule allows. @param {Alert} alert */
const allowed = alert => (alert.rule && typeof alert.rule === "object" && typeof alert.rule.over === "number" ? alert.rule.over : null);

/** What is learnt from months says nothing of longer times. */
const MOST_DAYS = 36_500;

/** How rare: "once in 14 weeks", or the rule. @param {Alert} alert */
function rarity(alert) {
  if (alert.status === "withdrawn") return "withdrawn";
  const days = alert.recurrence_days;
  if (days === null) return ruleOf(alert) || "fixed rule";
  if (days > MOST_DAYS) return "once in over 100 years";
  if (days >= 730) return `once in ${format.count(Math.round(days / 365))} years`;
  return days >= 14 ? `once in ${format.count(Math.round(days / 7))} weeks` : `once in ${Math.max(1, Math.round(days))} days`;
}

/** @param {{alert: Alert}} props */
const Tags = ({ alert }) => html`<span class="tags">${alert.provisional && html`<span class="tag prov">provisional</span>`}${seen.value.includes(alert.alert_id) && html`<span class="tag hollow">seen</span>`}
  ${alert.status === "active" ? html`<span class="tag alert">active</span>` : html`<span class="tag">withdrawn ${alert.withdrawn_at ? format.date(alert.withdrawn_at, false) : ""}</span>`}</span>`;

/** @param {Alert} alert @returns {{expected: number, low: number, high: number} | null} */
function usual(alert) {
  if (alert.expected === null) return null;
  const [low, high] = range95(alert.expected);
  return { expected: alert.expected, low, high };
}

/** @param {{alert: Merged, chosen: boolean}} props */
function Episode({ alert, chosen }) {
  const [ref, width] = useWidth();
  const over = allowed(alert);
  const range = usual(alert) ?? (over === null ? null : { expected: over, low: 0, high: over });
  const most = Math.max(alert.observed * 1.2, (range?.high ?? 0) * 1.2, 5);
  const says = range ? html`<b>${format.count(alert.observed)}</b> vs ${format.measure(range.expected)}` : html`<b>${format.count(alert.observed)}</b>`;
  return html`<div role="listitem"><button class="ep ${alert.status === "withdrawn" ? "gone" : ""}" aria-current=${chosen ? "true" : undefined} data-alert=${alert.alert_id} onClick=${() => show({ alert: alert.alert_id })}>
    <div><h3>${titleOf(alert)}</h3><div class="when">${windowSaid(alert.window_start_local, alert.window_end_local)}${alert.windows > 1 ? ` · ${alert.windows} windows` : ""}</div></div><div><div class="rare">${rarity(alert)}</div><${Tags} alert=${alert} /></div>
    <div class="bul" ref=${ref}>${range && width > 120 ? html`<${Bullet} observed=${alert.observed} expected=${range.expected} low=${range.low} high=${range.high} most=${most} off=${alert.status === "withdrawn"} width=${width} />` : html`<span></span>`}<span class="bul-n">${says}</span></div></button></div>`;
}

/** @param {{id: string}} props */
function Detail({ id }) {
  const of = /** @type {Dataset} */ (current.value);
  const { said, problem, state, again } = useAnswer(`api/alerts/${encodeURIComponent(id)}`, {}, "alert");
  const alert = /** @type {Alert | undefined} */ (said?.alert);
  if (!alert) return html`<${Card} title="Alert" name="Alert" state=${state} problem=${problem} retry=${again} shape="chart" />`;
  const muteName = muted.value.includes(series(alert)) ? "Unmute" : "Mute";
  const acknowledged = seen.value.includes(alert.alert_id);
  const tools = html`<${Tags} alert=${alert} /><button class="btn small line" aria-pressed=${acknowledged} title="in this browser only" onClick=${() => flip("alerts-seen", seen, alert.alert_id)}><${Icon} name="check" />${acknowledged ? "Acknowledged" : "Acknowledge"}</button>
    <button class="btn small line" title="this type here, in this browser only" onClick=${() => flip("alerts-muted", muted, series(alert))}><${Icon} name="mute" />${muteName}</button>
    <button class="btn small icon" aria-label="Copy link to this alert" title="Copy link" onClick=${() => { show({ alert: alert.alert_id }, { replace: true }); navigator.clipboard?.writeText(location.href); }}><${Icon} name="link" /></button>`;
  const rowsOf = () => openRows({ type: alert.type ?? "", district: alert.district ?? "", t: `${alert.window_start_local.slice(0, 10)}..${format.plusDays(alert.window_end_local, 0)}` }, `${titleOf(alert)}, the days of the window`);
  return html`<${Card} title=${titleOf(alert)} name="Alert" sub="${windowSaid(alert.window_start_local, alert.window_end_local, true)}${alert.raised_at ? ` · raised ${format.moment(alert.raised_at)} UTC` : ""}" tools=${tools} state=${state === "refreshing" ? "refreshing" : "ready"} problem=${problem} retry=${again} bare=${true}
      table=${() => [["hour", "count"], ...said.around.starts.map((/** @type {string} */ start, /** @type {number} */ index) => [start, said.around.counts[index]])]}>
    <div class="card-b al-body"><${Why} alert=${alert} of=${of} /><${Facts} alert=${alert} /><${Around} alert=${alert} around=${said.around} /><${History} history=${said.history ?? []} /></div>
    <div class="scroll" tabindex="0" role="region" aria-label="Records of the window"><${RowTable} rows=${said.rows} /></div>
    <div class="card-f"><button class="link" onClick=${rowsOf}>all ${format.count(said.total)} ${of.units}</button><span>An alert is withdrawn when its records are revised away.</span></div><//>`;
}

/** @param {{alert: Alert, of: Dataset}} props */
function Why({ alert, of }) {
  const range = usual(alert);
  const length = format.secondsBetween(alert.window_start, alert.window_end) / 3600;
  const [start, end] = [alert.window_start_local, alert.window_end_local].map(each => each.slice(11, 16));
  const hours = length < 24 ? `between ${start} and ${end}` : `in the ${format.count(Math.round(length))} hours to ${end}`;
  const what = html`<span class=${alert.status === "active" ? "a" : ""}>${format.count(alert.observed)} ${of.units}</span> of type ${label(dimension("type"), alert.type)} were reported in ${label(dimension("district"), alert.district)} ${hours}`;
  const rare = alert.recurrence_days !== null && alert.status === "active" ? html` As rare as <b>${rarity(alert)}</b> anywhere in the city.` : "";
  const gone = alert.status === "withdrawn" ? ` Withdrawn${alert.withdrawn_at ? ` on ${format.date(alert.withdrawn_at)}` : ""}: records were revised, moved or no longer published.` : "";
  if (range) return html`<p class="why">${what}; <b>${format.measure(range.expected)}</b> are expected for this hour, weekday and season (95 % range ${range.low}–${range.high}, by chance alone).${rare}${gone}</p>`;
  return html`<p class="why">${what}: more than the fixed rule allows (${ruleOf(alert) || alert.detector}). A fixed rule knows no usual: busy districts pass it often.${gone}</p>`;
}

/** @param {{alert: Alert}} props */
function Facts({ alert }) {
  const range = usual(alert);
  return html`<dl class="fact4"><div><dt>observed</dt><dd>${format.count(alert.observed)}</dd></div>
    <div><dt>expected</dt><dd>${range ? html`${format.measure(range.expected)} <small>${range.low}–${range.high}</small>` : html`– <small>no baseline</small>`}</dd></div>
    <div><dt>recurrence</dt><dd>${alert.recurrence_days === null ? "–" : `${alert.recurrence_days > MOST_DAYS ? "over " : ""}${format.count(Math.round(Math.min(alert.recurrence_days, MOST_DAYS)))} d`}</dd></div>
    <div><dt>by</dt><dd><small class="by">${alert.detector}${alert.rule ? `: ${ruleOf(alert)}` : ""}</small></dd></div></dl>`;
}

const HEIGHT = 220;
const LEFT = 30;
const TOP = 30;
const FLOOR = HEIGHT - 24;

/** Hours around the window, added up over the window's length, as the detector sees them. @param {{alert: Alert, around: {starts: string[], counts: number[]}}} props */
function Around({ alert, around }) {
  const [ref, width] = useWidth();
  const hours = Math.max(1, Math.round(format.secondsBetween(alert.window_start, alert.window_end) / 3600));
  const { starts } = around;
  const sums = around.counts.map((_, index) => around.counts.slice(Math.max(0, index - hours + 1), index + 1).reduce((sum, n) => sum + n, 0));
  const range = usual(alert);
  const scale = ticks(Math.max(alert.observed, range?.high ?? 0, ...sums, 4));
  const top = scale[scale.length - 1];
  const right = width < 600 ? 12 : 92;
  const step = (width - LEFT - right) / Math.max(1, sums.length);
  const x = (/** @type {number} */ index) => LEFT + step * index;
  const y = (/** @type {number} */ n) => FLOOR - ((FLOOR - TOP) * n) / top;
  const [from, to] = [alert.window_start, alert.window_end];
  const shift = format.secondsBetween(alert.window_start, alert.window_start_local);
  const local = (/** @type {string} */ start) => new Date(Date.parse(`${start.slice(0, 19)}Z`) + 1000 * shift).toISOString();
  const first = starts.findIndex(start => start.slice(0, 13) >= from.slice(0, 13));
  const found = starts.findIndex(start => start.slice(0, 13) >= to.slice(0, 13));
  const end = found < 0 ? starts.length : found;
  let path = "";
  sums.forEach((n, index) => { path += `${index ? "L" : "M"}${x(index)} ${y(n)}L${x(index + 1)} ${y(n)}`; });
  const days = starts.map((start, index) => ({ start: local(start), index })).filter(({ start }) => start.slice(11, 13) === "00");
  return html`<div class="draw" ref=${ref}>${width > 80 && sums.length > 0 && html`<svg width=${width} height=${HEIGHT} role="img" aria-label="Counts over sliding ${hours} hours; ${alert.observed} at the end of the window" data-chart="around">
    ${scale.map(n => html`<line x1=${LEFT} x2=${width - right} y1=${y(n)} y2=${y(n)} class=${n ? "grid" : "grid zero"} /><text x=${LEFT - 6} y=${y(n) + 4} text-anchor="end">${n}</text>`)}
    ${first >= 0 && html`<rect x=${x(first)} y=${TOP - 8} width=${x(end) - x(first)} height=${FLOOR - TOP + 8} style="fill:var(--alert-soft)" /><text x=${(x(first) + x(end)) / 2} y=${TOP - 14} text-anchor="middle" class="lab">window ${alert.window_start_local.slice(11, 16)}–${alert.window_end_local.slice(11, 16)}</text>`}
    ${range && first >= 0 && html`<path d=${band([x(first), x(end)], [y(range.high), y(range.high)], [y(range.low), y(range.low)])} style="fill:var(--band);stroke:var(--line-2)" /><line x1=${x(first)} x2=${x(end)} y1=${y(range.expected)} y2=${y(range.expected)} style="stroke:var(--ghost);stroke-width:1.5;stroke-dasharray:3 3" />`}
    <path d=${path} style="fill:none;stroke:var(--ink);stroke-width:1.75;stroke-linejoin:round" />
    ${first >= 0 && html`<circle cx=${x(end)} cy=${y(alert.observed)} r="4.5" style="fill:var(--alert);stroke:var(--surface);stroke-width:2" /><text x=${Math.min(x(end) + 10, width - 70)} y=${y(alert.observed) + 4} style="fill:var(--alert);font-weight:600;font-size:12px">${alert.observed} observed</text>`}
    ${days.map(({ start, index }) => html`<text x=${x(index)} y=${HEIGHT - 6} text-anchor=${x(index) < LEFT + 30 ? "start" : x(index) > width - 30 ? "end" : "middle"}>${step * 24 < 96 ? "" : `${format.weekday(start)} `}${format.date(start, false)}</text>`)}</svg>`}</div>
    <p class="muted">${current.value?.units} of this type and district, added up over ${hours} h ending at each hour. ${range ? "The expectation is known for the window only." : ""}</p>`;
}

/** @param {{history: {at: string | null, up: boolean}[]}} props */
const History = ({ history }) => history.length > 1 && html`<p class="muted">History: ${history.map(each => `${each.up ? "raised" : "withdrawn"} ${format.moment(each.at)}`).join(" · ")}</p>`;
