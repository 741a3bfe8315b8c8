// Ranked bars: value, share and change of each name. Every bar is a filter; what is outside the selection stays, in grey.

import { useRef, useState } from "../vendor/preact-hooks.js";
import * as format from "./format.js";
import { Card, html, Icon, Tabs, useOutside } from "./parts.js";
import { choose, show, toggle, valuesOf } from "./state.js";
import { answer, current, label, openTab, titleOf } from "./store.js";
import { openRows } from "./drawer.js";

/** @typedef {import("./types.js").Dimension} Dimension */
/** @typedef {{value: string, said: string, n: number, compared: number | null, before: number | null, on: boolean, out: boolean}} Rank */

/** The names of a view, most first. @param {Dimension} of @returns {Rank[]} */
export function ranked(of) {
  const view = answer.value?.views[of.name];
  if (!view) return [];
  const on = valuesOf(of.name);
  const out = valuesOf(of.name, true);
  const list = of.values.map((value, index) => ({
    value: value ?? "", said: label(of, value), n: view.counts[index] ?? 0, compared: view.compared?.[index] ?? null, before: view.before?.[index] ?? null,
    on: on.includes(value ?? ""), out: out.includes(value ?? ""),
  }));
  return list.filter(each => each.n > 0 || each.on || each.out || (each.before ?? 0) > 0).sort((a, b) => b.n - a.n || a.said.localeCompare(b.said));
}

/** The first of a list, and whatever is chosen beyond them. @param {Rank[]} list @param {number} top */
function topOf(list, top) {
  const chosen = list.filter(each => each.on || each.out);
  const rest = list.filter(each => !chosen.includes(each));
  return [...chosen.filter(each => each.on), ...rest.slice(0, Math.max(3, top - chosen.length)), ...chosen.filter(each => each.out)];
}

/**
 * @param {{name: string, title: string, tabs: Dimension[], top: number, cls?: string, state: string, problem: unknown, retry: () => void}} props
 */
export function RankCard({ name, title, tabs, top, state, problem, retry }) {
  const open = openTab(name, tabs);
  const of = tabs.find(each => each.name === open);
  if (!of) return null;
  const list = ranked(of);
  const selected = list.some(each => each.on);
  const foot = html`${list.length > 0 && html`<button class="link" onClick=${() => show({ panel: `all:${of.name}` })}>all ${of.values.length - 1}…</button>`}
    ${selected && html`<span>grey: outside your selection</span>`}`;
  const heading = html`<${Tabs} label=${title} tabs=${tabs.map(each => ({ name: each.name, title: titleOf(each.name) }))} value=${of.name} onChange=${(/** @type {string} */ to) => show({ [name]: to }, { replace: true })} />`;
  return html`<${Card} title=${heading} name=${title} state=${state} problem=${problem} retry=${retry} foot=${foot} table=${() => tableOf(of, list)}>
    <${Ranks} of=${of} list=${topOf(list, top)} most=${Math.max(1, ...list.map(each => each.n))} total=${totalOf(list, selected)} /><//>`;
}

/** Shares are of what is chosen, if something is. @param {Rank[]} list @param {boolean} selected */
const totalOf = (list, selected) => list.filter(each => (selected ? each.on : !each.out)).reduce((sum, each) => sum + each.n, 0);

/** @param {Dimension} of @param {Rank[]} list */
const tableOf = (of, list) => [[of.name, "count", "compared", "before"], ...list.map(each => [each.value, each.n, each.compared, each.before])];

