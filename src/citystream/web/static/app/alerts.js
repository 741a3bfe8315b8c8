// More than expected, or fewer: what, how much, and whether it is still true; a fixed rule stands below what is judged by what is usual.

import { signal } from "../vendor/signals.js";
import * as format from "./format.js";
import { Detail } from "./alert-detail.js";
import { allowed, rarity, series, titleOf, usual, valueSaid, wayOf, windowSaid } from "./alert-words.js";
import { useAnswer } from "./asking.js";
import { Card, html, Segments, useWidth } from "./parts.js";
import { show, shown } from "./state.js";
import { current, readings } from "./store.js";
import { Bullet } from "./svg.js";

/** @typedef {import("./types.js").Alert} Alert */

/** Acknowledged and muted ones are of this browser only: the store is read, never written. @param {string} name */
const kept = name => signal(/** @type {string[]} */ (JSON.parse(localStorage.getItem(name) ?? "[]")));
const seen = kept("alerts-seen");
const muted = kept("alerts-muted");

/** @param {string} name @param {import("../vendor/signals.js").Signal<string[]>} list @param {string} value */
function flip(name, list, value) {
  list.value = list.value.includes(value) ? list.value.filter(each => each !== value) : [...list.value, value];
  localStorage.setItem(name, JSON.stringify(list.value));
}

export function Alerts() {
  const of = current.value;
  if (!of) return null;
  const status = shown("status", "active");
  const { said, problem, state, again } = useAnswer("api/alerts", { dataset: of.dataset, limit: "200", ...(status === "active" ? { status } : {}) }, "alerts");
  const all = /** @type {Alert[]} */ (said?.alerts ?? []);
  const list = cards(episodes(all.filter(each => (status === "muted") === muted.value.includes(series(each)))));
  const [judged, fixed] = [list.filter(each => !each.fixed), list.filter(each => each.fixed)];
  const chosen = shown("alert") || list[0]?.alert_id || "";
  const isChosen = (/** @type {Card_} */ each) => [each, ...each.also].some(one => one.alert_id === chosen);
  const options = /** @type {[string, string][]} */ ([["active", `Active ${said ? format.count(said.active) : ""}`], ["all", `All ${said ? format.count(said.all) : ""}`], ["muted", `Muted ${muted.value.length || ""}`]]);
  const tools = html`<${Segments} label="Which" options=${options} value=${status} onChange=${(/** @type {string} */ to) => show({ status: to === "active" ? "" : to, alert: "" }, { replace: true })} />`;
  const about = readings.value ? "Values that are unusual for their station and hour, that moved for long, or that stand still." : `More ${of.units} than expected, or fewer, or more than a fixed rule allows, in one district and of one type.`;
  const row = (/** @type {Card_} */ each) => html`<${Episode} key=${each.alert_id} alert=${each} chosen=${isChosen(each)} />`;
  return html`<main class="page" id="page" tabindex="-1"><div class="page-h"><div><h1>Alerts</h1><p>${about} An alert says that ${readings.value ? "values" : "reports"} are unusual, not why.</p></div></div>
    <div class="al"><${Card} title="Episodes" name="Episodes" sub="newest first; band: what is usual${readings.value ? "" : ", or what the rule allows"}" tools=${tools} state=${state} problem=${problem} retry=${again} bare=${true} table=${() => tableOf(list)}>
      <div class="eps"><div role="list" aria-label="Unusual">${judged.map(row)}</div>
        ${fixed.length > 0 && html`<h3 class="ep-h">Fixed rule <span>it knows no usual, and how rare it is, is not known</span></h3><div role="list" aria-label="Fixed rule">${fixed.map(row)}</div>`}</div>
      ${said && !list.length && html`<div class="card-b"><div class="void"><h3>Nothing unusual</h3><p>${status === "active" ? `No alert of ${of.title} is active. “All” shows those of before.` : status === "muted" ? "Nothing is muted in this browser." : "No alert was ever raised here."}</p></div></div>`}
      ${said?.next && html`<p class="card-f">The first 200; the others are in “citystream alerts”.</p>`}<//>
    ${chosen && html`<${Detail} id=${chosen} tags=${Tags} acknowledged=${(/** @type {Alert} */ each) => seen.value.includes(each.alert_id)} acknowledge=${(/** @type {Alert} */ each) => flip("alerts-seen", seen, each.alert_id)} isMuted=${(/** @type {Alert} */ each) => muted.value.includes(series(each))} mute=${(/** @type {Alert} */ each) => flip("alerts-muted", muted, series(each))} />`}</div></main>`;
}

