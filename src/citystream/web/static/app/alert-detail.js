// All about one alert: in words, by which ways it was seen, what is usual and why, how it came to stand so, its records.

import * as format from "./format.js";
import { useAnswer } from "./asking.js";
import { Around } from "./alert-chart.js";
import { isReading, MOST_DAYS, rarity, ruleOf, titleOf, usual, valueSaid, wayOf, windowSaid } from "./alert-words.js";
import { openRows, RowTable } from "./drawer.js";
import { Card, html, Icon } from "./parts.js";
import { show } from "./state.js";
import { current } from "./store.js";

/** @typedef {import("./types.js").Alert} Alert */
/** @typedef {import("./types.js").Dataset} Dataset */
/** @typedef {import("./types.js").Stood} Stood */

/** @param {{id: string, tags: unknown, acknowledged: (alert: Alert) => boolean, acknowledge: (alert: Alert) => void, isMuted: (alert: Alert) => boolean, mute: (alert: Alert) => void}} props */
export function Detail({ id, tags, acknowledged, acknowledge, isMuted, mute }) {
  const of = /** @type {Dataset} */ (current.value);
  const { said, problem, state, again } = useAnswer(`api/alerts/${encodeURIComponent(id)}`, {}, "alert");
  const alert = /** @type {Alert | undefined} */ (said?.alert);
  if (!alert) return html`<${Card} title="Alert" name="Alert" state=${state} problem=${problem} retry=${again} shape="chart" />`;
  const tools = html`<${tags} alert=${alert} /><button class="btn small line" aria-pressed=${acknowledged(alert)} title="in this browser only" onClick=${() => acknowledge(alert)}><${Icon} name="check" />${acknowledged(alert) ? "Acknowledged" : "Acknowledge"}</button>
    <button class="btn small line" title="this type here, in this browser only" onClick=${() => mute(alert)}><${Icon} name="mute" />${isMuted(alert) ? "Unmute" : "Mute"}</button>
    <button class="btn small icon" aria-label="Copy link to this alert" title="Copy link" onClick=${() => { show({ alert: alert.alert_id }, { replace: true }); navigator.clipboard?.writeText(location.href); }}><${Icon} name="link" /></button>`;
  const { around } = said;
  const table = () => [[around.grain, isReading(alert) ? alert.type : "count"], ...around.starts.map((/** @type {string} */ start, /** @type {number} */ index) => [start, (around.values ?? around.counts)[index]])];
  return html`<${Card} title=${titleOf(alert)} name="Alert" sub="${windowSaid(alert.window_start_local, alert.window_end_local, true)}${alert.raised_at ? ` · raised ${format.moment(alert.raised_at)} UTC` : ""}" tools=${tools} state=${state === "refreshing" ? "refreshing" : "ready"} problem=${problem} retry=${again} bare=${true} table=${table}>
    <div class="card-b al-body"><${Why} alert=${alert} said=${said} /><${Facts} alert=${alert} /><${Evidence} others=${said.evidence} /><${Around} alert=${alert} around=${around} /><${Usual} said=${said} /><${History} course=${said.course} alert=${alert} /></div>
    ${!isReading(alert) && html`<div class="scroll" tabindex="0" role="region" aria-label="Records of the window"><${RowTable} rows=${said.rows} /></div>`}
    <div class="card-f">${isReading(alert) ? html`<span>${format.count(said.total)} ${said.total === 1 ? "reading" : "readings"} in the window; measured, never counted.</span>` : html`<button class="link" onClick=${() => openRows({ type: alert.type ?? "", district: alert.district ?? "", t: `${alert.window_start_local.slice(0, 10)}..${format.plusDays(alert.window_end_local, 0)}` }, `${titleOf(alert)}, the days of the window`)}>all ${format.count(said.total)} ${of.units}</button>`}<span>An alert is withdrawn when its ${isReading(alert) ? "readings are corrected" : "records are revised away"}.</span></div><//>`;
}

