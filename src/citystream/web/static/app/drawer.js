// The records behind a number, and one of them with everything that was changed in it.

import { useEffect, useRef, useState } from "../vendor/preact-hooks.js";
import { address, ask, isOld } from "./api.js";
import * as format from "./format.js";
import { Failed, html, Icon, Kind, Precision } from "./parts.js";
import { asParams, filters, place, show, shown } from "./state.js";
import { current, dimension, label, period, words } from "./store.js";

/** @typedef {import("./types.js").Row} Row */
/** @typedef {import("./types.js").Rows} Rows */
/** @typedef {import("./types.js").Params} Params */

/** Open the rows of the filters with *over* in their place; *said*: what they are. @param {Params} [over] @param {string} [said] */
export function openRows(over = {}, said = "") {
  const parts = Object.entries(over).flatMap(([key, value]) => [value].flat().map(each => `${key}=${encodeURIComponent(each)}`));
  show({ rows: [...parts, `title=${encodeURIComponent(said)}`].join("&"), incident: "" });
}

/** @returns {{params: Params, said: string}} */
function wanted() {
  const over = new URLSearchParams(shown("rows"));
  const said = over.get("title") ?? "";
  over.delete("title");
  const names = [...new Set([...over.keys()].map(key => key.replace("not.", "")))];
  const held = place.value.page === "explore" ? filters.value.filter(each => !names.includes(each.name)) : [];
  /** @type {Record<string, string[]>} */
  const params = {};
  for (const [key, value] of over) if (value || key !== "t") params[key] = [...(params[key] ?? []), value];
  return { params: { ...asParams(held), ...params, dataset: current.value?.dataset ?? "" }, said };
}

export function Drawer() {
  if (!current.value) return null;
  if (shown("rows")) return html`<${Panel} key=${shown("rows")} />`;
  return shown("incident") ? html`<${Panel} key="one" alone=${true} />` : null;
}

const close = () => show({ rows: "", incident: "" });

/** @param {{alone?: boolean}} props */
function Panel({ alone = false }) {
  const ref = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    const before = /** @type {HTMLElement | null} */ (document.activeElement);
    /** @type {HTMLElement | null} */ (ref.current?.querySelector("[data-close]"))?.focus({ preventScroll: true });
    return () => before?.focus?.({ preventScroll: true });
  }, []);
  const keys = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    if (shown("incident") && !alone) show({ incident: "" });
    else close();
  };
  return html`<aside class="drawer open" ref=${ref} aria-label="Records" onKeyDown=${keys}>${!alone && html`<${Listing} />`}
    ${alone && html`<div class="drawer-h"><h2>One record</h2><span class="push"></span><${CloseButton} /></div>`}
    ${shown("incident") && html`<${Incident} id=${shown("incident")} />`}</aside>`;
}

const CloseButton = () => html`<button class="btn icon" data-close aria-label="Close" onClick=${close}><${Icon} name="x" /></button>`;

function Listing() {
  const { params, said } = wanted();
  const of = current.value;
  const [rows, setRows] = useState(/** @type {Row[]} */ ([]));
  const [last, setLast] = useState(/** @type {Rows | null} */ (null));
  const [problem, setProblem] = useState(/** @type {unknown} */ (null));
  const key = JSON.stringify(params);
  const load = (/** @type {string | null} */ after) =>
    ask("api/rows", { ...params, limit: "100", ...(after ? { after } : {}) }, { key: "rows" })
      .then((/** @type {Rows} */ page) => {
        setLast(page);
        setProblem(null);
        setRows(old => (after ? [...old, ...page.rows] : page.rows));
      })
      .catch(error => isOld(error) || setProblem(error));
  useEffect(() => void load(null), [key]);
  const scroll = (/** @type {any} */ event) => {
    const box = event.currentTarget;
    if (last?.next && box.scrollTop + box.clientHeight > box.scrollHeight - 400) load(last.next);
  };
  const href = address("api/export.csv", params);
  return html`<div class="drawer-h"><div><h2>${last ? format.count(last.total) : "…"} ${of?.units}</h2><p>${[said, ...inWords(params)].filter(Boolean).join(" · ")}</p></div><span class="push"></span>
    <a class="btn line small" href=${href} download="${of?.dataset.replace("/", "-")}.csv"><${Icon} name="export" />CSV</a><${CloseButton} /></div>
    <div class="drawer-b" onScroll=${scroll} tabindex="0" role="region" aria-label="Rows">${problem ? html`<${Failed} problem=${problem} retry=${() => load(null)} />` : html`<${RowTable} rows=${rows} />`}
    ${last?.next && html`<button class="btn line more-rows" onClick=${() => load(last.next)}>More rows</button>`}
    ${last && !rows.length && html`<p class="void">No rows.</p>`}</div>`;
}

