-- What people call the patient in messages, when somebody chose it; else the pseudonym. It never leaves for the wearable.
CREATE TABLE patient_labels (
    binding INTEGER PRIMARY KEY REFERENCES bindings (id),
    label TEXT NOT NULL
);

-- When the receiver was first given the message: from then on its text stays as it is.
ALTER TABLE outbox ADD COLUMN handed_utc_ms INTEGER;
UPDATE outbox SET handed_utc_ms = created_utc_ms WHERE attempts > 0;
