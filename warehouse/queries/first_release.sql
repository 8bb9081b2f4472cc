-- For each sample that this dataset has released, and for the one that it was made of: the position of the first release.
WITH numbered AS (
    SELECT version, row_number() OVER (ORDER BY created_at, version) AS position
    FROM release
    WHERE name = $recipe AND state IN ('published', 'yanked')
),
held AS (
    SELECT unnest([rs.sample_id, o.origin_id]) AS sample_id, n.position
    FROM release_sample AS rs
    JOIN numbered AS n USING (version)
    JOIN origin AS o ON o.sample_id = rs.sample_id
    WHERE rs.name = $recipe
)
SELECT sample_id::VARCHAR AS sample_id, min(position)::BIGINT AS released FROM held GROUP BY sample_id;
