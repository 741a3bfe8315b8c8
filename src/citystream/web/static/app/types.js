// The shapes of docs/http.md, for the checker; nothing here runs.

/** @typedef {ArrayLike<number>} Numbers */
/** @typedef {string | null} Name  what the publisher wrote; null: left blank */

/**
 * @typedef {object} Area
 * @property {string} name
 * @property {number | null} km2
 * @property {number | null} residents
 * @property {number} lat
 * @property {number} lon
 */

/**
 * @typedef {object} Dimension
 * @property {string} name
 * @property {string} title
 * @property {"names" | "number"} form
 * @property {"what" | "where" | "when" | "outcome" | "attribute"} role
 * @property {boolean} view
 * @property {string} scheme
 * @property {Name[]} values
 * @property {(Area | null)[]} [areas]
 * @property {number[]} [edges]
 * @property {string} [description]
 */

/** @typedef {{from: string, until: string | null, why: string, kind?: string}} Break */

/**
 * @typedef {object} Dataset
 * @property {string} dataset
 * @property {string} city
 * @property {string} title
 * @property {string} kind
 * @property {string} units
 * @property {boolean} counted
 * @property {boolean} loaded
 * @property {string} description
 * @property {string} publisher
 * @property {string} licence
 * @property {string} homepage
 * @property {string} notice
 * @property {string} precision
 * @property {number | null} lag_days
 * @property {number | null} cadence_days
 * @property {number} events
 * @property {number} undated
 * @property {number} position
 * @property {string | null} first_day
 * @property {string | null} last_day
 * @property {string | null} complete_until
 * @property {string | null} newest_event
 * @property {string | null} fetched_at
 * @property {Break[]} series_breaks
 * @property {Record<string, number>} place
 * @property {{without: number, why: string}} hours
 * @property {{what: string, yes: unknown[], settles_days: number | null} | null} resolution
 * @property {string[]} sums
 * @property {Dimension[]} dimensions
 * @property {string | null} premises
 * @property {Record<string, string>} outlines
 * @property {{coarse: number, fine: number}} cells
 */

/**
 * @typedef {object} City
 * @property {string} city
 * @property {string} name
 * @property {string} country
 * @property {string} timezone
 * @property {[number, number, number, number] | null} bbox
 * @property {{year: number, residents: number, kind: string, status: string}[]} residents
 * @property {string[]} datasets
 */

/**
 * @typedef {object} ReadingSet
 * @property {string} dataset
 * @property {string} city
 * @property {string} title
 * @property {string} kind
 * @property {string} notice
 * @property {string} publisher
 * @property {{name: string, unit: string, cumulative: boolean, range: [number, number] | null, description: string}[]} measures
 * @property {{station: string, lat: number | null, lon: number | null}[]} stations
 */

/**
 * @typedef {object} Meta
 * @property {string} version
 * @property {{name: string, version: string}} product
 * @property {string} now
 * @property {{tables: string[], rows: number, seconds: number}} sql
 * @property {City[]} cities
 * @property {Dataset[]} datasets
 * @property {ReadingSet[]} readings
 * @property {Record<string, string>} definitions
 */

/** @typedef {{n: number, first: string, last: string, change: number | null, low: number | null, high: number | null, break: Break | null}} Against */

/**
 * @typedef {object} Kpis
 * @property {number} total
 * @property {number} of
 * @property {number} provisional
 * @property {number | null} compared
 * @property {number | null} before
 * @property {{days: number, first: string, last: string, n: number, before: Against, year: Against} | null} recent
 * @property {{what: string, n: number, known: number, share: number | null} | null} resolved
 * @property {Record<string, number>} place
 * @property {{known: number, without: number, share: number | null}} hours
 * @property {Record<string, number>} groups
 * @property {Record<string, {sum: number, known: number, zero: number}>} sums
 */

/**
 * @typedef {object} View
 * @property {string[]} own
 * @property {Numbers} counts
 * @property {Numbers | null} [compared]
 * @property {Numbers | null} [before]
 * @property {string} [first]
 */

/**
 * @typedef {object} Answer
 * @property {string} dataset
 * @property {string} version
 * @property {string} meta
 * @property {{parameter: string, value: string, why: string}[]} dropped
 * @property {{first: string, last: string, complete_until: string | null, provisional_days: number} | null} period
 * @property {{how: string, first: string, last: string, before_first: string, before_last: string, days: number, break: Break | null} | null} compared
 * @property {Kpis} kpis
 * @property {Record<string, View>} views
 * @property {string[]} [months]
 */

/** @typedef {Record<string, any> & {event_id: string, log_offset: number}} Row  a row of the dataset's table */
/** @typedef {{dataset: string, version: string, total: number, next: string | null, rows: Row[]}} Rows */

/**
 * @typedef {object} Alert
 * @property {string} alert_id
 * @property {string} dataset
 * @property {string} kind
 * @property {string} detector
 * @property {Name} type
 * @property {Name} district
 * @property {string} window_start
 * @property {string} window_end
 * @property {string} window_start_local
 * @property {string} window_end_local
 * @property {number} observed
 * @property {number | null} expected
 * @property {number | null} score
 * @property {number | null} recurrence_days
 * @property {string | null} episode
 * @property {string} status
 * @property {string | null} raised_at
 * @property {string | null} withdrawn_at
 * @property {boolean} provisional
 * @property {Record<string, unknown> | string | null} rule
 * @property {boolean} fixed  by a fixed rule, which knows no usual
 * @property {"more" | "fewer" | null} direction
 * @property {number | null} lo95
 * @property {number | null} hi95
 * @property {number | null} completeness
 * @property {string | null} feed_state
 * @property {string | null} reason
 * @property {number | null} zones  how many areas below a district it is about
 * @property {string | null} unit  of a reading
 * @property {number | null} decimals  of a reading's numbers
 * @property {string} card  the rarest alert of those that are two ways of seeing the same
 */

/** How an alert stood. @typedef {{at: string | null, status: string, observed: number, expected: number | null, completeness: number | null, feed_state: string | null, reason: string | null}} Stood */

/** @typedef {{grain: string, starts: string[], counts?: number[], values?: (number | null)[], within?: boolean[]}} Around */

/** @typedef {{size: string, metres: number, corners: [number, number][], lon: (number | null)[], lat: (number | null)[], fold: number[] | null}} Cells */

/** @typedef {{name: string, exclude: boolean, off: boolean, values: string[]}} Filter  a range is one value, "from..to" */

/** @typedef {Record<string, string | string[]>} Params */

export {};
