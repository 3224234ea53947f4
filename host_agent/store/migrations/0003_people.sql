-- What people enter and sign. Each signed entry is one row of audit; every other row here is made from one and refers
-- to it, so that it can be made again from the chain.

CREATE TABLE audit (
    seq INTEGER PRIMARY KEY,                   -- 1, 2, 3 ... without a hole
    kind TEXT NOT NULL,
    entry_id TEXT NOT NULL UNIQUE,             -- an entry is taken once
    entry BLOB NOT NULL CHECK (typeof(entry) = 'blob'),   -- canonical bytes, exactly those that were signed
    signature BLOB NOT NULL CHECK (length(signature) = 64),
    hash BLOB NOT NULL CHECK (length(hash) = 32),   -- SHA-256(hash of the row before || entry || signature)
    stored_utc_ms INTEGER NOT NULL
);
CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit chain is append-only');
END;
CREATE TRIGGER audit_is_never_deleted BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit chain is append-only');
END;
CREATE TRIGGER audit_only_grows_at_its_end BEFORE INSERT ON audit
WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM audit)
BEGIN
    SELECT RAISE(ABORT, 'the audit chain only grows at its end');
END;

CREATE TABLE accounts (
    name TEXT PRIMARY KEY,
    role TEXT NOT NULL CHECK (role IN ('clinician', 'nurse', 'caregiver')),
    key_id BLOB NOT NULL UNIQUE CHECK (length(key_id) = 8),
    public_key BLOB NOT NULL CHECK (length(public_key) = 32),
    added_by INTEGER NOT NULL REFERENCES audit (seq),
    disabled_by INTEGER REFERENCES audit (seq)
) WITHOUT ROWID;

CREATE TABLE context_entries (
    audit INTEGER PRIMARY KEY REFERENCES audit (seq),
    entry_id TEXT NOT NULL UNIQUE,
    binding INTEGER NOT NULL REFERENCES bindings (id),
    account TEXT NOT NULL REFERENCES accounts (name),
    observed_utc_ms INTEGER NOT NULL,
    entered_utc_ms INTEGER NOT NULL,
    corrects INTEGER REFERENCES context_entries (audit),
    simulated INTEGER NOT NULL
);
CREATE INDEX context_of_binding ON context_entries (binding, observed_utc_ms, audit);

CREATE TABLE context_values (
    entry INTEGER NOT NULL REFERENCES context_entries (audit),
    key TEXT NOT NULL,                         -- of the grader's vocabulary
    value TEXT NOT NULL,                       -- JSON; null: withdrawn
    PRIMARY KEY (entry, key)
) WITHOUT ROWID;

-- Grades, deaths and ends of an episode that a clinician signed. A death counts while it is countersigned and not reversed.
CREATE TABLE signed_records (
    audit INTEGER PRIMARY KEY REFERENCES audit (seq),
    entry_id TEXT NOT NULL UNIQUE,
    binding INTEGER NOT NULL REFERENCES bindings (id),
    kind TEXT NOT NULL CHECK (kind IN ('grade', 'death', 'close_episode')),
    account TEXT NOT NULL REFERENCES accounts (name),
    observed_utc_ms INTEGER NOT NULL,
    entered_utc_ms INTEGER NOT NULL,
    scale TEXT,
    scale_version INTEGER,
    grade INTEGER CHECK (grade BETWEEN 1 AND 4),    -- NULL: not stated
    cause TEXT CHECK (cause IN ('crs', 'icans', 'other')),
    countersigned_by INTEGER REFERENCES audit (seq),
    reversed_by INTEGER REFERENCES audit (seq),
    simulated INTEGER NOT NULL
);

-- What the wearable shall know of it; sent again until the wearable says that it journaled it.
CREATE TABLE context_outgoing (
    audit INTEGER PRIMARY KEY REFERENCES audit (seq),
    binding INTEGER NOT NULL REFERENCES bindings (id),
    proof BLOB NOT NULL CHECK (length(proof) = 8),
    observed_utc_ms INTEGER NOT NULL,
    numbers TEXT NOT NULL,                     -- JSON: key number -> value or null
    state TEXT NOT NULL CHECK (state IN ('waiting', 'journaled', 'refused', 'left')),
    attempts INTEGER NOT NULL DEFAULT 0,
    last_error TEXT NOT NULL DEFAULT '',
    done_utc_ms INTEGER
);
CREATE INDEX context_waiting ON context_outgoing (binding, audit) WHERE state = 'waiting';

-- Numbers of one patient on top of the rule set; the newest row of a binding counts.
CREATE TABLE patient_limits (
    audit INTEGER PRIMARY KEY REFERENCES audit (seq),
    binding INTEGER NOT NULL REFERENCES bindings (id),
    limits TEXT NOT NULL,                      -- JSON: name of the rule -> number
    reason TEXT NOT NULL
);

CREATE TABLE rule_sets (
    audit INTEGER PRIMARY KEY REFERENCES audit (seq),
    rule_hash BLOB NOT NULL CHECK (length(rule_hash) = 8),
    rules BLOB NOT NULL,                       -- canonical bytes of crs_core.grade.rules
    account TEXT NOT NULL REFERENCES accounts (name),
    signed_utc_ms INTEGER NOT NULL
);
