-- How many plugins of the registry have a schema of their parameters.
SELECT count(parameters) AS plugins FROM plugin;
