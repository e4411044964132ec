//! What the machine role keeps over a restart: one SQLite file, mode 0600, owned by one process.
//!
//! Write-ahead log. An ordinary transaction survives `kill -9` (`synchronous=NORMAL`); what must also survive the
//! plug being pulled (the firmware journal, verdicts, the host's identity) is synced to the disk (`FULL`).

#![expect(clippy::disallowed_methods, reason = "the database file and its mode are the world")]

use super::os;
use hub::machine::{Delivery, Owed, Persisted, Record};
use hub::problem::Reason;
use hub::protocol::{Detail, Problem};
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, params};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub mod packages;
mod rows;
mod salvage;
mod schema;

/// Most reports kept for a tenant that does not answer.
pub const MAX_OWED: u32 = 10_000;
/// Most users whose groups are remembered; the ones not seen for longest go first.
pub const MAX_USERS: u32 = 1_000;
/// Most put-off offers; the oldest go first.
pub const MAX_DEFERRED: u32 = 10_000;
/// Most journal entries that are read: one for each headset whose update did not end well.
pub const MAX_JOBS: u32 = 10_000;
/// Longest value of a row, bytes. Longer ones are not read.
pub const MAX_VALUE_BYTES: u32 = 8 * 1024 * 1024;

/// How long another process may hold the file before that is a problem.
const BUSY: Duration = Duration::from_secs(2);

/// The open database. Blocking: call it from a thread that may wait for a disk.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    path: PathBuf,
    mended: Option<Problem>,
    /// Whether the connection is at `synchronous=FULL` now.
    syncs_fully: bool,
}

impl Store {
    /// Opens the file, or makes it with its folder. A damaged file is moved aside and a fresh one begun with what cannot be
    /// had again from anywhere; then [`Store::take_mended`] says so.
    ///
    /// # Errors
    /// `store-in-use`, `store-newer`, `store-foreign`, `store-unwritable`, `store-full`, `store-failed`.
    pub fn open(path: &Path) -> Result<Self, Problem> {
        let (fault, fresh) = (|fault: Fault| fault.problem(path), beside(path, ".fresh"));
        // A crash below, between the two names: the fresh file is whole before the damaged one loses its name.
        if is_there(&fresh).map_err(fault)? && !is_there(path).map_err(fault)? {
            std::fs::rename(&fresh, path).map_err(|error| fault(error.into()))?;
        }
        match Self::try_open(path) {
            Err(Fault::Damaged(what)) => {
                let saved = salvage::salvage(path);
                remove(&fresh).map_err(fault)?;
                Self::try_open(&fresh)
                    .and_then(|mut store| store.try_write(&saved.records))
                    .map_err(fault)?;
                let kept = move_aside(path)?;
                std::fs::rename(&fresh, path).map_err(|error| fault(error.into()))?;
                let mended = mended(path, &kept, saved.journal_is_whole);
                tracing::error!(path = %path.display(), damage = what, "{mended}");
                let mut store = Self::try_open(path).map_err(fault)?;
                store.mended = Some(mended);
                Ok(store)
            }
            other => other.map_err(|fault| fault.problem(path)),
        }
    }

    /// That the last file was damaged and where it is now; said once.
    pub fn take_mended(&mut self) -> Option<Problem> {
        self.mended.take()
    }

    fn try_open(path: &Path) -> Result<Self, Fault> {
        prepare_file(path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY)?;
        // EXCLUSIVE: one process owns the file; a second one is told so instead of mixing in.
        connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.pragma_update(None, "trusted_schema", false)?;
        let found: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if found != "ok" {
            return Err(Fault::Damaged(found));
        }
        schema::migrate(&mut connection)?;
        Ok(Self { connection, path: path.to_owned(), mended: None, syncs_fully: false })
    }

    /// Everything that was kept. A row that cannot be read is left out with a warning in the log.
    ///
    /// # Errors
    /// As [`Store::open`]; a file damaged while it was open is moved aside at the next start.
    pub fn load(&self) -> Result<Persisted, Problem> {
        self.try_load().map_err(|error| Fault::from(error).problem(&self.path))
    }

    fn try_load(&self) -> Result<Persisted, rusqlite::Error> {
        let persisted = rows::load(&self.connection)?;
        // The check at opening has left the whole file in the page cache; from here on it is nearly only written.
        self.connection.execute_batch("PRAGMA shrink_memory")?;
        Ok(persisted)
    }

