-- Members that some stage has not decided yet: one row per (sample, stage). Those that have as many decisions as they need
-- are passed over before anything is joined stage by stage. In the order in which samples lie in the file, so that a batch of
-- them is read from one place.
WITH counted AS (
    SELECT d.sample_id, count(*) AS stages
    FROM decision AS d
    JOIN (SELECT DISTINCT stage, fingerprint FROM needed) AS n USING (stage, fingerprint)
    WHERE d.sample_id IN (SELECT sample_id::UUID FROM members)
    GROUP BY d.sample_id
),
incomplete AS (
    SELECT m.sample_id, m.kind
    FROM members AS m
    JOIN (SELECT kind, count(*) AS stages FROM needed GROUP BY kind) AS n USING (kind)
    LEFT JOIN counted AS c ON c.sample_id = m.sample_id::UUID
    WHERE coalesce(c.stages, 0) < n.stages
)
SELECT m.sample_id, n.stage
FROM incomplete AS m
JOIN needed AS n ON n.kind = m.kind
JOIN sample AS s ON s.sample_id = m.sample_id::UUID
WHERE NOT EXISTS (
    SELECT 1 FROM decision AS d
    WHERE d.sample_id = m.sample_id::UUID AND d.stage = n.stage AND d.fingerprint = n.fingerprint
)
ORDER BY s.rowid;
