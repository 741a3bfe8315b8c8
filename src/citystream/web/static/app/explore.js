// The first page: how many, where, when, what, over time; every mark is a filter.

import { useEffect, useState } from "../vendor/preact-hooks.js";
import { ask, isOld } from "./api.js";
import * as format from "./format.js";
import { lacking } from "./data.js";
import { HeatCard } from "./heat.js";
import { Kpis } from "./kpis.js";
import { MapCard } from "./map.js";
import { Failed, html, Icon } from "./parts.js";
import { RankCard } from "./ranks.js";
import { ReadingsPage } from "./readings.js";
import { SeriesCard } from "./series.js";
import { asParams, clear, depth, filters, remove, undo } from "./state.js";
import { answer, current, error, loadAnswer, loading, moreTabs, standing, titleOf, whatTabs, whereTabs, words } from "./store.js";

/** @typedef {import("./types.js").Filter} Filter */

export function Explore() {
  const of = current.value;
  if (!of) return null;
  if (!of.counted) return html`<${ReadingsPage} />`;
  const said = answer.value?.dataset === of.dataset ? answer.value : null;
  const state = !said ? "loading" : loading.value ? "refreshing" : "ready";
  const whole = { state, problem: said ? null : error.value, retry: loadAnswer };
  if (said && said.kpis.total === 0) return html`<main class="page" id="page" tabindex="-1"><h1 class="vh">Explore ${of.title}</h1><${Stale} /><${Kpis} /><${Empty} /><${SeriesCard} ...${whole} /></main>`;
  return html`<main class="page" id="page" tabindex="-1"><h1 class="vh">Explore ${of.title}</h1><${Stale} />
    ${said && error.value && html`<div class="banner alert" role="alert"><${Icon} name="warn" /><span><b>The newest question was not answered.</b> What is shown is of the one before. ${/** @type {Error} */ (error.value).message}</span><span class="push"></span><button class="btn small line" onClick=${loadAnswer}>Try again</button></div>`}
    ${!said && error.value ? html`<section class="card"><div class="card-b"><${Failed} problem=${error.value} retry=${loadAnswer} /></div></section>` : html`<${Kpis} />
    <div class="ex"><${MapCard} ...${whole} /><${HeatCard} ...${whole} /><${RankCard} name="what" title="What" tabs=${whatTabs.value} top=${9} ...${whole} />
    <${RankCard} name="where" title="Areas" tabs=${whereTabs.value} top=${8} ...${whole} /><${RankCard} name="more" title="More" tabs=${moreTabs.value} top=${8} ...${whole} /></div>
    <${SeriesCard} ...${whole} />`}</main>`;
}

/** The source is late, not the page. */
export function Stale() {
  const of = current.value;
  const at = of ? standing.value[of.dataset] : null;
  if (!of || !at) return null;
  const arriving = at.feed && at.feed.state !== "fresh" ? at.feed.state : at.silent_stations?.length ? "stations" : "";
  const state = ["late", "frozen", "refused", "gone"].includes(at.state) ? at.state : arriving;
  if (!state) return null;
  const says = /** @type {Record<string, string>} */ ({ late: "The source is late.", frozen: "The source has not changed for a long time.", refused: "The last visit to the source failed.", gone: "The source is not there any more.", silent: "Nothing comes in.", partial: "A part of what usually comes is missing.", backfill: "The source catches up.", changed: "Far more comes in than usual.", stations: "Stations are silent." });
  return html`<div class="banner alert" role="status" data-stale=${state}><${Icon} name="clock" /><span><b>${says[state]}</b> ${[at.detail, ...lacking(at)].filter(Boolean).slice(0, 4).join("; ")} Last good fetch ${format.moment(at.last_good_fetch, true)}. ${of.complete_until && of.counted ? `Complete days end on ${format.date(of.complete_until)}.` : ""}</span></div>`;
}

/** No incidents: which filter emptied the view, and the way out. */
function Empty() {
  const of = current.value;
  const held = filters.value.filter(each => !each.off);
  const [without, setWithout] = useState(/** @type {Map<Filter, number> | null} */ (null));
  const [problem, setProblem] = useState(/** @type {unknown} */ (null));
  const [tries, setTries] = useState(0);
  const key = JSON.stringify(held);
  useEffect(() => {
    Promise.all(held.map(async filter => /** @type {[Filter, number]} */ ([filter, (await ask("api/query", { ...asParams(held.filter(each => each !== filter)), dataset: of?.dataset ?? "", views: "place", cells: "none" })).kpis.total])))
      .then(all => {
        setWithout(new Map(all));
        setProblem(null);
      })
      .catch(error => isOld(error) || setProblem(error));
  }, [key, tries]);
  const found = [...(without ?? [])].filter(([, n]) => n > 0).sort((a, b) => b[1] - a[1]);
  const say = (/** @type {Filter} */ filter) => `${titleOf(filter.name)} ${filter.exclude ? "is not" : "is"} ${words(filter)}`;
  const [first] = found;
  const severally = held.length ? "No single filter is the cause: several together leave nothing." : `There are no ${of?.units} here yet.`;
  const why = problem ? `Which filter it is could not be found out: ${/** @type {Error} */ (problem).message}` : without ? severally : "";
  return html`<section class="card" data-card="Empty"><div class="card-b"><div class="void"><h3>No ${of?.units} match</h3>
    <p>${first ? html`<b>${say(first[0])}</b> leaves nothing of the other filters. Without it: ${format.count(first[1])}.` : why}</p>
    <div class="row">${problem && html`<button class="btn primary" onClick=${() => setTries(tries + 1)}><${Icon} name="refresh" />Try again</button>`}${found.slice(0, 4).map(([filter, n]) => html`<button class="btn line" onClick=${() => remove(filter)}>Remove “${say(filter)}” <small class="muted">${format.count(n)}</small></button>`)}
    ${!found.length && held.length > 1 && html`<button class="btn line" onClick=${clear}>Clear the filters</button>`}
    ${depth.value > 0 && html`<button class="btn" onClick=${undo}><${Icon} name="undo" />Undo</button>`}</div></div></div></section>`;
}
