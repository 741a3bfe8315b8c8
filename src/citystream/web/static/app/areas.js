// The comparison table: 28 days, year to date, change and what chance leaves open, for every area; and one area's profile.

import * as format from "./format.js";
import { useAnswer } from "./asking.js";
import { Stale } from "./explore.js";
import { Card, html, Icon, Segments, useWidth } from "./parts.js";
import { go, show, shown } from "./state.js";
import { current, dimension, label, whatTabs, whereTabs } from "./store.js";
import { Course, Interval } from "./svg.js";

/** @typedef {import("./types.js").Dataset} Dataset */
/** @typedef {import("./types.js").Break} Break */
/** @typedef {Record<string, any> & {name: string | null}} Line */

export function Areas() {
  const of = current.value;
  if (!of) return null;
  if (!of.counted) return html`<main class="page" id="page" tabindex="-1"><div class="page-h"><div><h1>Areas</h1><p>Readings belong to stations, not to areas: see Explore.</p></div></div></main>`;
  const tabs = [...whereTabs.value, ...whatTabs.value.filter(each => each.name === "type" || each.name === "category")];
  const by = tabs.find(each => each.name === shown("by"))?.name ?? tabs[0]?.name ?? "type";
  const { said, problem, state, again } = useAnswer("api/comparison", { dataset: of.dataset, by }, "comparison");
  const area = shown("area") || mostOf(said?.by === by ? said.rows : []);
  const options = /** @type {[string, string][]} */ (tabs.map(each => [each.name, format.title(each.title)]));
  const years = shown("table") === "years";
  const kinds = html`<${Segments} label="Table" options=${[["", "28 days, year to date"], ["years", "Years"]]} value=${years ? "years" : ""} onChange=${(/** @type {string} */ to) => show({ table: to }, { replace: true })} />`;
  return html`<main class="page" id="page" tabindex="-1"><div class="page-h"><div><h1>Areas</h1><p>Complete days only${said ? `, ${format.span(...windowOf(said.windows.days28))}` : ""}. No ranking: areas differ in residents, visitors and reporting. A percentage is shown from 20 ${of.units} on.</p></div>
    <span class="push"></span>${options.length > 1 && html`<${Segments} label="Compare" options=${options} value=${by} onChange=${(/** @type {string} */ to) => show({ by: to, area: "" }, { replace: true })} />`}</div><${Stale} />
    <div class="ar">${years ? html`<${Years} by=${by} kinds=${kinds} />` : html`<${Comparison} kinds=${kinds} said=${said} by=${by} area=${area} state=${state} problem=${problem} again=${again} />`}<${Profile} by=${by} area=${area} /></div></main>`;
}

/** @param {Line[]} rows */
const mostOf = rows => [...rows].sort((a, b) => b.days28 - a.days28)[0]?.name ?? "";
/** @param {string[]} pair @returns {[string, string]} */
const windowOf = pair => [pair[0], pair[1]];

/** Every year there is, for each name: the last one only as far as it is complete. @param {{by: string, kinds: any}} props */
function Years({ by, kinds }) {
  const of = /** @type {Dataset} */ (current.value);
  const dim = dimension(by);
  const { said, problem, state, again } = useAnswer("api/series", { dataset: of.dataset, by, grain: "year", top: "100" }, "years");
  const starts = /** @type {string[]} */ (said?.starts ?? []);
  const series = /** @type {{name: string | null, counts: number[], total: number}[]} */ (said?.series ?? []);
  const totals = starts.map((_, index) => series.reduce((sum, each) => sum + each.counts[index], 0));
  const names = starts.map(start => start.slice(0, 4));
  const unfinished = (/** @type {number} */ index) => index === starts.length - 1 && (of.complete_until ?? "") < `${names[index]}-12-31`;
  const foot = html`<${Icon} name="info" />The last year goes to ${format.date(of.last_day)}, and is complete to ${format.date(of.complete_until)}: it is not compared with the whole years before.`;
  return html`<${Card} title="By ${dim?.title ?? by}" name="Years" sub="${of.units} a year" tools=${kinds} state=${state} problem=${problem} retry=${again} foot=${foot} bare=${true} table=${() => [["name", ...names, "total"], ...series.map(each => [each.name, ...each.counts, each.total])]}>
    <div class="scroll" tabindex="0" role="region" aria-label="Years"><table class="tbl fixed-first" data-chart="years-table"><thead><tr><th>${dim?.title ?? by}</th>${names.map((year, index) => html`<th class="n ${unfinished(index) ? "hatch" : ""}">${year}</th>`)}<th class="n sep">total</th></tr></thead>
    <tbody><tr class="total"><td>all ${of.units}</td>${totals.map(n => html`<td class="n">${format.count(n)}</td>`)}<td class="n sep">${format.count(totals.reduce((sum, n) => sum + n, 0))}</td></tr>
    ${series.map(each => html`<tr key=${each.name}><td>${label(dim, each.name)}</td>${each.counts.map(n => html`<td class="n">${format.count(n)}</td>`)}<td class="n s sep">${format.count(each.total)}</td></tr>`)}</tbody></table></div><//>`;
}

