-- The rows of each table, and the columns that it has.
SELECT table_name AS name, estimated_size AS row_count, column_count
FROM duckdb_tables()
WHERE database_name = current_database() AND schema_name = 'main' AND NOT internal
ORDER BY table_name;
