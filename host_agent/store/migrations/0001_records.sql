-- What wearables said, byte for byte and decoded. Times of records are (boot, t_ms); wall time is computed from
-- time_marks. All *_utc_ms columns are this laptop's clock. Ids without a unit are internal row ids.

CREATE TABLE patients (
    id INTEGER PRIMARY KEY,
    pseudonym TEXT NOT NULL UNIQUE,            -- never a name
    profile TEXT NOT NULL DEFAULT '',          -- canonical text, as sent to the wearable
    created_utc_ms INTEGER NOT NULL
);

CREATE TABLE devices (
    id INTEGER PRIMARY KEY,
    device_id BLOB NOT NULL UNIQUE CHECK (length(device_id) = 8),
    name TEXT NOT NULL DEFAULT '',
    simulated INTEGER NOT NULL DEFAULT 0,
    max_boot INTEGER NOT NULL DEFAULT 0,       -- highest boot number ever heard: a lower one is an older image
    first_seen_utc_ms INTEGER NOT NULL,
    last_seen_utc_ms INTEGER NOT NULL,
    settings_version INTEGER NOT NULL DEFAULT 0,
    settings TEXT NOT NULL DEFAULT ''          -- last canonical text, without secrets
);

CREATE TABLE bindings (
    id INTEGER PRIMARY KEY,
    binding_id BLOB NOT NULL UNIQUE CHECK (length(binding_id) = 8),
    patient INTEGER REFERENCES patients (id),
    device INTEGER NOT NULL REFERENCES devices (id),
    profile TEXT NOT NULL DEFAULT '',
    state TEXT NOT NULL CHECK (state IN ('starting', 'active', 'ending', 'ended')),
    started_utc_ms INTEGER NOT NULL,
    ended_utc_ms INTEGER,
    ended_by TEXT NOT NULL DEFAULT ''          -- '' or why unsynced records were given up
);
CREATE UNIQUE INDEX one_open_binding ON bindings (device) WHERE state <> 'ended';

-- One journal of one wearable. A fork opens a new row with branch + 1: both contents are kept.
CREATE TABLE journals (
    id INTEGER PRIMARY KEY,
    device INTEGER NOT NULL REFERENCES devices (id),
    journal_id BLOB NOT NULL CHECK (length(journal_id) = 8),
    branch INTEGER NOT NULL DEFAULT 0,
    parent INTEGER REFERENCES journals (id),   -- the branch this one leaves ...
    base_seq INTEGER NOT NULL DEFAULT 0,       -- ... after this seq
    binding INTEGER REFERENCES bindings (id),  -- NULL: quarantined, never graded or escalated
    cursor INTEGER NOT NULL DEFAULT 0,         -- every seq up to here is committed or answered by a gap
    verified_seq INTEGER NOT NULL DEFAULT 0,   -- grade steps re-run up to here
    verify_state BLOB,                         -- grader state after verified_seq; NULL: wait for a state record
    first_seen_utc_ms INTEGER NOT NULL,
    is_current INTEGER NOT NULL DEFAULT 1,
    UNIQUE (device, journal_id, branch)
);
CREATE UNIQUE INDEX one_current_journal ON journals (device) WHERE is_current = 1;

-- Reasons known to this host why a wearable may show a new journal: provisioning, patient start, patient end.
CREATE TABLE journal_changes (
    id INTEGER PRIMARY KEY,
    device_id BLOB NOT NULL CHECK (length(device_id) = 8),
    why TEXT NOT NULL CHECK (why IN ('provisioned', 'patient_start', 'patient_end')),
    binding INTEGER REFERENCES bindings (id),
    created_utc_ms INTEGER NOT NULL,
    used_by INTEGER REFERENCES journals (id)   -- NULL: still awaited
);

CREATE TABLE blocks (
    journal INTEGER NOT NULL REFERENCES journals (id),
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    codec INTEGER NOT NULL,
    flags INTEGER NOT NULL,
    boot INTEGER NOT NULL,
    start_ms INTEGER NOT NULL,
    understood INTEGER NOT NULL,               -- 0: kind or codec newer than this program; decoded after an update
    received_utc_ms INTEGER NOT NULL,
    raw BLOB NOT NULL,                         -- the bytes of flash and wire
    PRIMARY KEY (journal, first_seq)
) WITHOUT ROWID;

CREATE TABLE readings (
    journal INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    boot INTEGER NOT NULL,
    t_ms INTEGER NOT NULL,
    temp_cc INTEGER,
    spo2_tenths INTEGER,
    hr_bpm INTEGER,
    pi_hundredths INTEGER,
    status INTEGER NOT NULL,
    simulated INTEGER NOT NULL,
    PRIMARY KEY (journal, seq)
) WITHOUT ROWID;

