// What chance alone does to counts, if they are Poisson: the range that holds 95 of 100 of them.

/** The smallest k with P(X <= k) >= part, for a Poisson count of the given mean. @param {number} mean @param {number} part */
export function quantile(mean, part) {
  if (mean <= 0) return 0;
  if (mean > 400) return Math.max(0, Math.round(mean + (part < 0.5 ? -1.96 : 1.96) * Math.sqrt(mean)));
  let term = Math.exp(-mean);
  let sum = term;
  let k = 0;
  while (sum < part && k < 10_000) {
    k += 1;
    term *= mean / k;
    sum += term;
  }
  return k;
}

/** @param {number} mean @returns {[number, number]} */
export const range95 = mean => [quantile(mean, 0.025), quantile(mean, 0.975)];
