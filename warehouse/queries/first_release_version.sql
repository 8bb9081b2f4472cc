-- For each sample that this dataset has released, and for the one that it was made of: the version that held it first.
WITH held AS (
    SELECT unnest([rs.sample_id, o.origin_id]) AS sample_id, rs.version, r.created_at
    FROM release_sample AS rs
    JOIN release AS r ON r.name = rs.name AND r.version = rs.version AND r.state IN ('published', 'yanked')
    JOIN origin AS o ON o.sample_id = rs.sample_id
    WHERE rs.name = $name
)
SELECT sample_id::VARCHAR AS sample_id, arg_min(version, created_at) AS first_release FROM held GROUP BY sample_id;
