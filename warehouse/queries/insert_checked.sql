-- A check that has ended.
INSERT INTO checked (recipe, checked_at, samples, reasons) VALUES ($recipe, $checked_at, $samples, $reasons);
