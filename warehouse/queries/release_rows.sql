-- What a release needs of each sample beside its text: `size` is how many bytes that takes. `messages` stands only where
-- something was said before the request; it is null, with `shares`, where it is the beginning of a trajectory.
SELECT
    s.sample_id::VARCHAR AS sample_id, s.kind, s.source, s.timestamp, s.request, s.n_steps, s.category,
    CASE WHEN s.messages LIKE '%"role"%"role"%' THEN s.messages END AS messages, s.messages IS NULL AS shares,
    coalesce(strlen(s.messages), 0) + coalesce(strlen(s.candidates), 0) + coalesce(strlen(s.thinking), 0)
        + coalesce(strlen(s.plan), 0) AS size
FROM sample AS s
WHERE s.sample_id IN (SELECT sample_id::UUID FROM wanted);
