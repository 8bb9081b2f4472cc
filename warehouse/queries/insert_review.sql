-- What a person said of a release.
INSERT INTO review (name, version, digest, decision, reviewer, note, decided_at)
VALUES ($name, $version, $digest, $decision, $reviewer, $note, $decided_at);
