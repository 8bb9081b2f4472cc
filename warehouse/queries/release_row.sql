-- One release as it was frozen, with what tripped and what the funnel was.
SELECT name, version, state, target, recipe, digest, manifest, path, "commit", guards, funnel, created_at
FROM release
WHERE name = $name AND version = $version;
