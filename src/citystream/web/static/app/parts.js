// What every page is made of: cards with their states, menus, dialogs, tabs.

import { html } from "../vendor/htm-preact.js";
import { useEffect, useId, useLayoutEffect, useRef, useState } from "../vendor/preact-hooks.js";
import { cardMenu } from "./take.js";

export { html };

/** @param {{name: string}} props */
export const Icon = ({ name }) => html`<span class="i i-${name}" aria-hidden="true"></span>`;

/** The kind of a dataset's rows: never left out, never mixed. @param {{kind: string, units: string}} props */
export const Kind = ({ kind, units }) => html`<span class="kind ${kind}">${units}</span>`;

/** How precise a place is. @param {{of: string | null | undefined}} props */
export const Precision = ({ of }) => html`<span class="prec ${of ?? "missing"}">${of ?? "missing"}</span>`;

/** @typedef {((node: HTMLElement | null) => void) & {current: HTMLElement | null}} Seen */

/** The width of an element, now and when it changes, whenever it comes. @returns {[Seen, number]} */
export function useWidth() {
  const [node, setNode] = useState(/** @type {HTMLElement | null} */ (null));
  const [width, setWidth] = useState(0);
  const seen = useRef(/** @type {Seen | null} */ (null));
  if (!seen.current) {
    const take = (/** @type {HTMLElement | null} */ found) => {
      ref.current = found;
      setNode(found);
    };
    const ref = /** @type {Seen} */ (Object.assign(take, { current: null }));
    seen.current = ref;
  }
  useLayoutEffect(() => {
    if (!node) return undefined;
    const measure = () => setWidth(Math.floor(node.clientWidth));
    const watcher = new ResizeObserver(measure);
    watcher.observe(node);
    measure();
    return () => watcher.disconnect();
  }, [node]);
  return [seen.current, width];
}

/** True only when *on* has lasted: nothing flashes. @param {boolean} on @param {number} [ms] */
export function useLasting(on, ms = 150) {
  const [lasts, setLasts] = useState(false);
  useEffect(() => {
    if (!on) return void setLasts(false);
    const timer = setTimeout(() => setLasts(true), ms);
    return () => clearTimeout(timer);
  }, [on, ms]);
  return on && lasts;
}

/**
 * One card. *state*: "ready", "loading" (nothing yet) or "refreshing" (old values stay); *problem* replaces the body.
 * *table*: what its chart shows, as rows, for a CSV.
 * @param {{title: any, name: string, sub?: any, tools?: any, foot?: any, cls?: string, state?: string, problem?: unknown,
 *   retry?: () => void, shape?: string, bare?: boolean, table?: (() => (string | number | null)[][]) | null, children?: any}} props
 */
export function Card({ title, name, sub, tools, foot, cls = "", state = "ready", problem, retry, shape = "bars", bare = false, table = null, children }) {
  const id = useId();
  const skeleton = useLasting(state === "loading" && !problem);
  const dim = useLasting(state === "refreshing");
  const inside = problem ? html`<${Failed} problem=${problem} retry=${retry} />` : state === "loading" ? skeleton && html`<${Skeleton} shape=${shape} />` : children;
  return html`<section class="card ${cls}" aria-labelledby=${id} aria-busy=${state !== "ready" && !problem} data-card=${name}>
    ${dim && html`<div class="thin"></div>`}
    <div class="card-h">
      <div>${typeof title === "string" ? html`<h2 id=${id}>${title}</h2>` : html`<h2 id=${id} class="vh">${name}</h2>${title}`}${sub && html`<p>${sub}</p>`}</div>
      <div class="card-tools">${tools}${table && html`<${Menu} label="Take this card" icon="export" cls="btn small icon take" items=${cardMenu(name, table)} />`}</div>
    </div>
    ${bare && !problem && state !== "loading" ? children : html`<div class="card-b ${dim ? "dim" : ""}">${inside}</div>`}
    ${foot && html`<div class="card-f">${foot}</div>`}
  </section>`;
}

/** @param {{shape: string}} props */
function Skeleton({ shape }) {
  if (shape === "map" || shape === "chart") return html`<div class="sk sk-block ${shape}"></div>`;
  return [96, 82, 70, 64, 52, 44].map(width => html`<div class="sk sk-row" style=${{ width: `${width}%` }}></div>`);
}

/** What failed, since when, and what to do. @param {{problem: unknown, retry?: () => void}} props */
export function Failed({ problem, retry }) {
  const said = /** @type {{message?: string, hint?: string, since?: Date, code?: string}} */ (problem);
  const since = (said.since ?? new Date()).toTimeString().slice(0, 5);
  const details = `${said.code ?? "error"}: ${said.message ?? problem} (${since})`;
  return html`<div class="void" role="alert"><h3>This could not be shown</h3><p>${said.message ?? String(problem)} (since ${since}) ${said.hint ?? ""}</p>
    <div class="row">${retry && html`<button class="btn primary" onClick=${retry}><${Icon} name="refresh" />Try again</button>`}
    <button class="btn" onClick=${() => navigator.clipboard?.writeText(details)}><${Icon} name="copy" />Copy details</button></div></div>`;
}

/** @typedef {{label: any, onClick?: () => void, href?: string, download?: string, checked?: boolean, note?: string, disabled?: boolean, id?: string}} Item */

