// What stands around every page: rail, header, filters, notices, foot.

import { useEffect, useRef, useState } from "../vendor/preact-hooks.js";
import { address } from "./api.js";
import { switchTheme } from "./colours.js";
import { AddFilter, Pills } from "./filters.js";
import * as format from "./format.js";
import { html, Icon, Kind, Menu, Segments } from "./parts.js";
import { asParams, choose, dataset, depth, filters, go, PAGES, place, print, show, undo, valuesOf } from "./state.js";
import { activeAlerts, answer, asked, city, current, label, meta, notice, opening, period, presets, standing } from "./store.js";

/** @typedef {import("./types.js").Dataset} Dataset */

const TITLES = /** @type {Record<string, string>} */ ({ explore: "Explore", live: "Live", areas: "Areas", alerts: "Alerts", data: "Data" });

export const Rail = () => html`<nav class="rail" aria-label="Pages">
  <span class="brand" aria-hidden="true"><svg width="24" height="24" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round"><path d="M3 7c4-4 8 4 18 0M3 12c4-4 8 4 18 0M3 17c4-4 8 4 18 0" /></svg></span>
  ${PAGES.map(page => html`<a href=${hrefOf(page)} aria-current=${place.value.page === page ? "page" : undefined}><${Icon} name=${page} />${TITLES[page]}
    ${page === "alerts" && activeAlerts.value > 0 && html`<span class="count" aria-label="${activeAlerts.value} active">${activeAlerts.value > 99 ? "99+" : activeAlerts.value}</span>`}</a>`)}
  <button class="end" onClick=${() => show({ panel: "help" })}><${Icon} name="help" />Help</button></nav>`;

/** Other pages keep dataset and filters. @param {string} page */
const hrefOf = page => print({ ...place.value, page, view: {} });

export const Head = () => html`<header class="head"><div class="top"><${Crumb} /><${Fresh} /><${Search} />
  <button class="btn icon" aria-label="Undo (browser Back)" title="Undo (browser Back)" disabled=${depth.value === 0} onClick=${undo}><${Icon} name="undo" /></button>
  <${CopyLink} /><${ExportMenu} />
  <button class="btn icon" aria-label="Light or dark" title="Light or dark" onClick=${switchTheme}><${Icon} name="theme" /></button>
  <button class="btn icon phone" aria-label="Help and about" onClick=${() => show({ panel: "help" })}><${Icon} name="help" /></button></div>
  ${place.value.page === "explore" && current.value?.counted && html`<${Filters} />`}<${Ribbon} /><${Notice} /></header>`;

function Crumb() {
  const of = current.value;
  if (!meta.value || !of) return html`<div class="crumb"><span class="switch">citystream</span></div>`;
  const datasets = meta.value.datasets.filter(each => each.city === of.city);
  const cities = meta.value.cities.map(each => ({
    label: each.name, checked: each.city === of.city, note: `${each.datasets.length} ${each.datasets.length === 1 ? "dataset" : "datasets"}`,
    onClick: () => open(meta.value?.datasets.find(one => one.dataset === each.datasets[0])),
  }));
  const items = datasets.map(each => ({
    label: html`${each.title} <${Kind} kind=${each.kind} units=${each.units} />`, checked: each.dataset === of.dataset,
    note: each.counted ? `${format.count(each.events)} ${each.units}` : "measured", onClick: () => open(each),
  }));
  return html`<div class="crumb"><${Menu} label="City" text=${html`<span class="cut">${city.value?.name ?? of.city}</span>`} cls="switch" items=${cities} /><span class="slash" aria-hidden="true">/</span>
    <${Menu} label="Dataset" text=${html`<span class="cut">${shortTitle(of)}</span>`} cls="switch" items=${items} /><${Kind} kind=${of.kind} units=${of.units} /></div>`;
}

/** @param {Dataset} of */
const shortTitle = of => of.title.split(",")[0];

/** @param {Dataset | undefined} of */
const open = of => of && go({ dataset: of.dataset, filters: opening(of), view: {} });

