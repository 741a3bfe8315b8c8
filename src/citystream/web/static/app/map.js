// Where. Leaflet pans and zooms; what is seen is painted by our own canvas layer.

import * as L from "../vendor/leaflet.js";
import { signal } from "../vendor/signals.js";
import { useEffect, useMemo, useRef, useState } from "../vendor/preact-hooks.js";
import { useAnswer } from "./asking.js";
import { theme } from "./colours.js";
import * as format from "./format.js";
import { unmapped } from "./kpis.js";
import { openRows } from "./drawer.js";
import { CanvasLayer } from "./map-layer.js";
import { areaAt, areaShapes, cellAt, cellShapes, cellsIn, latOf, lonOf, pointAt } from "./map-shapes.js";
import { areaValues, cellValues, changeIn, Legend, MEASURES, spread } from "./map-values.js";
import { Card, html, Icon, Menu, Precision, Segments } from "./parts.js";
import { choose, show, shown, toggle, valuesOf } from "./state.js";
import { answer, areaDimension, asked, cellSize, city, current, dimension, label, mapMode } from "./store.js";

/** @typedef {import("./types.js").Dataset} Dataset */
/** @typedef {import("./map-shapes.js").CellShapes} CellShapes */
/** @typedef {import("./map-shapes.js").AreaShapes} AreaShapes */

const LAYERS = /** @type {[string, string][]} */ ([["hex", "Hex"], ["heat", "Heat"], ["points", "Points"], ["areas", "Areas"]]);
/** The area that the pointer is on anywhere on the page. */
export const hovered = signal("");

/** What Leaflet is told on every map here. @param {HTMLElement} host @param {[number, number, number, number] | null | undefined} bbox */
export function openMap(host, bbox) {
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const map = L.map(host, { zoomControl: false, attributionControl: false, zoomSnap: 0.25, zoomDelta: 0.5, wheelPxPerZoomLevel: 90, zoomAnimation: false, fadeAnimation: false, inertia: !calm, doubleClickZoom: false, boxZoom: false, minZoom: 7, maxZoom: 18 });
  fit(map, bbox);
  return map;
}

/** @param {L.Map} map @param {[number, number, number, number] | null | undefined} bbox */
export function fit(map, bbox) {
  if (bbox) map.fitBounds([[bbox[1], bbox[0]], [bbox[3], bbox[2]]], { padding: [18, 18], animate: false });
  else map.setView([0, 0], 7, { animate: false });
}

/**
 * A map that shows *extent* until somebody moves it; made anew for another *place*. *free*: whether it may be moved by us.
 * @param {string} place @param {[number, number, number, number] | null | undefined} extent @param {() => boolean} [free]
 */
export function useFitted(place, extent, free = () => true) {
  const host = useRef(/** @type {HTMLElement | null} */ (null));
  const map = useRef(/** @type {L.Map | null} */ (null));
  const layer = useRef(/** @type {CanvasLayer | null} */ (null));
  const touched = useRef(false);
  const refit = useRef(() => {});
  refit.current = () => void (map.current && extent && !touched.current && free() && fit(map.current, extent));
  useEffect(() => {
    const made = openMap(/** @type {HTMLElement} */ (host.current), city.value?.bbox);
    map.current = made;
    layer.current = new CanvasLayer().addTo(made);
    for (const kind of ["pointerdown", "wheel", "keydown"]) made.getContainer().addEventListener(kind, () => { touched.current = true; }, { passive: true });
    const watcher = new ResizeObserver(() => {
      made.invalidateSize({ pan: false });
      refit.current();
    });
    watcher.observe(made.getContainer());
    return () => {
      watcher.disconnect();
      made.remove();
    };
  }, [place]);
  useEffect(() => refit.current(), [extent]);
  return { host, map, layer };
}

/** What there is to see: the outlines, or else where something happened. @param {AreaShapes | null} shapes @param {CellShapes | null} cells @returns {[number, number, number, number] | null} */
export function extentOf(shapes, cells) {
  const boxes = shapes?.length ? shapes.map(each => each.box) : cells ? Array.from(cells.x, (x, index) => /** @type {[number, number, number, number]} */ ([x, cells.y[index], x, cells.y[index]])).filter(([x]) => Number.isFinite(x)) : [];
  if (!boxes.length) return null;
  const [west, north, east, south] = boxes.reduce((a, b) => [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[2], b[2]), Math.max(a[3], b[3])]);
  return [lonOf(west), latOf(south), lonOf(east), latOf(north)];
}

/** @template T @typedef {{shapes: T | null, problem: unknown, again: () => void}} Fetched */

