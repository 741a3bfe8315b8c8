// What is written on a map: names of areas, and how far is far.

import { colour } from "./colours.js";
import * as format from "./format.js";

/** @typedef {import("./map-layer.js").Sight} Sight */

/** Names where they have room; none lies on another. @param {Sight} view @param {any} state */
export function paintLabels(view, state) {
  const { g, k, ox, oy, width } = view;
  if (!state.areas || width < 300) return;
  const taken = /** @type {[number, number, number, number][]} */ ([]);
  const family = getComputedStyle(document.body).fontFamily;
  g.textAlign = "center";
  g.textBaseline = "middle";
  g.lineJoin = "round";
  const on_ = (/** @type {any} */ area) => Number(Boolean(state.chosenAreas?.has(area.code)));
  for (const area of [...state.areas].sort((a, b) => on_(b) - on_(a) || b.box[2] - b.box[0] - (a.box[2] - a.box[0]))) {
    const text = format.name(area.name || area.code);
    const on = on_(area);
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
export function paintScale({ g, width, height }, map) {
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
