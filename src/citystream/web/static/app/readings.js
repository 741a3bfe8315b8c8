// Stations: measured, never counted. A course for each, and where they stand.

import { useEffect, useMemo } from "../vendor/preact-hooks.js";
import * as format from "./format.js";
import { useAnswer } from "./asking.js";
import { theme } from "./colours.js";
import { Stale } from "./explore.js";
import { extentOf, useAreas, useFitted } from "./map.js";
import { Card, html, Menu, useWidth } from "./parts.js";
import { show, shown } from "./state.js";
import { current, meta, readings } from "./store.js";
import { line, ticks } from "./svg.js";

/** @typedef {{station: string, observed_local: string[], value: (number | null)[], flags: unknown[]}} Series */

export function ReadingsPage() {
  const of = current.value;
  const set = readings.value;
  const measures = set?.measures ?? [];
  const measure = measures.find(each => each.name === shown("measured")) ?? measures[0];
  const { said, problem, state, again } = useAnswer(measure ? "api/readings" : "", { dataset: of?.dataset ?? "", measure: measure?.name ?? "" }, "readings");
  const list = /** @type {Series[]} */ (said?.series ?? []);
  const items = measures.map(each => ({ label: format.title(each.name.replaceAll("_", " ")), note: each.unit, checked: each.name === measure?.name, onClick: () => show({ measured: each.name }, { replace: true }) }));
  const tools = measure && html`<${Menu} label="Measure" text=${html`Measure <b>${measure.name.replaceAll("_", " ")}</b>`} items=${items} />`;
  const values = list.flatMap(each => each.value).filter(value => value !== null).map(Number);
  const range = values.length ? /** @type {[number, number]} */ ([Math.min(...values), Math.max(...values)]) : [0, 1];
  const table = () => [["station", "observed_local", measure?.name ?? "value"], ...list.flatMap(each => each.observed_local.map((time, index) => [each.station, time, each.value[index]]))];
  return html`<main class="page" id="page" tabindex="-1"><div class="page-h"><div><h1>${of?.title}</h1><p>${of?.description || "What stations measured."} Measured, never counted; a value that cannot be true is kept and flagged.</p></div></div><${Stale} />
    <${Card} title="By station" name="By station" sub="${measure?.name.replaceAll("_", " ")}${measure?.description ? `: ${measure.description}` : ""}, ${said?.unit ?? measure?.unit ?? ""}; the newest 14 days, one scale" tools=${tools} state=${state} problem=${problem} retry=${again} shape="chart" table=${table}>
      <div class="mults stations">${list.map(each => html`<${Station} key=${each.station} each=${each} range=${range} unit=${said?.unit ?? ""} />`)}</div>${said && !list.length && html`<p class="void">No readings of this measure in these days.</p>`}<//>
    <div class="two"><${Latest} said=${said} state=${state} problem=${problem} retry=${again} /><${StationMap} /></div></main>`;
}

/** @param {{each: Series, range: number[], unit: string}} props */
function Station({ each, range, unit }) {
  const [ref, width] = useWidth();
  const [low, high] = [Math.min(0, range[0]), Math.max(range[1], range[0] + 1)];
  const height = 92;
  const floor = height - 16;
  const times = each.observed_local.map(time => Date.parse(`${time.slice(0, 19)}Z`));
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const x = (/** @type {number} */ time) => 30 + ((width - 34) * (time - first)) / Math.max(1, last - first);
  const y = (/** @type {number} */ value) => floor - ((floor - 6) * (value - low)) / (high - low);
  const known = each.value.map((value, index) => ({ value, index })).filter(({ value }) => value !== null);
  const newest = known[known.length - 1];
  const label = `${each.station}: ${known.length} readings, newest ${newest ? format.measure(Number(newest.value)) : "none"} ${unit}`;
  return html`<div class="mult" ref=${ref} data-station=${each.station}><h3><span class="cut">${each.station}</span><em>${newest ? format.measure(Number(newest.value)) : "–"} ${unit}</em></h3>
    ${width > 80 && html`<svg width=${width} height=${height} role="img" aria-label=${label}>
      ${ticks(high, 2).filter(tick => tick <= high).map(tick => html`<line x1="30" x2=${width} y1=${y(tick)} y2=${y(tick)} class=${tick ? "grid" : "grid zero"} /><text x="26" y=${y(tick) + 4} text-anchor="end">${format.short(tick)}</text>`)}
      <path d=${line(known.map(({ index }) => x(times[index])), known.map(({ value }) => y(Number(value))))} style="fill:none;stroke:var(--bar);stroke-width:1.5;stroke-linejoin:round" />
      <text x="30" y=${height - 2}>${format.date(each.observed_local[0], false)}</text><text x=${width} y=${height - 2} text-anchor="end">${format.date(each.observed_local.at(-1), false)}</text></svg>`}</div>`;
}

/** @param {{said: any, state: string, problem: unknown, retry: () => void}} props */
function Latest({ said, state, problem, retry }) {
  const rows = /** @type {any[]} */ (said?.latest ?? []);
  return html`<${Card} title="Newest" name="Newest" sub="the last value of every station" state=${state} problem=${problem} retry=${retry} bare=${true} table=${() => [["station", "measure", "observed_local", "value", "unit"], ...rows.map(row => [row.station, row.measure, row.observed_local, row.value, row.unit])]}>
    <div class="scroll tall" tabindex="0" role="region" aria-label="Newest readings"><table class="tbl"><thead><tr><th>station</th><th>measure</th><th>observed</th><th class="n">value</th><th>flags</th></tr></thead>
    <tbody>${rows.map(row => html`<tr><td>${row.station}</td><td>${row.measure.replaceAll("_", " ")}</td><td>${format.moment(row.observed_local)}</td><td class="n s">${row.value === null ? "–" : `${format.measure(row.value)} ${row.unit}`}</td><td>${[row.flags ?? []].flat().map((/** @type {string} */ flag) => html`<span class="tag hollow">${flag}</span> `)}</td></tr>`)}</tbody></table></div><//>`;
}

function StationMap() {
  const of = current.value;
  const near = meta.value?.datasets.find(each => each.city === of?.city && Object.keys(each.outlines).length) ?? of;
  const { shapes, problem, again } = useAreas(near, Object.keys(near?.outlines ?? {})[0] ?? "");
  const extent = useMemo(() => extentOf(shapes, null), [shapes]);
  const placed = (readings.value?.stations ?? []).filter(each => each.lat !== null && each.lon !== null);
  const lost = (readings.value?.stations.length ?? 0) - placed.length;
  const { host, layer } = useFitted(of?.city ?? "", extent);
  const painted = theme.value; // read here, so that another theme is painted
  useEffect(() => layer.current?.show({ mode: "stations", areas: shapes, live: placed.map(each => ({ lon: each.lon, lat: each.lat, age: 0.2 })), theme: painted, version: meta.value?.version }));
  return html`<${Card} title="Stations" name="Stations" sub="${placed.length} with a place${lost ? `, ${lost} without` : ""}" problem=${problem} retry=${again} bare=${true}><div class="map" data-chart="map"><div class="leaflet-host" ref=${host} role="application" aria-label="Map of ${placed.length} stations; the table beside it names them"></div></div><//>`;
}
