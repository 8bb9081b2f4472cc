-- A training run, as its run.json tells it.
INSERT INTO training_run (run_id, kind, name, version, digest, preset, model, seed, state, address, metrics, run, started_at, finished_at, recorded_at)
VALUES ($run_id, $kind, $name, $version, $digest, $preset, $model, $seed, $state, $address, $metrics, $run, $started_at, $finished_at, $recorded_at);
