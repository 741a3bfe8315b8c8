// Where the numbers come from, how fresh and complete they are, what was left out, and how to take them away.

import { useState } from "../vendor/preact-hooks.js";
import { address } from "./api.js";
import * as format from "./format.js";
import { useAnswer } from "./asking.js";
import { Card, Dialog, Failed, html, Icon, Kind, useWidth } from "./parts.js";
import { asParams, filters, go, show, shown } from "./state.js";
import { current, meta, opening } from "./store.js";
import { Arrivals, Hatch, line } from "./svg.js";

/** @typedef {import("./types.js").Dataset} Dataset */
/** @typedef {Record<string, any>} Said */

export function Data() {
  const of = current.value;
  if (!of) return null;
  const { said, problem, state, again } = useAnswer("api/status", {}, "status-page");
  const at = /** @type {Said | undefined} */ (said?.datasets.find((/** @type {Said} */ each) => each.dataset === of.dataset));
  const whole = { state, problem, retry: again };
  return html`<main class="page" id="page" tabindex="-1"><div class="page-h"><div><h1>Data</h1><p>Where the numbers come from, how fresh and how complete they are, what was left out, and how to take them away.</p></div></div>
    <div class="dt"><${Ledger} at=${at} ...${whole} /><${Complete} of=${of} at=${at} ...${whole} /><${Feeds} said=${said} ...${whole} /><${Rejected} said=${said} of=${of} ...${whole} /><${Source} said=${said} at=${at} of=${of} ...${whole} /><${Take} of=${of} />
    <${Connect} said=${said} of=${of} /><${About} of=${of} /></div></main>`;
}

/** @param {{at: Said | undefined, state: string, problem: unknown, retry: () => void}} props */
function Ledger({ at, state, problem, retry }) {
  const ledger = /** @type {Record<string, number>} */ (at?.ledger ?? {});
  const parts = ["inserted", "revised", "unchanged", "rejected", "vanished", "returned"].filter(key => key in ledger);
  const whole = parts.reduce((sum, key) => sum + ledger[key], 0) === ledger.received;
  const tools = at && (whole ? html`<span class="state">adds up</span>` : html`<span class="state late">does not add up</span>`);
  return html`<${Card} title="Every record accounted for" name="Ledger" cls="c12" sub="${at?.dataset ?? ""} since the first load" tools=${tools} state=${state} problem=${problem} retry=${retry} table=${() => [["what", "records"], ["received", ledger.received], ...parts.map(key => [key, ledger[key]])]}>
    <dl class="ledger"><div><dt>received</dt><dd>${format.count(ledger.received)}</dd></div>${parts.map((key, index) => html`<div class="op" aria-hidden="true"><dt></dt><dd>${index ? "+" : "="}</dd></div><div data-ledger=${key}><dt>${key}</dt><dd>${format.count(ledger[key])}</dd></div>`)}</dl>
    ${at?.pending > 0 && html`<p class="muted">${format.count(at?.pending)} more are in the log and not in the tables yet.</p>`}<//>`;
}

const HEIGHT = 208;

