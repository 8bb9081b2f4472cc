-- A release that is being built.
INSERT INTO release (name, version, state, recipe, parent, target, digest, manifest, created_at, funnel)
VALUES ($name, $version, 'building', $recipe, $parent, $target, $digest, $manifest, $created_at, $funnel);
