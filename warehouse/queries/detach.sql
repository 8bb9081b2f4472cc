-- Closes the file.
DETACH DATABASE IF EXISTS $name;
