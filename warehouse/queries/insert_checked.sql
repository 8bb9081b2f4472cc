-- What a check found.
INSERT INTO checked (recipe, checked_at, samples, reasons) VALUES ($recipe, $checked_at, $samples, $reasons);
