-- The trace_id of the first trace of each sample named.
SELECT s.sample_id::VARCHAR AS sample_id, s.trace_id FROM sample AS s JOIN wanted AS w ON w.sample_id::UUID = s.sample_id;
