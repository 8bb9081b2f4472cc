-- Takes back one stage's decisions that are `unlike` the incoming ones, or of samples that none comes in for: those under
-- one fingerprint and, where they are choices, those of the recipe under whatever settings.
DELETE FROM decision AS d
WHERE d.stage = $stage
    AND (d.fingerprint = $fingerprint OR coalesce(starts_with(d.fingerprint, $recipe || ':'), false))
    AND (
        d.fingerprint <> $fingerprint
        OR d.sample_id IN (SELECT sample_id::UUID FROM unlike)
        OR d.sample_id NOT IN (SELECT sample_id::UUID FROM incoming)
    );