/** @param {Params} params */
function inWords(params) {
  const said = [];
  for (const [key, value] of Object.entries(params)) {
    if (key === "dataset" || key === "cells") continue;
    const exclude = key.startsWith("not.");
    const text = words({ name: exclude ? key.slice(4) : key, exclude, off: false, values: [value].flat() });
    said.push(exclude ? `not ${text}` : text);
  }
  if (!params.t) said.unshift(format.span(period.value.chosen ? null : current.value?.first_day, current.value?.last_day));
  return said;
}

/** @param {{rows: Row[], extra?: string}} props */
export function RowTable({ rows }) {
  const type = dimension("type");
  const district = dimension("district");
  const chosen = shown("incident");
  if (!rows.length) return null;
  return html`<table class="tbl rows"><thead><tr><th>occurred</th><th>${rows[0].incident_id ? "case" : "id"}</th><th>type</th><th>detail</th><th>${district?.title ?? "district"}</th><th>place</th></tr></thead>
    <tbody>${rows.map(row => html`<tr key=${row.log_offset} aria-selected=${row.event_id === chosen} onClick=${() => show({ incident: row.event_id })}>
      <td>${when(row)}</td><td class="mono"><button class="link" onClick=${(/** @type {MouseEvent} */ event) => { event.stopPropagation(); show({ incident: row.event_id }); }}>${row.incident_id ?? row.event_id}</button></td>
      <td class="s">${label(type, row.type ?? null)}</td><td class="cut">${row.native_label && row.native_label !== row.type ? format.name(row.native_label) : ""}</td>
      <td class="cut">${label(district, row.district ?? null)}</td><td><${Precision} of=${row.place_precision} /></td></tr>`)}</tbody></table>`;
}

/** A time is as precise as it was published. @param {Row} row @param {boolean} [year] */
export function when(row, year = false) {
  const time = row.occurred_local ?? row.observed_local;
  if (!time) return "no date";
  if (["day", "date"].includes(row.time_precision)) return format.date(time, year);
  const said = format.moment(time, year || time.slice(0, 4) !== current.value?.last_day?.slice(0, 4));
  return row.time_precision === "unknown" ? `${said} (hour not known)` : said;
}

const HIDDEN = new Set(["dataset", "city", "kind", "event_id", "incident_id", "occurred_local", "occurred_at", "log_offset", "first_seen_at", "known_from", "lat", "lon", "place_precision", "address", "type", "native_label", "district", "sensitive", "row_digest"]);

