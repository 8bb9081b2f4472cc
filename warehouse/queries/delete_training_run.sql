-- Makes room for what a run has become.
DELETE FROM training_run WHERE run_id = $run_id;
