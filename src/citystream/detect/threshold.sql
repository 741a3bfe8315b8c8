-- What an active alert of `threshold` is, in one statement: a sliding window that holds more than $over records.
SELECT dataset, type, district, window_start, window_end, total AS observed
FROM sliding
WHERE dataset = $dataset AND total > $over