/** How much of a day is in after n days, as this store saw it. @param {{of: Dataset, at: Said | undefined, state: string, problem: unknown, retry: () => void}} props */
function Complete({ of, at, state, problem, retry }) {
  const [ref, width] = useWidth();
  const report = at?.reporting ?? {};
  const shares = Object.entries(report.shares ?? {}).map(([days, part]) => /** @type {[number, number]} */ ([Number(days), Number(part)])).sort((a, b) => a[0] - b[0]);
  const lag = of.lag_days ?? 0;
  const measured = report.measured_lag_days;
  const span = Math.max(30, lag * 1.5);
  const [left, right, top, floor] = [42, 14, 14, HEIGHT - 34];
  const x = (/** @type {number} */ days) => left + ((width - left - right) * Math.min(days, span)) / span;
  const y = (/** @type {number} */ part) => floor - (floor - top) * part;
  const foot = measured !== null && measured !== undefined
    ? html`<${Icon} name="clock" />95 % of a day are in after ${format.count(measured)} d, measured here on ${format.count(report.events)} ${of.units}; the city file says ${Math.round(lag)} d.${report.too_short ? " That is too short." : ""}`
    : html`<${Icon} name="clock" />The city file says that days are complete after ${lag < 1 ? `${Math.round(lag * 24)} h` : `${Math.round(lag)} d`}. Not measured here yet: only days after ${format.date(report.since)} count, twice that lag old.`;
  return html`<${Card} title="How complete is a day" name="Completeness" cls="c5" sub="share of the final count after n days" state=${state} problem=${problem} retry=${retry} shape="chart" foot=${foot} table=${() => [["days", "share"], ...shares]}>
    <div class="draw" ref=${ref}>${width > 80 && html`<svg width=${width} height=${HEIGHT} role="img" aria-label="Complete after ${Math.round(lag)} days by the city file; ${shares.length ? shares.map(([days, part]) => `${Math.round(part * 100)} % after ${days} d`).join(", ") : "not measured yet"}"><${Hatch} id="lag-hatch" />
      <rect x=${x(0)} y=${top} width=${Math.max(1, x(lag) - x(0))} height=${floor - top} style="fill:url(#lag-hatch)" />
      ${[0, 0.5, 0.95].map(part => html`<line x1=${left} x2=${width - right} y1=${y(part)} y2=${y(part)} class=${part ? "grid" : "grid zero"} /><text x=${left - 6} y=${y(part) + 4} text-anchor="end" style=${part === 0.95 ? "fill:var(--ink-2);font-weight:600" : ""}>${part * 100} %</text>`)}
      <line x1=${x(lag)} x2=${x(lag)} y1=${top} y2=${floor} style="stroke:var(--ink)" /><text x=${x(lag) + (x(lag) > width - 160 ? -8 : 8)} y=${floor - 10} text-anchor=${x(lag) > width - 160 ? "end" : "start"} class="lab">still filling up for ${lag < 1 ? `${Math.round(lag * 24)} h` : `${Math.round(lag)} d`}</text>
      ${shares.length > 0 && html`<path d=${line(shares.map(([days]) => x(days)), shares.map(([, part]) => y(part)))} style="fill:none;stroke:var(--ink);stroke-width:2" />${shares.filter(([days]) => days <= span).map(([days, part]) => html`<circle cx=${x(days)} cy=${y(part)} r="3.5" style="fill:var(--ink);stroke:var(--surface);stroke-width:1.5" />`)}`}
      ${Array.from({ length: Math.floor(span / 5) + 1 }, (_, index) => index * 5).filter((_, index, all) => all.length < 9 || index % Math.ceil(all.length / 8) === 0).map(days => html`<text x=${x(days)} y=${HEIGHT - 18} text-anchor="middle">${days}</text>`)}<text x=${left} y=${HEIGHT - 3}>days after the event</text></svg>`}</div><//>`;
}

/** @param {{said: any, state: string, problem: unknown, retry: () => void}} props */
function Feeds({ said, state, problem, retry }) {
  const list = /** @type {Said[]} */ (said?.datasets ?? []);
  const units = (/** @type {string} */ name) => meta.value?.datasets.find(each => each.dataset === name);
  const late = list.filter(each => ["late", "frozen", "refused", "gone"].includes(each.state));
  const warnings = [...late.map(each => `${each.dataset}: ${each.detail || `${each.state}, last good fetch ${format.moment(each.last_good_fetch)}`}`), ...list.flatMap(lacking)];
  const foot = warnings.length > 0 && html`<${Icon} name="warn" />${warnings.join(" · ")}`;
  const open = (/** @type {string} */ name) => { const of = units(name); if (of) go({ dataset: of.dataset, filters: opening(of), view: {} }); };
  return html`<${Card} title="Feeds" name="Feeds" cls="c7" sub="every dataset here; kinds are never added up; arrivals a day, last 60 days, square-root scale" state=${state} problem=${problem} retry=${retry} foot=${foot} bare=${true} table=${() => [["dataset", "kind", "state", "events", "newest_event", "rejected"], ...list.map(each => [each.dataset, each.kind, each.state, each.events, each.newest_event, each.ledger?.rejected ?? 0])]}>
    <div class="scroll tall" tabindex="0" role="region" aria-label="Feeds"><table class="tbl fixed-first" data-chart="feeds"><thead><tr><th>dataset</th><th>kind</th><th>state</th><th>newest event</th><th class="n">records</th><th>arrivals</th><th class="n">rejected</th></tr></thead>
    <tbody>${list.map(each => html`<tr aria-selected=${each.dataset === current.value?.dataset} onClick=${() => open(each.dataset)}><td class="s"><button class="plain" onClick=${(/** @type {Event} */ event) => { event.stopPropagation(); open(each.dataset); }}>${each.dataset}</button></td><td><${Kind} kind=${each.kind} units=${units(each.dataset)?.units ?? each.kind} /></td><td>${stateOf(each)}</td>
      <td>${format.moment(each.newest_event)}</td><td class="n">${format.count(each.events)}</td><td><${Arrivals} days=${sixty(said.arrivals?.[each.dataset] ?? [])} width=${150} label="arrivals of ${each.dataset}, last 60 days" /></td><td class="n">${format.count(each.ledger?.rejected ?? 0)}</td></tr>`)}</tbody></table></div><//>`;
}

