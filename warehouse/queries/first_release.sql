-- For each sample that this dataset has released, and for the one that it was made of: the position of the first release.
-- A sample is in most releases: the first one is found before anything is joined to it.
WITH numbered AS (
    SELECT version, row_number() OVER (ORDER BY created_at, version) AS position
    FROM release
    WHERE name = $recipe AND state IN ('published', 'yanked')
),
held AS (
    SELECT rs.sample_id, min(n.position) AS position
    FROM release_sample AS rs
    JOIN numbered AS n USING (version)
    WHERE rs.name = $recipe
    GROUP BY rs.sample_id
),
both_of AS (
    SELECT unnest([h.sample_id, o.origin_id]) AS sample_id, h.position
    FROM held AS h
    JOIN origin AS o ON o.sample_id = h.sample_id
)
SELECT sample_id::VARCHAR AS sample_id, min(position)::BIGINT AS released FROM both_of GROUP BY sample_id;
