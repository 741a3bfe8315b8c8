// The page as a whole: what is around, which page is open, what lies over it, and the keys that work everywhere.

import { computed, effect } from "../vendor/signals.js";
import { render } from "../vendor/preact.js";
import { Alerts } from "./alerts.js";
import { Areas } from "./areas.js";
import { Data, RejectsDialog } from "./data.js";
import { Drawer } from "./drawer.js";
import { Explore } from "./explore.js";
import { AllValues } from "./filters.js";
import { About, Help } from "./help.js";
import { Live } from "./live.js";
import { Failed, html } from "./parts.js";
import { Foot, Head, Rail } from "./shell.js";
import { dataset, go, PAGES, place, show, shown } from "./state.js";
import { current, loadMeta, meta, metaError, start } from "./store.js";
import { follow, spoken } from "./stream.js";

const SHOWN = /** @type {Record<string, () => any>} */ ({ explore: Explore, live: Live, areas: Areas, alerts: Alerts, data: Data });

function Page() {
  if (metaError.value && !meta.value) return html`<main class="page" id="page" tabindex="-1"><section class="card"><div class="card-b"><${Failed} problem=${metaError.value} retry=${loadMeta} /></div></section></main>`;
  if (meta.value && !meta.value.datasets.length) return html`<main class="page" id="page" tabindex="-1"><section class="card"><div class="card-b"><div class="void"><h3>Nothing is stored here yet</h3><p>“citystream run” takes in what a city publishes; “citystream demo” shows simulated cities, without a network.</p></div></div></section></main>`;
  if (!current.value) return html`<main class="page" id="page" tabindex="-1" aria-busy="true"><div class="sk sk-block chart"></div></main>`;
  return html`<${SHOWN[place.value.page]} key=${`${place.value.page} ${current.value.dataset}`} />`;
}

function Over() {
  const panel = shown("panel");
  if (panel === "help") return html`<${Help} />`;
  if (panel === "about") return html`<${About} />`;
  if (panel.startsWith("all:")) return html`<${AllValues} />`;
  return panel.startsWith("rejects:") ? html`<${RejectsDialog} />` : null;
}

const skip = (/** @type {Event} */ event) => {
  event.preventDefault();
  document.getElementById("page")?.focus();
};

const App = () => html`<a class="skip" href="#page" onClick=${skip}>Skip to content</a><div class="app"><${Rail} /><div class="main"><${Head} /><${Page} /><${Foot} /></div></div>
  <${Drawer} /><${Over} /><div class="vh" role="status" aria-live="polite">${spoken.value}</div>`;

let lead = 0;

/** @param {KeyboardEvent} event */
function keys(event) {
  const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement;
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/") {
    event.preventDefault();
    document.getElementById("search")?.focus();
  } else if (event.key === "?") show({ panel: shown("panel") === "help" ? "" : "help" });
  else if (event.key === "Escape" && (shown("rows") || shown("incident"))) show({ rows: "", incident: "" });
  else if (event.key === "g") lead = Date.now();
  else if (Date.now() - lead < 1200) {
    const page = PAGES["elard".indexOf(event.key)];
    lead = 0;
    if (page) go({ page, view: {} });
  }
}

effect(() => {
  const of = current.value;
  document.title = `${place.value.page[0].toUpperCase()}${place.value.page.slice(1)}${of ? ` · ${of.title.split(",")[0]}` : ""} · citystream`;
});
// a name, not what is known of it: the line stays when that changes
const followed = computed(() => (current.value?.counted ? dataset.value : ""));
effect(() => {
  follow(followed.value);
});
document.addEventListener("keydown", keys);
start();
render(html`<${App} />`, /** @type {HTMLElement} */ (document.getElementById("root")));