/** @param {{said: any, by: string, area: string, kinds: any, state: string, problem: unknown, again: () => void}} props */
function Comparison({ kinds, said, by, area, state, problem, again }) {
  const of = /** @type {Dataset} */ (current.value);
  const dim = dimension(by);
  const year = said?.windows.ytd[0].slice(0, 4);
  const rated = said?.rows.some((/** @type {Line} */ row) => row.residents);
  const order = (/** @type {Line} */ a, /** @type {Line} */ b) => label(dim, a.name).localeCompare(label(dim, b.name), "en", { numeric: true });
  const rows = said ? [...said.rows].sort(order) : [];
  const table = () => [["name", "days28", "before28", "change28", "low28", "high28", "year28", "ytd", "ytd_before", "change_ytd", "last12", "residents", "rate"].slice(), ...rows.map(row => [row.name, row.days28, row.before28, row.change28, row.low28, row.high28, row.year28, row.ytd, row.ytd_before, row.change_ytd, row.last12, row.residents, row.rate])];
  const foot = said && html`<${Icon} name="info" /><span>Filled dot: the interval excludes no change; counts may still vary by more than chance. ${rated ? `${format.title(said.rate?.note ?? "residents as listed with the areas")}. ${said.rate?.visitors ?? ""}` : "Residents of these areas are not listed, so no rate is shown."}</span>`;
  return html`<${Card} title="By ${dim?.title ?? by}" name="Comparison" sub="28 days against the 28 before and the same days a year earlier; year to date against the same dates" tools=${kinds} state=${state} problem=${problem} retry=${again} foot=${foot} bare=${true} table=${table}>
    <div class="scroll" tabindex="0" role="region" aria-label="Comparison table"><table class="tbl fixed-first" data-chart="comparison"><thead><tr><th><span class="vh">${by}</span></th><th class="grp" colspan="6">28 days</th><th class="grp sep" colspan="3">year to date</th>${rated && html`<th class="grp sep">rate</th>`}</tr>
      <tr><th>${dim?.title ?? by}</th><th class="n">now</th><th class="n">before</th><th class="n">change</th><th>95 % interval, −60 to +60 %</th><th class="n">year ago</th><th class="n">change</th><th class="n sep">${year}</th><th class="n">${Number(year) - 1}</th><th class="n">change</th>${rated && html`<th class="n sep">per 1,000 residents, 12 m</th>`}</tr></thead>
    <tbody>${said && html`<${Row} row=${{ ...said.total, name: null }} breaks=${said.breaks} title="all ${of.units}" rated=${rated} cls="total" />`}
      ${rows.map(row => html`<${Row} key=${row.name} row=${row} breaks=${said.breaks} title=${label(dim, row.name)} rated=${rated} chosen=${row.name === area} open=${() => show({ area: row.name ?? "" })} />`)}</tbody></table></div><//>`;
}

/** @param {{row: Line, breaks: Record<string, Break | null>, title: string, rated: boolean, cls?: string, chosen?: boolean, open?: () => void}} props */
function Row({ row, breaks, title, rated, cls = "", chosen = false, open }) {
  return html`<tr class=${cls} aria-selected=${open ? chosen : undefined} data-area=${row.name} onClick=${open}><td>${open ? html`<button class="plain" onClick=${(/** @type {Event} */ event) => { event.stopPropagation(); open(); }} aria-pressed=${chosen} title=${title}>${title}</button>` : title}</td>
    <td class="n s">${format.count(row.days28)}</td><td class="n q">${format.count(row.before28)}</td><td class="n"><${Change} ratio=${row.change28} across=${breaks.before28} /></td>
    <td><span class="vh">${row.low28 === null ? "no interval" : `${Math.round(row.low28 * 100)} to ${Math.round(row.high28 * 100)} %`}</span><${Interval} value=${row.change28} low=${row.low28} high=${row.high28} /></td>
    <td class="n q">${format.count(row.year28)}</td><td class="n"><${Change} ratio=${row.change_year28} across=${breaks.year28} /></td>
    <td class="n s sep">${format.count(row.ytd)}</td><td class="n q">${format.count(row.ytd_before)}</td><td class="n"><${Change} ratio=${row.change_ytd} across=${breaks.ytd ?? breaks.ytd_before} /></td>
    ${rated && html`<td class="n sep">${row.rate !== null ? format.measure(row.rate) : html`<span class="small">${row.residents ? "under 20" : "–"}</span>`}</td>`}</tr>`;
}

