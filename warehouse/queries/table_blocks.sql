-- How many blocks of the file one table touches; small tables share theirs.
SELECT count(DISTINCT block) AS blocks
FROM (
    SELECT unnest(list_append(additional_block_ids, block_id)) AS block
    FROM pragma_storage_info($name)
    WHERE persistent
)
WHERE block >= 0;