    /// Writes all of `records` or none, in order. `false` = the file held all of it before, so nothing was written and
    /// nothing is known of the disk.
    ///
    /// # Errors
    /// As [`Store::open`]; nothing was written.
    pub fn write(&mut self, records: &[Record]) -> Result<bool, Problem> {
        if records.is_empty() {
            return Ok(false);
        }
        self.try_write(records).map_err(|fault| fault.problem(&self.path))
    }

    fn try_write(&mut self, records: &[Record]) -> Result<bool, Fault> {
        let before = self.connection.total_changes();
        let fully = records.iter().any(must_survive_power_loss);
        if fully != self.syncs_fully {
            // Takes effect only outside a transaction.
            self.connection.pragma_update(None, "synchronous", if fully { "FULL" } else { "NORMAL" })?;
            self.syncs_fully = fully;
        }
        let transaction = self.connection.transaction()?;
        for record in records {
            rows::write(&transaction, record)?;
        }
        trim(&transaction, records)?;
        transaction.commit()?;
        Ok(self.connection.total_changes() != before)
    }
}

fn must_survive_power_loss(record: &Record) -> bool {
    match record {
        Record::Identities(_) | Record::Journal(_) | Record::JournalCleared { .. } => true,
        Record::Owed(Owed { delivery, .. }) => matches!(delivery, Delivery::Update(_)),
        Record::Policy(_)
        | Record::PolicySeen(_)
        | Record::Tenant(_)
        | Record::TenantLeft
        | Record::Credential(_)
        | Record::Delivered(_)
        | Record::Homes(_)
        | Record::Groups { .. }
        | Record::Devices(_)
        | Record::Deferred { .. }
        | Record::History(_)
        | Record::Deployments(_) => false,
    }
}

/// Keeps the tables within their bounds. Of what is owed, events go first, then registrations (the next start says
/// them again); the status of an update is never dropped.
fn trim(transaction: &Transaction<'_>, records: &[Record]) -> Result<(), rusqlite::Error> {
    if records.iter().any(|record| matches!(record, Record::Owed(_))) {
        let count: u32 = transaction.query_row("SELECT count(*) FROM owed", [], |row| row.get(0))?;
        let excess = count.saturating_sub(MAX_OWED);
        if excess > 0 {
            let dropped = transaction.execute(
                "DELETE FROM owed WHERE seq IN (SELECT seq FROM owed WHERE kind <> 'update'
                 ORDER BY kind <> 'event', seq LIMIT ?1)",
                params![excess],
            )?;
            tracing::warn!(dropped, "the outbox is full: the oldest reports were dropped");
        }
    }
    if records.iter().any(|record| matches!(record, Record::Groups { .. })) {
        transaction.execute(
            "DELETE FROM user_groups WHERE seq NOT IN
             (SELECT seq FROM user_groups ORDER BY seq DESC LIMIT ?1)",
            params![MAX_USERS],
        )?;
    }
    if records.iter().any(|record| matches!(record, Record::Deferred { .. })) {
        transaction.execute(
            "DELETE FROM deferred WHERE seq NOT IN (SELECT seq FROM deferred ORDER BY seq DESC LIMIT ?1)",
            params![MAX_DEFERRED],
        )?;
    }
    Ok(())
}

/// Why the file could not be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// SQLite or its own check found it damaged, or it is no database.
    #[error("{0}")]
    Damaged(String),
    #[error("its version is {found}, this program knows versions up to {known}")]
    Newer { found: i64, known: i64 },
    #[error("it belongs to another program (application id {0:#010x})")]
    Foreign(i64),
    #[error("it is a link")]
    Link,
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged(error.to_string()),
            _ => Self::Sqlite(error),
        }
    }
}

impl Fault {
    fn problem(&self, path: &Path) -> Problem {
        let detail = Detail::from(self);
        let reason = match self {
            Self::Damaged(_) => Reason::StoreDamaged { detail },
            Self::Newer { .. } => Reason::StoreNewer { detail },
            Self::Foreign(_) | Self::Link => Reason::StoreForeign { detail },
            Self::Sqlite(error) => match error.sqlite_error_code() {
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Reason::StoreInUse,
                Some(ErrorCode::DiskFull) => Reason::StoreFull,
                Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                    Reason::StoreUnwritable { detail }
                }
                _ => Reason::StoreFailed { detail },
            },
            Self::Io(error) => match error.kind() {
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Reason::StoreFull,
                _ => Reason::StoreUnwritable { detail },
            },
        };
        reason.at(path.display())
    }
}

