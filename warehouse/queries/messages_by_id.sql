-- The messages of samples, as samples_by_id finds them.
SELECT s.sample_id::VARCHAR AS sample_id, s.messages
FROM sample AS s
WHERE s.rowid IN (SELECT i.rowid FROM sample AS i JOIN wanted AS w ON i.sample_id = w.sample_id::UUID);
