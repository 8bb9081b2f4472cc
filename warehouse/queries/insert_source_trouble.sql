-- Sources that could not be read, and since when.
INSERT INTO source_trouble SELECT $recipe, source, sentence, since FROM incoming;
