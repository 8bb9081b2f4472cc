-- The file in blocks: how large one is, how many there are, and how many hold nothing.
SELECT block_size, total_blocks, free_blocks FROM pragma_database_size() WHERE database_name = current_database();
