// The live line: one for all tabs of a browser, where locks are there; what arrives moves the page.

import { signal } from "../vendor/signals.js";
import { address } from "./api.js";
import { dataset } from "./state.js";
import { current, loadAnswer, loadMeta, loadStanding, meta, moved } from "./store.js";

/** @typedef {import("./types.js").Row} Row */
/** @typedef {import("./types.js").Alert} Alert */

/** *since*: when the line broke, or was made. */
export const line = signal({ state: "connecting", since: Date.now() });
/** Rows as they arrived, newest first. */
export const arrived = signal(/** @type {Row[]} */ ([]));
/** A counter of moments from which on not every row came over the line: who lists them asks for them. */
export const gaps = signal(0);
export const newAlerts = signal(/** @type {Alert[]} */ ([]));
/** Said politely to who listens, at most every ten seconds. */
export const spoken = signal("");

const KEEP = 600;
const EVENTS = ["hello", "delta", "alert", "status", "resync"];
let version = "";
let speakAfter = 0;

/** @param {string} kind @param {any} data */
function take(kind, data) {
  opened();
  if (data.dataset && data.dataset !== dataset.value) return;
  if (kind === "delta") takeDelta(data);
  else if (kind === "alert") takeAlert(data);
  else if (kind === "status") soon();
  else if (kind === "hello") takeHello(data);
  else takeAll();
}

/** Too much to tell: everything is asked again. */
function takeAll() {
  gaps.value += 1;
  changed();
}

/** @param {{version: string, meta: string}} data */
function takeHello(data) {
  const missed = version !== "" && data.version !== version;
  version = data.version;
  gaps.value += 1;
  if (missed) changed();
  if (meta.value && data.meta !== meta.value.version) loadMeta();
}

/** @param {{version: string, meta: string, rows: Row[], more: number}} data */
function takeDelta(data) {
  version = data.version;
  if (data.more) gaps.value += 1;
  arrived.value = [...data.rows, ...arrived.value].slice(0, KEEP);
  if (meta.value && data.meta !== meta.value.version) loadMeta();
  changed();
}

/** @param {Alert} alert */
function takeAlert(alert) {
  newAlerts.value = [alert, ...newAlerts.value.filter(each => each.alert_id !== alert.alert_id)].slice(0, 50);
  soon();
  const now = Date.now();
  if (now < speakAfter) return;
  speakAfter = now + 10_000;
  spoken.value = `Alert ${alert.status}: ${alert.type ?? ""} in ${alert.district ?? ""}, ${alert.observed} observed`;
}

let standing = 0;

/** Where everything stands, once for many alerts at a time. */
function soon() {
  clearTimeout(standing);
  standing = window.setTimeout(loadStanding, 1000);
}

let pending = 0;

/** Ask again, but at most twice a second however much arrives. */
function changed() {
  if (pending) return;
  pending = window.setTimeout(() => {
    pending = 0;
    loadAnswer();
    if (current.value) moved.value += 1;
  }, 500);
}

/** @type {(() => void) | null} */
let stop = null;

/** Follow a dataset, and no other any more. @param {string} name */
export function follow(name) {
  stop?.();
  version = "";
  arrived.value = [];
  newAlerts.value = [];
  line.value = { state: "connecting", since: Date.now() };
  if (name) stop = navigator.locks ? shared(name) : alone(name, take, broken);
}

/** Something came: what could not be asked while the line was broken is asked now. */
function opened() {
  if (line.value.state === "broken") changed();
  if (line.value.state !== "open") line.value = { state: "open", since: Date.now() };
}

const broken = () => {
  if (line.value.state !== "broken") line.value = { state: "broken", since: Date.now() };
};

/** Milliseconds after which a line that the browser gave up is made anew. */
const AGAIN = 1500;

/**
 * One stream, which goes on from where it was. A browser makes it anew by itself, unless it was refused: a server that
 * begins says that it is still reading in.
 * @param {string} name @param {(kind: string, data: any) => void} heard @param {() => void} lost
 */
function alone(name, heard, lost) {
  let timer = 0;
  /** @type {EventSource} */
  let source;
  const open = () => {
    source = new EventSource(address("api/live", { dataset: name, ...(version ? { after: version } : {}) }));
    for (const kind of EVENTS) source.addEventListener(kind, event => heard(kind, JSON.parse(/** @type {MessageEvent} */ (event).data)));
    source.addEventListener("error", () => {
      lost();
      if (source.readyState === EventSource.CLOSED) timer = window.setTimeout(open, AGAIN);
    });
  };
  open();
  return () => {
    clearTimeout(timer);
    source.close();
  };
}

/** Whoever has the lock has the stream, and tells the other tabs. @param {string} name */
function shared(name) {
  const channel = new BroadcastChannel(`citystream ${name}`);
  const leave = new AbortController();
  let leads = false;
  channel.onmessage = ({ data: [kind, data] }) => {
    if (kind === "ask" && leads) channel.postMessage([line.value.state === "open" ? "here" : line.value.state, null]);
    else if (kind === "broken") broken();
    else if (kind === "here") opened();
    else if (EVENTS.includes(kind)) take(kind, data);
  };
  const tell = (/** @type {string} */ kind, /** @type {any} */ data) => {
    channel.postMessage([kind, data]);
    take(kind, data);
  };
  const lost = () => {
    channel.postMessage(["broken", null]);
    broken();
  };
  navigator.locks.request(`citystream ${name}`, { signal: leave.signal }, () => {
    leads = true;
    const close = alone(name, tell, lost);
    return new Promise(resolve => leave.signal.addEventListener("abort", () => { close(); resolve(undefined); }));
  }).catch(() => undefined);
  channel.postMessage(["ask", null]);
  return () => {
    leave.abort();
    channel.close();
  };
}
