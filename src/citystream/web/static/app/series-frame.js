// Where the drawings of a series are, in pixels: both have the same left edge, and the same room for names on the right.

export const LEFT = 40;
/** Above it, in this order: two lines about a series break, how many alerts, their marks. */
export const TOP = 50;
export const HEIGHT = 232;
export const FLOOR = HEIGHT - 22;
/** @param {number} width of the card */
export const isNarrow = width => width < 600;
/** @param {number} width of the card */
export const rightOf = width => (isNarrow(width) ? 8 : 96);