/** The state of its visits, or, if that is well, of what they bring. @param {Said} each */
function stateOf(each) {
  const arriving = each.feed && each.feed.state !== "fresh" ? each.feed.state : "";
  const said = each.state === "fresh" && arriving ? arriving : each.state;
  return html`<span class="state ${said === "fresh" ? "" : ["frozen", "gone"].includes(said) ? said : "late"}">${said}</span>${each.silent_stations?.length > 0 && html`<small class="muted"> ${format.count(each.silent_stations.length)} of its stations silent</small>`}`;
}

/** What comes in less than it usually does: missing is a state, not a number. @param {Said} each @returns {string[]} */
export function lacking(each) {
  const said = [];
  if (each.feed?.since) said.push(`${each.dataset}: what comes in is ${each.feed.state} since ${format.moment(each.feed.since)} UTC, ${format.count(each.feed.came)} records in ${each.feed.hours} h where ${format.count(Math.round(each.feed.usual))} are usual`);
  for (const station of each.silent_stations ?? []) said.push(`${station.station}${station.measures.length ? ` (${station.measures.join(", ").replaceAll("_", " ")})` : ""}: silent since ${format.moment(station.since)} UTC`);
  return said;
}

/** The last sixty days, also those on which nothing came. @param {{day: string, records: number}[]} days */
function sixty(days) {
  const last = (meta.value?.now ?? "1970-01-01").slice(0, 10);
  return Array.from({ length: 60 }, (_, index) => format.plusDays(last, index - 59)).map(day => ({ day, records: days.find(each => each.day === day)?.records ?? 0 }));
}

/** @param {{said: any, of: Dataset, state: string, problem: unknown, retry: () => void}} props */
function Rejected({ said, of, state, problem, retry }) {
  const list = /** @type {{dataset: string, reason: string, rows: number}[]} */ (said?.rejects ?? []).filter((/** @type {any} */ each) => each.dataset === of.dataset).sort((/** @type {any} */ a, /** @type {any} */ b) => b.rows - a.rows);
  const most = Math.max(1, ...list.map(each => each.rows));
  return html`<${Card} title="Rejected, by reason" name="Rejected" cls="c4" sub="kept as published; open any" state=${state} problem=${problem} retry=${retry} table=${() => [["reason", "rows"], ...list.map(each => [each.reason, each.rows])]}>
    ${list.length ? html`<div class="rk-head one"><span>reason</span><span>rows</span></div><div class="ranks">${list.map(each => html`<button class="rk one" onClick=${() => show({ panel: `rejects:${each.reason}` })}><span class="rk-l">${each.reason.replaceAll("_", " ")}</span><span class="rk-n">${format.count(each.rows)}</span><span class="rk-b"><i style=${{ "--v": `${(100 * each.rows) / most}%` }}></i></span></button>`)}</div>` : html`<p class="soft">No record of ${of.title} was rejected.</p>`}<//>`;
}

