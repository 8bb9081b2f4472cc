-- Samples that were made of other samples: a row of `sample` each, whose parent_id is the sample that it was made of.
-- What a maker made of a sample is never edited; whether it still stands for it is asked anew each time.
CREATE TABLE derivation (
    child_id  UUID NOT NULL,
    parent_id UUID NOT NULL,
    origin_id UUID NOT NULL,     -- the sample of a trace with which it began: the parent's own origin, or the parent
    maker     VARCHAR NOT NULL,  -- schemas, thinking, …
    mark      VARCHAR NOT NULL,  -- by what it was made: of `schemas` a hash of the registry's parameters that went in
    made_at   TIMESTAMPTZ NOT NULL
);

-- What the candidates of a sample say of their parameters, read once for each sample when there is a registry to hold
-- them against: a digest of the schema, or null where there is none; each once. A sample without candidates has one row without plugin.
CREATE TABLE candidate_schema (
    sample_id UUID NOT NULL,
    plugin_id VARCHAR,
    digest    UUID
);

-- The schemas of those digests.
CREATE TABLE offered_schema (
    digest     UUID NOT NULL,
    parameters VARCHAR NOT NULL USING COMPRESSION zstd
);

-- Where each sample comes from: the sample of a trace that it was made of (itself, where it was not made), and the
-- trajectory that this one is a turn of.
CREATE VIEW origin AS
WITH made AS (
    SELECT child_id, parent_id, min(origin_id) AS origin_id FROM derivation GROUP BY child_id, parent_id
)
SELECT
    s.sample_id, coalesce(m.origin_id, s.sample_id) AS origin_id,
    CASE WHEN m.child_id IS NULL THEN s.parent_id ELSE o.parent_id END AS trajectory_id
FROM sample AS s
LEFT JOIN made AS m ON m.child_id = s.sample_id AND m.parent_id = s.parent_id
LEFT JOIN sample AS o ON o.sample_id = m.origin_id;

-- Every sample that a sample was made of, at however many removes.
CREATE VIEW ancestor AS
WITH RECURSIVE up AS (
    SELECT child_id AS sample_id, parent_id AS ancestor_id FROM derivation
    UNION
    SELECT u.sample_id, d.parent_id FROM up AS u JOIN derivation AS d ON d.child_id = u.ancestor_id
)
SELECT sample_id, ancestor_id FROM up;

-- The traces that hold a sample, or one that it was made of.
CREATE VIEW held AS
SELECT sample_id, trace_key FROM sample_trace
UNION
SELECT a.sample_id, st.trace_key FROM ancestor AS a JOIN sample_trace AS st ON st.sample_id = a.ancestor_id;

-- Samples with candidates that the registry completes, with a mark of just what it knows of them: hashes folded so
-- that their order does not matter.
CREATE VIEW completable AS
WITH known AS MATERIALIZED (
    SELECT plugin_id, md5_number(concat_ws(chr(10), plugin_id, parameters)) AS number FROM plugin WHERE parameters IS NOT NULL
)
SELECT c.sample_id, lower(hex(bit_xor(k.number))) AS mark
FROM candidate_schema AS c
JOIN known AS k USING (plugin_id)
WHERE c.digest IS NULL
GROUP BY c.sample_id;

-- The child that stands for each sample now: of `schemas` the one made of what the registry says today, of any other
-- maker the last one made.
CREATE VIEW standing AS
SELECT DISTINCT ON (d.maker, d.parent_id) d.maker, d.parent_id, d.child_id
FROM derivation AS d
LEFT JOIN completable AS c ON d.maker = 'schemas' AND c.sample_id = d.parent_id AND c.mark = d.mark
WHERE d.maker <> 'schemas' OR c.sample_id IS NOT NULL
ORDER BY d.maker, d.parent_id, d.made_at DESC, d.child_id;
