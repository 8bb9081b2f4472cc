-- Labels that are not known yet.
INSERT INTO label
SELECT DISTINCT ON (label_id) label_id::UUID, sample_id::UUID, labeller, scores, accept, note, labelled_at
FROM incoming
WHERE label_id::UUID NOT IN (SELECT label_id FROM label);
