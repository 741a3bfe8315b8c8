// The key figures. All of them use every filter, and each opens the rows that it counts.

import * as format from "./format.js";
import { openRows } from "./drawer.js";
import { html, useLasting, useWidth } from "./parts.js";
import { choose, filters } from "./state.js";
import { answer, current, dimension, error, loading, meta, titleOf } from "./store.js";
import { Spark } from "./svg.js";

/** @typedef {import("./types.js").Answer} Answer */
/** @typedef {import("./types.js").Dataset} Dataset */

const EMPTY = ["Incidents in view", "Last 28 complete days", "Same days a year earlier", "Resolved", "Not on the map"];

/** Why nothing is compared. @param {{of: {why: string, kind?: string}}} props */
const Broken = ({ of }) => html`<span class="brk" title=${of.why}>${of.kind === "missing" ? "records are missing" : "series break"}: no comparison</span>`;

export function Kpis() {
  const said = answer.value;
  const of = /** @type {Dataset} */ (current.value);
  const dim = useLasting(loading.value && said !== null);
  if (!said) return error.value ? null : html`<section class="card" aria-busy="true" aria-label="Key figures"><div class="kpis">${EMPTY.map(title => html`<div class="kpi"><h2>${title}</h2><div class="sk sk-fig"></div></div>`)}</div></section>`;
  return html`<section class="card" aria-label="Key figures" data-card="Key figures"><div class="kpis ${dim ? "dim" : ""}">
    <${Total} said=${said} of=${of} /><${Recent} said=${said} of=${of} /><${YearAgo} said=${said} of=${of} /><${Resolved} said=${said} of=${of} /><${Unmapped} said=${said} of=${of} /></div><${More} said=${said} of=${of} /></section>`;
}

/** @param {{name: string, title: any, figure: any, small?: any, text: any, open?: () => void, children?: any}} props */
const Cell = ({ name, title, figure, small, text, open, children }) => html`<div class="kpi" data-kpi=${name}><h2>${title}</h2>
  <div class="fig">${open ? html`<button onClick=${open} title="Show the rows">${figure}</button>` : html`<span>${figure}</span>`}${small && html`<small>${small}</small>`}</div><p>${text}</p>${children}</div>`;

/** @param {{said: Answer, of: Dataset}} props */
function Total({ said, of }) {
  const { total, of: all, provisional } = said.kpis;
  const part = all ? total / all : 0;
  const held = filters.value.some(each => !each.off && each.name !== "t") ? " · all filters" : "";
  return html`<${Cell} name="total" title="${format.title(of.units)} in view" figure=${format.count(total)} open=${() => openRows({}, "in view")}
    text="${format.share(part)} of ${format.count(all)}${provisional ? ` · ${format.count(provisional)} still filling up` : held}">
    <div class="meter" role="img" aria-label="${format.share(part)} of all"><i style=${{ width: `${100 * part}%` }}></i><i class="off" style=${{ width: `${100 - 100 * part}%` }}></i></div><//>`;
}

/** Counts of the days from *first* to *last*, from the view of days. @param {Answer} said @param {string} first @param {string} last */
export function daily(said, first, last) {
  const view = said.views.days;
  if (!view?.first) return [];
  const start = format.dayNumber(view.first);
  const from = format.dayNumber(first) - start;
  return Array.from({ length: format.dayNumber(last) - start - from + 1 }, (_, index) => view.counts[from + index] ?? 0);
}

/** @param {{said: Answer, of: Dataset}} props */
function Recent({ said, of }) {
  const recent = said.kpis.recent;
  const [ref, width] = useWidth();
  if (!recent) return html`<${Cell} name="recent" title="Last 28 complete days" figure="–" text="no complete days yet" />`;
  const { before } = recent;
  const text = before.break ? html`<${Broken} of=${before.break} />` : `${format.count(before.n)} in the ${recent.days} days before`;
  return html`<${Cell} name="recent" title="Last ${recent.days} complete days" figure=${format.count(recent.n)} small=${before.change === null ? "" : format.change(before.change)} text=${text}
    open=${() => openRows({ t: `${recent.first}..${recent.last}` }, `last ${recent.days} complete days`)}>
    <div class="spark" ref=${ref} title=${format.span(recent.first, recent.last)}><${Spark} values=${daily(said, recent.first, recent.last)} width=${width} label="${of.units} a day, ${format.span(recent.first, recent.last)}" /></div><//>`;
}

/** @param {{said: Answer, of: Dataset}} props */
function YearAgo({ said, of }) {
  const recent = said.kpis.recent;
  const [ref, width] = useWidth();
  if (!recent) return html`<${Cell} name="year" title="Same days a year earlier" figure="–" text="no complete days yet" />`;
  const { year } = recent;
  const none = year.first < (of.first_day ?? "");
  const text = none ? "before the first record" : year.break ? html`<${Broken} of=${year.break} />` : "364 days back: same weekdays";
  return html`<${Cell} name="year" title="Same days a year earlier" figure=${none ? "–" : format.count(year.n)} small=${year.change === null || none ? "" : format.change(year.change)} text=${text}
    open=${none ? undefined : () => openRows({ t: `${year.first}..${year.last}` }, "a year earlier")}>
    <div class="spark" ref=${ref} title=${format.span(year.first, year.last)}>${!none && html`<${Spark} values=${daily(said, year.first, year.last)} width=${width} tone="--ghost" label="${of.units} a day, ${format.span(year.first, year.last)}" />`}</div><//>`;
}

