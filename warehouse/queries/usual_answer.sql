-- How many tokens the judge's answers have under a specification, on average; null before there are any.
SELECT avg(output_tokens)::DOUBLE AS tokens FROM judgement WHERE spec = $spec AND status = 'ok';
