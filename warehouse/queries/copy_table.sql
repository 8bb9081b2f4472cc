-- One table of the former file, whole and in its order, into the new one.
DELETE FROM warehouse.main.$table;
INSERT INTO warehouse.main.$table BY NAME SELECT * FROM former.main.$table;
