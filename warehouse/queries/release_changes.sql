-- What a release holds against another of its dataset, by split and by category: rows now, rows that only one of them
-- has, and rows that were in another split before.
WITH both_of AS (
    SELECT
        coalesce(n.split, o.split) AS split, coalesce(n.category, o.category) AS category,
        n.sample_id IS NOT NULL AS is_new, o.sample_id IS NOT NULL AS is_old,
        n.split <> o.split AS is_elsewhere
    FROM (SELECT sample_id, split, category FROM release_sample WHERE name = $name AND version = $version) AS n
    FULL JOIN (SELECT sample_id, split, category FROM release_sample WHERE name = $name AND version = $parent) AS o
        ON o.sample_id = n.sample_id
)
SELECT
    CASE WHEN grouping(split) = 0 THEN 'split' ELSE 'category' END AS "by", coalesce(split, category) AS what,
    count(*) FILTER (WHERE is_new) AS "rows", count(*) FILTER (WHERE is_new AND NOT is_old) AS added, count(*) FILTER (WHERE is_old AND NOT is_new) AS removed,
    count(*) FILTER (WHERE is_new AND is_old AND is_elsewhere) AS moved
FROM both_of
GROUP BY GROUPING SETS ((split), (category))
ORDER BY "by" DESC, what;
