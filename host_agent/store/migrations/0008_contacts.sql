-- Who is told of which event: one course for each episode, or for an event without one, and its timers.

CREATE TABLE contact_courses (
    id INTEGER PRIMARY KEY,
    episode INTEGER UNIQUE REFERENCES episodes (id),   -- NULL: an event that nobody accepts
    device INTEGER REFERENCES devices (id),            -- NULL: about the agent itself
    alarm INTEGER NOT NULL,                            -- 0: a grade rise, or something that was signed
    simulated INTEGER NOT NULL,
    kind TEXT NOT NULL,                                -- what its event repeats when it comes again
    event_key TEXT NOT NULL,                           -- of the newest event of the episode
    payload TEXT NOT NULL,
    plan TEXT NOT NULL,                                -- names the plan under which its timers were made
    course TEXT NOT NULL,                              -- JSON, without the timers
    acceptance INTEGER,                                -- when the acceptance was made that the course knows, UTC ms
    is_unreached INTEGER NOT NULL DEFAULT 0,           -- 1: nobody accepted it in time
    is_open INTEGER NOT NULL                           -- 0: nothing of it can happen any more
);
CREATE INDEX contact_courses_open ON contact_courses (id) WHERE is_open = 1;
CREATE INDEX contact_courses_key ON contact_courses (event_key);

-- Its timers. Times count on while the wall clock is set: see contact_time. The table contact_steps, whose rows knew
-- episodes alone, stays as it is and gets no more rows.
CREATE TABLE course_timers (
    course INTEGER NOT NULL REFERENCES contact_courses (id),
    number INTEGER NOT NULL,
    due_utc_ms INTEGER NOT NULL,
    done_utc_ms INTEGER,                               -- NULL: it waits
    detail TEXT NOT NULL,                              -- JSON: which timer it is
    PRIMARY KEY (course, number)
) WITHOUT ROWID;

-- The time of the steps: it goes on from here as the computer's own counter does, whatever is done to the wall clock.
CREATE TABLE contact_time (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    system TEXT NOT NULL,                              -- names this start of the computer
    counted_ms INTEGER NOT NULL,                       -- its counter then
    steady_utc_ms INTEGER NOT NULL,
    utc_ms INTEGER NOT NULL                            -- its wall clock then
);

-- Ends of patients that were told, by binding and moment.
CREATE TABLE told_ends (
    binding INTEGER NOT NULL REFERENCES bindings (id),
    ended_utc_ms INTEGER NOT NULL,
    PRIMARY KEY (binding, ended_utc_ms)
) WITHOUT ROWID;
