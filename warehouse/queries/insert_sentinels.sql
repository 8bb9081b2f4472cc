-- A new set of sentinels.
INSERT INTO sentinel SELECT $recipe, $spec, sample_id::UUID, $frozen_at FROM incoming;
