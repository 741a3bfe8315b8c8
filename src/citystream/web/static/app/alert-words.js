// Words and numbers of an alert, of counts as of readings.

import * as format from "./format.js";
import { range95 } from "./chance.js";
import { current, dimension, label } from "./store.js";

/** @typedef {import("./types.js").Alert} Alert */

/** What is learnt from months says nothing of longer times. */
export const MOST_DAYS = 36_500;
/** By what an alert was found, in words. */
const WAYS = /** @type {Record<string, string>} */ ({ threshold: "fixed rule", surge: "in one district", scan: "over neighbouring areas", drift: "slow change", sensor: "station" });

/** What is muted: a type in a district, by one detector. @param {Alert} alert */
export const series = alert => `${alert.dataset} ${alert.detector} ${alert.type} ${alert.district}`;

/** @param {Alert} alert */
export const isReading = alert => alert.kind === "reading";

/** @param {Alert} alert */
export const titleOf = alert => (isReading(alert) ? [format.title((alert.type ?? "").replaceAll("_", " ")), alert.district ?? ""] : [label(dimension("type"), alert.type), label(dimension("district"), alert.district)]).join(", ");

/** Fri 20 Nov, 18:00–23:00; with the year, if it is not the newest. @param {string} from @param {string} to @param {boolean} [year] */
export function windowSaid(from, to, year = from.slice(0, 4) !== current.value?.last_day?.slice(0, 4)) {
  const day = `${format.weekday(from)} ${format.date(from, year)}`;
  if (from.slice(0, 10) === to.slice(0, 10)) return `${day}, ${from.slice(11, 16)}–${to.slice(11, 16)}`;
  return `${day}, ${from.slice(11, 16)} – ${format.weekday(to)} ${format.date(to, false)}, ${to.slice(11, 16)}`;
}

/** The rule that was passed, if it is a fixed one. @param {Alert} alert */
export function ruleOf(alert) {
  if (!alert.rule || typeof alert.rule === "string") return alert.rule ?? "";
  const parts = Object.entries(alert.rule).filter(([, value]) => !Array.isArray(value)).map(([name, value]) => (name === "over" ? `more than ${value}` : `${name.replaceAll("_", " ")} ${value}`));
  return parts.join(", ");
}

/** What a fixed rule allows. @param {Alert} alert */
export const allowed = alert => (alert.rule && typeof alert.rule === "object" && typeof alert.rule.over === "number" ? alert.rule.over : null);

/** How rare: "once in 14 weeks", or that it is a fixed rule, which knows no such thing. @param {Alert} alert */
export function rarity(alert) {
  if (alert.status === "withdrawn") return "withdrawn";
  const days = alert.recurrence_days;
  if (days === null) return alert.fixed ? "fixed rule" : "";
  if (days > MOST_DAYS) return "once in over 100 years";
  if (days >= 730) return `once in ${format.count(Math.round(days / 365))} years`;
  return days >= 14 ? `once in ${format.count(Math.round(days / 7))} weeks` : `once in ${Math.max(1, Math.round(days))} days`;
}

/** By which way of looking. @param {Alert} alert */
export function wayOf(alert) {
  if (isReading(alert)) return alert.status === "active" ? (alert.reason ?? alert.detector) : alert.detector;
  const zones = alert.zones ? ` (${alert.zones} areas)` : "";
  return `${alert.detector === "drift" && alert.direction === "fewer" ? "fewer than before" : (WAYS[alert.detector] ?? alert.detector)}${zones}`;
}

/** A number of an alert: a whole count, or a reading with its unit. @param {Alert} alert @param {number} n @param {boolean} [unit] */
export function valueSaid(alert, n, unit = true) {
  if (!isReading(alert)) return Number.isInteger(n) ? format.count(n) : format.measure(n);
  const digits = alert.decimals ?? 1;
  const said = n.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits }).replace("-", "−");
  return unit && alert.unit ? `${said} ${alert.unit}` : said;
}

/** What is usual, and between which numbers 95 of 100 lie. @param {Alert} alert @returns {{expected: number, low: number, high: number} | null} */
export function usual(alert) {
  if (alert.expected === null) return null;
  if (alert.lo95 !== null && alert.hi95 !== null) return { expected: alert.expected, low: alert.lo95, high: alert.hi95 };
  const [low, high] = range95(alert.expected);
  return { expected: alert.expected, low, high };
}
