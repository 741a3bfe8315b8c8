// Taking things away: the numbers of a chart as CSV, a card as a picture, a link. All made here, nothing is sent.

/** @typedef {(string | number | null)[][]} Table */

/** @param {string} name @param {() => Table} table */
export const cardMenu = (name, table) => [
  { label: "Numbers as CSV", onClick: () => save(`${name}.csv`, new Blob([csv(table())], { type: "text/csv" })) },
  { label: "Picture as PNG", onClick: () => picture(name) },
];

/** A cell that a spreadsheet would run is made text. @param {string | number | null} cell */
export function csvCell(cell) {
  if (cell === null) return "";
  if (typeof cell === "number") return String(cell);
  const safe = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** @param {Table} table */
export const csv = table => `${table.map(row => row.map(csvCell).join(",")).join("\r\n")}\r\n`;

/** @param {string} name @param {Blob} blob */
export function save(name, blob) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** @param {string} name */
async function picture(name) {
  const card = document.querySelector(`[data-card="${CSS.escape(name)}"]`);
  if (card instanceof HTMLElement) save(`${name}.png`, await paint(card));
}

/** The card as it stands, twice as large, with the page's own styles and type inside. @param {HTMLElement} card @returns {Promise<Blob>} */
export async function paint(card) {
  const { width, height } = card.getBoundingClientRect();
  const copy = /** @type {HTMLElement} */ (card.cloneNode(true));
  copyCanvases(card, copy);
  copy.querySelectorAll(".card-tools, .ctl, .vh").forEach(each => each.remove());
  const root = document.documentElement;
  const dark = getComputedStyle(root).colorScheme.startsWith("dark") || root.dataset.theme === "dark" || (!root.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
  const pad = 16;
  const body = new XMLSerializer().serializeToString(copy);
  const style = (await styles()).replaceAll(":root", ".picture");
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width + 2 * pad}" height="${height + 2 * pad}"><foreignObject width="100%" height="100%">
    <div xmlns="http://www.w3.org/1999/xhtml" class="picture" data-theme="${dark ? "dark" : "light"}"><style>${escaped(style)}
    .picture { padding: ${pad}px; width: ${width + 2 * pad}px; height: ${height + 2 * pad}px; background: var(--bg); color: var(--ink); font: var(--t-body); font-variant-numeric: tabular-nums; }</style>${body}</div></foreignObject></svg>`;
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = Object.assign(document.createElement("canvas"), { width: 2 * (width + 2 * pad), height: 2 * (height + 2 * pad) });
  const context = canvas.getContext("2d");
  context?.scale(2, 2);
  context?.drawImage(image, 0, 0);
  return new Promise((resolve, reject) => canvas.toBlob(blob => (blob ? resolve(blob) : reject(new Error("the browser made no picture"))), "image/png"));
}

/** @param {HTMLElement} card @param {HTMLElement} copy */
function copyCanvases(card, copy) {
  const painted = card.querySelectorAll("canvas");
  copy.querySelectorAll("canvas").forEach((canvas, index) => {
    const image = document.createElement("img");
    image.src = painted[index].toDataURL();
    image.className = canvas.className;
    image.style.cssText = `${painted[index].style.cssText}; width: ${painted[index].clientWidth}px; height: ${painted[index].clientHeight}px; position: absolute`;
    canvas.replaceWith(image);
  });
}

async function styles() {
  const sheets = [...document.styleSheets].map(sheet => [...sheet.cssRules].filter(rule => !(rule instanceof CSSFontFaceRule)).map(rule => rule.cssText).join("\n"));
  return `@font-face { font-family: "Inter Variable"; font-weight: 100 900; src: url("${await font()}"); }\n${sheets.join("\n")}`;
}

async function font() {
  const bytes = new Uint8Array(await (await fetch("vendor/inter-latin.woff2")).arrayBuffer());
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return `data:font/woff2;base64,${btoa(text)}`;
}

/** @param {string} text */
const escaped = text => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
