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
export const newAlerts = signal(/** @type {Alert[]} */ ([]));
/** Said politely to who listens, at most every ten seconds. */
export const spoken = signal("");

const KEEP = 600;
const EVENTS = ["hello", "delta", "alert", "status", "resync"];
let version = "";
let speakAfter = 0;

/** @param {string} kind @param {any} data */
function take(kind, data) {
  line.value = line.value.state === "open" ? line.value : { state: "open", since: Date.now() };
  if (data.dataset && data.dataset !== dataset.value) return;
  if (kind === "delta") takeDelta(data);
  else if (kind === "alert") takeAlert(data);
  else if (kind === "status") soon();
  else if (kind === "hello") takeHello(data);
  else changed();
}

/** @param {{version: string, meta: string}} data */
function takeHello(data) {
  const missed = version !== "" && data.version !== version;
  version = data.version;
  if (missed) changed();
  if (meta.value && data.meta !== meta.value.version) loadMeta();
}

/** @param {{version: string, meta: string, rows: Row[]}} data */
function takeDelta(data) {
  version = data.version;
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

const broken = () => {
  if (line.value.state !== "broken") line.value = { state: "broken", since: Date.now() };
};

/** One stream; the browser makes it anew by itself, from where it was. @param {string} name @param {(kind: string, data: any) => void} heard @param {() => void} lost */
function alone(name, heard, lost) {
  const source = new EventSource(address("api/live", { dataset: name }));
  for (const kind of EVENTS) source.addEventListener(kind, event => heard(kind, JSON.parse(/** @type {MessageEvent} */ (event).data)));
  source.addEventListener("error", lost);
  return () => source.close();
}

/** Whoever has the lock has the stream, and tells the other tabs. @param {string} name */
function shared(name) {
  const channel = new BroadcastChannel(`citystream ${name}`);
  const leave = new AbortController();
  channel.onmessage = ({ data: [kind, data] }) => (kind === "broken" ? broken() : take(kind, data));
  const tell = (/** @type {string} */ kind, /** @type {any} */ data) => {
    channel.postMessage([kind, data]);
    take(kind, data);
  };
  const lost = () => {
    channel.postMessage(["broken", null]);
    broken();
  };
  navigator.locks.request(`citystream ${name}`, { signal: leave.signal }, () => {
    const close = alone(name, tell, lost);
    return new Promise(resolve => leave.signal.addEventListener("abort", () => { close(); resolve(undefined); }));
  }).catch(() => undefined);
  const quiet = window.setTimeout(() => line.value.state === "connecting" && (line.value = { state: "open", since: Date.now() }), 3000);
  return () => {
    clearTimeout(quiet);
    leave.abort();
    channel.close();
  };
}
