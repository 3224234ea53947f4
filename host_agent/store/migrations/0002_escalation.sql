-- Episodes, contact steps and the outbox. Rows here and the records they come from are written in one commit:
-- no event without its outbox rows, no row without its event.

CREATE TABLE episodes (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,                  -- same cause, same key: replaying a record opens nothing twice
    device INTEGER NOT NULL REFERENCES devices (id),
    journal INTEGER REFERENCES journals (id),
    binding INTEGER REFERENCES bindings (id),
    kind TEXT NOT NULL,                        -- alarm, grade, host
    alarm INTEGER NOT NULL,
    priority INTEGER NOT NULL,                 -- of the condition now; 0: condition over
    peak_priority INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'accepted', 'closed')),
    simulated INTEGER NOT NULL,
    opened_utc_ms INTEGER NOT NULL,
    changed_utc_ms INTEGER NOT NULL,
    closed_utc_ms INTEGER,
    accepted_by TEXT NOT NULL DEFAULT '',
    accepted_utc_ms INTEGER,
    acceptance_lapses_utc_ms INTEGER,
    detail TEXT NOT NULL DEFAULT '{}'          -- JSON
);
CREATE INDEX episodes_open ON episodes (device, alarm) WHERE state <> 'closed';

CREATE TABLE contact_steps (
    episode INTEGER NOT NULL REFERENCES episodes (id),
    step INTEGER NOT NULL,
    due_utc_ms INTEGER NOT NULL,
    done_utc_ms INTEGER,
    detail TEXT NOT NULL DEFAULT '{}',
    PRIMARY KEY (episode, step)
) WITHOUT ROWID;

CREATE TABLE outbox (
    id INTEGER PRIMARY KEY,
    target TEXT NOT NULL,
    event_key TEXT NOT NULL,                   -- also the Idempotency-Key
    episode INTEGER REFERENCES episodes (id),
    priority INTEGER NOT NULL,
    simulated INTEGER NOT NULL,
    payload TEXT NOT NULL,                     -- JSON, exactly the bytes that are signed and sent
    state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'refused', 'withheld')),
    created_utc_ms INTEGER NOT NULL,
    next_try_utc_ms INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    last_error TEXT NOT NULL DEFAULT '',
    delivered_utc_ms INTEGER,
    UNIQUE (target, event_key)
);
CREATE INDEX outbox_pending ON outbox (target, next_try_utc_ms) WHERE state = 'pending';