CREATE TABLE events (
    journal INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    boot INTEGER NOT NULL,
    t_ms INTEGER NOT NULL,
    type INTEGER NOT NULL,
    payload BLOB NOT NULL,
    simulated INTEGER NOT NULL,
    understood INTEGER NOT NULL DEFAULT 1,     -- 0: type unknown or payload malformed
    PRIMARY KEY (journal, seq)
) WITHOUT ROWID;
CREATE INDEX events_by_type ON events (journal, type, seq);

CREATE TABLE gaps (
    journal INTEGER NOT NULL REFERENCES journals (id),
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    reason INTEGER NOT NULL,
    received_utc_ms INTEGER NOT NULL,
    PRIMARY KEY (journal, first_seq, last_seq)
) WITHOUT ROWID;

CREATE TABLE grades (
    journal INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    boot INTEGER NOT NULL,
    t_ms INTEGER NOT NULL,
    scale INTEGER NOT NULL,
    scale_version INTEGER NOT NULL,
    rule_hash BLOB NOT NULL,
    lower INTEGER,                             -- NULL: not gradable
    upper INTEGER,
    fever INTEGER NOT NULL,
    status INTEGER NOT NULL,
    reasons BLOB NOT NULL,                     -- one byte per reason code
    missing BLOB NOT NULL,
    temp_age_ms INTEGER,
    ppg_age_ms INTEGER,
    simulated INTEGER NOT NULL,
    PRIMARY KEY (journal, seq)
) WITHOUT ROWID;

CREATE TABLE alarm_changes (
    journal INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    alarm INTEGER NOT NULL,
    priority INTEGER NOT NULL,                 -- 0: ended
    boot INTEGER NOT NULL,
    t_ms INTEGER NOT NULL,
    simulated INTEGER NOT NULL,
    PRIMARY KEY (journal, seq, alarm)
) WITHOUT ROWID;

CREATE TABLE time_marks (
    device INTEGER NOT NULL REFERENCES devices (id),
    boot INTEGER NOT NULL,
    t_ms INTEGER NOT NULL,
    -- key columns first: integrity_check of SQLite 3.40 misreads a WITHOUT ROWID table that mixes them
    source TEXT NOT NULL CHECK (source IN ('journal', 'live')),
    utc_ms INTEGER NOT NULL,
    bound_ms INTEGER NOT NULL,
    PRIMARY KEY (device, boot, t_ms, source)
) WITHOUT ROWID;

-- The latest moment known of each boot, and when its record came: bounds the time of boots without a mark.
CREATE TABLE boots (
    device INTEGER NOT NULL REFERENCES devices (id),
    boot INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    received_utc_ms INTEGER NOT NULL,
    PRIMARY KEY (device, boot)
) WITHOUT ROWID;

CREATE TABLE forks (
    id INTEGER PRIMARY KEY,
    journal INTEGER NOT NULL REFERENCES journals (id),   -- what was known
    branch INTEGER REFERENCES journals (id),             -- where the other bytes went; NULL: none seen yet
    how TEXT NOT NULL CHECK (how IN ('bytes', 'head', 'boot')),
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    known BLOB,                                          -- bytes held before
    other BLOB,                                          -- bytes that came under the same key
    detected_utc_ms INTEGER NOT NULL
);

CREATE TABLE disagreements (
    id INTEGER PRIMARY KEY,
    journal INTEGER NOT NULL REFERENCES journals (id),
    seq INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('grade', 'alarm', 'state', 'rules', 'malformed')),
    device_says TEXT NOT NULL,
    host_says TEXT NOT NULL,
    rule_hash BLOB NOT NULL,
    detected_utc_ms INTEGER NOT NULL,
    UNIQUE (journal, seq, kind)
);

CREATE TABLE counters (
    device INTEGER NOT NULL,                   -- devices.id, 0 for the agent itself
    name TEXT NOT NULL,
    value INTEGER NOT NULL,
    PRIMARY KEY (device, name)
) WITHOUT ROWID;

-- What the host itself found wrong, reason codes of crs_core.reasons; open while ended_utc_ms is NULL.
CREATE TABLE host_alarms (
    id INTEGER PRIMARY KEY,
    device INTEGER REFERENCES devices (id),    -- NULL: the agent itself
    alarm INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    detail TEXT NOT NULL,
    raised_utc_ms INTEGER NOT NULL,
    changed_utc_ms INTEGER NOT NULL,
    ended_utc_ms INTEGER
);
CREATE UNIQUE INDEX one_open_host_alarm ON host_alarms (coalesce(device, 0), alarm) WHERE ended_utc_ms IS NULL;
