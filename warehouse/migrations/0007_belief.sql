-- The judge's watch over itself. An occasion is one run of the judge, with all that resumed it.
CREATE TABLE occasion (
    occasion    UUID NOT NULL,
    recipe      VARCHAR NOT NULL,
    spec        VARCHAR NOT NULL,
    started_at  TIMESTAMPTZ NOT NULL,
    finished_at TIMESTAMPTZ            -- null: the next run goes on with it
);

-- Replies about canaries and sentinels, one row each, good or bad. Like judgements these were paid for: never edited,
-- never deleted. They are read anew whenever somebody asks what they say.
CREATE TABLE watch (
    watch_id      UUID NOT NULL,
    occasion      UUID NOT NULL,
    kind          VARCHAR NOT NULL,    -- canary or sentinel
    sample_id     UUID NOT NULL,       -- of a canary: a hash of its content, and no row of `sample`
    spec          VARCHAR NOT NULL,
    backend       VARCHAR NOT NULL,
    model         VARCHAR NOT NULL,
    status        VARCHAR NOT NULL,    -- as it was read when it came
    input_tokens  BIGINT NOT NULL,
    output_tokens BIGINT NOT NULL,
    cached_tokens BIGINT NOT NULL,
    usd           DOUBLE,
    raw           VARCHAR NOT NULL USING COMPRESSION zstd,
    received_at   TIMESTAMPTZ NOT NULL
);

-- Samples that are judged again in every scheduled run of a recipe. Of several sets the one frozen last counts.
CREATE TABLE sentinel (
    recipe    VARCHAR NOT NULL,
    spec      VARCHAR NOT NULL,
    sample_id UUID NOT NULL,
    frozen_at TIMESTAMPTZ NOT NULL
);

-- What people say of samples, one row a label. Never edited, never deleted: of a person's labels of one sample the latest counts.
CREATE TABLE label (
    label_id    UUID NOT NULL,         -- a hash of all but the time: the same label twice is one
    sample_id   UUID NOT NULL,
    labeller    VARCHAR NOT NULL,
    scores      VARCHAR NOT NULL,      -- JSON object: criterion -> 0-10 or null
    accept      BOOLEAN,               -- null: as the scores say
    note        VARCHAR,
    labelled_at TIMESTAMPTZ NOT NULL
);
