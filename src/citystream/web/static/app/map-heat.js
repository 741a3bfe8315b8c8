// A smooth surface over the hexagons. It is made of their counts, not of positions: it cannot be turned back into points.

import { colour } from "./colours.js";

/** @typedef {import("./map-layer.js").Sight} Sight */

const SMALL = 3;

/** @param {Sight} view @param {any} state */
export function paintHeat(view, state) {
  const { g, k, ox, oy, width, height } = view;
  const { x, y, size, radius } = state.cells;
  const [columns, rows] = [Math.ceil(width / SMALL), Math.ceil(height / SMALL)];
  const field = new Float32Array(columns * rows);
  const reach = Math.max(3, (radius * k * 2.2) / SMALL);
  for (let cell = 0; cell < size; cell += 1) {
    const value = Math.max(0, state.values[cell] ?? 0);
    if (value) splat(field, columns, rows, (x[cell] * k + ox) / SMALL, (y[cell] * k + oy) / SMALL, reach, Math.sqrt(value));
  }
  let most = 0;
  for (const value of field) if (value > most) most = value;
  if (!most) return;
  const small = Object.assign(document.createElement("canvas"), { width: columns, height: rows });
  const context = /** @type {CanvasRenderingContext2D} */ (small.getContext("2d"));
  const image = context.createImageData(columns, rows);
  const ramp = table();
  field.forEach((value, at) => image.data.set(ramp.subarray(4 * Math.round((255 * value) / most), 4 * Math.round((255 * value) / most) + 4), 4 * at));
  context.putImageData(image, 0, 0);
  g.imageSmoothingEnabled = true;
  g.drawImage(small, 0, 0, columns * SMALL, rows * SMALL);
}

/** @param {Float32Array} field @param {number} columns @param {number} rows @param {number} cx @param {number} cy @param {number} reach @param {number} value */
function splat(field, columns, rows, cx, cy, reach, value) {
  if (cx < -reach || cy < -reach || cx > columns + reach || cy > rows + reach) return;
  for (let row = Math.max(0, Math.floor(cy - reach)); row < Math.min(rows, cy + reach); row += 1) {
    for (let column = Math.max(0, Math.floor(cx - reach)); column < Math.min(columns, cx + reach); column += 1) {
      const near = 1 - ((column - cx) ** 2 + (row - cy) ** 2) / reach ** 2;
      if (near > 0) field[row * columns + column] += value * near * near;
    }
  }
}

/** 256 colours along the ramp, the first ones see-through. */
function table() {
  const line = Object.assign(document.createElement("canvas"), { width: 256, height: 1 });
  const context = /** @type {CanvasRenderingContext2D} */ (line.getContext("2d", { willReadFrequently: true }));
  const gradient = context.createLinearGradient(0, 0, 256, 0);
  for (let step = 1; step <= 7; step += 1) gradient.addColorStop((step - 1) / 6, colour(`r${step}`));
  context.fillStyle = gradient;
  context.fillRect(0, 0, 256, 1);
  const { data } = context.getImageData(0, 0, 256, 1);
  for (let at = 0; at < 256; at += 1) data[4 * at + 3] = Math.min(225, at * 8);
  return data;
}
