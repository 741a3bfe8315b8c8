// Asking for what a page needs, again when the question or the data changes.

import { useEffect, useState } from "../vendor/preact-hooks.js";
import { ask, isOld } from "./api.js";
import { moved } from "./store.js";

/**
 * @param {string} path  empty: nothing is asked
 * @param {import("./types.js").Params} params
 * @param {string} key
 * @returns {{said: any, problem: unknown, state: string, again: () => void}} *said* is the last answer, kept while a new one comes
 */
export function useAnswer(path, params, key) {
  const [found, setFound] = useState(/** @type {{question: string, said: any}} */ ({ question: "", said: null }));
  const [problem, setProblem] = useState(/** @type {unknown} */ (null));
  const [tries, setTries] = useState(0);
  const question = path && `${path} ${JSON.stringify(params)}`;
  useEffect(() => {
    if (!question) return;
    ask(path, params, { key })
      .then(said => {
        setFound({ question, said });
        setProblem(null);
      })
      .catch(error => isOld(error) || setProblem(error));
  }, [question, tries, moved.value]);
  const state = !found.said ? "loading" : found.question === question ? "ready" : "refreshing";
  return { said: found.said, problem: found.said && found.question === question ? null : problem, state, again: () => setTries(tries + 1) };
}
