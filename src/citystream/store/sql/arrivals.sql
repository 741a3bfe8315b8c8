-- Records of {t} by the half hour (since 1970) in which they were first seen, from slot {first} on: those that came within
-- {prompt} half hours after they occurred, and older ones, which a file of the past or a catching-up brings.
SELECT epoch_us(first_seen_at) // 1800000000 AS slot,
  count(*) FILTER (late <= {prompt}) AS recent, count(*) FILTER (late > {prompt} OR late IS NULL) AS old
FROM (SELECT first_seen_at, (epoch_us(first_seen_at) - epoch_us(occurred_at)) // 1800000000 AS late
      FROM core.{t}_versions WHERE change = 0 AND first_seen_at >= make_timestamp({first}::BIGINT * 1800000000))
GROUP BY 1 ORDER BY 1