function Fresh() {
  const of = current.value;
  if (!of || !meta.value) return null;
  const told = standing.value[of.dataset];
  const state = told?.state === "fresh" ? (told.feed?.state ?? "fresh") : (told?.state ?? "");
  const at = of.fetched_at ?? standing.value[of.dataset]?.last_good_fetch;
  const fetched = at ? format.elapsed(format.secondsBetween(at, meta.value.now)) : "";
  const newest = of.newest_event ?? standing.value[of.dataset]?.newest_event;
  const lag = of.lag_days === null || of.lag_days < 1 ? "" : ` (lag ${Math.round(of.lag_days)} d)`;
  return html`<div class="fresh">${state && html`<span class="state ${state === "fresh" ? "" : ["frozen", "gone"].includes(state) ? state : "late"}">${format.title(state)}</span>`}
    <span>${fetched && html`fetched <b>${fetched} ago</b>`}<span class="opt-l"> ${newest && html`· newest event <b>${format.moment(newest)}</b>`}
    ${of.complete_until && of.counted && html` · complete to <b>${format.date(of.complete_until, false)}</b>${lag}`}</span></span></div>`;
}

function CopyLink() {
  const [done, setDone] = useState(false);
  const copy = () => {
    navigator.clipboard?.writeText(location.href);
    setDone(true);
    setTimeout(() => setDone(false), 1500);
  };
  const says = done ? "Link copied" : "Copy link";
  return html`<button class="btn icon opt-m" aria-label=${says} title=${says} onClick=${copy}><${Icon} name=${done ? "check" : "link"} /></button>`;
}

const FORMATS = /** @type {[string, string, string][]} */ ([["csv", "CSV", "spreadsheets"], ["parquet", "Parquet", "with the notice inside"], ["geojson", "GeoJSON", "what is on the map"]]);

function ExportMenu() {
  const of = current.value;
  if (!of) return null;
  const params = { dataset: of.dataset, ...(place.value.page === "explore" ? asked.value : {}) };
  const rows = place.value.page === "explore" && answer.value ? `${format.count(answer.value.kpis.total)} rows` : "";
  const files = of.counted ? FORMATS.map(([ending, name, why]) => ({
    label: name, note: [rows, why].filter(Boolean).join(" · "), href: address(`api/export.${ending}`, params), download: `${of.dataset.replace("/", "-")}.${ending}`,
  })) : [];
  return html`<${Menu} label="Export" icon="export" text=${html`<span class="w">Export</span>`} cls="btn line opt-m" items=${[...files, { label: "Print this page", onClick: () => print_() }]} />`;
}
const print_ = () => setTimeout(() => window.print(), 50);

/** Finds values of any dimension: what is chosen becomes a filter. */
function Search() {
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const found = matches(text);
  const take = (/** @type {{name: string, value: string} | undefined} */ hit) => {
    if (!hit) return;
    choose(hit.name, [...new Set([...valuesOf(hit.name), hit.value])]);
    setText("");
  };
  const keys = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      setAt((at + (event.key === "ArrowDown" ? 1 : -1) + found.length) % Math.max(1, found.length));
    } else if (event.key === "Enter") take(found[at]);
    else if (event.key === "Escape") setText("");
  };
  return html`<div class="find push"><label class="search"><${Icon} name="search" />
    <input id="search" role="combobox" aria-label="Search types, areas and other values" placeholder="Type, area, value" aria-expanded=${found.length > 0} aria-controls="found"
      aria-activedescendant=${found.length ? `found-${at}` : undefined} autocomplete="off" value=${text} onKeyDown=${keys}
      onInput=${(/** @type {any} */ event) => { setText(event.target.value); setAt(0); }} /><kbd aria-hidden="true">/</kbd></label>
    <div class="pop wide" id="found" role="listbox" aria-label="Values" hidden=${found.length === 0}>${found.map((hit, index) => html`<button role="option" tabindex="-1" id="found-${index}" aria-selected=${index === at}
      onClick=${() => take(hit)}><span>${hit.label}</span><small>${hit.title}</small></button>`)}</div></div>`;
}

