//! The tables, and how older files become newer ones.

use super::Fault;
use rusqlite::{Connection, TransactionBehavior};

/// `HSWS`: says whose file it is.
const APPLICATION_ID: i64 = 0x4853_5753;

/// Step N leads from `user_version` N to N + 1. Never change one that was released: add one.
const STEPS: &[&str] = &[
    "
    CREATE TABLE single (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE owed (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, unix_s INTEGER NOT NULL,
        kind TEXT NOT NULL, body TEXT NOT NULL) STRICT;
    CREATE TABLE user_groups (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, user TEXT NOT NULL UNIQUE, body TEXT NOT NULL) STRICT;
    CREATE TABLE deferred (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, offer TEXT NOT NULL UNIQUE, version TEXT NOT NULL) STRICT;
",
    // One journal entry became one for each device.
    "
    CREATE TABLE job (device TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
    INSERT INTO job (device, body)
        SELECT device, value FROM
            (SELECT value, CASE WHEN json_valid(value) THEN json_extract(value, '$.device') END AS device
             FROM single WHERE key = 'journal')
        WHERE typeof(device) = 'text';
    DELETE FROM single WHERE key = 'journal';
",
    // Whose the policy and the reports are: only the credential said so.
    "
    INSERT INTO single (key, value)
        SELECT 'tenant', json_quote(name) FROM
            (SELECT CASE WHEN json_valid(value) THEN json_extract(value, '$.tenant') END AS name
             FROM single WHERE key = 'credential')
        WHERE typeof(name) = 'text' AND name <> '';
",
];

pub(super) fn migrate(connection: &mut Connection) -> Result<(), Fault> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let owner: i64 = transaction.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let version: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let tables: i64 = transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if owner != APPLICATION_ID && (owner != 0 || version != 0 || tables != 0) {
        return Err(Fault::Foreign(owner));
    }
    let known = i64::try_from(STEPS.len()).expect("invariant: a handful of steps");
    let Some(missing) = usize::try_from(version).ok().and_then(|done| STEPS.get(done..)) else {
        return Err(Fault::Newer { found: version, known });
    };
    for step in missing {
        transaction.execute_batch(step)?;
    }
    if !missing.is_empty() {
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", known)?;
    }
    transaction.commit()?;
    Ok(())
}
