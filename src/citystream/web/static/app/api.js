// Asking the server. A newer question with the same key ends older ones, here and there.

/** @typedef {import("./types.js").Params} Params */

const CLIENT = Math.random().toString(36).slice(2);
/** @type {Map<string, AbortController>} */
const running = new Map();

/** What went wrong, in the server's words. */
export class ApiError extends Error {
  /** @param {number} status @param {string} code @param {string} message @param {string} hint */
  constructor(status, code, message, hint) {
    super(message);
    this.status = status;
    this.code = code;
    this.hint = hint;
    this.since = new Date();
  }
}

/** @param {Params} params */
export function search(params) {
  const parts = [];
  for (const [key, value] of Object.entries(params)) {
    for (const each of Array.isArray(value) ? value : [value]) parts.push(`${encode(key)}=${encode(each)}`);
  }
  return parts.join("&");
}

/** Readable: commas, slashes and colons stay. @param {string} text */
export const encode = text =>
  encodeURIComponent(text).replace(/%(2F|2C|3A|40)/g, code => decodeURIComponent(code)).replace(/%20/g, "+");

/** @param {string} path @param {Params} [params] */
export const address = (path, params = {}) => (Object.keys(params).length ? `${path}?${search(params)}` : path);

/**
 * @param {string} path
 * @param {Params} [params]
 * @param {{key?: string, binary?: boolean}} [how]
 * @returns {Promise<any>}
 */
export async function ask(path, params = {}, { key = "", binary = false } = {}) {
  const abort = new AbortController();
  if (key) {
    running.get(key)?.abort();
    running.set(key, abort);
  }
  const headers = { Accept: binary ? BLOCK : "application/json", ...(key ? { "X-Client": `${CLIENT}-${key}` } : {}) };
  const response = await answered(address(path, params), { headers, signal: abort.signal });
  const isBlock = response.headers.get("Content-Type")?.startsWith(BLOCK);
  return isBlock ? unpack(await response.arrayBuffer()) : response.json();
}

/** @param {string} url @param {RequestInit & {signal: AbortSignal}} request @returns {Promise<Response>} */
async function answered(url, request) {
  for (let tries = 0; ; tries += 1) {
    const response = await reached(url, request);
    if (response.ok) return response;
    if (response.status !== 503 || tries === 60) throw await failure(response);
    const wait = Number(response.headers.get("Retry-After") ?? 1);
    await new Promise(resolve => setTimeout(resolve, 1000 * Math.min(Math.max(wait, 0.5), 5)));
    request.signal.throwIfAborted();
  }
}

/** @param {string} url @param {RequestInit} request */
async function reached(url, request) {
  try {
    return await fetch(url, request);
  } catch (error) {
    if (isOld(error)) throw error;
    throw new ApiError(0, "unreachable", "citystream does not answer on this machine.", "Is “citystream serve” still running?");
  }
}

/** @param {Response} response */
async function failure(response) {
  const body = await response.json().catch(() => null);
  const said = body?.error ?? {};
  return new ApiError(response.status, said.code ?? "error", said.message ?? `The server answered ${response.status}.`, said.hint ?? "");
}

/** Whether an error only means that a newer question was asked. @param {unknown} error */
export const isOld = error =>
  (error instanceof DOMException && error.name === "AbortError") || (error instanceof ApiError && error.code === "superseded");

const BLOCK = "application/vnd.citystream.block";

/** The binary form: a head, and one block of numbers that it points into. @param {ArrayBuffer} buffer */
function unpack(buffer) {
  const length = new Int32Array(buffer, 0, 1)[0];
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const numbers = new Int32Array(buffer, 4 + length);
  for (const view of Object.values(head.views)) {
    for (const part of ["counts", "compared", "before"]) {
      if (view[part]) view[part] = numbers.subarray(view[part].at, view[part].at + view[part].n);
    }
  }
  return head;
}
