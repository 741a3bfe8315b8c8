// What arrived just now, and which district is above its usual hour. Nothing jumps while it is read.

import { useEffect, useMemo, useRef, useState } from "../vendor/preact-hooks.js";
import * as format from "./format.js";
import { useAnswer } from "./asking.js";
import { theme } from "./colours.js";
import { when } from "./drawer.js";
import { Stale } from "./explore.js";
import { extentOf, fit, useAreas, useFitted } from "./map.js";
import { Card, html, Icon, Precision, Segments, useWidth } from "./parts.js";
import { choose, go, show, shown } from "./state.js";
import { areaDimension, city, current, dimension, label, meta } from "./store.js";
import { arrived, gaps, line, newAlerts } from "./stream.js";
import { Multiple } from "./svg.js";

/** @typedef {import("./types.js").Row} Row */
/** @typedef {import("./types.js").Dataset} Dataset */

/** How many of the rows that arrived last are asked for; the feed shows fewer. */
const ASKED = 200;
const SPANS = /** @type {[string, string, number][]} */ ([["15", "15 min", 15], ["60", "60 min", 60], ["1440", "24 h", 1440]]);

export function Live() {
  const of = current.value;
  if (!of) return null;
  return of.counted ? html`<${LivePage} of=${of} />` : html`<main class="page" id="page" tabindex="-1"><div class="page-h"><div><h1>Live</h1><p>Readings are not listed one by one: Explore shows the newest value of every station.</p></div></div><${Stale} /></main>`;
}

/** @param {{of: Dataset}} props */
function LivePage({ of }) {
  const [paused, setPaused] = useState(false);
  // what was here before the page, and what the line left out
  const before = useAnswer("api/rows", { dataset: of.dataset, order: "arrived", limit: String(ASKED) }, "arrived", gaps.value);
  const [frozen, setFrozen] = useState(/** @type {Row[] | null} */ (null));
  const all = newestFirst([...arrived.value, ...(before.said?.rows ?? [])]);
  const rows = frozen ?? all;
  const pause = () => {
    setFrozen(paused ? null : all);
    setPaused(!paused);
  };
  const span = SPANS.find(([key]) => key === shown("last", "60")) ?? SPANS[1];
  return html`<main class="page" id="page" tabindex="-1"><div class="page-h"><div><h1>Live</h1><p>What arrived in the last ${span[1]}, placed where and when it happened. A point fades with its age.</p></div><span class="push"></span><${LineState} paused=${paused} rows=${all} />
    <button class="btn line" aria-pressed=${paused} onClick=${pause}><${Icon} name=${paused ? "play" : "pause"} />${paused ? "Go on" : "Pause"}</button></div><${Stale} /><${Broken} />
    <div class="lv"><${LiveMap} of=${of} rows=${rows} span=${span} known=${before.state === "ready"} all=${before.said?.next === null} /><${Feed} of=${of} rows=${rows} before=${before} /></div><${Usual} of=${of} paused=${paused} /></main>`;
}

/** Every record once, by its newest version. @param {Row[]} rows */
function newestFirst(rows) {
  const found = /** @type {Map<string, Row>} */ (new Map());
  for (const row of rows) if ((found.get(row.event_id)?.log_offset ?? -1) < row.log_offset) found.set(row.event_id, row);
  return [...found.values()].sort((a, b) => b.log_offset - a.log_offset);
}

/** @param {{paused: boolean, rows: Row[]}} props */
function LineState({ paused, rows }) {
  const now = nowOf(rows);
  const hour = rows.filter(row => age(row, now) <= 60).length;
  const rate = hour ? ` · ${hour >= 200 ? "over " : ""}${format.measure(Math.min(hour, 200) / 60)} records/min` : "";
  const says = paused ? "paused" : line.value.state === "open" ? `connected${rate}` : line.value.state === "broken" ? "connection lost" : "connecting";
  return html`<span class="livestate ${line.value.state}" role="status" data-line=${paused ? "paused" : line.value.state}><span class="dot"></span>${says}</span>`;
}

