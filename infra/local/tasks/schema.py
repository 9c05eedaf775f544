"""The SQLite schema of the queue server. Times are microseconds since 1970."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS queues (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT UNIQUE,              -- NULL once deleted, until its tasks are swept away
    message BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS tasks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    queue_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    named INTEGER NOT NULL,        -- 1 when the caller chose the name: leaves a tombstone
    content BLOB NOT NULL,         -- Task message: HTTP request and retry settings
    created INTEGER NOT NULL,
    eta INTEGER NOT NULL,
    deadline INTEGER NOT NULL,
    claimed INTEGER NOT NULL DEFAULT 0,
    dispatches INTEGER NOT NULL DEFAULT 0,
    responses INTEGER NOT NULL DEFAULT 0,
    executions INTEGER NOT NULL DEFAULT 0,
    first_dispatch INTEGER NOT NULL DEFAULT 0,
    last_eta INTEGER NOT NULL DEFAULT 0,
    last_dispatch INTEGER NOT NULL DEFAULT 0,
    last_response INTEGER NOT NULL DEFAULT 0,
    last_status INTEGER NOT NULL DEFAULT 0,
    last_code INTEGER NOT NULL DEFAULT 0,
    last_message TEXT NOT NULL DEFAULT '',
    UNIQUE (queue_id, name)
);
CREATE INDEX IF NOT EXISTS tasks_due ON tasks (queue_id, eta, id) WHERE claimed = 0;
CREATE INDEX IF NOT EXISTS tasks_claimed ON tasks (id) WHERE claimed = 1;
CREATE TABLE IF NOT EXISTS tombstones (
    queue_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (queue_id, name)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS tombstones_until ON tombstones (until);
"""
