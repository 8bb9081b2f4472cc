-- What a sample of the waiting samples is drawn by: their category and their source.
SELECT w.sample_id, coalesce(s.category, '') AS category, s.source
FROM work AS w
JOIN sample AS s ON s.sample_id = w.sample_id::UUID;