/** @param {{id: string}} props */
function Incident({ id }) {
  const [found, setFound] = useState(/** @type {any} */ (null));
  const [problem, setProblem] = useState(/** @type {unknown} */ (null));
  const ref = useRef(/** @type {HTMLElement | null} */ (null));
  const of = current.value;
  useEffect(() => {
    ask(`api/incident/${encodeURIComponent(id)}`, { dataset: of?.dataset ?? "" }, { key: "incident" })
      .then(said => { setFound(said); setProblem(null); ref.current?.scrollIntoView({ block: "nearest" }); })
      .catch(error => isOld(error) || setProblem(error));
  }, [id]);
  if (problem) return html`<div class="sheet"><${Failed} problem=${problem} /></div>`;
  if (!found) return html`<div class="sheet"><div class="sk sk-row"></div></div>`;
  const row = /** @type {Row} */ (found.incident);
  const others = Object.entries(row).filter(([key, value]) => !HIDDEN.has(key) && value !== null && value !== "");
  return html`<div class="sheet" ref=${ref} data-incident=${id} tabindex="0" role="region" aria-label="Record ${id}"><div class="sheet-h"><${Kind} kind=${of?.kind} units=${format.one(of?.units ?? "")} /><b>${[label(dimension("type"), row.type ?? null), row.native_label && row.native_label !== row.type ? format.name(row.native_label) : ""].filter(Boolean).join(", ")}</b>
      <span class="push mono muted">${row.incident_id ?? row.event_id}</span></div>
    ${found.vanished_at && html`<div class="banner alert"><${Icon} name="warn" /><span><b>No longer published since ${format.moment(found.vanished_at, true)}.</b> It is in no count.</span></div>`}
    <dl class="facts two"><dt>occurred</dt><dd>${row.occurred_local ? `${format.weekday(row.occurred_local)} ` : ""}${when(row, true)}</dd><dt>first seen</dt><dd>${format.moment(row.first_seen_at)} UTC</dd>
      <dt>place</dt><dd class="wrap"><${Precision} of=${row.place_precision} /> ${row.address ?? ""}</dd><dt>district</dt><dd>${label(dimension("district"), row.district ?? null)}</dd>
      ${others.map(([key, value]) => html`<dt>${key.replaceAll("_", " ")}</dt><dd class="wrap">${fact(value)}</dd>`)}</dl>
    <${Revisions} revisions=${found.revisions} first=${row.first_seen_at} />
    ${found.siblings?.length > 0 && html`<p class="small">${found.siblings.length} more of the same case: ${found.siblings.slice(0, 5).map((/** @type {string} */ other) => html`<button class="link mono" onClick=${() => show({ incident: other })}>${other}</button> `)}</p>`}
    ${found.alerts?.length > 0 && html`<p class="small">In ${found.alerts.length} alert ${found.alerts.length === 1 ? "window" : "windows"} of its type and district.</p>`}
    ${found.notice && html`<p class="small">${found.notice}</p>`}</div>`;
}

/** @param {unknown} value */
const fact = value => (typeof value === "string" && /^\d{4}-\d\d-\d\dT/.test(value) ? format.moment(value, true) : typeof value === "string" && !value.includes(" ") ? value : value === true ? "yes" : value === false ? "no" : typeof value === "number" ? value.toLocaleString("en-US", { useGrouping: false, maximumFractionDigits: 5 }) : typeof value === "object" ? JSON.stringify(value) : format.name(String(value)));

/** @param {{revisions: any[], first: string}} props */
function Revisions({ revisions, first }) {
  const changes = revisions.filter(each => each.changed && Object.keys(each.changed).length);
  return html`<div><h3 class="cap">Revisions <span>${changes.length + 1} ${changes.length ? "versions; counts follow the newest" : "version"}</span></h3>
    <ol class="revs">${changes.map((each, index) => html`<li class=${index === 0 ? "now" : ""}><time>${format.moment(each.known_from)}</time>
      <span>${Object.entries(each.changed).map(([key, pair]) => html`<span class="diff">${key.replaceAll("_", " ")} <del>${said(pair[0])}</del> → <ins>${said(pair[1])}</ins></span>`)}</span></li>`)}
    <li class=${changes.length ? "" : "now"}><time>${format.moment(first)}</time><span>first published</span></li></ol></div>`;
}

/** @param {unknown} value */
const said = value => (value === null || value === undefined ? "nothing" : fact(value));
