//! What the tenant knows about its hosts: one SQLite file in WAL mode. Registrations are kept as the JSON of their
//! wire type; the columns beside it are what is searched for.

mod hosts;
mod inventory;
mod migrations;

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, params};
use serde::Serialize;
use tenant::wire::{
    DeviceRegistration, EventBatch, EventsAnswer, HostRegistration, UpdateStatus, UserRegistration,
};
use thiserror::Error;

pub(crate) use hosts::{Enrolled, Enrolment, TokenHost};

/// People one host may register.
pub(crate) const MOST_USERS: u32 = 500;
/// Devices one host may register.
pub(crate) const MOST_DEVICES: u32 = 500;
/// Ended updates and events kept of one host; the oldest go first.
const MOST_UPDATES: u32 = 1_000;
const MOST_EVENTS: u32 = 20_000;

/// Events are kept for 90 days, and so is the memory that an id was seen.
const EVENT_LIFE_S: i64 = 90 * 24 * 60 * 60;

/// Why the store did not answer.
#[derive(Debug, Error)]
pub(crate) enum StoreError {
    #[error("tenant.db: {0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("tenant.db: a stored registration cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    #[error("tenant.db has version {found}, this program knows {known}; use a newer hookswitch-tenant")]
    Newer { found: i64, known: i64 },
    #[error("tenant.db holds no tenant; it was not made by `hookswitch-tenant init`")]
    NoTenant,
}

/// The tenant itself.
#[derive(Debug, Clone)]
pub(crate) struct Tenant {
    pub(crate) id: String,
    pub(crate) token_sha256: Vec<u8>,
    pub(crate) root_sha256: String,
}

/// What became of an update status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recorded {
    /// Stored, or known, or older than what is known.
    Done,
    /// Another final verdict is already there.
    Conflict,
    /// The host has as many of them as it may have.
    Full,
}

/// An open store.
#[derive(Debug)]
pub(crate) struct Store {
    connection: Connection,
}

