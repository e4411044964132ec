//! What of a damaged file cannot be had again from anywhere: which headsets wait for their firmware, and the machine's key.

use super::rows;
use hub::machine::Record;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;

#[derive(Debug)]
pub(super) struct Salvaged {
    pub(super) records: Vec<Record>,
    /// The journal could be read to its end.
    pub(super) journal_is_whole: bool,
}

/// Reads only; the file stays as it is, for support.
pub(super) fn salvage(damaged: &Path) -> Salvaged {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut out = Salvaged { records: Vec::new(), journal_is_whole: false };
    let Ok(connection) = Connection::open_with_flags(damaged, flags) else { return out };
    // A damaged file may hold whatever its bytes became.
    let _ = connection.pragma_update(None, "trusted_schema", false);
    match rows::load_journal(&connection) {
        Ok(journal) => {
            out.journal_is_whole = true;
            out.records.extend(journal.into_iter().map(Record::Journal));
        }
        Err(error) => tracing::error!(%error, "the journal of the damaged database"),
    }
    match rows::load_identities(&connection) {
        Ok(identities) if !identities.is_empty() => out.records.push(Record::Identities(identities)),
        Ok(_) => {}
        Err(error) => tracing::error!(%error, "the identity in the damaged database"),
    }
    out
}
