-- What people say of these samples: of each person the latest label of each sample.
SELECT DISTINCT ON (l.sample_id, l.labeller)
    l.sample_id::VARCHAR AS sample_id, l.labeller, l.scores, l.accept, l.labelled_at
FROM label AS l
JOIN members AS m ON m.sample_id::UUID = l.sample_id
ORDER BY l.sample_id, l.labeller, l.labelled_at DESC, l.label_id;