/** @param {{of: Dimension, list: Rank[], most: number, total: number}} props */
function Ranks({ of, list, most, total }) {
  const [menu, setMenu] = useState(/** @type {{rank: Rank, x: number, y: number} | null} */ (null));
  const units = current.value?.units ?? "";
  const selected = list.some(each => each.on);
  const solid = ["incident", "offense", "victim"].includes(current.value?.kind ?? "");
  if (!list.length) return html`<p class="muted">nothing in view</p>`;
  const press = (/** @type {Rank} */ rank) => (/** @type {MouseEvent} */ event) => toggle(of.name, rank.value, event.altKey);
  const more = (/** @type {Rank} */ rank) => (/** @type {MouseEvent} */ event) => {
    event.preventDefault();
    const box = /** @type {HTMLElement} */ (event.currentTarget).getBoundingClientRect();
    setMenu({ rank, x: event.clientX ? event.clientX - box.left : 24, y: /** @type {HTMLElement} */ (event.currentTarget).offsetTop + 24 });
  };
  return html`<div class="rk-head" aria-hidden="true"><span>${titleOf(of.name).toLowerCase()}</span><span>${units}</span><span>share</span><span>vs prev.</span></div>
    <div class="ranks ${selected ? "has-sel" : ""} ${solid ? "" : "calls"}" role="group" aria-label=${of.title} data-dimension=${of.name} onDblClick=${() => choose(of.name, [])}>
    ${list.map(rank => html`<button key=${rank.value} class="rk ${rank.out ? "excluded" : ""}" aria-pressed=${rank.on} title=${rank.value} data-value=${rank.value}
      onClick=${press(rank)} onContextMenu=${more(rank)}>
      <span class="rk-l"><span class="cut">${rank.said}</span></span><span class="rk-n">${format.count(rank.n)}<span class="vh"> ${units}${rank.out ? ", left out" : ""}</span></span><span class="rk-s">${!selected || rank.on ? format.share(total && !rank.out ? rank.n / total : null) : ""}</span>
      <${Change} rank=${rank} /><span class="rk-b"><i style=${{ "--v": `${(100 * rank.n) / most}%` }}></i>${tick(rank, most)}</span></button>`)}
    ${menu && html`<${RankMenu} of=${of} rank=${menu.rank} x=${menu.x} y=${menu.y} onDone=${() => setMenu(null)} />`}</div>`;
}

/** Where the bar would end at the previous period's pace. @param {Rank} rank @param {number} most */
const tick = (rank, most) => {
  if (answer.value?.compared?.break || rank.before === null || !rank.compared || rank.before < 1) return null;
  const at = (rank.n * rank.before) / rank.compared / most;
  return at <= 1 ? html`<u style=${{ "--p": `${(100 * at).toFixed(1)}%` }}></u>` : null;
};

/** @param {{rank: Rank}} props */
function Change({ rank }) {
  const across = answer.value?.compared?.break;
  if (across) return html`<span class="brk" title=${across.why}>${across.kind === "missing" ? "missing" : "break"}</span>`;
  const ratio = rank.before === null || rank.compared === null ? null : format.changeOf(rank.compared, rank.before);
  return html`<span class="chg ${ratio === null || Math.round(ratio * 100) === 0 ? "none" : ""}">${format.change(ratio)}</span>`;
}

/** Keep, exclude, show rows. @param {{of: Dimension, rank: Rank, x: number, y: number, onDone: () => void}} props */
function RankMenu({ of, rank, x, y, onDone }) {
  const ref = useRef(/** @type {HTMLElement | null} */ (null));
  useOutside(ref, true, onDone);
  const act = (/** @type {() => void} */ what) => () => {
    onDone();
    what();
  };
  const keys = (/** @type {KeyboardEvent} */ event) => event.key === "Escape" && (event.stopPropagation(), onDone());
  return html`<div class="pop at" ref=${ref} role="menu" aria-label=${rank.said} style=${{ left: `${Math.min(x, 150)}px`, top: `${y}px` }} onKeyDown=${keys}>
    <button role="menuitem" ref=${(/** @type {HTMLElement | null} */ first) => first?.focus()} onClick=${act(() => choose(of.name, [rank.value]))}><${Icon} name="filter" /><span>Keep only</span></button>
    <button role="menuitem" onClick=${act(() => toggle(of.name, rank.value, true))}><${Icon} name="x" /><span>Exclude</span></button>
    <button role="menuitem" onClick=${act(() => openRows({ [of.name]: rank.value }, rank.said))}><${Icon} name="open" /><span>Show rows</span></button></div>`;
}
