-- A run of the judge has asked all that it was to ask.
UPDATE occasion SET finished_at = $finished_at WHERE occasion = $occasion::UUID;
