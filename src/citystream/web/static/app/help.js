// What keys do, and what this is made of.

import { useAnswer } from "./asking.js";
import { Dialog, Failed, html } from "./parts.js";
import { show } from "./state.js";
import { meta } from "./store.js";

const KEYS = [
  ["/", "search for a type, an area, any value"],
  ["?", "this help"],
  ["Esc", "close what is open; on a chart, clear its filter"],
  ["g then e l a r d", "go to Explore, Live, Areas, alerts (r), Data"],
  ["Tab, Enter", "reach and press everything; a bar, a cell, a figure is a button"],
  ["Arrows", "move in the week, along the time series, on the map, in menus"],
  ["Arrows on an edge of the period", "a month earlier or later; with Shift the whole period"],
  ["Alt + click", "exclude instead of keep"],
  ["Double click", "clear that chart's filter"],
  ["Right click, Shift + F10", "keep only, exclude, show rows"],
  ["Browser Back", "undo, as often as you like"],
];

export function Help() {
  return html`<${Dialog} title="Help" onClose=${() => show({ panel: "" })}><dl class="keys-list">${KEYS.map(([key, does]) => html`<dt><kbd>${key}</kbd></dt><dd>${does}</dd>`)}</dl>
    <h3>How to read it</h3><ul class="plain-list"><li><b>Teal</b> is how many, <b>iris</b> is what you selected, <b>orange</b> is an alert or a source that somebody must look after.</li>
    <li><b>Hatched</b> days are still filling up: they are compared with nothing. A <b>dashed</b> line is a series break: nothing is compared across it.</li>
    <li>Figures use all filters. Each chart leaves out its own, so that what is outside your selection stays, in grey.</li>
    <li>A change is shown from 20 on. ▲ is more, ▼ is fewer; neither is good or bad.</li><li>A solid badge is something recorded as an offence; a hollow one is a call, a dispatch or a reading. They are never added up.</li></ul>
    <p><button class="link" onClick=${() => show({ panel: "about" })}>About citystream, and licences</button></p><//>`;
}

/** @typedef {{package: string, version: string, licence: string, home: string, text: string}} Package */

export function About() {
  const { said, problem, again } = useAnswer("vendor/licences.json", {}, "licences", "");
  const packages = /** @type {Package[]} */ (said?.packages ?? []);
  return html`<${Dialog} title="About citystream" onClose=${() => show({ panel: "" })} cls="wide"><p>citystream ${meta.value?.product.version}, Apache-2.0. Everything on this page comes from this machine: no request leaves it, no cookie follows you.</p>
    <h3>Made with</h3>${problem && html`<${Failed} problem=${problem} retry=${again} />`}${packages.map(each => html`<details class="licence"><summary><b>${each.package}</b> ${each.version} · ${each.licence} <span class="muted">${each.home}</span></summary><pre tabindex="0">${each.text}</pre></details>`)}
    <h3>Data</h3><ul class="plain-list">${(meta.value?.datasets ?? []).map(each => html`<li><b>${each.title}</b>: ${each.publisher}, ${each.licence || "licence not stated by the publisher"}</li>`)}</ul><//>`;
}
