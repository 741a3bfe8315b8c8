// What lies on a map: land, areas, hexagons, points, rings, and what is chosen of them.

import { colour } from "./colours.js";
import { worldX, worldY } from "./map-shapes.js";

/** @typedef {import("./map-layer.js").Sight} Sight */
/** @typedef {import("./map-shapes.js").AreaShape} AreaShape */

/** @param {Sight} view @param {AreaShape} area */
function trace(view, area) {
  const { g, k, ox, oy } = view;
  for (const ring of area.rings) {
    for (let i = 0; i < ring.length; i += 2) {
      if (i) g.lineTo(ring[i] * k + ox, ring[i + 1] * k + oy);
      else g.moveTo(ring[i] * k + ox, ring[i + 1] * k + oy);
    }
    g.closePath();
  }
}

/** @param {Sight} view @param {any} state */
export function paintLand(view, state) {
  if (!state.areas) return;
  view.g.beginPath();
  for (const area of state.areas) trace(view, area);
  view.g.fillStyle = colour("land");
  view.g.fill("evenodd");
}

/** @param {Sight} view @param {any} state */
export function paintAreas(view, state) {
  const { g } = view;
  const values = state.areaDimension?.values ?? [];
  for (const area of state.areas ?? []) {
    const step = state.scale.step(state.values[values.indexOf(area.code)] ?? null);
    g.globalAlpha = state.chosenAreas.size && !state.chosenAreas.has(area.code) ? 0.4 : 0.97;
    g.beginPath();
    trace(view, area);
    g.fillStyle = step ? colour(state.scale.tokens[step - 1]) : colour("r0");
    g.fill("evenodd");
  }
  g.globalAlpha = 1;
}

/** @param {Sight} view @param {any} state @param {number} cell */
function hexagon(view, state, cell) {
  const { g, k, ox, oy } = view;
  const { corners } = state.cells;
  for (let corner = 0; corner < 6; corner += 1) {
    const at = 12 * cell + 2 * corner;
    if (corner) g.lineTo(corners[at] * k + ox, corners[at + 1] * k + oy);
    else g.moveTo(corners[at] * k + ox, corners[at + 1] * k + oy);
  }
  g.closePath();
}

/** One path a step: as many fills as there are colours. @param {Sight} view @param {any} state */
export function paintHexes(view, state) {
  if (!state.cells) return;
  const { g, k, ox, oy, width, height } = view;
  const { x, y, size, radius } = state.cells;
  const paths = /** @type {number[][]} */ (Array.from({ length: 8 }, () => []));
  const reach = radius * k;
  for (let cell = 0; cell < size; cell += 1) {
    const [px, py] = [x[cell] * k + ox, y[cell] * k + oy];
    if (px < -reach || py < -reach || px > width + reach || py > height + reach) continue;
    const value = state.values[cell] ?? null;
    if (value) paths[state.scale.step(value)].push(cell);
  }
  g.lineWidth = Math.max(0.6, Math.min(1.5, reach / 12));
  g.strokeStyle = colour("land");
  paths.forEach((cells, step) => {
    if (!step || !cells.length) return;
    for (const dim of state.chosenCells.size ? [true, false] : [false]) {
      g.beginPath();
      for (const cell of cells) if (!state.chosenCells.size || state.chosenCells.has(cell) !== dim) hexagon(view, state, cell);
      g.globalAlpha = dim ? 0.45 : 0.97;
      g.fillStyle = colour(state.scale.tokens[step - 1]);
      g.fill();
      if (reach > 3) g.stroke();
    }
  });
  g.globalAlpha = 1;
}

/** @param {Sight} view @param {any} state */
export function paintEdges(view, state) {
  if (!state.areas) return;
  const { g } = view;
  g.beginPath();
  for (const area of state.areas) trace(view, area);
  g.strokeStyle = colour(state.mode === "hex" ? "ink" : "border");
  g.globalAlpha = state.mode === "hex" ? 0.42 : 0.6;
  g.lineWidth = 0.9;
  g.stroke();
  g.globalAlpha = 1;
}

