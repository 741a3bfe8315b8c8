// The canvas over the map: outlines, hexagons, heat, points, areas, what is chosen, what the pointer is on.

import * as L from "../vendor/leaflet.js";
import { colour } from "./colours.js";
import { paintHeat } from "./map-heat.js";
import { worldX, worldY } from "./map-shapes.js";
import * as format from "./format.js";

/** @typedef {import("./map-shapes.js").AreaShape} AreaShape */

export class CanvasLayer extends L.Layer {
  constructor() {
    super();
    /** @type {any} */
    this.state = null;
    this.queued = 0;
    this.canvas = document.createElement("canvas");
    this.canvas.className = "painting";
    /** @type {{ring: [number, number][], done: (ring: [number, number][]) => void} | null} */
    this.lasso = null;
  }

  /** @param {L.Map} map */
  onAdd(map) {
    this.map = map;
    map.getPanes().overlayPane.append(this.canvas);
    map.on("move zoom viewreset resize", this.queue, this);
    this.queue();
    return this;
  }

  /** @param {L.Map} map */
  onRemove(map) {
    cancelAnimationFrame(this.queued);
    this.queued = -1;
    map.off("move zoom viewreset resize", this.queue, this);
    this.canvas.remove();
    return this;
  }

  /** @param {any} state  what to paint; painted with the next frame */
  show(state) {
    this.state = state;
    this.queue();
  }

  queue() {
    if (this.queued) return;
    this.queued = requestAnimationFrame(() => {
      this.queued = 0;
      this.paint();
    });
  }

  /** Let a ring be drawn by hand. @param {(ring: [number, number][]) => void} done */
  draw(done) {
    const map = /** @type {L.Map} */ (this.map);
    const box = map.getContainer();
    this.lasso = { ring: [], done };
    const at = (/** @type {PointerEvent} */ event) => {
      const where = map.mouseEventToLatLng(event);
      this.lasso?.ring.push([where.lng, where.lat]);
      this.queue();
    };
    const up = () => {
      box.removeEventListener("pointermove", at);
      const { ring } = /** @type {{ring: [number, number][]}} */ (this.lasso);
      this.lasso = null;
      this.queue();
      done(ring);
    };
    box.addEventListener("pointerdown", event => {
      at(event);
      box.addEventListener("pointermove", at);
      addEventListener("pointerup", up, { once: true });
    }, { once: true });
  }

  paint() {
    const map = this.map;
    const state = this.state;
    if (!map || !state) return;
    const size = map.getSize();
    const ratio = devicePixelRatio || 1;
    if (this.canvas.width !== size.x * ratio || this.canvas.height !== size.y * ratio) {
      this.canvas.width = size.x * ratio;
      this.canvas.height = size.y * ratio;
      this.canvas.style.width = `${size.x}px`;
      this.canvas.style.height = `${size.y}px`;
    }
    L.DomUtil.setPosition(this.canvas, map.containerPointToLayerPoint([0, 0]));
    const g = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    const pixels = 256 * 2 ** map.getZoom();
    const corner = map.containerPointToLatLng([0, 0]);
    const view = { g, k: pixels, ox: -worldX(corner.lng) * pixels, oy: -worldY(corner.lat) * pixels, width: size.x, height: size.y };
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    g.fillStyle = colour("outside");
    g.fillRect(0, 0, size.x, size.y);
    paintLand(view, state);
    if (state.mode === "areas") paintAreas(view, state);
    else if (state.mode === "hex") paintHexes(view, state);
    else if (state.mode === "heat" && state.cells) paintHeat(view, state);
    paintEdges(view, state);
    if (state.mode === "points" && state.points) paintPoints(view, state.points);
    if (state.live) paintLive(view, state.live);
    paintChosen(view, state);
    paintLabels(view, state);
    paintScale(view, map);
    if (this.lasso) paintRing(view, this.lasso.ring);
  }
}

/** @typedef {{g: CanvasRenderingContext2D, k: number, ox: number, oy: number, width: number, height: number}} Sight */

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
function paintLand(view, state) {
  if (!state.areas) return;
  view.g.beginPath();
  for (const area of state.areas) trace(view, area);
  view.g.fillStyle = colour("land");
  view.g.fill("evenodd");
}

/** @param {Sight} view @param {any} state */
function paintAreas(view, state) {
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
function paintHexes(view, state) {
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
function paintEdges(view, state) {
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
function paintPoints(view, points) {
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
function paintLive(view, rows) {
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
function paintChosen(view, state) {
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

/** Names where they have room; none lies on another. @param {Sight} view @param {any} state */
function paintLabels(view, state) {
  const { g, k, ox, oy, width } = view;
  if (!state.areas || width < 300) return;
  const taken = /** @type {[number, number, number, number][]} */ ([]);
  const family = getComputedStyle(document.body).fontFamily;
  g.textAlign = "center";
  g.textBaseline = "middle";
  g.lineJoin = "round";
  for (const area of [...state.areas].sort((a, b) => b.box[2] - b.box[0] - (a.box[2] - a.box[0]))) {
    const text = format.name(area.name || area.code);
    const on = state.chosenAreas?.has(area.code);
    g.font = `${on ? 650 : 550} ${width < 420 ? 10 : 11}px ${family}`;
    const half = g.measureText(text).width / 2;
    const [x, y] = [area.label[0] * k + ox, area.label[1] * k + oy];
    const box = /** @type {[number, number, number, number]} */ ([x - half - 2, y - 8, x + half + 2, y + 8]);
    const fits = (area.box[2] - area.box[0]) * k > half * 1.5;
    if (!on && (!fits || taken.some(other => box[0] < other[2] && box[2] > other[0] && box[1] < other[3] && box[3] > other[1]))) continue;
    taken.push(box);
    g.strokeStyle = colour("surface");
    g.globalAlpha = 0.88;
    g.lineWidth = 3.5;
    g.strokeText(text, x, y);
    g.globalAlpha = 1;
    g.fillStyle = colour(on ? "you" : "ink");
    g.fillText(text, x, y);
  }
}

/** @param {Sight} view @param {L.Map} map */
function paintScale({ g, width, height }, map) {
  const across = map.distance(map.containerPointToLatLng([0, height / 2]), map.containerPointToLatLng([100, height / 2]));
  if (!Number.isFinite(across) || across <= 0 || width < 360) return;
  const metres = [100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000].find(each => (100 * each) / across >= 48) ?? 200_000;
  const long = (100 * metres) / across;
  const [x, y] = [width - 72 - long, 26];
  g.strokeStyle = colour("ink-2");
  g.lineWidth = 1.5;
  g.beginPath();
  g.moveTo(x, y - 4);
  g.lineTo(x, y);
  g.lineTo(x + long, y);
  g.lineTo(x + long, y - 4);
  g.stroke();
  g.font = `500 11px ${getComputedStyle(document.body).fontFamily}`;
  g.textAlign = "center";
  g.fillStyle = colour("ink-2");
  g.fillText(metres < 1000 ? `${metres} m` : `${metres / 1000} km`, x + long / 2, y - 9);
}

/** @param {Sight} view @param {[number, number][]} ring */
function paintRing({ g, k, ox, oy }, ring) {
  g.beginPath();
  ring.forEach(([lon, lat], index) => g[index ? "lineTo" : "moveTo"](worldX(lon) * k + ox, worldY(lat) * k + oy));
  g.strokeStyle = colour("you");
  g.fillStyle = colour("you-wash");
  g.lineWidth = 2;
  g.fill();
  g.stroke();
}
