-- The release waits for a person; `guards` says why.
UPDATE release SET state = 'held', guards = $guards WHERE name = $name AND version = $version;
