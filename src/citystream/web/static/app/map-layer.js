// The canvas over the map: outlines, hexagons, heat, points, areas, what is chosen, what the pointer is on.

import * as L from "../vendor/leaflet.js";
import { colour } from "./colours.js";
import { paintHeat } from "./map-heat.js";
import { paintLabels, paintScale } from "./map-labels.js";
import { paintAreas, paintChosen, paintEdges, paintHexes, paintLand, paintLive, paintPoints, paintRing } from "./map-paint.js";
import { worldX, worldY } from "./map-shapes.js";

/** @typedef {{g: CanvasRenderingContext2D, k: number, ox: number, oy: number, width: number, height: number}} Sight */

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