function Broken() {
  const [now, setNow] = useState(Date.now());
  const broken = line.value.state === "broken";
  useEffect(() => {
    if (!broken) return undefined;
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [broken]);
  return broken ? html`<div class="banner" role="status"><${Icon} name="refresh" /><span><b>Connection lost ${format.elapsed(Math.max(0, now - line.value.since) / 1000)} ago.</b> Trying again by itself; what arrived meanwhile will be added in order.</span></div>` : null;
}

/** The newest arrival is now: a simulated or replayed feed has a clock of its own. @param {Row[]} rows */
const nowOf = rows => rows.reduce((newest, row) => (String(row.first_seen_at ?? "") > newest ? String(row.first_seen_at) : newest), meta.value?.now ?? "");

/** Minutes since a row arrived. @param {Row} row @param {string} now */
const age = (row, now) => (row.first_seen_at ? format.secondsBetween(row.first_seen_at, now) / 60 : Infinity);

/** *known*: *rows* are all that arrived lately; *all*: and there never were more. @param {{of: Dataset, rows: Row[], span: [string, string, number], known: boolean, all: boolean}} props */
function LiveMap({ of, rows, span, known, all }) {
  const areas = areaDimension();
  const { shapes, problem, again } = useAreas(of, areas);
  const now = nowOf(rows);
  const recent = rows.filter(row => age(row, now) <= span[2]);
  const placed = recent.filter(row => row.lat !== null && row.lat !== undefined);
  const extent = useMemo(() => extentOf(shapes, null) ?? city.value?.bbox, [shapes, city.value]);
  const { host, map, layer } = useFitted(of.city, extent);
  const alertAreas = new Set(newAlerts.value.filter(each => each.status === "active").map(each => String(each.district)));
  const painted = theme.value; // read here, so that another theme is painted
  useEffect(() => layer.current?.show({ mode: "live", areas: shapes, alertAreas, live: placed.map(row => ({ lon: row.lon, lat: row.lat, age: age(row, now) / span[2] })), theme: painted, chosenAreas: new Set() }));
  // only so many are asked for: when all of them are that new, there were more
  const more = !all && recent.length === rows.length;
  const said = known || rows.length ? `${more ? "the newest " : ""}${format.count(recent.length)} ${of.units}${more ? "" : " arrived"}` : "";
  const tools = html`<${Segments} label="How far back" options=${SPANS.map(([key, text]) => [key, text])} value=${span[0]} onChange=${(/** @type {string} */ to) => show({ last: to }, { replace: true })} />`;
  const foot = recent.length > placed.length ? ` · ${format.count(recent.length - placed.length)} without a place` : "";
  return html`<${Card} title="Last ${span[1]}" name="Last minutes" cls="c-live" sub="${said}${foot}${alertAreas.size ? " · dashed: area of a new alert" : ""}" tools=${tools} problem=${problem} retry=${again} bare=${true} table=${() => [["id", "occurred", "arrived", "type", "district"], ...recent.map(row => [row.event_id, row.occurred_local, row.first_seen_at, row.type, row.district])]}>
    <div class="map" data-chart="live-map" data-points=${placed.length}><div class="leaflet-host" ref=${host} role="application" aria-label="Map of ${placed.length} ${of.units} of the last ${span[1]}; the list beside it names them"></div>
    <div class="map-pop ctl"><button class="btn small icon" aria-label="Zoom in" onClick=${() => map.current?.zoomIn()}><${Icon} name="plus" /></button><button class="btn small icon" aria-label="Zoom out" onClick=${() => map.current?.zoomOut()}><${Icon} name="minus" /></button><button class="btn small icon" aria-label="Whole city" onClick=${() => map.current && fit(map.current, extent)}><${Icon} name="fit" /></button></div></div><//>`;
}

/** New rows wait above while somebody reads. @param {{of: Dataset, rows: Row[], before: ReturnType<typeof useAnswer>}} props */
function Feed({ of, rows, before }) {
  const [held, setHeld] = useState(/** @type {Row[] | null} */ (null));
  const [top, setTop] = useState(true);
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  const shownRows = (held ?? rows).slice(0, 120);
  const waiting = held ? rows.findIndex(row => row.log_offset === held[0]?.log_offset) : 0;
  const now = nowOf(rows);
  const hold = () => setHeld(old => old ?? rows);
  const release = () => {
    if (top && !list.current?.contains(document.activeElement)) setHeld(null);
  };
  const up = () => {
    setHeld(null);
    list.current?.scrollTo({ top: 0 });
  };
  const scroll = (/** @type {any} */ event) => {
    const atTop = event.currentTarget.scrollTop < 8;
    setTop(atTop);
    if (!atTop) hold();
  };
  return html`<${Card} title="Arriving" name="Arriving" cls="c-feed" state=${rows.length ? "ready" : before.state} problem=${before.problem} retry=${before.again} sub="newest first; delay from ${format.one(of.units)} to publication" bare=${true} foot=${html`<${Icon} name="info" />Nothing jumps while you read: new rows wait above.`}>
    <div class="feed" onMouseEnter=${hold} onMouseLeave=${release}>${waiting > 0 && html`<button class="newpill" onClick=${up}>${format.count(waiting)} new ↑</button>`}
    <ol ref=${list} onScroll=${scroll} tabindex="0" aria-label="Arriving ${of.units}">${shownRows.map(row => html`<${FeedRow} key=${row.log_offset} row=${row} now=${now} of=${of} />`)}</ol>${!rows.length && html`<p class="void feed-none">Nothing has arrived yet.</p>`}</div><//>`;
}

/** @param {{row: Row, now: string, of: Dataset}} props */
function FeedRow({ row, now, of }) {
  const time = row.occurred_local ?? row.observed_local ?? "";
  const minutes = age(row, now);
  const delay = row.first_seen_at && row.occurred_at ? format.secondsBetween(row.occurred_at, row.first_seen_at) : null;
  const title = label(dimension("type"), row.type ?? null);
  const place = row.district ? label(dimension("district"), row.district) : row.place_precision === "withheld" ? "place withheld" : "";
  return html`<li class=${minutes < 2 ? "new" : ""} data-event=${row.event_id}><time title=${when(row, true)}>${time.slice(0, 10) === now.slice(0, 10) ? time.slice(11, 16) : format.date(time, time.slice(0, 4) !== now.slice(0, 4))}</time><span class="ring" style=${{ "--o": String(Math.max(0.25, 1 - minutes / 60)) }}></span>
    <span><button class="plain" onClick=${() => show({ incident: row.event_id })}>${title}</button><small>${[place, delay !== null && delay >= 0 ? `${format.elapsed(delay)} after` : ""].filter(Boolean).join(" · ")}</small></span><${Precision} of=${row.place_precision} /></li>`;
}

/** @param {{of: Dataset, paused: boolean}} props */
function Usual({ of, paused }) {
  const { said, problem, state, again } = useAnswer("api/now", { dataset: of.dataset, hours: "24" }, "now");
  const kept = useRef(/** @type {any} */ (null));
  if (!paused || !kept.current) kept.current = said;
  const now = kept.current;
  const list = /** @type {any[]} */ (now?.districts ?? []);
  const dim = dimension("district");
  const most = Math.max(4, ...list.flatMap(each => [each.high, ...each.counts]));
  const order = [...list].sort((a, b) => label(dim, a.name).localeCompare(label(dim, b.name), "en", { numeric: true }));
  const tools = html`<span class="keys"><span><i class="key band"></i>usual for the newest hour</span><span><i class="key tri"></i>above it</span></span>`;
  return html`<${Card} title="Every ${dim?.title ?? "district"} against its usual hour" name="Usual" sub="${of.units} in a sliding ${now?.window_hours ?? 5} h up to ${format.moment(now?.until)}, one scale; band: 95 % range of the same hours in eight complete weeks before" tools=${tools} state=${state === "refreshing" ? "ready" : state} problem=${problem} retry=${again} shape="chart"
      foot=${of.lag_days !== null && of.lag_days > 1 ? html`<${Icon} name="clock" />These hours are still filling up (lag ${Math.round(of.lag_days)} d): below usual says nothing, above usual does.` : false} table=${() => [["district", "now", "expected", "low", "high"], ...order.map(each => [each.name, each.now, each.expected, each.low, each.high])]}>
    <div class="mults">${order.map((each, index) => html`<${District} key=${each.name} each=${each} dim=${dim} most=${most} first=${index === 0} hours=${now.hours.length} />`)}</div><//>`;
}

/** @param {{each: any, dim: any, most: number, first: boolean, hours: number}} props */
function District({ each, dim, most, first, hours }) {
  const [ref, width] = useWidth();
  const hot = each.above || each.now > each.high;
  const title = label(dim, each.name);
  const explore = () => { go({ page: "explore", view: {} }); choose("district", [each.name]); };
  return html`<div class="mult ${hot ? "hot" : ""}" ref=${ref} data-district=${each.name}><h3><button class="plain cut" onClick=${explore}>${title}</button><em>${format.count(each.now)}</em></h3>
    ${width > 40 && html`<${Multiple} counts=${each.counts} low=${each.low} high=${each.high} most=${most} hot=${hot} width=${width} first=${first} hours=${hours} label="${title}: ${each.now} now, usual ${each.low} to ${each.high}" />`}</div>`;
}
