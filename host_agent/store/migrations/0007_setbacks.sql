-- An outage of a receiver says nothing about the events that wait for it: they keep their order.

ALTER TABLE outbox ADD COLUMN setbacks INTEGER NOT NULL DEFAULT 0;   -- attempts that failed although it was reached
