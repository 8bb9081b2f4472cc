-- What became of a refresh.
UPDATE refresh
SET state = $state, detail = $detail, new_traces = $new_traces, funnel = $funnel, version = $version, finished_at = $finished_at
WHERE refresh_id = $refresh_id;
