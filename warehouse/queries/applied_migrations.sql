-- The numbers of the migrations that this file has been given.
SELECT number FROM migration;
