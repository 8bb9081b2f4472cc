-- Opens the file for reading.
ATTACH $path AS $name (READ_ONLY);
USE $name;