/** @param {string} text */
function matches(text) {
  const wanted = text.trim().toLowerCase();
  if (wanted.length < 2) return [];
  const hits = [];
  for (const of of current.value?.dimensions ?? []) {
    if (of.form !== "names") continue;
    for (const value of of.values) {
      if (value === null) continue;
      const said = label(of, value);
      if (said.toLowerCase().includes(wanted) || value.toLowerCase().includes(wanted)) hits.push({ name: of.name, value, label: said, title: of.title });
    }
  }
  return hits.sort((a, b) => Number(b.label.toLowerCase().startsWith(wanted)) - Number(a.label.toLowerCase().startsWith(wanted))).slice(0, 10);
}

function Filters() {
  const of = /** @type {Dataset} */ (current.value);
  const [wide, setWide] = useState(false);
  const chosen = valuesOf("t")[0] ?? "";
  const list = presets(of);
  const pressed = chosen ? list.find(([, from, to]) => chosen === `${from}..${to}`)?.[0] ?? "" : "All";
  const options = /** @type {[string, string][]} */ ([...list.map(([name]) => [name, name]), ["All", "All"]]);
  const pick = (/** @type {string} */ name) => {
    const found = list.find(each => each[0] === name);
    choose("t", found ? [`${found[1]}..${found[2]}`] : []);
  };
  const said = answer.value;
  return html`<div class="filters" role="region" aria-label="Filters"><${Segments} label="Period" options=${options} value=${pressed} onChange=${pick} small=${false} />
    <button class="sel opt-m" aria-expanded=${wide} onClick=${() => setWide(!wide)}><b>${format.span(period.value.first, period.value.last)}</b><${Icon} name="down" /></button>
    ${wide && html`<${Dates} of=${of} onDone=${() => setWide(false)} />`}
    <${Pills} /><${AddFilter} />
    ${said && said.dataset === of.dataset && html`<span class="push opt-m muted nowrap" data-total>${format.count(said.kpis.total)} of ${format.count(said.kpis.of)} ${of.units}</span>`}</div>`;
}

/** @param {{of: Dataset, onDone: () => void}} props */
function Dates({ of, onDone }) {
  const ref = useRef(/** @type {HTMLFormElement | null} */ (null));
  useEffect(() => ref.current?.querySelector("input")?.focus(), []);
  const take = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const [from, to] = [...new FormData(/** @type {HTMLFormElement} */ (event.target)).values()].map(String);
    choose("t", from || to ? [`${from}..${to}`] : []);
    onDone();
  };
  return html`<form class="dates" ref=${ref} onSubmit=${take}><label>from <input type="date" name="from" min=${of.first_day} max=${of.last_day} value=${period.value.first} /></label>
    <label>to <input type="date" name="to" min=${of.first_day} max=${of.last_day} value=${period.value.last} /></label><button class="btn primary small">Show</button></form>`;
}

/** Rows that are no offences say so, once, on every page; it cannot be closed. */
function Ribbon() {
  const of = current.value;
  const says = /** @type {Record<string, string>} */ ({
    call: "These are calls for service: what somebody asked for. They are not crimes, and are never added to them.",
    dispatch: "These are dispatches: units sent somewhere. They are not crimes, and are never added to them.",
    unit: "These are movements of units. They are not crimes, and are never added to them.",
    reading: "These are measurements of stations. They are shown, never counted.",
    victim: "One row is one victim, not one incident.",
  });
  const text = of ? says[of.kind] : "";
  return text ? html`<div class="ribbon" role="note"><${Kind} kind=${of?.kind} units=${of?.units} /><span>${text}</span></div>` : null;
}

const Notice = () => notice.value && html`<div class="ribbon" role="status"><${Icon} name="info" /><span>${notice.value}</span><span class="push"></span>
  <button class="btn small" onClick=${() => (notice.value = "")}>OK</button></div>`;

export function Foot() {
  const of = current.value;
  if (!of) return html`<footer class="foot"></footer>`;
  return html`<footer class="foot"><p>${of.notice} ${of.counted && html`Counts are of <b>reported ${of.units}</b>, not of what happened.`} Data: ${of.publisher}, ${of.licence || "licence not stated by the publisher"}.</p>
    <p class="push"><button class="link" onClick=${() => show({ panel: "about" })}>citystream ${meta.value?.product.version}</button> · everything stays on this machine</p></footer>`;
}

/** The address of the rows behind the filters, for a script. */
export const apiAddress = () => new URL(address("api/query", { dataset: dataset.value, ...asParams(filters.value) }), location.href).href;