/** @param {{ratio: number | null, across: Break | null | undefined}} props */
const Change = ({ ratio, across }) => (across ? html`<span class="brk" title=${across.why}>${across.kind === "missing" ? "missing" : "break"}</span>` : html`<span class=${ratio === null ? "muted" : ""}>${format.change(ratio)}</span>`);

/** One area: a small multiple of each of its most frequent types. @param {{by: string, area: string}} props */
function Profile({ by, area }) {
  const of = /** @type {Dataset} */ (current.value);
  const other = by === "type" || by === "category" ? whereTabs.value[0]?.name ?? "" : "type";
  const grain = shown("last") === "year" ? "year" : "month";
  const { said, problem, state, again } = useAnswer(area ? "api/series" : "", { dataset: of.dataset, [by]: area, ...(other ? { by: other } : {}), grain, top: "8" }, "profile");
  const dim = dimension(other);
  const starts = /** @type {string[]} */ (said?.starts ?? []);
  const whole = wholeOf(starts, said?.complete_until, grain);
  const explore = () => go({ page: "explore", filters: [{ name: by, exclude: false, off: false, values: [area] }], view: {} });
  const tools = html`<${Segments} label="Grain" options=${[["month", "Months"], ["year", "Years"]]} value=${grain} onChange=${(/** @type {string} */ to) => show({ last: to }, { replace: true })} /><button class="btn small line" onClick=${explore}><${Icon} name="open" />Explore</button>`;
  const table = () => [["from", ...(said?.series ?? []).map((/** @type {any} */ each) => each.name)], ...starts.map((start, index) => [start, ...said.series.map((/** @type {any} */ each) => each.counts[index])])];
  const foot = html`${(said?.breaks?.length ?? 0) > 0 && html`<span class="brk">break</span>not compared across the line · `}only complete ${grain}s`;
  return html`<${Card} title=${label(dimension(by), area)} name="Profile" sub="${of.units} a ${grain}, own scale each" tools=${tools} state=${area ? state : "ready"} problem=${problem} retry=${again} shape="chart" foot=${foot} table=${table}>
    <div class="pm">${(said?.series ?? []).map((/** @type {any} */ each) => html`<${Small} each=${each} title=${label(dim, each.name)} starts=${starts} whole=${whole} breaks=${breaksIn(starts, said.breaks ?? [])} grain=${grain} />`)}</div><//>`;
}

/** @param {string[]} starts @param {string | null | undefined} until @param {string} grain */
function wholeOf(starts, until, grain) {
  if (!until) return starts.length;
  return starts.filter((start, index) => (starts[index + 1] ?? (grain === "year" ? `${Number(start.slice(0, 4)) + 1}-01-01` : format.plusDays(start, 31))) <= format.plusDays(until, 1)).length;
}

/** @param {string[]} starts @param {Break[]} breaks */
const breaksIn = (starts, breaks) => breaks.map(each => starts.findIndex(start => start >= each.from)).filter(index => index > 0);

/** @param {{each: any, title: string, starts: string[], whole: number, breaks: number[], grain: string}} props */
function Small({ each, title, starts, whole, breaks, grain }) {
  const [ref, width] = useWidth();
  const counts = /** @type {number[]} */ (Array.from(each.counts)).slice(0, Math.max(whole, 2));
  return html`<div ref=${ref}><h3 class="cap small-head"><span class="cut name">${title}</span><span>max ${format.count(Math.max(0, ...counts))}</span></h3>
    <${Course} counts=${counts} starts=${starts.slice(0, counts.length)} breaks=${breaks} whole=${Math.min(whole, counts.length)} width=${width} label="${title}: ${format.count(each.total)} in all, a ${grain}" /></div>`;
}
