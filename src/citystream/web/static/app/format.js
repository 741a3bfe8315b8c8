// Numbers, dates and names as a person reads them. Dates are local days of the city: never shifted by the browser's zone.

const COUNT = new Intl.NumberFormat("en-US");
const SHORT = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });
export const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
export const WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const DAY_MS = 86_400_000;

/** @param {number | null | undefined} n */
export const count = n => (n === null || n === undefined ? "–" : COUNT.format(n));
/** @param {number} n  for axes */
export const short = n => (Math.abs(n) < 10_000 ? COUNT.format(n) : SHORT.format(n));
/** @param {number} n  a measured or divided number, in about three figures */
export const measure = n => {
  const digits = Math.abs(n) >= 100 || Number.isInteger(n) ? 0 : Math.abs(n) >= 1 ? 1 : 2;
  return n.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits }).replace("-", "−");
};

/** @param {number | null | undefined} part  0..1; one decimal under 10 % */
export const share = part => {
  if (part === null || part === undefined || Number.isNaN(part)) return "–";
  const percent = part * 100;
  if (percent > 0 && percent < 0.1) return "<0.1 %";
  const whole = percent === 0 || percent >= 9.95;
  return `${whole ? Math.round(percent) : percent.toFixed(1)} %`;
};

/** @param {number | null | undefined} ratio  0.03 is three per cent more */
export const change = ratio => {
  if (ratio === null || ratio === undefined) return "–";
  const percent = Math.round(ratio * 100);
  if (percent === 0) return "±0 %";
  return `${percent > 0 ? "▲" : "▼"} ${COUNT.format(Math.abs(percent))} %`;
};

/** The change between two counts, if both are enough to say one. @param {number} now @param {number} before */
export const changeOf = (now, before) => (now < 20 || before < 20 ? null : now / before - 1);

/** Days since 1970 of a local day. @param {string} day */
export const dayNumber = day => Math.round(Date.parse(`${day.slice(0, 10)}T00:00:00Z`) / DAY_MS);
/** @param {number} number */
export const dayOf = number => new Date(number * DAY_MS).toISOString().slice(0, 10);
/** @param {string} day @param {number} by */
export const plusDays = (day, by) => dayOf(dayNumber(day) + by);

/** 13 Nov 2026. @param {string | null | undefined} day @param {boolean} [year] */
export const date = (day, year = true) => {
  if (!day) return "–";
  const [y, m, d] = day.slice(0, 10).split("-").map(Number);
  return `${d} ${MONTHS[m - 1]}${year ? ` ${y}` : ""}`;
};
/** @param {string} day */
export const weekday = day => WEEKDAYS[(dayNumber(day) + 3) % 7];
/** 13 Nov 22:41. @param {string | null | undefined} time @param {boolean} [year] */
export const moment = (time, year = false) => {
  if (!time) return "–";
  return time.length > 10 ? `${date(time, year)}${year ? "," : ""} ${time.slice(11, 16)}` : date(time, year);
};
/** @param {string | null | undefined} first @param {string | null | undefined} last */
export const span = (first, last) => {
  if (!first || !last) return "all dates";
  if (first === last) return date(first);
  return `${date(first, first.slice(0, 4) !== last.slice(0, 4))} – ${date(last)}`;
};

/** Seconds between two instants in words. @param {number} seconds */
export const elapsed = seconds => {
  const steps = /** @type {[number, string][]} */ ([[86_400, "d"], [3_600, "h"], [60, "min"]]);
  const step = steps.find(([size]) => seconds >= 2 * size) ?? (seconds >= 60 ? [60, "min"] : null);
  return step ? `${COUNT.format(Math.floor(seconds / step[0]))} ${step[1]}` : `${Math.max(0, Math.round(seconds))} s`;
};
/** Seconds from one UTC or local time to another, both as published. @param {string} from @param {string} to */
export const secondsBetween = (from, to) => (Date.parse(`${to.slice(0, 19)}Z`) - Date.parse(`${from.slice(0, 19)}Z`)) / 1000;

/** A publisher's capitals are not shouted. @param {string | null | undefined} text */
export const name = text => {
  if (text === null || text === undefined || text === "") return "not stated";
  const shouted = text.length > 3 && text === text.toUpperCase() && /[A-Z]{3}/.test(text);
  if (!shouted) return text;
  const quiet = text.split(" ").map(word => (/[AEIOUY]/.test(word.slice(1)) && !word.includes("&") ? word.toLowerCase() : /^[A-Z]{1,4}$|&/.test(word) && text !== word ? word : word.toLowerCase())).join(" ");
  return quiet[0].toUpperCase() + quiet.slice(1);
};

/** @param {string} word */
export const title = word => word.charAt(0).toUpperCase() + word.slice(1);

/** One of it. @param {string} units */
export const one = units => (units === "bodies" ? "body" : units.replace(/ies$/, "y").replace(/(ch|sh)es$/, "$1").replace(/s$/, ""));
