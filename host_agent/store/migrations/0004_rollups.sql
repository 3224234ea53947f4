-- Five-minute roll-ups for long views, and readings whose rows were removed on purpose.

-- What a reading may say, by the guards of the grader and the default perfusion limit; NULL is no value. A view, so that
-- the rows below and every later insertion mean the same by "valid". Buckets count five minutes of the wearable's own
-- clock from its start: a time mark that comes later moves all times of a boot, and no reading into another bucket.
CREATE VIEW valid_readings AS
SELECT
    journal,
    seq,
    boot,
    t_ms / 300000 AS bucket,
    status & 7 AS site,
    simulated,
    CASE WHEN status & 56 = 0 AND status & 3072 <> 2048 AND temp_cc BETWEEN 2500 AND 4500
        AND status & 7 BETWEEN 1 AND 6 THEN temp_cc END AS temp_cc,
    CASE WHEN status & 960 = 0 AND status & 3072 <> 2048 AND spo2_tenths BETWEEN 500 AND 1000
        AND coalesce(pi_hundredths >= 5, 1) THEN spo2_tenths END AS spo2_tenths,
    CASE WHEN status & 960 = 0 AND status & 3072 <> 2048 AND hr_bpm BETWEEN 20 AND 300 THEN hr_bpm END AS hr_bpm
FROM readings;

-- Site and simulation are part of the key: two sites are never one mean, and nothing simulated is mixed with measured.
CREATE TABLE rollups (
    journal INTEGER NOT NULL REFERENCES journals (id),
    boot INTEGER NOT NULL,
    bucket INTEGER NOT NULL,                   -- t_ms / 300000
    site INTEGER NOT NULL,
    simulated INTEGER NOT NULL,
    n INTEGER NOT NULL,                        -- readings, whatever they say
    temp_n INTEGER NOT NULL,                   -- valid values; 0: sum is 0, min and max are NULL
    temp_sum INTEGER NOT NULL,
    temp_min INTEGER,
    temp_max INTEGER,
    spo2_n INTEGER NOT NULL,
    spo2_sum INTEGER NOT NULL,
    spo2_min INTEGER,
    spo2_max INTEGER,
    hr_n INTEGER NOT NULL,
    hr_sum INTEGER NOT NULL,
    hr_min INTEGER,
    hr_max INTEGER,
    PRIMARY KEY (journal, boot, bucket, site, simulated)
) WITHOUT ROWID;

INSERT INTO rollups
SELECT
    journal, boot, bucket, site, simulated, count(*),
    count(temp_cc), coalesce(sum(temp_cc), 0), min(temp_cc), max(temp_cc),
    count(spo2_tenths), coalesce(sum(spo2_tenths), 0), min(spo2_tenths), max(spo2_tenths),
    count(hr_bpm), coalesce(sum(hr_bpm), 0), min(hr_bpm), max(hr_bpm)
FROM valid_readings
GROUP BY journal, boot, bucket, site, simulated;

-- One row for each journal and run of retention. The bytes stay in blocks; only rows of readings went.
CREATE TABLE thinnings (
    id INTEGER PRIMARY KEY,
    journal INTEGER NOT NULL REFERENCES journals (id),
    run_utc_ms INTEGER NOT NULL,
    keep_days INTEGER NOT NULL,                -- the setting that was in force
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    readings INTEGER NOT NULL,
    UNIQUE (journal, run_utc_ms)
);

ALTER TABLE blocks ADD COLUMN thinned INTEGER REFERENCES thinnings (id);   -- NULL: its rows are here
