-- Whole samples. Found by their place in the file: samples that came together lie together, and
-- the texts of others are not unpacked.
SELECT
    s.sample_id::VARCHAR AS sample_id, s.trace_id, s.parent_id::VARCHAR AS parent_id, s.turn, s.kind, s.source, s.timestamp, s.request,
    s.messages, s.candidates, s.thinking, s.plan, s.n_steps, s.category, s.first_seen
FROM sample AS s
WHERE s.rowid IN (SELECT i.rowid FROM sample AS i JOIN wanted AS w ON i.sample_id = w.sample_id::UUID);