/** @param {Card_[]} list */
const tableOf = list => [["alert_id", "type", "district", "from", "to", "observed", "expected", "recurrence_days", "status", "by"], ...list.flatMap(each => [each, ...each.also]).map(each => [each.alert_id, each.type, each.district, each.window_start_local, each.window_end_local, each.observed, each.expected, each.recurrence_days, each.status, each.detector])];

/** @typedef {Alert & {windows: number}} Merged  the fullest of windows that overlap, with the time of all of them */
/** @typedef {Merged & {also: Merged[]}} Card_  the rarest of what was seen in several ways, with the others */

/** One alert for windows of the same rule, type and district that overlap: a reader sees one thing that happened. @param {Alert[]} list @returns {Merged[]} */
function episodes(list) {
  const open = /** @type {Map<string, Merged>} */ (new Map());
  const found = /** @type {Merged[]} */ ([]);
  for (const alert of list) {
    const key = `${series(alert)} ${alert.status}`;
    const last = open.get(key);
    if (last && (alert.episode ? alert.alert_id === last.alert_id : alert.window_end >= last.window_start && alert.window_start <= last.window_end)) {
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

/** What the server says is of one card, together. @param {Merged[]} list @returns {Card_[]} */
function cards(list) {
  const found = /** @type {Map<string, Merged[]>} */ (new Map());
  for (const each of list) {
    const key = each.fixed ? each.alert_id : each.card;
    found.set(key, [...(found.get(key) ?? []), each]);
  }
  return [...found].map(([card, all]) => {
    const lead = all.find(each => each.alert_id === card) ?? all[0];
    return { ...lead, also: all.filter(each => each !== lead) };
  });
}

/** @param {{alert: Alert}} props */
const Tags = ({ alert }) => html`<span class="tags">${alert.provisional && html`<span class="tag prov">provisional</span>`}${seen.value.includes(alert.alert_id) && html`<span class="tag hollow">seen</span>`}
  ${alert.status === "active" ? html`<span class="tag alert">active</span>` : html`<span class="tag">withdrawn ${alert.withdrawn_at ? format.date(alert.withdrawn_at, false) : ""}</span>`}</span>`;

/** @param {{alert: Card_, chosen: boolean}} props */
function Episode({ alert, chosen }) {
  const [ref, width] = useWidth();
  const over = allowed(alert);
  const range = usual(alert) ?? (over === null ? null : { expected: over, low: 0, high: over });
  const reading = alert.kind === "reading";
  const reach = range ? Math.max(alert.observed, range.high) - Math.min(alert.observed, range.low) : 0;
  const least = reading && range ? Math.min(alert.observed, range.low) - 0.1 * reach : 0;
  const most = reading && range ? Math.max(alert.observed, range.high) + 0.1 * reach : Math.max(alert.observed * 1.2, (range?.high ?? 0) * 1.2, 5);
  const says = range ? html`<b>${valueSaid(alert, alert.observed)}</b> vs ${valueSaid(alert, range.expected)}` : html`<b>${valueSaid(alert, alert.observed)}</b>`;
  const ways = alert.fixed ? "" : [alert, ...alert.also].map(wayOf).join(" + ");
  return html`<div role="listitem"><button class="ep ${alert.status === "withdrawn" ? "gone" : ""}" aria-current=${chosen ? "true" : undefined} data-alert=${alert.alert_id} data-evidence=${1 + alert.also.length} onClick=${() => show({ alert: alert.alert_id })}>
    <div><h3>${titleOf(alert)}</h3><div class="when">${windowSaid(alert.window_start_local, alert.window_end_local)}${alert.windows > 1 ? ` · ${alert.windows} windows` : ""}</div>${ways && html`<div class="when">${ways}</div>`}</div><div><div class="rare">${rarity(alert)}</div><${Tags} alert=${alert} /></div>
    <div class="bul" ref=${ref}>${range && width > 120 ? html`<${Bullet} observed=${alert.observed} expected=${range.expected} low=${range.low} high=${range.high} least=${least} most=${most} side=${reading ? 170 : 104} off=${alert.status === "withdrawn"} width=${width} />` : html`<span></span>`}<span class="bul-n">${says}</span></div></button></div>`;
}