impl From<&Fault> for Detail {
    fn from(fault: &Fault) -> Self {
        match fault {
            Fault::Damaged(sqlite) => Detail::verbatim(sqlite),
            Fault::Newer { found, known } => {
                Detail::new("store-newer", fault).with("found", found).with("known", known)
            }
            Fault::Foreign(id) => {
                Detail::new("store-foreign", fault).with("application_id", format!("{id:#010x}"))
            }
            Fault::Link => Detail::new("store-link", fault),
            Fault::Io(system) => Detail::verbatim(system),
            Fault::Sqlite(sqlite) => Detail::verbatim(sqlite),
        }
    }
}

/// The file exists, is a plain file and belongs to its user alone; SQLite gives its side files the same mode. None of
/// them is a link: SQLite would follow it.
fn prepare_file(path: &Path) -> Result<(), Fault> {
    for side in ["", "-wal", "-shm", "-journal"] {
        match std::fs::symlink_metadata(beside(path, side)) {
            Ok(meta) if meta.file_type().is_symlink() => return Err(Fault::Link),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
    }
    if let Some(folder) = path.parent() {
        os::private_folder(folder)?;
    }
    let file = os::private_options().read(true).write(true).create(true).truncate(false).open(path)?;
    os::make_private(&file)?;
    Ok(())
}

fn is_there(path: &Path) -> Result<bool, Fault> {
    match std::fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// What a crash left unfinished.
fn remove(path: &Path) -> Result<(), Fault> {
    for side in ["", "-wal", "-shm"] {
        match std::fs::remove_file(beside(path, side)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Renames the file and its write-ahead log, which may hold the only copy of the last changes.
fn move_aside(path: &Path) -> Result<PathBuf, Problem> {
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let kept = beside(path, &format!(".damaged-{now_s}"));
    let fail = |error: std::io::Error| Fault::from(error).problem(path);
    std::fs::rename(path, &kept).map_err(fail)?;
    for side in ["-wal", "-shm"] {
        match std::fs::rename(beside(path, side), beside(path, &format!(".damaged-{now_s}{side}"))) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(fail(error)),
            _ => {}
        }
    }
    Ok(kept)
}

fn mended(path: &Path, kept: &Path, journal_is_whole: bool) -> Problem {
    let journal = if journal_is_whole { "whole" } else { "lost" };
    Reason::StoreMended { kept: kept.display().to_string(), journal: journal.to_owned() }.at(path.display())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::de::DeserializeOwned;

    fn golden<T: DeserializeOwned>(text: &str) -> T {
        serde_json::from_str(text).expect("the golden file of this type")
    }

    /// No test can cut the power; whether SQLite waits for the disk is its `synchronous`: 1 = NORMAL, 2 = FULL.
    #[test]
    fn what_must_survive_a_power_loss_is_at_the_disk_before_it_counts() {
        let journal =
            || Record::Journal(golden(include_str!("../../tests/golden/protocol/journal-entry.json")));
        let event = || Record::Owed(golden(include_str!("../../tests/golden/protocol/owed-event.json")));
        let verdict = || Record::Owed(golden(include_str!("../../tests/golden/protocol/owed-update.json")));
        let deferred = || Record::Deferred { offer: "o".to_owned(), version: "1".to_owned() };
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut store = Store::open(&folder.path().join("hookswitch.db")).expect("a store");
        for (records, level) in [
            (vec![event()], 1),
            (vec![journal()], 2),
            (vec![deferred()], 1),
            (vec![verdict()], 2),
            (vec![Record::Delivered(vec!["x".to_owned()]), Record::Credential(None)], 1),
            (vec![deferred(), journal(), event()], 2),
            (vec![Record::Identities(Vec::new())], 2),
        ] {
            store.write(&records).expect("written");
            let pragma = store.connection.pragma_query_value(None, "synchronous", |row| row.get(0));
            assert_eq!(pragma, Ok(level), "{records:?}");
        }
    }
}
