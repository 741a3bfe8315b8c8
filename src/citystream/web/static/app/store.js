// What the server said, as signals: what does not depend on filters, and the answer to the filters in the address.

import { batch, computed, effect, signal } from "../vendor/signals.js";
import { ApiError, ask, isOld } from "./api.js";
import * as format from "./format.js";
import { asParams, dataset, filters, go, place, shown } from "./state.js";

/** @typedef {import("./types.js").Meta} Meta */
/** @typedef {import("./types.js").Dataset} Dataset */
/** @typedef {import("./types.js").Dimension} Dimension */
/** @typedef {import("./types.js").Answer} Answer */
/** @typedef {import("./types.js").Filter} Filter */
/** @typedef {import("./types.js").Params} Params */

export const meta = signal(/** @type {Meta | null} */ (null));
export const metaError = signal(/** @type {unknown} */ (null));
export const answer = signal(/** @type {Answer | null} */ (null));
export const error = signal(/** @type {unknown} */ (null));
export const loading = signal(false);
/** Said once, at the top: what of an address was not understood. */
export const notice = signal("");
/** Where every dataset stands, by name. */
export const standing = signal(/** @type {Record<string, any>} */ ({}));
/** A counter that moves when the data did, for what is not in `answer`. */
export const moved = signal(0);
export const activeAlerts = signal(0);

export const current = computed(() => meta.value?.datasets.find(each => each.dataset === dataset.value) ?? null);
export const city = computed(() => meta.value?.cities.find(each => each.city === current.value?.city) ?? null);
export const readings = computed(() => meta.value?.readings.find(each => each.dataset === dataset.value) ?? null);

/** @param {string} name */
export const dimension = name => current.value?.dimensions.find(each => each.name === name) ?? null;

/** The name of a value for a person: of an area its number and its name. @param {Dimension | null} of @param {string | null} value */
export function label(of, value) {
  if (value === null || value === "") return "not stated";
  if (of?.name === "arrest" || of?.name === "domestic") return value === "true" ? "yes" : value === "false" ? "no" : value;
  const area = of?.areas?.[of.values.indexOf(value)];
  const said = format.name(value);
  const number = value.match(/\d+/)?.[0] ?? value;
  if (!area?.name || area.name.toLowerCase() === value.toLowerCase()) return said;
  if (area.name.includes(String(Number(number) || number))) return area.name;
  return `${/^\d+$/.test(value) ? Number(value) : value} ${area.name}`;
}

/** The publisher's words of a filter's values. @param {Filter} filter */
export function words(filter) {
  const of = dimension(filter.name);
  if (filter.name === "t") return range(filter.values[0], day => format.date(day.length === 7 ? `${day}-01` : day)) || "all";
  if (filter.name === "box") return "what is in view";
  if (filter.name === "cell") return `${filter.values.length} ${filter.values.length === 1 ? "hexagon" : "hexagons"}`;
  if (filter.name === "hour") return range(filter.values[0], hour => `${hour.padStart(2, "0")}:00`, " to ") || "all";
  if (filter.name === "when") return filter.values.length > 3 ? `${filter.values.length} hours of the week` : filter.values.map(each => each.replace("-", " ")).join(", ");
  if (of?.form === "number") return range(filter.values[0], number => format.measure(Number(number)));
  const shownValues = filter.values.slice(0, 2).map(each => label(of, each)).join(", ");
  return filter.values.length > 2 ? `${shownValues} + ${filter.values.length - 2}` : shownValues;
}

/** @param {string} value @param {(end: string) => string} say @param {string} [between] */
function range(value, say, between = " – ") {
  const [from, to] = value.split("..");
  if (from && to) return from === to ? say(from) : `${say(from)}${between}${say(to)}`;
  return from ? `from ${say(from)}` : to ? `up to ${say(to)}` : "";
}

/** @param {string} name */
export function titleOf(name) {
  if (name === current.value?.premises) return "Premises";
  const titles = /** @type {Record<string, string>} */ ({ t: "Period", box: "Map", cell: "Map", hour: "Hour", weekday: "Weekday", when: "Hour" });
  return titles[name] ?? format.title(dimension(name)?.title ?? name);
}

