-- Opens the file for writing. What a transaction appends to the last row group makes DuckDB write that group anew: with its
-- usual 122,880 rows, batches of 10,000 cost twice the time and hundreds of megabytes more.
ATTACH $path AS $name (ROW_GROUP_SIZE 10240);
USE $name;
