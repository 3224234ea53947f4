-- Whose clock dated a wearable, and when each boot was heard: no record is newer than the moment at which it came.

ALTER TABLE time_marks ADD COLUMN key_id INTEGER;             -- the host key that sent the time; NULL: not known
ALTER TABLE time_marks ADD COLUMN own INTEGER NOT NULL DEFAULT 0;   -- 1: measured by this laptop, counts before others
UPDATE time_marks SET own = 1 WHERE source = 'live';

-- The earliest receipt, by the wearable's clock of this boot: at tight_ms it was tight_utc_ms at the latest.
ALTER TABLE boots ADD COLUMN tight_ms INTEGER;                -- NULL: written before this column, last_ms stands for it
ALTER TABLE boots ADD COLUMN tight_utc_ms INTEGER;
