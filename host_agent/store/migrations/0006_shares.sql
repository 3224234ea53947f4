-- A receiver's queue has a share for each wearable, so that a flood of one delays no other.

ALTER TABLE outbox ADD COLUMN device INTEGER;                 -- the wearable; NULL: the agent itself
ALTER TABLE outbox ADD COLUMN kind TEXT NOT NULL DEFAULT '';  -- what it repeats when it comes again
ALTER TABLE outbox ADD COLUMN alarm INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN refusals INTEGER NOT NULL DEFAULT 0;   -- how often the receiver refused it for good

UPDATE outbox SET refusals = 1 WHERE state = 'refused';

UPDATE outbox SET
    device = (SELECT id FROM devices WHERE lower(hex(device_id)) = json_extract(payload, '$.device.id')),
    alarm = coalesce(json_extract(payload, '$.alarm.id'), 0)
    WHERE json_valid(payload);

DROP INDEX outbox_pending;
CREATE INDEX outbox_pending ON outbox (target, device, priority) WHERE state = 'pending';
CREATE INDEX outbox_open ON outbox (state) WHERE state IN ('pending', 'refused');
CREATE INDEX outbox_recent ON outbox (target, device, created_utc_ms);
CREATE INDEX outbox_event ON outbox (event_key);
CREATE INDEX outbox_episode ON outbox (episode);

-- Events beyond the share of a wearable: counted here until they are told together.
CREATE TABLE repetitions (
    target TEXT NOT NULL,
    device INTEGER NOT NULL,                   -- 0: the agent itself
    kind TEXT NOT NULL,
    priority INTEGER NOT NULL,
    simulated INTEGER NOT NULL,
    alarm INTEGER NOT NULL,
    number INTEGER NOT NULL,
    first_utc_ms INTEGER NOT NULL,
    last_utc_ms INTEGER NOT NULL,
    PRIMARY KEY (target, device, kind, priority, simulated)
) WITHOUT ROWID;