/** Rows that could not be used, without what is in them. */
export function RejectsDialog() {
  const reason = shown("panel").split(":")[1];
  const { said, problem, again } = useAnswer("api/rejects", { dataset: current.value?.dataset ?? "", reason, limit: "100" }, "rejects");
  const rows = /** @type {{log_offset: number, reason: string, detail: string}[]} */ (said?.rejects ?? []);
  return html`<${Dialog} title="Rejected: ${reason.replaceAll("_", " ")}" onClose=${() => show({ panel: "" })}><p class="muted">As published they are not shown here: nobody knows what is in them. “citystream rejects ${current.value?.dataset}” shows them.</p>
    ${problem ? html`<${Failed} problem=${problem} retry=${again} />` : null}<table class="tbl"><thead><tr><th>record</th><th>detail</th></tr></thead><tbody>${rows.map(row => html`<tr><td class="mono">${row.log_offset}</td><td class="wrap">${row.detail}</td></tr>`)}</tbody></table><//>`;
}

/** @param {{said: any, at: Said | undefined, of: Dataset, state: string, problem: unknown, retry: () => void}} props */
function Source({ said, at, of, state, problem, retry }) {
  const drifts = /** @type {any[]} */ (at?.newest_drifts ?? []).map(each => ({ at: String(each.at ?? each.time ?? ""), text: String(each.drift ?? each.detail ?? each), note: "columns changed", tag: "drift" }));
  const visits = /** @type {any[]} */ (said?.fetches ?? []).filter(each => each.dataset === of.dataset).slice(0, 5).map(each => ({ at: String(each.finished_at ?? each.at ?? each.started_at ?? ""), text: visitSaid(each), note: String(each.detail ?? ""), tag: String(each.state ?? each.mode ?? "") }));
  const breaks = of.series_breaks.map(each => ({ at: each.from, text: each.why, note: each.until && each.until !== each.from ? `until ${format.date(each.until)}; nothing is compared across it` : "nothing is compared across it", tag: "break" }));
  const list = [...drifts, ...visits, ...breaks].sort((a, b) => b.at.localeCompare(a.at)).slice(0, 9);
  return html`<${Card} title="What changed at the source" name="Source" cls="c4" sub=${of.publisher} state=${state} problem=${problem} retry=${retry}>
    <ol class="events">${list.map(each => html`<li><time>${format.date(each.at, each.tag === "break")}</time><span>${each.text}${each.note && html`<small>${each.note}</small>`}</span><span class="tag ${each.tag === "refused" ? "alert" : ""}">${each.tag}</span></li>`)}</ol>
    ${!list.length && html`<p class="soft">Nothing was noticed yet.</p>`}<//>`;
}

/** @param {any} visit */
const visitSaid = visit => (typeof visit.received === "number" ? `${format.count(visit.received)} records received` : "visited");

/** @param {{of: Dataset}} props */
function Take({ of }) {
  const params = { dataset: of.dataset, ...asParams(filters.value) };
  const held = filters.value.filter(each => !each.off).length;
  const files = of.counted ? [["csv", "CSV", "spreadsheets, R, pandas"], ["parquet", "Parquet", "DuckDB, Arrow, Spark"], ["geojson", "GeoJSON", "maps; only what has a place"]] : [];
  return html`<${Card} title="Take it with you" name="Take" cls="c4" sub=${held ? `with your ${held} ${held === 1 ? "filter" : "filters"}; the notice travels along` : "all rows; the notice travels along"}>
    <div class="stack"><div class="opts">${files.map(([ending, name, why]) => html`<a class="opt" href=${address(`api/export.${ending}`, params)} download="${of.dataset.replace("/", "-")}.${ending}"><b>${name}</b><small>${why}</small></a>`)}</div>
    ${of.notice && html`<p class="quote">${of.notice.length > 420 ? `${of.notice.slice(0, 418)}…` : of.notice}</p>`}<p class="muted">Licence: ${of.licence || "not stated by the publisher"}. Cells of 1 to 4 do not leave as numbers.</p></div><//>`;
}

