-- What the funnel was when a release was frozen (`status --json`), so that the next one can be held against it, and the
-- guards that tripped (a JSON list of sentences; null: none did).
ALTER TABLE release ADD COLUMN funnel VARCHAR;
ALTER TABLE release ADD COLUMN guards VARCHAR;

-- What people said of releases: that one may go out, or be trained from, or that its rows must not be published.
CREATE TABLE review (
    name         VARCHAR NOT NULL,
    version      VARCHAR NOT NULL,
    digest       VARCHAR NOT NULL,  -- of the rows that were looked at
    decision     VARCHAR NOT NULL CHECK (decision IN ('approved', 'rejected')),
    reviewer     VARCHAR NOT NULL,
    note         VARCHAR,
    decided_at   TIMESTAMPTZ NOT NULL,
    announced_at TIMESTAMPTZ        -- when it was told to whoever waits for it
);

-- Every refresh, also those that did not end well. What is done is known by the other tables; these rows are read by people.
CREATE TABLE refresh (
    refresh_id  UUID NOT NULL,
    recipe      VARCHAR NOT NULL,
    flow_run    VARCHAR,           -- Prefect's id of the run
    host        VARCHAR NOT NULL,
    pid         BIGINT NOT NULL,
    state       VARCHAR NOT NULL CHECK (state IN ('running', 'finished', 'held', 'stopped', 'failed', 'crashed')),
    detail      VARCHAR,           -- one sentence, of a run that did not finish
    new_traces  BIGINT,
    funnel      VARCHAR,           -- as `status --json` told it at the end
    version     VARCHAR,           -- of the release that it left
    started_at  TIMESTAMPTZ NOT NULL,
    finished_at TIMESTAMPTZ
);

-- Sources that could not be read at the last refresh, and since when.
CREATE TABLE source_trouble (
    recipe   VARCHAR NOT NULL,
    source   VARCHAR NOT NULL,  -- its path, as the recipe names it
    sentence VARCHAR NOT NULL,
    since    TIMESTAMPTZ NOT NULL
);

-- Trained models: one row for each run folder, wherever it was made.
CREATE TABLE training_run (
    run_id      VARCHAR NOT NULL,  -- a hash of what makes it one: kind, release, preset, model, seed
    kind        VARCHAR NOT NULL,
    name        VARCHAR NOT NULL,  -- of the release
    version     VARCHAR NOT NULL,
    digest      VARCHAR NOT NULL,
    preset      VARCHAR NOT NULL,
    model       VARCHAR NOT NULL,
    seed        BIGINT NOT NULL,
    state       VARCHAR NOT NULL,
    address     VARCHAR NOT NULL,  -- a folder, or hf://owner/name
    metrics     VARCHAR,
    run         VARCHAR NOT NULL USING COMPRESSION zstd,  -- run.json
    started_at  TIMESTAMPTZ NOT NULL,
    finished_at TIMESTAMPTZ,
    recorded_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE evaluation (
    evaluation_id VARCHAR NOT NULL,  -- a hash of evaluation.json
    run_id        VARCHAR,           -- the run whose model it was, where that is known
    model         VARCHAR NOT NULL,
    preset        VARCHAR NOT NULL,
    name          VARCHAR NOT NULL,  -- of the release whose split was asked
    version       VARCHAR NOT NULL,
    split         VARCHAR NOT NULL,
    score         DOUBLE,            -- the mean orchestrator score over the published categories, own candidates
    low           DOUBLE,
    high          DOUBLE,
    summary       VARCHAR NOT NULL USING COMPRESSION zstd,
    recorded_at   TIMESTAMPTZ NOT NULL
);
