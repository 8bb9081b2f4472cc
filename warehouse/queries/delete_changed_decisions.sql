-- Takes back one stage's decisions that are not incoming again just as they stand: those under one fingerprint and, where
-- they are choices, those of the recipe under whatever settings. Incoming ones are inserted in the same transaction.
DELETE FROM decision AS d
WHERE d.stage = $stage
    AND (d.fingerprint = $fingerprint OR coalesce(starts_with(d.fingerprint, $recipe || ':'), false))
    AND NOT EXISTS (
        SELECT 1 FROM incoming AS i
        WHERE i.sample_id::UUID = d.sample_id AND d.fingerprint = $fingerprint AND i.outcome = d.outcome
            AND i.reason IS NOT DISTINCT FROM d.reason AND i.detail IS NOT DISTINCT FROM d.detail
            AND i.faults IS NOT DISTINCT FROM d.faults AND i.leans_on IS NOT DISTINCT FROM d.leans_on
    );
