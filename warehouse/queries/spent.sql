-- What judging the members has cost so far, and watching the judge meanwhile, in US dollars.
SELECT
    (SELECT coalesce(sum(usd), 0) FROM judgement WHERE sample_id IN (SELECT sample_id::UUID FROM members))
    + (SELECT coalesce(sum(w.usd), 0) FROM watch AS w JOIN occasion AS o ON o.occasion = w.occasion WHERE o.recipe = $recipe)
    AS usd;
