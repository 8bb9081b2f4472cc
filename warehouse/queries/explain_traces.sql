-- Traces with what they say of themselves: those named, and those that hold a named sample or what it was made of.
SELECT DISTINCT
    t.trace_key::VARCHAR AS trace_key, t.trace_id, t.format, t.source, t.path, t.line, t.timestamp, t.metadata, t.received_at, t.error,
    octet_length(t.raw) AS bytes
FROM trace AS t
WHERE t.trace_key::VARCHAR IN (SELECT trace_key FROM keys)
    OR t.trace_key IN (SELECT h.trace_key FROM held AS h JOIN ids AS i ON h.sample_id = i.sample_id::UUID)
ORDER BY t.received_at, t.path, t.line;
