//! The tables, one script per version; `user_version` counts how many have run.

use rusqlite::Connection;

use super::StoreError;

const SCRIPTS: &[&str] = &[
    "
CREATE TABLE tenant (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    id TEXT NOT NULL,
    token_sha256 BLOB NOT NULL,
    root_sha256 TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE TABLE host (
    system_id TEXT PRIMARY KEY,
    registration TEXT,
    seen_at INTEGER NOT NULL
) STRICT;
CREATE TABLE access_token (
    token_sha256 BLOB PRIMARY KEY,
    system_id TEXT NOT NULL REFERENCES host (system_id) ON DELETE CASCADE,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE user (
    system_id TEXT NOT NULL REFERENCES host (system_id) ON DELETE CASCADE,
    user TEXT NOT NULL,
    registration TEXT NOT NULL,
    seen_at INTEGER NOT NULL,
    PRIMARY KEY (system_id, user)
) STRICT, WITHOUT ROWID;
CREATE TABLE device (
    system_id TEXT NOT NULL REFERENCES host (system_id) ON DELETE CASCADE,
    device_id TEXT NOT NULL,
    registration TEXT NOT NULL,
    seen_at INTEGER NOT NULL,
    PRIMARY KEY (system_id, device_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE update_status (
    system_id TEXT NOT NULL REFERENCES host (system_id) ON DELETE CASCADE,
    event_id TEXT NOT NULL,
    status TEXT NOT NULL,
    reported_at INTEGER NOT NULL,
    PRIMARY KEY (system_id, event_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE event (
    system_id TEXT NOT NULL REFERENCES host (system_id) ON DELETE CASCADE,
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    event TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    PRIMARY KEY (system_id, source, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX event_age ON event (received_at);
CREATE TABLE manual_group (
    user TEXT NOT NULL,
    group_id TEXT NOT NULL,
    PRIMARY KEY (user, group_id)
) STRICT, WITHOUT ROWID;
",
    "
-- Hosts enrolled before they had keys pin one at their next enrolment.
ALTER TABLE host ADD COLUMN host_key TEXT;
ALTER TABLE host ADD COLUMN pinned_at INTEGER;
CREATE INDEX IF NOT EXISTS event_host ON event (system_id, received_at);
DELETE FROM access_token;
CREATE TABLE refused_enrolment (
    system_id TEXT NOT NULL REFERENCES host (system_id) ON DELETE CASCADE,
    host_key TEXT NOT NULL,
    peer TEXT NOT NULL,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    times INTEGER NOT NULL,
    PRIMARY KEY (system_id, host_key)
) STRICT, WITHOUT ROWID;
",
    "
-- What one host may keep is counted in bytes too.
ALTER TABLE event ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
UPDATE event SET bytes = length(CAST(event AS BLOB));
DROP INDEX IF EXISTS event_host;
CREATE INDEX event_host ON event (system_id, received_at, bytes);
",
];

pub(super) fn run(connection: &mut Connection) -> Result<(), StoreError> {
    let known = i64::try_from(SCRIPTS.len()).unwrap_or(i64::MAX);
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let found: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    for script in SCRIPTS.iter().skip(usize::try_from(found).unwrap_or_default()) {
        transaction.execute_batch(script)?;
    }
    transaction.pragma_update(None, "user_version", known)?;
    transaction.commit()?;
    Ok(())
}