/** @param {Sight} view @param {{lon: number[], lat: number[]}} points */
export function paintPoints(view, points) {
  const { g, k, ox, oy } = view;
  g.beginPath();
  for (let index = 0; index < points.lon.length; index += 1) {
    const [x, y] = [worldX(points.lon[index]) * k + ox, worldY(points.lat[index]) * k + oy];
    g.moveTo(x + 3.5, y);
    g.arc(x, y, 3.5, 0, 7);
  }
  g.fillStyle = colour("bar");
  g.globalAlpha = points.lon.length > 800 ? 0.5 : 0.75;
  g.fill();
  g.globalAlpha = 1;
  if (points.lon.length > 2000) return;
  g.strokeStyle = colour("land");
  g.lineWidth = 0.75;
  g.stroke();
}

/** Rings that fade with age. @param {Sight} view @param {{lon: number, lat: number, age: number, tone?: string}[]} rows age: 0..1 */
export function paintLive(view, rows) {
  const { g, k, ox, oy } = view;
  for (const row of [...rows].sort((a, b) => b.age - a.age)) {
    const [x, y] = [worldX(row.lon) * k + ox, worldY(row.lat) * k + oy];
    g.globalAlpha = Math.max(0.18, 1 - row.age);
    g.beginPath();
    g.arc(x, y, 5.2, 0, 7);
    g.fillStyle = colour("land");
    g.fill();
    g.strokeStyle = colour(row.tone ?? "bar");
    g.lineWidth = 2.2;
    g.stroke();
    if (row.age > 0.04 || rows.length > 60) continue;
    g.globalAlpha = 0.4;
    g.beginPath();
    g.arc(x, y, 12, 0, 7);
    g.lineWidth = 1.2;
    g.stroke();
  }
  g.globalAlpha = 1;
}

/** @param {Sight} view @param {any} state */
export function paintChosen(view, state) {
  const { g } = view;
  const outline = (/** @type {() => void} */ path, /** @type {string} */ tone, /** @type {number} */ width) => {
    g.lineJoin = "round";
    for (const [style, line] of /** @type {[string, number][]} */ ([[colour("surface"), width + 2.6], [colour(tone), width]])) {
      g.beginPath();
      path();
      g.strokeStyle = style;
      g.lineWidth = line;
      g.stroke();
    }
  };
  const traceAll = (/** @type {AreaShape[]} */ areas) => () => areas.forEach(area => trace(view, area));
  const chosen = (state.areas ?? []).filter((/** @type {AreaShape} */ area) => state.chosenAreas?.has(area.code));
  if (chosen.length) outline(traceAll(chosen), "you", 2.4);
  if (state.cells && state.mode === "hex" && state.chosenCells?.size) outline(() => state.chosenCells.forEach((/** @type {number} */ cell) => cell < state.cells.size && hexagon(view, state, cell)), "you", 2);
  const over = (state.areas ?? []).filter((/** @type {AreaShape} */ area) => area.code === state.hoverArea);
  if (over.length) outline(traceAll(over), "ink", 2);
  if (state.cells && state.mode === "hex" && state.hover?.cell !== undefined) outline(() => hexagon(view, state, state.hover.cell), "ink", 2);
  const marked = (state.areas ?? []).filter((/** @type {AreaShape} */ area) => state.alertAreas?.has(area.code));
  if (!marked.length) return;
  g.setLineDash([5, 4]);
  g.beginPath();
  traceAll(marked)();
  g.strokeStyle = colour("alert");
  g.lineWidth = 1.8;
  g.stroke();
  g.setLineDash([]);
}

/** @param {Sight} view @param {[number, number][]} ring */
export function paintRing({ g, k, ox, oy }, ring) {
  g.beginPath();
  ring.forEach(([lon, lat], index) => g[index ? "lineTo" : "moveTo"](worldX(lon) * k + ox, worldY(lat) * k + oy));
  g.strokeStyle = colour("you");
  g.fillStyle = colour("you-wash");
  g.lineWidth = 2;
  g.fill();
  g.stroke();
}