/** @param {{alert: Alert, said: any}} props */
function Why({ alert, said }) {
  const gone = alert.status === "withdrawn" ? `Withdrawn${alert.withdrawn_at ? ` on ${format.date(alert.withdrawn_at)}` : ""}: ${alert.reason ?? "records were revised, moved or no longer published"}.` : "";
  const fixed = alert.fixed ? `A fixed rule (${ruleOf(alert) || alert.detector}) knows no usual: busy districts pass it often.` : "";
  return html`<div><p class="why">${said.sentence}</p>${(gone || fixed || said.feed) && html`<p class="muted">${[gone, fixed, said.feed].filter(Boolean).join(" ")}</p>`}</div>`;
}

/** @param {{alert: Alert}} props */
function Facts({ alert }) {
  const range = usual(alert);
  const days = alert.recurrence_days;
  return html`<dl class="fact4"><div><dt>observed</dt><dd>${valueSaid(alert, alert.observed)}</dd></div>
    <div><dt>expected</dt><dd>${range ? html`${valueSaid(alert, range.expected)} <small>${valueSaid(alert, range.low, false)}–${valueSaid(alert, range.high, false)}</small>` : html`– <small>no baseline</small>`}</dd></div>
    <div><dt>recurrence</dt><dd>${days === null ? "–" : `${days > MOST_DAYS ? "over " : ""}${format.count(Math.round(Math.min(days, MOST_DAYS)))} d`}</dd></div>
    <div><dt>by</dt><dd><small class="by">${alert.fixed ? "fixed rule" : alert.detector}${ruleOf(alert) ? `: ${ruleOf(alert)}` : ""}</small></dd></div></dl>`;
}

/** The same thing seen in other ways. @param {{others: Alert[]}} props */
const Evidence = ({ others }) => html`${others?.length > 0 && html`<div class="also" role="list" aria-label="Also seen">${others.map(each => html`<p role="listitem" class="muted"><b>Also seen ${wayOf(each)}</b>: ${valueSaid(each, each.observed)}${each.expected === null ? "" : `, expected ${valueSaid(each, each.expected)}`}, ${[windowSaid(each.window_start_local, each.window_end_local), rarity(each)].filter(Boolean).join("; ")}. <button class="link" onClick=${() => show({ alert: each.alert_id })}>show it</button></p>`)}</div>`}`;

/** Why so many are expected, and the day and week around it. @param {{said: any}} props */
function Usual({ said }) {
  if (!said.wider?.length) return null;
  const wider = said.wider.map((/** @type {{hours: number, observed: number, expected: number | null}} */ each) => `${format.count(each.observed)} in ${each.hours === 24 ? "24 hours" : "7 days"}${each.expected === null ? "" : ` (expected ${format.measure(each.expected)})`}`).join(", ");
  return html`<p class="muted" data-usual>Up to its end: ${wider}.${said.made_of ? ` Expected of a day at this time: ${said.made_of.replaceAll(" x ", " × ")}.` : ""}</p>`;
}

/** How it came to stand so: what it said when it was raised, what became of that. @param {{course: Stood[], alert: Alert}} props */
function History({ course, alert }) {
  if (!course?.length) return null;
  const rows = course.slice(-12);
  const said = (/** @type {Stood} */ each) => (each.expected === null ? "" : `${valueSaid(alert, each.observed)} vs ${valueSaid(alert, each.expected)}`);
  const earlier = course.length - rows.length;
  return html`<details class="course"><summary>How it came to stand so: ${format.count(course.length)} ${course.length === 1 ? "state" : "states"}</summary>
    ${earlier > 0 && html`<p class="muted">${format.count(earlier)} earlier ${earlier === 1 ? "one" : "ones"}: citystream alerts --explain ${alert.alert_id}</p>`}
    <table class="tbl"><thead><tr><th>known at (UTC)</th><th>state</th><th>observed vs expected</th><th class="n">in</th><th>feed</th><th>reason</th></tr></thead><tbody>${rows.map(each => html`<tr><td>${format.moment(each.at, true)}</td><td>${each.status}</td><td>${said(each)}</td><td class="n">${each.completeness === null ? "–" : format.share(each.completeness)}</td><td>${each.feed_state ?? "–"}</td><td>${each.reason ?? ""}</td></tr>`)}</tbody></table></details>`;
}
