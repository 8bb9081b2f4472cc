-- For each sample that this dataset has released, and for the one that it was made of: the version that held it first, or what
-- was made of it. `released_in`: the version that held the sample itself first; null where none did.
-- A sample is in most releases: the first one is found before anything is joined to it.
WITH held AS (
    SELECT rs.sample_id, arg_min(r.version, r.created_at) AS version, min(r.created_at) AS created_at
    FROM release_sample AS rs
    JOIN release AS r ON r.name = rs.name AND r.version = rs.version AND r.state IN ('published', 'yanked')
    WHERE rs.name = $name
    GROUP BY rs.sample_id
),
both_of AS (
    SELECT sample_id, version, created_at, version AS released_in FROM held
    UNION ALL
    SELECT o.origin_id, h.version, h.created_at, NULL
    FROM held AS h
    JOIN origin AS o ON o.sample_id = h.sample_id AND o.origin_id <> h.sample_id
)
SELECT sample_id::VARCHAR AS sample_id, arg_min(version, created_at) AS first_release, max(released_in) AS released_in
FROM both_of
GROUP BY sample_id;