/** The periods one press away, in days. @param {Dataset} of @returns {[string, string, string][]} name, from, to */
export function presets(of) {
  const last = of.last_day ?? "";
  const complete = of.complete_until ?? last;
  if (!last) return [];
  return [
    ["7 d", format.plusDays(complete, -6), complete],
    ["28 d", format.plusDays(complete, -27), complete],
    ["YTD", `${last.slice(0, 4)}-01-01`, last],
    ["12 m", format.plusDays(last, -363), last],
  ];
}

/** The days in view: what is chosen, or all there are. */
export const period = computed(() => {
  const of = current.value;
  const chosen = filters.value.find(each => each.name === "t" && !each.off)?.values[0] ?? "";
  const [from, to] = chosen.split("..");
  const first = from ? (from.length === 7 ? `${from}-01` : from) : of?.first_day ?? "";
  const last = to ? (to.length === 7 ? lastOfMonth(to) : to) : chosen && !chosen.includes("..") ? first : of?.last_day ?? "";
  return { first, last, chosen: Boolean(chosen) };
});

/** @param {string} month */
const lastOfMonth = month => new Date(Date.UTC(Number(month.slice(0, 4)), Number(month.slice(5, 7)), 0)).toISOString().slice(0, 10);

/** The dimensions that a part of the page may show, by their role. @param {(each: Dimension) => boolean} wanted */
const named = wanted => (current.value?.dimensions ?? []).filter(each => each.form === "names" && each.values.length > 1 && wanted(each));
export const whatTabs = computed(() => named(each => each.role === "what"));
export const whereTabs = computed(() => named(each => each.role === "where" && each.name !== "place"));
export const moreTabs = computed(() => {
  const found = named(each => each.role === "outcome" || each.role === "attribute");
  const premises = current.value?.premises;
  return [...found.filter(each => each.name === premises), ...found.filter(each => each.name !== premises)];
});

/** The views that are on the screen. */
const views = computed(() => {
  const open = [openTab("what", whatTabs.value), openTab("where", whereTabs.value), openTab("more", moreTabs.value)];
  const mapped = mapMode() === "areas" ? [areaDimension()] : [];
  return [...new Set([...open, ...mapped].filter(Boolean).map(each => String(each)))].concat(["when", "days", "cells"]);
});

/** @param {string} key @param {Dimension[]} tabs */
export const openTab = (key, tabs) => tabs.find(each => each.name === shown(key))?.name ?? tabs[0]?.name ?? "";

/** The areas that the map can draw: the open tab, if it has outlines. */
export function areaDimension() {
  const outlines = current.value?.outlines ?? {};
  const open = openTab("where", whereTabs.value);
  return open in outlines ? open : whereTabs.value.find(each => each.name in outlines)?.name ?? "";
}

/** How the map shows it: as areas, where nothing has a position of its own. */
export const mapMode = () => shown("map") || (current.value && !current.value.place.shown && areaDimension() ? "areas" : "hex");

export const cellSize = signal("coarse");

/** What is asked, of the filters that hold. */
export const asked = computed(() => asParams(filters.value, cellSize.value));

const question = computed(() => {
  const of = current.value;
  if (!of?.counted || place.value.page !== "explore") return "";
  return JSON.stringify({ ...asked.value, dataset: of.dataset, views: views.value.join(","), cells: cellSize.value, compare: period.value.chosen ? "previous" : "none" });
});

export async function loadMeta() {
  try {
    const said = /** @type {Meta} */ (await ask("api/meta", {}, { key: "meta" }));
    said.datasets = [...said.datasets, ...said.readings.filter(each => !said.datasets.some(one => one.dataset === each.dataset)).map(asDataset)];
    batch(() => {
      meta.value = said;
      metaError.value = null;
      settle(said);
    });
  } catch (problem) {
    if (!isOld(problem)) metaError.value = problem;
  }
}

