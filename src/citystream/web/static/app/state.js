// What is shown is what the address says. Every change is a step in the browser's history, so Back is undo.

import { computed, signal } from "../vendor/signals.js";
import { encode } from "./api.js";

/** @typedef {import("./types.js").Filter} Filter */
/** @typedef {import("./types.js").Params} Params */
/** @typedef {{page: string, dataset: string, filters: Filter[], view: Record<string, string>}} Place */

export const PAGES = ["explore", "live", "areas", "alerts", "data"];
/** What an address says beside filters, which of several views is open, is marked so that no dimension can have its name. */
const VIEW = "v.";

/** @param {string} hash @returns {Place} */
export function parse(hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?");
  const place = { page: PAGES.includes(path) ? path : "explore", dataset: "", filters: /** @type {Filter[]} */ ([]), view: /** @type {Record<string, string>} */ ({}) };
  for (const [key, value] of new URLSearchParams(query)) {
    if (key === "dataset") place.dataset = value;
    else if (key.startsWith(VIEW)) place.view[key.slice(VIEW.length)] = value;
    else addValue(place.filters, key, value);
  }
  return place;
}

/** @param {Filter[]} filters @param {string} key @param {string} value */
function addValue(filters, key, value) {
  const off = key.startsWith("off.");
  const rest = off ? key.slice(4) : key;
  const exclude = rest.startsWith("not.");
  const name = exclude ? rest.slice(4) : rest;
  const known = filters.find(each => each.name === name && each.exclude === exclude && each.off === off);
  if (known) known.values.push(value);
  else filters.push({ name, exclude, off, values: [value] });
}

/** @param {Filter} filter */
const keyOf = filter => `${filter.off ? "off." : ""}${filter.exclude ? "not." : ""}${filter.name}`;

/** @param {Place} at */
export function print(at) {
  const parts = at.dataset ? [`dataset=${encode(at.dataset)}`] : [];
  for (const filter of at.filters) for (const value of filter.values) parts.push(`${encode(keyOf(filter))}=${encode(value)}`);
  for (const [key, value] of Object.entries(at.view)) if (value) parts.push(`${VIEW}${key}=${encode(value)}`);
  return `#/${at.page}${parts.length ? `?${parts.join("&")}` : ""}`;
}

export const place = signal(parse(location.hash));
export const dataset = computed(() => place.value.dataset);
export const filters = computed(() => place.value.filters);

/** How many steps back there are that this page made; Undo is off at the first. */
export const depth = signal(Number(history.state?.depth ?? 0));

addEventListener("popstate", () => {
  depth.value = Number(history.state?.depth ?? 0);
  const next = parse(location.hash);
  // an address that somebody wrote by hand may name no dataset
  place.value = next.dataset ? next : { ...next, dataset: place.value.dataset };
});

/** @param {Partial<Place>} change @param {{replace?: boolean}} [how] */
export function go(change, { replace = false } = {}) {
  const next = { ...place.value, ...change };
  const hash = print(next);
  if (hash === print(place.value) && location.hash === hash) return;
  if (replace) history.replaceState({ depth: depth.value }, "", hash);
  else history.pushState({ depth: (depth.value += 1) }, "", hash);
  place.value = parse(hash);
}

/** Open one of several views; an empty text is what is open unless said. @param {Record<string, string>} view @param {{replace?: boolean}} [how] */
export const show = (view, how) => go({ view: { ...place.value.view, ...view } }, how);

/** @param {string} key @param {string} [otherwise] */
export const shown = (key, otherwise = "") => place.value.view[key] ?? otherwise;

export const undo = () => depth.value > 0 && history.back();

/** @param {string} name */
export const without = name => filters.value.filter(each => each.name !== name);

/** Replace all that is said of a dimension. @param {string} name @param {string[]} values @param {{exclude?: boolean, replace?: boolean}} [how] */
export function choose(name, values, { exclude = false, replace = false } = {}) {
  const rest = without(name);
  go({ filters: values.length ? [...rest, { name, exclude, off: false, values }] : rest }, { replace });
}

/** Put a value in, or take it out; the other side loses it. @param {string} name @param {string} value @param {boolean} [exclude] */
export function toggle(name, value, exclude = false) {
  const same = filters.value.find(each => each.name === name && each.exclude === exclude && !each.off);
  const has = same?.values.includes(value);
  const others = filters.value
    .filter(each => each !== same)
    .map(each => (each.name === name ? { ...each, values: each.values.filter(old => old !== value) } : each));
  const values = has ? same?.values.filter(old => old !== value) ?? [] : [...(same?.values ?? []), value];
  go({ filters: [...others, { name, exclude, off: false, values }].filter(each => each.values.length) });
}

/** @param {Filter} filter */
export const remove = filter => go({ filters: filters.value.filter(each => each !== filter) });
/** @param {Filter} filter */
export const enable = filter => go({ filters: filters.value.map(each => (each === filter ? { ...each, off: !each.off } : each)) });
/** All filters but the period. */
export const clear = () => go({ filters: filters.value.filter(each => each.name === "t") });

/** @param {string} name @param {boolean} [exclude] */
export const valuesOf = (name, exclude = false) =>
  filters.value.find(each => each.name === name && each.exclude === exclude && !each.off)?.values ?? [];

/** The filters that hold, as the server reads them. @param {Filter[]} list @param {string} cells @returns {Params} */
export function asParams(list, cells = "coarse") {
  /** @type {Record<string, string[]>} */
  const params = {};
  for (const filter of list) {
    if (filter.off) continue;
    const key = `${filter.exclude ? "not." : ""}${filter.name}`;
    params[key] = [...(params[key] ?? []), ...filter.values];
  }
  return params.cell ? { ...params, cells } : params;
}
