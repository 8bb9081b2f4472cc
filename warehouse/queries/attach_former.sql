-- The warehouse that is being rewritten, beside the new file.
ATTACH $path AS former (READ_ONLY);
