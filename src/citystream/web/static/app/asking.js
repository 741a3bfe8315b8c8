// Asking for what a page needs, again when the question or the data changes.

import { useEffect, useState } from "../vendor/preact-hooks.js";
import { ask, isOld } from "./api.js";
import { moved } from "./store.js";

/**
 * *said* is the last answer, kept while a new one comes; *problem* is what the newest try failed with. With a *state* of
 * "ready" a problem means that the answer is of this very question, but not of the newest data.
 * @param {string} path  empty: nothing is asked
 * @param {import("./types.js").Params} params
 * @param {string} key
 * @param {unknown} [since]  asked again whenever it changes; if not said, whenever the data did
 * @returns {{said: any, problem: unknown, state: string, again: () => void}}
 */
export function useAnswer(path, params, key, since = moved.value) {
  const [found, setFound] = useState(/** @type {{question: string, said: any}} */ ({ question: "", said: null }));
  const [failed, setFailed] = useState(/** @type {{question: string, problem: unknown}} */ ({ question: "", problem: null }));
  const [tries, setTries] = useState(0);
  const question = path && `${path} ${JSON.stringify(params)}`;
  useEffect(() => {
    if (!question) return;
    ask(path, params, { key })
      .then(said => {
        setFound({ question, said });
        setFailed({ question, problem: null });
      })
      .catch(problem => isOld(problem) || setFailed({ question, problem }));
  }, [question, tries, since]);
  const state = !found.said ? "loading" : found.question === question ? "ready" : "refreshing";
  const again = () => {
    setFailed({ question, problem: null });
    setTries(tries + 1);
  };
  return { said: found.said, problem: failed.question === question ? failed.problem : null, state, again };
}