/** What measures is a dataset of the page too, with nothing to count. @param {import("./types.js").ReadingSet} of @returns {Dataset} */
const asDataset = of => ({
  description: "", licence: "", homepage: "", precision: "exact", lag_days: null, cadence_days: null, events: 0, undated: 0, position: 0, first_day: null, last_day: null,
  complete_until: null, newest_event: null, fetched_at: null, series_breaks: [], place: {}, hours: { without: 0, why: "" }, resolution: null, sums: [], dimensions: [], premises: null,
  outlines: {}, cells: { coarse: 0, fine: 0 }, ...of, units: "readings", counted: false, loaded: true,
});

/** The first visit shows a counted dataset and a year of it; names that nobody knows are left out, and said. @param {Meta} said */
function settle(said) {
  const known = said.datasets.find(each => each.dataset === dataset.value);
  if (dataset.value && !known) notice.value = `There is no dataset “${dataset.value}” here.`;
  const of = known ?? first(said);
  if (!of) return;
  if (!known) return void go({ dataset: of.dataset, filters: opening(of) }, { replace: true });
  if (of.counted && !of.loaded) return void setTimeout(loadMeta, 1000);
  const strange = filters.value.filter(each => !isKnown(of, each.name));
  if (!strange.length) return;
  notice.value = `Not filters of ${of.title}: ${strange.map(each => each.name).join(", ")}.`;
  go({ filters: filters.value.filter(each => !strange.includes(each)) }, { replace: true });
}

/** @param {Dataset} of @param {string} name */
const isKnown = (of, name) => ["t", "hour", "weekday", "when", "box", "cell"].includes(name) || of.dimensions.some(each => each.name === name);

/** @param {Meta} said */
const first = said => {
  const counted = said.datasets.filter(each => each.counted && each.events > 0);
  const crimes = counted.filter(each => ["incident", "offense"].includes(each.kind));
  const most = (/** @type {Dataset[]} */ list) => [...list].sort((a, b) => b.events - a.events)[0];
  return most(crimes) ?? most(counted) ?? said.datasets[0];
};

/** @param {Dataset} of @returns {Filter[]} */
export function opening(of) {
  const year = presets(of).find(([name]) => name === "12 m");
  return of.counted && year ? [{ name: "t", exclude: false, off: false, values: [`${year[1]}..${year[2]}`] }] : [];
}

let asking = "";
export async function loadAnswer() {
  const wanted = question.value;
  if (!wanted) return;
  asking = wanted;
  loading.value = true;
  try {
    const said = /** @type {Answer} */ (await ask("api/query", JSON.parse(wanted), { key: "query", binary: true }));
    if (asking === wanted) accept(said);
  } catch (problem) {
    if (isOld(problem)) return;
    batch(() => {
      error.value = problem instanceof Error ? problem : new ApiError(0, "error", String(problem), "");
      loading.value = false;
    });
  }
}

/** @param {Answer} said */
function accept(said) {
  batch(() => {
    answer.value = said;
    error.value = null;
    loading.value = false;
    if (said.dropped.length) notice.value = `Left out: ${said.dropped.map(each => `${each.parameter} “${each.value}”, ${each.why}`).join("; ")}.`;
  });
  if (said.meta !== meta.value?.version) loadMeta();
}

export async function loadStanding() {
  const name = dataset.peek();
  const quiet = (/** @type {unknown} */ problem) => isOld(problem) || console.info("standing:", String(problem));
  const alerts = ask("api/alerts", { dataset: name, status: "active", limit: "1" }, { key: "alert-count" }).then(said => (activeAlerts.value = said.active)).catch(quiet);
  const status = ask("api/status", { dataset: name }, { key: "status" })
    .then(said => (standing.value = { ...standing.value, ...Object.fromEntries(said.datasets.map((/** @type {any} */ each) => [each.dataset, each])) }))
    .catch(quiet);
  await Promise.all([alerts, status]);
}

/** Ask again whenever what is asked, or the dataset, changes. */
export function start() {
  effect(() => {
    if (question.value) loadAnswer();
  });
  effect(() => {
    if (current.value && answer.peek()?.dataset !== current.value.dataset) answer.value = null;
  });
  effect(() => {
    if (dataset.value) loadStanding();
  });
  loadMeta();
}