/** @param {{said: Answer, of: Dataset}} props */
function Resolved({ said, of }) {
  const found = said.kpis.resolved;
  if (!found || !of.resolution) return html`<${Hours} said=${said} of=${of} />`;
  const names = of.resolution.yes.map(String);
  const title = found.what === "arrest" ? "Arrest made" : `${titleOf(found.what)}: ${names.slice(0, 2).map(each => format.name(each).toLowerCase()).join(", ")}${names.length > 2 ? " …" : ""}`;
  const settles = of.resolution.settles_days ? ` · still rising for ${of.resolution.settles_days} days` : found.known < said.kpis.total ? ` of ${format.count(found.known)} known` : "";
  return html`<${Cell} name="resolved" title=${title} figure=${format.share(found.share)} text="${format.count(found.n)}${settles}" open=${() => openRows({ [found.what]: names }, title.toLowerCase())}>
    <div class="meter" role="img" aria-label=${format.share(found.share)}><i class="ink" style=${{ width: `${100 * (found.share ?? 0)}%` }}></i></div><//>`;
}

/** Where nothing says how cases end. @param {{said: Answer, of: Dataset}} props */
function Hours({ said, of }) {
  const { known, without, share } = said.kpis.hours;
  return html`<${Cell} name="hours" title="With a known hour" figure=${format.share(share === null ? null : 1 - share)} text="${format.count(known)} of ${format.count(known + without)} ${of.units}">
    <div class="meter" role="img" aria-label="without an hour ${format.share(share)}"><i class="ink" style=${{ width: `${100 * (1 - (share ?? 0))}%` }}></i></div><//>`;
}

const WORDS = /** @type {Record<string, string>} */ ({ protected: "protected", area: "area only", withheld: "withheld", blank: "missing", zero: "at 0°/0°", redacted: "redacted", outside_city: "outside", unreadable: "unreadable", not_published: "not published", other: "other" });

/** @param {Record<string, number>} place */
export const unmapped = place => Object.entries(place).filter(([why, n]) => why !== "shown" && n > 0).sort((a, b) => b[1] - a[1]);

/** @param {{said: Answer, of: Dataset}} props */
function Unmapped({ said }) {
  const total = Object.values(said.kpis.place).reduce((sum, n) => sum + n, 0);
  const lost = unmapped(said.kpis.place);
  const n = lost.reduce((sum, [, each]) => sum + each, 0);
  const withheld = (said.kpis.place.withheld ?? 0) + (said.kpis.place.protected ?? 0) + (said.kpis.place.area ?? 0);
  const part = total ? n / total : 0;
  return html`<${Cell} name="unmapped" title="Not on the map" figure=${format.count(n)} small=${n ? format.share(part) : ""} open=${n && dimension("place") ? () => openRows({ "not.place": "shown" }, "not on the map") : undefined}
    text=${lost.slice(0, 3).map(([why, each]) => `${WORDS[why] ?? why} ${format.count(each)}`).join(" · ") || (said.kpis.total ? "every record has a place" : "nothing in view")}>
    <div class="meter" role="img" aria-label="on the map ${total ? format.share(1 - part) : "nothing"}"><i style=${{ width: total ? `${100 * (1 - part)}%` : "0" }}></i><i class="hatch" style=${{ width: total ? `${(100 * withheld) / total}%` : "0" }}></i><i class="off" style=${{ width: total ? `${(100 * (n - withheld)) / total}%` : "0" }}></i></div><//>`;
}

const GROUPS = /** @type {[string, string][]} */ ([["violent", "Violent"], ["property", "Property"], ["other", "Other"], ["none", "No group"]]);

/** Groups by the FBI's definitions and sums of what can be added up. @param {{said: Answer, of: Dataset}} props */
function More({ said, of }) {
  const groups = GROUPS.filter(([key]) => (said.kpis.groups?.[key] ?? 0) > 0);
  const real = groups.some(([key]) => key === "violent" || key === "property");
  const sums = Object.entries(said.kpis.sums ?? {}).filter(([, each]) => each.known > 0);
  if (!real && !sums.length) return null;
  const hasGroup = dimension("ucr_group") !== null;
  return html`<div class="more-figures"><dl>${real && groups.map(([key, title]) => html`<div data-group=${key}><dt title=${meta.value?.definitions[key] ?? ""}>${title}</dt>
      <dd>${hasGroup && key !== "none" ? html`<button class="link" title="Filter; ${meta.value?.definitions[key] ?? ""}" onClick=${() => choose("ucr_group", groupValues(key))}>${format.count(said.kpis.groups[key])}</button>` : format.count(said.kpis.groups[key])} <small>${format.share(said.kpis.groups[key] / Math.max(1, said.kpis.total))}</small></dd></div>`)}
    ${sums.map(([key, each]) => html`<div data-sum=${key}><dt title=${dimension(key)?.description ?? ""}>${titleOf(key)}, added up</dt><dd>${format.count(Math.round(each.sum))} <small>${dimension(key)?.description ?? ""} · known of ${format.count(each.known)}, zero in ${format.count(each.zero)}</small></dd></div>`)}
    </dl>${real && html`<p class="muted">groups by the FBI's summary definitions, mapped from the publisher's codes</p>`}</div>`;
}

/** The values of the group dimension that a figure counts. @param {string} key */
function groupValues(key) {
  const values = (dimension("ucr_group")?.values ?? []).filter(value => value !== null).map(String);
  const found = values.filter(value => value.toLowerCase().includes(key));
  return found.length ? found : [key];
}