const ROADS = /** @type {[string, string, (of: Dataset) => string, string][]} */ ([
  ["postgresql", "PostgreSQL", of => `citystream publish ${of.dataset} --to postgresql://USER@HOST/DATABASE`, "Tableau, Power BI, Superset, Grafana, Looker Studio, QuickSight: the one road that all of them speak. Use a role that may only read."],
  ["parquet", "Parquet", of => `citystream publish ${of.dataset} --to file:///path/to/folder`, "Power BI, QuickSight and Athena, DuckDB, Spark; the folder may be a bucket: s3://BUCKET/PREFIX."],
  ["search", "OpenSearch", of => `citystream publish ${of.dataset} --to opensearch://USER@HOST/city\ncitystream dashboards --out saved-objects.ndjson`, "Kibana and OpenSearch Dashboards; the second command writes maps and charts to import."],
  ["http", "HTTP", of => `curl '${location.origin}/api/export.csv?dataset=${of.dataset}&t=${(of.last_day ?? "2026-01").slice(0, 7)}..' > rows.csv\ncurl -H 'Accept: application/json' '${location.origin}/api/query?dataset=${of.dataset}&views=type&names=1'`, "Scripts, Excel, anything. Described at /api/openapi.json."],
  ["python", "Python", of => `import citystream\n\nwith citystream.open("citystream-data") as store:\n    frame = store.query("SELECT day, district, total FROM daily WHERE dataset = '${of.dataset}'").pandas()`, "Notebooks, while no writer has the store."],
]);

/** @param {{said: any, of: Dataset}} props */
function Connect({ said, of }) {
  const [open, setOpen] = useState("postgresql");
  const road = ROADS.find(([key]) => key === open) ?? ROADS[0];
  const sinks = /** @type {any[]} */ (said?.sinks ?? []);
  return html`<${Card} title="Connect your own tools" name="Connect" cls="c12" sub="the store itself has one writer; tools read what is delivered"><div class="stack">
    <div class="seg" role="group" aria-label="Tool">${ROADS.map(([key, name]) => html`<button aria-pressed=${key === open} onClick=${() => setOpen(key)}>${name}</button>`)}</div>
    <div class="code" tabindex="0" role="region" aria-label="Command">${road[2](of)}</div><p class="soft">${road[3]}</p>
    ${sinks.length > 0 && html`<div class="scroll" tabindex="0" role="region" aria-label="Deliveries"><table class="tbl"><thead><tr><th>delivered to</th><th>dataset</th><th class="n">position</th><th>at</th><th>error</th></tr></thead><tbody>${sinks.map(each => html`<tr><td>${each.address}</td><td>${each.dataset}</td><td class="n">${format.count(each.position)}</td><td>${format.moment(each.at)}</td><td class="wrap">${each.error ?? ""}</td></tr>`)}</tbody></table></div>`}</div><//>`;
}

/** @param {{of: Dataset}} props */
function About({ of }) {
  const population = meta.value?.cities.find(each => each.city === of.city)?.residents ?? [];
  const precision = /** @type {Record<string, string>} */ ({ exact: "as exact as published", block: "to the block", intersection: "to the nearest intersection", area: "to an area", withheld: "withheld", missing: "none" });
  return html`<${Card} title="What one row is" name="Row" cls="c12" sub=${of.dataset}><dl class="facts abreast"><dt>kind</dt><dd><${Kind} kind=${of.kind} units=${of.units} /></dd><dt>places</dt><dd>${precision[of.precision] ?? of.precision}; sensitive and domestic offences never as points</dd>
    <dt>hours</dt><dd>${of.hours?.why ?? ""}${of.hours?.without ? `: ${format.count(of.hours.without)}` : ""}</dd><dt>lag</dt><dd>${of.lag_days === null ? "–" : of.lag_days < 1 ? `${Math.round(of.lag_days * 24)} h` : `${Math.round(of.lag_days)} d`}</dd><dt>updates</dt><dd>${of.cadence_days === null ? "–" : of.cadence_days < 1 ? `every ${format.elapsed(of.cadence_days * 86_400)}` : `every ${Math.round(of.cadence_days)} d`}</dd>
    ${population.length > 0 && html`<dt>residents</dt><dd>${format.count(population[population.length - 1].residents)} (${population[population.length - 1].year}, ${population[population.length - 1].kind})</dd>`}
    ${Object.entries(meta.value?.definitions ?? {}).map(([word, text]) => html`<dt>${word}</dt><dd class="wrap">${text}</dd>`)}<dt>source</dt><dd class="wrap">${of.publisher}${of.homepage ? ` · ${of.homepage}` : ""}</dd></dl><//>`;
}
