-- Incoming decisions of one stage that do not stand just so under its fingerprint.
SELECT i.*
FROM incoming AS i
WHERE NOT EXISTS (
    SELECT 1 FROM decision AS d
    WHERE d.sample_id = i.sample_id::UUID AND d.stage = $stage AND d.fingerprint = $fingerprint AND d.outcome = i.outcome
        AND d.reason IS NOT DISTINCT FROM i.reason AND d.detail IS NOT DISTINCT FROM i.detail
        AND d.faults IS NOT DISTINCT FROM i.faults AND d.leans_on IS NOT DISTINCT FROM i.leans_on
);
