-- Who accepted or silenced which alarm, how and until when. A row stays for ever; what became of it is written into it.
CREATE TABLE acceptances (
    id INTEGER PRIMARY KEY,
    episode INTEGER NOT NULL REFERENCES episodes (id),
    kind TEXT NOT NULL CHECK (kind IN ('accepted', 'silenced')),
    who TEXT NOT NULL,
    how TEXT NOT NULL,                         -- command line, page, wearable, or the name of a receiver
    audit INTEGER REFERENCES audit (seq),      -- NULL: no account signed it
    note TEXT NOT NULL DEFAULT '',
    priority INTEGER NOT NULL,                 -- what the person saw: it covers nothing above
    at_utc_ms INTEGER NOT NULL,
    until_utc_ms INTEGER NOT NULL,
    after INTEGER REFERENCES acceptances (id), -- of somebody who came second: the one that counted already
    number INTEGER NOT NULL,                   -- 1, 2, 3 ... within the episode
    ended_utc_ms INTEGER,
    ended_by TEXT NOT NULL DEFAULT '',         -- lapsed, rise, over, renewed
    -- '': the wearable has nothing to know of it
    wearable TEXT NOT NULL DEFAULT '' CHECK (wearable IN ('', 'waiting', 'sent', 'journaled', 'refused', 'left')),
    wearable_error TEXT NOT NULL DEFAULT '',
    journal INTEGER REFERENCES journals (id),  -- the ACCEPTED record of it
    seq INTEGER,
    UNIQUE (episode, number)
);
CREATE INDEX acceptances_open ON acceptances (episode) WHERE ended_utc_ms IS NULL;
CREATE INDEX acceptances_waiting ON acceptances (episode) WHERE wearable = 'waiting';
CREATE UNIQUE INDEX acceptances_record ON acceptances (journal, seq) WHERE seq IS NOT NULL;

-- The code with which the reader of one message may accept its alarm, once. The code itself stands in the message alone.
CREATE TABLE reply_tokens (
    hash BLOB PRIMARY KEY CHECK (length(hash) = 32),     -- SHA-256 of the code
    target TEXT NOT NULL,
    event_key TEXT NOT NULL,
    episode INTEGER NOT NULL REFERENCES episodes (id),
    priority INTEGER NOT NULL,                 -- what the message said
    until_utc_ms INTEGER NOT NULL,
    used_by INTEGER REFERENCES acceptances (id)
) WITHOUT ROWID;