impl Store {
    /// Opens the file and brings it to the current version.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let mut connection = Connection::open(path)?;
        connection.busy_timeout(Duration::from_secs(2))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // FULL: an event that was acknowledged survives a power cut.
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        migrations::run(&mut connection)?;
        Ok(Self { connection })
    }

    pub(crate) fn create_tenant(&self, tenant: &Tenant, now_s: i64) -> Result<(), StoreError> {
        self.connection.execute(
            "INSERT INTO tenant (only, id, token_sha256, root_sha256, created_at) VALUES (1, ?1, ?2, ?3, ?4)",
            params![tenant.id, tenant.token_sha256, tenant.root_sha256, now_s],
        )?;
        Ok(())
    }

    pub(crate) fn tenant(&self) -> Result<Tenant, StoreError> {
        let query = "SELECT id, token_sha256, root_sha256 FROM tenant";
        let row = self.connection.query_row(query, [], |row| {
            Ok(Tenant { id: row.get(0)?, token_sha256: row.get(1)?, root_sha256: row.get(2)? })
        });
        row.optional()?.ok_or(StoreError::NoTenant)
    }

    pub(crate) fn put_host(&self, host: &HostRegistration, now_s: i64) -> Result<(), StoreError> {
        self.connection.execute(
            "INSERT INTO host (system_id, registration, seen_at) VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET registration = ?2, seen_at = ?3",
            params![host.system_id, json(host)?, now_s],
        )?;
        Ok(())
    }

    pub(crate) fn put_user(
        &self,
        system_id: &str,
        user: &UserRegistration,
        now_s: i64,
    ) -> Result<Recorded, StoreError> {
        let done = self.connection.execute(
            "INSERT INTO user (system_id, user, registration, seen_at)
             SELECT ?1, ?2, ?3, ?4 WHERE EXISTS (SELECT 1 FROM user WHERE system_id = ?1 AND user = ?2)
             OR (SELECT count(*) FROM user WHERE system_id = ?1) < ?5
             ON CONFLICT DO UPDATE SET registration = ?3, seen_at = ?4",
            params![system_id, user.user, json(user)?, now_s, MOST_USERS],
        )?;
        Ok(if done == 0 { Recorded::Full } else { Recorded::Done })
    }

    pub(crate) fn put_device(
        &self,
        system_id: &str,
        device: &DeviceRegistration,
        now_s: i64,
    ) -> Result<Recorded, StoreError> {
        let done = self.connection.execute(
            "INSERT INTO device (system_id, device_id, registration, seen_at)
             SELECT ?1, ?2, ?3, ?4 WHERE EXISTS (SELECT 1 FROM device WHERE system_id = ?1 AND device_id = ?2)
             OR (SELECT count(*) FROM device WHERE system_id = ?1) < ?5
             ON CONFLICT DO UPDATE SET registration = ?3, seen_at = ?4",
            params![system_id, device.device_id, json(device)?, now_s, MOST_DEVICES],
        )?;
        Ok(if done == 0 { Recorded::Full } else { Recorded::Done })
    }

    pub(crate) fn put_update(
        &mut self,
        system_id: &str,
        status: &UpdateStatus,
        now_s: i64,
    ) -> Result<Recorded, StoreError> {
        let transaction = self.connection.transaction()?;
        let query = "SELECT status FROM update_status WHERE system_id = ?1 AND event_id = ?2";
        let known: Option<String> =
            transaction.query_row(query, params![system_id, status.event_id], |row| row.get(0)).optional()?;
        if let Some(known) = known {
            let known: UpdateStatus = serde_json::from_str(&known)?;
            if known == *status || (known.verdict.is_final() && !status.verdict.is_final()) {
                return Ok(Recorded::Done);
            }
            if known.verdict.is_final() {
                return Ok(Recorded::Conflict);
            }
        }
        transaction.execute(
            "INSERT INTO update_status (system_id, event_id, status, reported_at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET status = ?3, reported_at = ?4",
            params![system_id, status.event_id, json(status)?, now_s],
        )?;
        transaction.execute(
            "DELETE FROM update_status WHERE system_id = ?1 AND event_id NOT IN
             (SELECT event_id FROM update_status WHERE system_id = ?1
              ORDER BY reported_at DESC, event_id LIMIT ?2)",
            params![system_id, MOST_UPDATES],
        )?;
        transaction.commit()?;
        Ok(Recorded::Done)
    }

    /// Stores a batch, all or nothing.
    pub(crate) fn put_events(
        &mut self,
        system_id: &str,
        batch: &EventBatch,
        now_s: i64,
    ) -> Result<EventsAnswer, StoreError> {
        let transaction = self.connection.transaction()?;
        transaction.execute("DELETE FROM event WHERE received_at < ?1", params![now_s - EVENT_LIFE_S])?;
        let mut answer = EventsAnswer { accepted: 0, duplicates: 0 };
        {
            let mut insert = transaction.prepare(
                "INSERT OR IGNORE INTO event (system_id, source, id, event, received_at) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?;
            for event in &batch.0 {
                match insert.execute(params![system_id, event.source, event.id, json(event)?, now_s])? {
                    0 => answer.duplicates += 1,
                    _ => answer.accepted += 1,
                }
            }
        }
        transaction.execute(
            "DELETE FROM event WHERE system_id = ?1 AND received_at <= coalesce(
                (SELECT received_at FROM event WHERE system_id = ?1 ORDER BY received_at DESC LIMIT 1 OFFSET ?2), -1)
             AND received_at < ?3",
            params![system_id, MOST_EVENTS, now_s],
        )?;
        transaction.commit()?;
        Ok(answer)
    }

    /// Groups a user of a host was put in by hand, sorted. `None` = the host has no such user: what the company knows
    /// of people is not for every machine to ask.
    pub(crate) fn manual_groups(
        &self,
        system_id: &str,
        user: &str,
    ) -> Result<Option<Vec<String>>, StoreError> {
        let here = "SELECT EXISTS (SELECT 1 FROM user WHERE system_id = ?1 AND user = ?2)";
        if !self.connection.query_row(here, params![system_id, user], |row| row.get(0))? {
            return Ok(None);
        }
        let mut query =
            self.connection.prepare("SELECT group_id FROM manual_group WHERE user = ?1 ORDER BY group_id")?;
        let rows = query.query_map(params![user], |row| row.get(0))?;
        Ok(Some(rows.collect::<Result<_, _>>()?))
    }

    /// Puts a user in a group or takes them out. Returns whether that changed anything.
    pub(crate) fn assign(&self, user: &str, group: &str, member: bool) -> Result<bool, StoreError> {
        let statement = if member {
            "INSERT OR IGNORE INTO manual_group (user, group_id) VALUES (?1, ?2)"
        } else {
            "DELETE FROM manual_group WHERE user = ?1 AND group_id = ?2"
        };
        Ok(self.connection.execute(statement, params![user, group])? > 0)
    }
}

fn json<T: Serialize>(value: &T) -> Result<String, StoreError> {
    Ok(serde_json::to_string(value)?)
}
