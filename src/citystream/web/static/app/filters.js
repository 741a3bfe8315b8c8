// The filters in words: pills to switch off and to remove, and the way to any value of any dimension.

import { useState } from "../vendor/preact-hooks.js";
import { useAnswer } from "./asking.js";
import * as format from "./format.js";
import { Dialog, Failed, html, Icon, Menu } from "./parts.js";
import { asParams, choose, clear, enable, filters, remove, show, shown, toggle, valuesOf, without } from "./state.js";
import { answer, current, dimension, label, period, titleOf, words } from "./store.js";

/** @typedef {import("./types.js").Filter} Filter */
/** @typedef {import("./types.js").Dimension} Dimension */

export const Pills = () => {
  const said = filters.value.filter(each => each.name !== "t" || each.off);
  return html`${said.map(each => html`<${Pill} filter=${each} />`)}
    ${said.length > 1 && html`<button class="btn small" onClick=${clear}>Clear</button>`}`;
};

/** @param {{filter: Filter}} props */
function Pill({ filter }) {
  const title = titleOf(filter.name);
  const said = words(filter);
  const full = `${title} ${filter.exclude ? "is not" : "is"} ${said}`;
  return html`<span class="pill ${filter.exclude ? "not" : ""} ${filter.off ? "off" : ""}" data-filter=${filter.name}>${title}<span class="op"> ${filter.exclude ? "is not" : "is"}</span><b title=${filter.values.join(", ")}>${said}</b>
    <button aria-label="${filter.off ? "Enable" : "Disable"} filter: ${full}" title=${filter.off ? "Enable" : "Disable"} aria-pressed=${filter.off} onClick=${() => enable(filter)}><${Icon} name=${filter.off ? "eyeoff" : "eye"} /></button>
    <button aria-label="Remove filter: ${full}" title="Remove" onClick=${() => remove(filter)}><${Icon} name="x" /></button></span>`;
}

export function AddFilter() {
  const dims = (current.value?.dimensions ?? []).filter(each => each.form === "number" || each.values.length > 1);
  const items = dims.map(each => ({ label: format.title(each.title), note: each.form === "number" ? "from, to" : `${each.values.length - 1} values`, onClick: () => show({ panel: `all:${each.name}` }) }));
  return html`<${Menu} label="Add a filter" icon="plus" text="Filter" cls="btn small" items=${items} />`;
}

/** Every value of a dimension, to search and choose from: whatever no list shows can be reached here. */
export function AllValues() {
  const [, name] = shown("panel").split(":");
  const of = dimension(name);
  if (!of) return null;
  const close = () => show({ panel: "" });
  return html`<${Dialog} title=${format.title(of.title)} onClose=${close}>${of.form === "number" ? html`<${Between} of=${of} onDone=${close} />` : html`<${Choose} of=${of} />`}<//>`;
}

/** @param {{of: Dimension, onDone: () => void}} props */
function Between({ of, onDone }) {
  const [from = "", to = ""] = (valuesOf(of.name)[0] ?? "").split("..");
  const take = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const [low, high] = [...new FormData(/** @type {HTMLFormElement} */ (event.target)).values()].map(String);
    choose(of.name, low || high ? [`${low}..${high}`] : []);
    onDone();
  };
  return html`<form class="between" onSubmit=${take}><p>${of.description}</p><label>from <input type="number" step="any" name="from" value=${from} /></label>
    <label>to <input type="number" step="any" name="to" value=${to} /></label><button class="btn primary">Show</button>
    <div class="row">${(of.edges ?? []).slice(0, -1).map((edge, index) => html`<button type="button" class="btn line small" onClick=${() => { choose(of.name, [`${edge}..${of.edges?.[index + 1]}`]); onDone(); }}>${format.count(edge)} – ${format.count(of.edges?.[index + 1])}</button>`)}</div></form>`;
}

/** @param {{of: Dimension}} props */
function Choose({ of }) {
  const [text, setText] = useState("");
  const { said, problem, again } = useAnswer("api/query", { dataset: current.value?.dataset ?? "", ...asParams(without(of.name)), views: of.name, cells: "none" }, "values");
  if (problem) return html`<${Failed} problem=${problem} retry=${again} />`;
  const counts = /** @type {ArrayLike<number> | null} */ ((said ?? answer.value)?.views[of.name]?.counts ?? null);
  const wanted = text.trim().toLowerCase();
  const chosen = valuesOf(of.name);
  const left = valuesOf(of.name, true);
  const list = of.values
    .map((value, index) => ({ value: value ?? "", n: counts?.[index] ?? null, said: label(of, value) }))
    .filter(each => !wanted || each.said.toLowerCase().includes(wanted) || each.value.toLowerCase().includes(wanted))
    .sort((a, b) => (b.n ?? 0) - (a.n ?? 0));
  return html`<label class="search full"><${Icon} name="search" /><input aria-label="Search ${of.title}" placeholder="Search ${format.count(of.values.length - 1)} values" value=${text} onInput=${(/** @type {any} */ event) => setText(event.target.value)} /></label>
    <p class="muted">${format.count(list.length)} values · ${format.span(period.value.first, period.value.last)} · Alt-click leaves out</p>
    <ul class="values">${list.slice(0, 300).map(each => html`<li><button class="rk one" aria-pressed=${chosen.includes(each.value)} onClick=${(/** @type {MouseEvent} */ event) => toggle(of.name, each.value, event.altKey)}>
      <span class="rk-l">${each.said}</span><span class="rk-n">${format.count(each.n)}</span></button>
      <button class="btn small" aria-pressed=${left.includes(each.value)} aria-label="Leave out ${each.said}" onClick=${() => toggle(of.name, each.value, true)}>${left.includes(each.value) ? "left out" : "leave out"}</button></li>`)}</ul>
    ${list.length > 300 && html`<p class="muted">The first 300; search for the others.</p>`}`;
}
