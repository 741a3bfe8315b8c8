// Where things are, in the map's own plane: x and y from 0 to 1 over the whole world (Web Mercator), so that a pan or a
// zoom is one matrix and nothing is projected again.

/** @typedef {import("./types.js").Cells} Cells */
/** @typedef {{size: number, metres: number, x: Float64Array, y: Float64Array, corners: Float64Array, km2: number, radius: number}} CellShapes  corners: 12 numbers a cell */
/** @typedef {{code: string, name: string, rings: Float64Array[], box: [number, number, number, number], label: [number, number]}} AreaShape */
/** @typedef {AreaShape[]} AreaShapes */

/** @param {number} lon */
export const worldX = lon => (lon + 180) / 360;
/** @param {number} lat */
export const worldY = lat => {
  const sin = Math.sin((Math.min(85, Math.max(-85, lat)) * Math.PI) / 180);
  return 0.5 - Math.log((1 + sin) / (1 - sin)) / (4 * Math.PI);
};

/** @param {number} x */
export const lonOf = x => x * 360 - 180;
/** @param {number} y */
export const latOf = y => (Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) * 180) / Math.PI;

/** @param {Cells} cells @returns {CellShapes} */
export function cellShapes(cells) {
  const size = cells.lon.length;
  const corners = new Float64Array(12 * size);
  for (let cell = 0; cell < size; cell += 1) {
    const [lon, lat] = [cells.lon[cell], cells.lat[cell]];
    if (lon === null || lat === null) continue;
    cells.corners.forEach(([dlon, dlat], corner) => {
      corners[12 * cell + 2 * corner] = worldX(lon + dlon);
      corners[12 * cell + 2 * corner + 1] = worldY(lat + dlat);
    });
  }
  const x = Float64Array.from(cells.lon, lon => (lon === null ? NaN : worldX(lon)));
  const y = Float64Array.from(cells.lat, lat => (lat === null ? NaN : worldY(lat)));
  const some = x.findIndex(Number.isFinite);
  const radius = some < 0 ? 0 : Math.hypot(corners[12 * some] - x[some], corners[12 * some + 1] - y[some]);
  return { size, metres: cells.metres, x, y, corners, km2: (cells.metres / 1000) ** 2 * 0.866, radius };
}

/** @param {any} collection a GeoJSON FeatureCollection @returns {AreaShapes} */
export function areaShapes(collection) {
  return collection.features.map((/** @type {any} */ feature) => {
    const { type, coordinates } = feature.geometry;
    const polygons = type === "Polygon" ? [coordinates] : coordinates;
    const rings = polygons.flat().map((/** @type {[number, number][]} */ ring) => Float64Array.from(ring.flatMap(([lon, lat]) => [worldX(lon), worldY(lat)])));
    const box = boxOf(rings);
    return { code: String(feature.properties.code), name: feature.properties.name ?? "", rings, box, label: labelOf(rings, box) };
  });
}

/** @param {Float64Array[]} rings @returns {[number, number, number, number]} */
function boxOf(rings) {
  let [west, north, east, south] = [1, 1, 0, 0];
  for (const ring of rings) {
    for (let i = 0; i < ring.length; i += 2) {
      west = Math.min(west, ring[i]);
      east = Math.max(east, ring[i]);
      north = Math.min(north, ring[i + 1]);
      south = Math.max(south, ring[i + 1]);
    }
  }
  return [west, north, east, south];
}

/** The middle of the widest stretch inside, half way down: never in the water. @param {Float64Array[]} rings @param {[number, number, number, number]} box @returns {[number, number]} */
function labelOf(rings, box) {
  let best = /** @type {[number, number, number]} */ ([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2, 0]);
  for (const part of [0.5, 0.4, 0.6, 0.3, 0.7]) {
    const y = box[1] + (box[3] - box[1]) * part;
    const crossings = rings.flatMap(ring => crossingsOf(ring, y)).sort((a, b) => a - b);
    for (let i = 0; i + 1 < crossings.length; i += 2) {
      const width = (crossings[i + 1] - crossings[i]) * (part === 0.5 ? 1.15 : 1);
      if (width > best[2]) best = [(crossings[i] + crossings[i + 1]) / 2, y, width];
    }
  }
  return [best[0], best[1]];
}

/** @param {Float64Array} ring @param {number} y */
function crossingsOf(ring, y) {
  const found = [];
  for (let i = 0, j = ring.length - 2; i < ring.length; j = i, i += 2) {
    const [ay, by] = [ring[i + 1], ring[j + 1]];
    if (ay > y !== by > y) found.push(ring[i] + ((y - ay) / (by - ay)) * (ring[j] - ring[i]));
  }
  return found;
}

/** @param {{lat: number, lng: number}} at @param {AreaShapes} areas @returns {string | null} */
export function areaAt(areas, at) {
  const [x, y] = [worldX(at.lng), worldY(at.lat)];
  const found = areas.find(({ box, rings }) => x >= box[0] && x <= box[2] && y >= box[1] && y <= box[3] && rings.reduce((inside, ring) => inside + crossingsOf(ring, y).filter(cross => cross > x).length, 0) % 2 === 1);
  return found?.code ?? null;
}

/** @param {CellShapes} cells @param {{lat: number, lng: number}} at */
export function cellAt(cells, at) {
  const [x, y] = [worldX(at.lng), worldY(at.lat)];
  let best = -1;
  let nearest = cells.radius ** 2;
  for (let cell = 0; cell < cells.size; cell += 1) {
    const distance = (cells.x[cell] - x) ** 2 + (cells.y[cell] - y) ** 2;
    if (distance < nearest) [best, nearest] = [cell, distance];
  }
  return best;
}

/** @param {CellShapes} cells @param {[number, number][]} ring of longitudes and latitudes */
export function cellsIn(cells, ring) {
  const path = Float64Array.from(ring.flatMap(([lon, lat]) => [worldX(lon), worldY(lat)]));
  return Array.from({ length: cells.size }, (_, cell) => cell).filter(cell => crossingsOf(path, cells.y[cell]).filter(cross => cross > cells.x[cell]).length % 2 === 1);
}

/** @param {{lon: number[], lat: number[]}} points @param {{lat: number, lng: number}} at @param {any} map a Leaflet map */
export function pointAt(points, at, map) {
  const pixels = 256 * 2 ** map.getZoom();
  const [x, y] = [worldX(at.lng), worldY(at.lat)];
  let best = -1;
  let nearest = (10 / pixels) ** 2;
  for (let index = 0; index < points.lon.length; index += 1) {
    const distance = (worldX(points.lon[index]) - x) ** 2 + (worldY(points.lat[index]) - y) ** 2;
    if (distance < nearest) [best, nearest] = [index, distance];
  }
  return best;
}
