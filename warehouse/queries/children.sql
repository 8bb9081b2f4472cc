-- The child that stands for each sample now, for each of the makers asked.
SELECT maker, parent_id::VARCHAR AS parent_id, child_id::VARCHAR AS child_id
FROM standing
WHERE maker IN (SELECT maker FROM makers);