/** A button that opens a list of things to do or to choose from. @param {{label: string, icon?: string, text?: any, cls?: string, items: Item[]}} props */
export function Menu({ label, icon, text, cls = "sel", items }) {
  const [open, setOpen] = useState(false);
  const ref = useRef(/** @type {HTMLElement | null} */ (null));
  useOutside(ref, open, () => setOpen(false));
  useEffect(() => {
    if (open) /** @type {HTMLElement | null} */ (ref.current?.querySelector('[aria-checked="true"], [role^="menuitem"]'))?.focus();
  }, [open]);
  const choose = (/** @type {Item} */ item) => {
    setOpen(false);
    /** @type {HTMLElement | null} */ (ref.current?.querySelector("button"))?.focus();
    item.onClick?.();
  };
  return html`<div class="menu" ref=${ref} onKeyDown=${moveIn(() => setOpen(false))}>
    <button class=${cls} aria-haspopup="menu" aria-expanded=${open} aria-label=${text ? undefined : label} title=${text ? undefined : label}
      onClick=${() => setOpen(!open)}>${icon && html`<${Icon} name=${icon} />`}${text}${!icon && html`<${Icon} name="down" />`}</button>
    ${open && html`<div class="pop" role="menu" aria-label=${label}>${items.map(item => html`<${MenuItem} item=${item} onChoose=${choose} />`)}</div>`}
  </div>`;
}

/** @param {{item: Item, onChoose: (item: Item) => void}} props */
function MenuItem({ item, onChoose }) {
  const role = item.checked === undefined ? "menuitem" : "menuitemradio";
  const inside = html`<span>${item.label}</span>${item.note && html`<small>${item.note}</small>`}`;
  if (item.href) return html`<a role=${role} tabindex="-1" href=${item.href} download=${item.download} onClick=${() => onChoose(item)}>${inside}</a>`;
  return html`<button role=${role} tabindex="-1" aria-checked=${item.checked} disabled=${item.disabled} onClick=${() => onChoose(item)}>${inside}</button>`;
}

/** Arrow keys among the items of an open menu, Esc out of it. @param {() => void} close */
const moveIn = close => (/** @type {KeyboardEvent} */ event) => {
  const host = /** @type {HTMLElement} */ (event.currentTarget);
  const items = /** @type {HTMLElement[]} */ ([...host.querySelectorAll('[role^="menuitem"]')]);
  if (!items.length) return;
  if (event.key === "Escape" || event.key === "Tab") {
    close();
    if (event.key === "Escape") {
      event.stopPropagation();
      host.querySelector("button")?.focus();
    }
    return;
  }
  const by = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
  if (!by) return;
  event.preventDefault();
  items[(items.indexOf(/** @type {HTMLElement} */ (document.activeElement)) + by + items.length) % items.length].focus();
};

/** @param {{current: HTMLElement | null}} ref @param {boolean} active @param {() => void} leave */
export function useOutside(ref, active, leave) {
  useEffect(() => {
    if (!active) return undefined;
    const press = (/** @type {PointerEvent} */ event) => {
      if (!ref.current?.contains(/** @type {Node} */ (event.target))) leave();
    };
    document.addEventListener("pointerdown", press);
    return () => document.removeEventListener("pointerdown", press);
  }, [active]);
}

/** Something over the page: focus goes in, stays in, and comes back. @param {{title: string, onClose: () => void, cls?: string, children?: any}} props */
export function Dialog({ title, onClose, cls = "", children }) {
  const ref = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const id = useId();
  useEffect(() => {
    const before = /** @type {HTMLElement | null} */ (document.activeElement);
    if (!ref.current?.open) ref.current?.showModal();
    return () => before?.focus?.();
  }, []);
  return html`<dialog class="dialog ${cls}" ref=${ref} aria-labelledby=${id} onClose=${onClose}
      onClick=${(/** @type {MouseEvent} */ event) => event.target === ref.current && ref.current?.close()}>
    <div class="drawer-h"><h2 id=${id}>${title}</h2><span class="push"></span>
      <button class="btn icon" aria-label="Close" onClick=${() => ref.current?.close()}><${Icon} name="x" /></button></div>
    <div class="dialog-b">${children}</div></dialog>`;
}

/** One of a few. @param {{label: string, options: [string, any][], value: string, onChange: (value: string) => void, small?: boolean, disabled?: Record<string, string>}} props */
export const Segments = ({ label, options, value, onChange, small = true, disabled = {} }) => html`<div class="seg ${small ? "small" : ""}" role="group" aria-label=${label}>
  ${options.map(([key, text]) => html`<button aria-pressed=${key === value} disabled=${key in disabled} title=${disabled[key]} onClick=${() => onChange(key)}>${text}</button>`)}</div>`;

/** The heading of a card that shows one of several. @param {{label: string, tabs: {name: string, title: string}[], value: string, onChange: (name: string) => void}} props */
export function Tabs({ label, tabs, value, onChange }) {
  const few = tabs.length <= 3 ? tabs : tabs.filter((each, index) => index < 2 || each.name === value).slice(0, 3);
  const rest = tabs.filter(each => !few.includes(each));
  return html`<div class="tabs" role="group" aria-label=${label}>
    ${few.map(each => html`<button aria-pressed=${each.name === value} onClick=${() => onChange(each.name)}>${each.title}</button>`)}
    ${rest.length > 0 && html`<${Menu} label="more of ${label}" text="${rest.length} more" cls="more" items=${rest.map(each => ({ label: each.title, onClick: () => onChange(each.name) }))} />`}</div>`;
}
