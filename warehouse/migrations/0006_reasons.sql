-- What each check of a recipe found, so that the next one can be held against it. The judging that follows a check adds to
-- its row.
CREATE TABLE checked (
    recipe     VARCHAR NOT NULL,
    checked_at TIMESTAMPTZ NOT NULL,
    samples    BIGINT NOT NULL,   -- members of the recipe
    reasons    VARCHAR NOT NULL   -- JSON: [{stage, reason, found}], `found` counting samples
);
