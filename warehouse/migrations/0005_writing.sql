-- What Claude wrote, one row a reply, good or bad: samples to order, and the reasoning of plans that have none. Like
-- judgements these were paid for: never edited, never deleted.
CREATE TABLE writing (
    writing_id    UUID NOT NULL,
    task          VARCHAR NOT NULL,  -- order or thinking
    subject       VARCHAR NOT NULL,  -- what was asked about: a hash of the order's message, or the sample's id
    asked         VARCHAR USING COMPRESSION zstd,  -- of an order: key, category, style and candidates
    spec          VARCHAR NOT NULL,
    backend       VARCHAR NOT NULL,
    model         VARCHAR NOT NULL,
    status        VARCHAR NOT NULL,  -- as it was read when it came
    why           VARCHAR USING COMPRESSION zstd,
    input_tokens  BIGINT NOT NULL,
    output_tokens BIGINT NOT NULL,
    cached_tokens BIGINT NOT NULL,
    usd           DOUBLE,
    raw           VARCHAR NOT NULL USING COMPRESSION zstd,
    received_at   TIMESTAMPTZ NOT NULL
);
