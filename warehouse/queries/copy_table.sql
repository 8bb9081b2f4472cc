-- One table of the former file, whole and in its order, into the new one.
DELETE FROM $table;
INSERT INTO $table BY NAME SELECT * FROM $former.main.$table;
