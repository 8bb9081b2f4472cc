-- Incoming decisions of one stage that do not stand just so under its fingerprint. Joined by sample alone: texts are compared
-- where they meet, which costs half of what it costs to join by them.
SELECT DISTINCT i.*
FROM incoming AS i
LEFT JOIN (SELECT * FROM decision WHERE stage = $stage AND fingerprint = $fingerprint) AS d ON d.sample_id = i.sample_id::UUID
WHERE d.sample_id IS NULL OR d.outcome <> i.outcome OR d.reason IS DISTINCT FROM i.reason OR d.detail IS DISTINCT FROM i.detail
    OR d.faults IS DISTINCT FROM i.faults OR d.leans_on IS DISTINCT FROM i.leans_on;
