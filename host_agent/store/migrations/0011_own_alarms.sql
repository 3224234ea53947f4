-- An episode may be about this laptop itself, so that its own alarms are accepted and silenced as those of a wearable.
DROP INDEX episodes_open;
ALTER TABLE episodes ADD COLUMN about INTEGER REFERENCES devices (id);   -- NULL: about the agent itself
UPDATE episodes SET about = device;
ALTER TABLE episodes DROP COLUMN device;
ALTER TABLE episodes RENAME COLUMN about TO device;
CREATE INDEX episodes_open ON episodes (device, alarm) WHERE state <> 'closed';

INSERT INTO episodes (key, kind, alarm, priority, peak_priority, state, simulated, opened_utc_ms, changed_utc_ms)
SELECT 'host-' || id, 'host', alarm, priority, priority, 'open', 0, raised_utc_ms, changed_utc_ms FROM host_alarms
WHERE device IS NULL AND ended_utc_ms IS NULL;