/** Outlines of the areas of a dimension; fetched once. @param {Dataset | null} of @param {string} name @returns {Fetched<AreaShapes>} */
export function useAreas(of, name) {
  const path = of?.outlines[name] ?? "";
  const { said, state, problem, again } = useAnswer(path.replace(/^\//, ""), {}, `outlines-${name}`, path);
  const shapes = useMemo(() => said && areaShapes(said), [said]);
  return { shapes: path && state === "ready" ? shapes : null, problem, again };
}

/** @param {Dataset | null} of @param {string} size @param {number} known how many cells the views have @returns {Fetched<CellShapes>} */
function useCells(of, size, known) {
  const { said, state, problem, again } = useAnswer(of ? "api/cells" : "", { dataset: of?.dataset ?? "", size }, "cells", known);
  const shapes = useMemo(() => said && cellShapes(said), [said]);
  return { shapes: state === "ready" ? shapes : null, problem, again };
}

/** @param {boolean} wanted @param {string} box @returns {Fetched<any>} */
function usePoints(wanted, box) {
  const params = { ...asked.value, ...(asked.value.box || !box ? {} : { box }), dataset: current.value?.dataset ?? "", limit: "5000" };
  const { said, problem, again } = useAnswer(wanted && box ? "api/points" : "", params, "points", answer.value?.version);
  return { shapes: wanted ? said : null, problem: wanted ? problem : null, again };
}

/** @param {{state: string, problem: unknown, retry: () => void}} props */
export function MapCard({ state, problem, retry }) {
  const of = /** @type {Dataset} */ (current.value);
  const mode = mapMode();
  const areas = areaDimension();
  const canRate = Boolean(areas) && dimension(areas)?.areas?.some(each => each?.residents);
  const wanted = shown("measure", "count");
  const measure = wanted === "rate" && (mode !== "areas" || !canRate) ? "count" : wanted === "change" && !answer.value?.compared ? "count" : wanted;
  const disabled = areas ? {} : { areas: "no outlines of areas here" };
  const unit = mode === "areas" ? dimension(areas)?.title ?? "area" : mode === "points" ? "" : "hexagon";
  const items = Object.entries(MEASURES).map(([key, said]) => ({
    label: said, checked: key === measure, disabled: (key === "rate" && (mode !== "areas" || !canRate)) || (key === "change" && !answer.value?.compared),
    note: key === "rate" && !canRate ? "residents are not known" : key === "rate" && mode !== "areas" ? "for areas only" : key === "change" && !answer.value?.compared ? "needs a period" : "",
    onClick: () => show({ measure: key }, { replace: true }),
  }));
  const sub = mode === "points" ? `each ${format.one(of.units)}, ${of.precision}-level positions; sensitive ones are never points` : `${of.units} per ${unit}, ${of.precision}-level positions`;
  const tools = html`<${Segments} label="Layer" options=${LAYERS} value=${mode} onChange=${(/** @type {string} */ to) => show({ map: to }, { replace: true })} disabled=${disabled} />
    <${Menu} label="Measure" text=${html`<span class="opt-m">Measure </span><b>${MEASURES[/** @type {keyof typeof MEASURES} */ (measure)]}</b>`} items=${items} />`;
  return html`<${Card} title="Where" name="Where" cls="c-map" sub=${sub} tools=${tools} state=${state} problem=${problem} retry=${retry} shape="map" bare=${true} table=${() => tableOf(mode, measure)}>
    <${MapView} of=${of} mode=${mode} measure=${measure} areas=${areas} /><//>`;
}

/** @param {string} mode @param {string} measure */
function tableOf(mode, measure) {
  if (mode === "areas") {
    const of = dimension(areaDimension());
    return [[of?.name ?? "area", measure], ...(of?.values ?? []).map((value, index) => [value, areaValues(of, measure)[index]])];
  }
  const counts = Array.from(answer.value?.views.cells?.counts ?? []);
  return [["cell", "count"], ...counts.map((n, index) => [index, n]).filter(([, n]) => n > 0)];
}

/** @param {{of: Dataset, mode: string, measure: string, areas: string}} props */
function MapView({ of, mode, measure, areas }) {
  const [box, setBox] = useState("");
  const [tip, setTip] = useState(/** @type {any} */ (null));
  const [lasso, setLasso] = useState(false);
  const said = answer.value;
  const parts = [useAreas(of, areas), useCells(of, cellSize.value, said?.views.cells?.counts.length ?? 0), usePoints(mode === "points", box)];
  const [shapes, cells, points] = parts.map(each => each.shapes);
  const failed = parts.filter(each => each.problem);
  const asHexes = mode === "hex" || (mode === "points" && points !== null && points.more > 0);
  const painted = mode === "points" && asHexes ? "hex" : mode;
  const values = useMemo(() => (painted === "areas" ? areaValues(dimension(areas), measure) : cellValues(measure, cells)), [said, painted, measure, cells, areas]);
  const scale = useMemo(() => spread(values, measure), [values, measure]);
  const bbox = city.value?.bbox;
  const extent = useMemo(() => extentOf(shapes, cells) ?? bbox, [shapes, cells?.metres, bbox]);
  const { host, map, layer } = useFitted(of.city, extent, () => !valuesOf("box").length);

  useEffect(() => {
    const made = /** @type {L.Map} */ (map.current);
    const moved = () => {
      const bounds = made.getBounds();
      setBox([bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()].map(each => each.toFixed(5)).join(","));
      const size = made.getZoom() >= 12.5 && of.cells.fine > of.cells.coarse ? "fine" : "coarse";
      if (size !== cellSize.peek() && !valuesOf("cell").length) cellSize.value = size;
    };
    made.on("moveend", moved);
    moved();
  }, [of.city]);
  const follows = valuesOf("box").length > 0;
  useEffect(() => {
    if (follows && box && valuesOf("box")[0] !== box) choose("box", [box], { replace: true });
  }, [box]);

  const state = { mode: painted, cells, areas: shapes, areaDimension: dimension(areas), values, scale, measure, points: painted === "points" ? points : null, theme: theme.value,
    chosenCells: new Set(valuesOf("cell").map(Number)), chosenAreas: new Set(valuesOf(areas)), hover: tip, hoverArea: hovered.value };
  useEffect(() => layer.current?.show(state));
  useHover({ map, state, setTip, lasso, of });

  const drawLasso = () => {
    setLasso(true);
    setTip(null);
    map.current?.dragging.disable();
    layer.current?.draw(ring => {
      setLasso(false);
      map.current?.dragging.enable();
      if (ring.length > 2 && cells) choose("cell", cellsIn(cells, ring).filter(index => (said?.views.cells?.counts[index] ?? 0) > 0).map(String));
    });
  };
  const lost = said ? unmapped(said.kpis.place).reduce((sum, [, n]) => sum + n, 0) : 0;
  return html`<div class="map ${lasso ? "drawing" : ""}" data-chart="map" data-mode=${painted} data-painted=${said?.version ?? ""} data-scale=${scale.most}>
    <div class="leaflet-host" ref=${host} role="application" aria-label="Map of ${city.value?.name ?? "the city"}: ${format.count(said?.kpis.place.shown ?? 0)} ${of.units}. The lists of areas beside it hold the same numbers. Arrow keys move it, plus and minus zoom."></div>
    <div class="map-pop view"><button role="switch" aria-checked=${follows} class="btn small" onClick=${() => choose("box", follows ? [] : [box])}><span class="tgl"></span>Filter to this view</button></div>
    <div class="map-pop ctl"><button class="btn small icon" aria-label="Zoom in" onClick=${() => map.current?.zoomIn()}><${Icon} name="plus" /></button><button class="btn small icon" aria-label="Zoom out" onClick=${() => map.current?.zoomOut()}><${Icon} name="minus" /></button>
      <button class="btn small icon" aria-label="Select by lasso" aria-pressed=${lasso} onClick=${drawLasso}><${Icon} name="lasso" /></button><button class="btn small icon" aria-label="Whole city" onClick=${() => map.current && fit(map.current, extent)}><${Icon} name="fit" /></button></div>
    ${painted !== "points" && html`<${Legend} scale=${scale} measure=${measure} mode=${painted} areas=${dimension(areas)} />`}
    ${mode === "points" && points && html`<div class="map-pop leg">${points.more > 0 ? `${format.count(points.points + points.more)} in view: too many for points, hexagons instead. Zoom in.` : `${format.count(points.points)} points in view`}</div>`}
    <div class="map-pop out">${lost > 0 ? html`<button class="prec withheld" onClick=${() => openRows({ "not.place": "shown" }, "not on the map")}>${format.count(lost)} not on the map</button>` : html`<span class="prec exact">all are on the map</span>`}</div>
    ${tip && !lasso && html`<${Tip} tip=${tip} of=${of} width=${host.current?.clientWidth ?? 0} height=${host.current?.clientHeight ?? 0} />`}
    ${failed.length > 0 && html`<div class="map-none" role="alert"><p>Part of the map is missing: ${/** @type {Error} */ (failed[0].problem).message} <button class="btn small line" onClick=${() => failed.forEach(each => each.again())}>Try again</button></p></div>`}
    ${said && said.kpis.total > 0 && (said.kpis.place.shown ?? 0) === 0 && painted !== "areas" && html`<div class="map-none"><p>None of these ${of.units} has a position that may be shown.</p></div>`}</div>`;
}

/** Which shape the pointer is on, and what a press does. @param {{map: any, state: any, setTip: (tip: any) => void, lasso: boolean, of: Dataset}} with_ */
function useHover({ map, state, setTip, lasso, of }) {
  const now = useRef(state);
  now.current = { ...state, lasso, of };
  useEffect(() => {
    const made = /** @type {L.Map} */ (map.current);
    const find = (/** @type {L.LeafletMouseEvent} */ event) => hit(now.current, event, made);
    const move = (/** @type {L.LeafletMouseEvent} */ event) => {
      const found = now.current.lasso ? null : find(event);
      hovered.value = found?.area ?? "";
      setTip(found ? { ...found, x: event.containerPoint.x, y: event.containerPoint.y } : null);
      made.getContainer().style.cursor = found ? "pointer" : "";
    };
    const press = (/** @type {L.LeafletMouseEvent} */ event) => {
      const found = now.current.lasso ? null : find(event);
      if (!found) return;
      if (found.offset !== undefined) openRows({ offset: String(found.offset) }, "one point");
      else if (found.cell !== undefined) toggle("cell", String(found.cell));
      else if (found.area) toggle(now.current.areaDimension.name, found.area, event.originalEvent.altKey);
    };
    const leave = () => { hovered.value = ""; setTip(null); };
    const clear = () => { if (now.current.mode === "areas") choose(now.current.areaDimension.name, []); else choose("cell", []); };
    made.on("mousemove", move).on("click", press).on("mouseout", leave).on("dblclick", clear);
    return () => void made.off("mousemove", move).off("click", press).off("mouseout", leave).off("dblclick", clear);
  }, [of.city]);
}

/** @param {any} state @param {L.LeafletMouseEvent} event @param {L.Map} map */
function hit(state, event, map) {
  if (state.mode === "points" && state.points) {
    const index = pointAt(state.points, event.latlng, map);
    return index < 0 ? null : { offset: state.points.offset[index], point: index };
  }
  if (state.mode === "areas" && state.areas) {
    const code = areaAt(state.areas, event.latlng);
    return code === null ? null : { area: code };
  }
  if (!state.cells || state.mode === "heat") return null;
  const cell = cellAt(state.cells, event.latlng);
  return cell < 0 || !(state.values[cell] ?? 0) ? null : { cell };
}

/** @param {{tip: any, of: Dataset, width: number, height: number}} props */
function Tip({ tip, of, width, height }) {
  const said = answer.value;
  const left = Math.max(8, Math.min(width - 228, tip.x + 18));
  const top = Math.max(8, Math.min(height - 120, tip.y - 40));
  const place = { left: `${left}px`, top: `${top}px` };
  if (tip.cell !== undefined) {
    const view = said?.views.cells;
    const ratio = changeIn(view, tip.cell);
    return html`<div class="map-pop tip" style=${place} aria-hidden="true"><b>One hexagon</b><dl><dt>${of.units}</dt><dd>${format.count(view?.counts[tip.cell])}</dd>${view?.before && html`<dt>vs previous</dt><dd>${format.change(ratio)}</dd>`}</dl></div>`;
  }
  if (tip.area !== undefined) return html`<${AreaTip} area=${tip.area} place=${place} of=${of} />`;
  return html`<div class="map-pop tip" style=${place} aria-hidden="true"><b>One ${format.one(of.units)}</b><dl><dt>place</dt><dd><${Precision} of=${of.precision} /></dd></dl><span>press to open the record</span></div>`;
}

/** @param {{area: string, place: Record<string, string>, of: Dataset}} props */
function AreaTip({ area, place, of }) {
  const found = dimension(areaDimension());
  const index = found?.values.indexOf(area) ?? -1;
  const view = found ? answer.value?.views[found.name] : null;
  const n = view?.counts[index] ?? 0;
  const shape = found?.areas?.[index];
  const ratio = changeIn(view, index);
  return html`<div class="map-pop tip" style=${place} aria-hidden="true"><b>${label(found, area)}</b><dl><dt>${of.units}</dt><dd>${format.count(n)}</dd>${view?.before && html`<dt>vs previous</dt><dd>${format.change(ratio)}</dd>`}
    ${shape?.km2 && html`<dt>per km²</dt><dd>${format.measure(n / shape.km2)}</dd>`}${shape?.residents && html`<dt>per 1,000 residents</dt><dd>${n < 20 ? "under 20" : format.measure((1000 * n) / shape.residents)}</dd>`}</dl></div>`;
}
