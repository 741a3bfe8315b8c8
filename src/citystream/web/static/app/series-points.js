// Counts by day, week or month: what they are called, which of them are whole, and what they were a year earlier.

import * as format from "./format.js";
import { shown } from "./state.js";
import { answer, current } from "./store.js";

/** @typedef {{start: number, n: number, whole: boolean, begun: boolean, ago: number | null, days: number}} Point  *start*: a day's number; *whole*: not filling up; *begun*: there are records from its first day on */

export const GRAINS = /** @type {[string, string, number][]} */ ([["day", "a day", 1], ["week", "a week", 7], ["month", "a month", 30]]);

/** @param {{first: string, last: string}} of */
export function grainOf(of) {
  const chosen = shown("by", "auto");
  if (chosen !== "auto") return chosen;
  const days = of.first && of.last ? format.dayNumber(of.last) - format.dayNumber(of.first) : 0;
  return days <= 460 ? "day" : days <= 1900 ? "week" : "month";
}

/** @param {string} grain @param {{first: string, last: string}} within @returns {Point[]} */
export function pointsOf(grain, within) {
  const view = answer.value?.views.days;
  if (!view?.first || !within.first) return [];
  const base = format.dayNumber(view.first);
  const until = format.dayNumber(current.value?.complete_until ?? current.value?.last_day ?? within.last);
  const sum = (/** @type {number} */ from, /** @type {number} */ to) => {
    let n = 0;
    for (let day = Math.max(0, from - base); day < Math.min(view.counts.length, to - base); day += 1) n += view.counts[day];
    return n;
  };
  return stretches(grain, format.dayNumber(within.first), format.dayNumber(within.last)).map(([from, to]) => {
    const [agoFrom, agoTo] = grain === "month" ? [yearBack(from), yearBack(to)] : [from - 364, to - 364];
    return { start: from, n: sum(from, to), whole: to - 1 <= until, begun: from >= base, ago: agoFrom >= base && to - 1 <= until ? sum(agoFrom, agoTo) : null, days: to - from };
  });
}

/** @param {number} day */
const yearBack = day => {
  const said = format.dayOf(day);
  return format.dayNumber(`${Number(said.slice(0, 4)) - 1}${said.slice(4, 8)}01`);
};

/** @param {string} grain @param {number} first @param {number} last @returns {[number, number][]} from, to (not included) */
function stretches(grain, first, last) {
  const found = /** @type {[number, number][]} */ ([]);
  let at = grain === "week" ? first - ((first + 3) % 7) : grain === "month" ? format.dayNumber(`${format.dayOf(first).slice(0, 8)}01`) : first;
  while (at <= last) {
    const next = grain === "day" ? at + 1 : grain === "week" ? at + 7 : nextMonth(at);
    found.push([at, next]);
    at = next;
  }
  return found;
}

/** @param {number} day */
export const nextMonth = day => {
  const [year, month] = format.dayOf(day).split("-").map(Number);
  return Math.round(Date.UTC(year, month, 1) / 86_400_000);
};

/** @param {string} first @param {ArrayLike<number>} counts @returns {{month: string, n: number}[]} */
export function monthsOf(first, counts) {
  const found = /** @type {{month: string, n: number}[]} */ ([]);
  let at = format.dayNumber(first);
  const base = at;
  while (at < base + counts.length) {
    const next = nextMonth(at);
    let n = 0;
    for (let day = at - base; day < Math.min(counts.length, next - base); day += 1) n += counts[day];
    found.push({ month: format.dayOf(at).slice(0, 7), n });
    at = next;
  }
  return found;
}

/** Of points that have begun. @param {Point[]} points @param {number} over */
export const meanOf = (points, over) => points.map((_, index) => {
  const part = points.slice(Math.max(0, index - over + 1), index + 1).filter(point => point.begun);
  return part.reduce((sum, point) => sum + point.n, 0) / Math.max(1, part.length);
});

/** @param {Point[]} points @param {string} day */
export const indexOfDay = (points, day) => {
  const number = format.dayNumber(day);
  if (!points.length || number < points[0].start) return -1;
  const found = points.findIndex(point => number < point.start + point.days);
  return found;
};

/** @param {Point} point @param {string} grain */
export function sayPoint(point, grain) {
  const day = format.dayOf(point.start);
  const what = grain === "day" ? `${format.weekday(day)} ${format.date(day)}` : grain === "week" ? `week of ${format.date(day)}` : `${format.MONTHS[Number(day.slice(5, 7)) - 1]} ${day.slice(0, 4)}`;
  const parts = [what, `${format.count(point.n)} ${current.value?.units}`];
  if (!point.begun) parts.push("records begin within it: in no mean");
  if (!point.whole) parts.push("still filling up: not compared");
  else if (point.ago !== null) parts.push(`${format.count(point.ago)} a year earlier`);
  return parts.join("; ");
}

/** @param {Point[]} points @param {string} grain @param {number} apart @param {number} step @returns {[number, string][]} */
export function dateTicks(points, grain, apart, step) {
  const found = /** @type {[number, string][]} */ ([]);
  const short = grain === "day" && points.length <= 45;
  let last = -Infinity;
  let lastYear = "";
  points.forEach((point, index) => {
    const day = format.dayOf(point.start);
    const starts = short || index === 0 || day.slice(0, 7) !== format.dayOf(points[index - 1].start).slice(0, 7);
    if (!starts || (index - last) * step < apart || (!short && index > 0 && Number(day.slice(8)) > 7)) return;
    const year = day.slice(0, 4);
    const text = short ? format.date(day, false) : format.MONTHS[Number(day.slice(5, 7)) - 1];
    found.push([index, year === lastYear ? text : `${text} ${year}`]);
    last = index;
    lastYear = year;
  });
  return found;
}
