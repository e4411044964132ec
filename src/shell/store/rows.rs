//! Records to rows and back.

use super::{MAX_DEFERRED, MAX_JOBS, MAX_OWED, MAX_USERS, MAX_VALUE_BYTES};
use hub::machine::{Delivery, Identity, JournalEntry, Marks, Owed, Persisted, Record, Verified};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tenant::policy::PolicyDocument;

type Sql<T> = Result<T, rusqlite::Error>;

const IDENTITIES: &str = "identities";
/// What versions without keys kept instead.
const SYSTEM_ID: &str = "system-id";
const DEVICES: &str = "devices";
const POLICY_SEEN: &str = "policy-seen";
const TENANT: &str = "tenant";
const POLICY: &str = "policy";
const CREDENTIAL: &str = "credential";
const HOMES: &str = "homes";
const HISTORY: &str = "history";
const DEPLOYMENTS: &str = "deployments";

/// The last good policy as it is kept. The document is validated again when it is read back.
#[derive(Serialize, Deserialize)]
struct StoredPolicy<D> {
    version: u64,
    document: D,
}

pub(super) fn write(transaction: &Transaction<'_>, record: &Record) -> Sql<()> {
    match record {
        Record::Identities(identities) => put(transaction, IDENTITIES, identities),
        Record::Policy(policy) => {
            put(transaction, POLICY, &StoredPolicy { version: policy.version(), document: policy.get() })
        }
        Record::PolicySeen(unix_s) => put(transaction, POLICY_SEEN, unix_s),
        Record::Tenant(name) => put(transaction, TENANT, name),
        Record::TenantLeft => {
            [TENANT, POLICY, POLICY_SEEN, CREDENTIAL, DEVICES]
                .iter()
                .try_for_each(|key| forget(transaction, key))?;
            transaction.execute_batch("DELETE FROM owed; DELETE FROM user_groups")
        }
        Record::Credential(Some(credential)) => put(transaction, CREDENTIAL, credential),
        Record::Credential(None) => forget(transaction, CREDENTIAL),
        Record::Journal(entry) => transaction
            .prepare("INSERT OR REPLACE INTO job (device, body) VALUES (?1, ?2)")?
            .execute(params![entry.device, json(entry)?])
            .map(drop),
        Record::JournalCleared { device } => {
            transaction.execute("DELETE FROM job WHERE device = ?1", params![device]).map(drop)
        }
        Record::Homes(homes) => put(transaction, HOMES, homes),
        Record::Owed(owed) => write_owed(transaction, owed),
        Record::Delivered(ids) => {
            let mut delete = transaction.prepare("DELETE FROM owed WHERE id = ?1")?;
            ids.iter().try_for_each(|id| delete.execute(params![id]).map(drop))
        }
        Record::Groups { user, groups } => transaction
            .prepare("INSERT OR REPLACE INTO user_groups (user, body) VALUES (?1, ?2)")?
            .execute(params![user, json(groups)?])
            .map(drop),
        Record::Devices(devices) => put(transaction, DEVICES, devices),
        Record::Deferred { offer, version } => transaction
            .prepare("INSERT OR REPLACE INTO deferred (offer, version) VALUES (?1, ?2)")?
            .execute(params![offer, version])
            .map(drop),
        Record::History(history) => put(transaction, HISTORY, history),
        Record::Deployments(past) => put(transaction, DEPLOYMENTS, past),
    }
}

/// A report written twice keeps its place and takes the newer text.
fn write_owed(transaction: &Transaction<'_>, owed: &Owed) -> Sql<()> {
    let kind = match owed.delivery {
        Delivery::Host(_) => "host",
        Delivery::User(_) => "user",
        Delivery::Device(_) => "device",
        Delivery::Update(_) => "update",
        Delivery::Event(_) => "event",
    };
    transaction
        .prepare(
            "INSERT INTO owed (id, unix_s, kind, body) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (id) DO UPDATE SET unix_s = excluded.unix_s, kind = excluded.kind, body = excluded.body",
        )?
        .execute(params![owed.id, owed.unix_s.cast_signed(), kind, json(&owed.delivery)?])
        .map(drop)
}

fn put(transaction: &Transaction<'_>, key: &str, value: &impl Serialize) -> Sql<()> {
    transaction
        .execute("INSERT OR REPLACE INTO single (key, value) VALUES (?1, ?2)", params![key, json(value)?])
        .map(drop)
}

fn forget(transaction: &Transaction<'_>, key: &str) -> Sql<()> {
    transaction.execute("DELETE FROM single WHERE key = ?1", params![key]).map(drop)
}

fn json(value: &impl Serialize) -> Sql<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

pub(super) fn load(connection: &Connection) -> Sql<Persisted> {
    Ok(Persisted {
        identities: load_identities(connection)?,
        tenant: get(connection, TENANT)?,
        policy: load_policy(connection)?,
        policy_seen_s: get(connection, POLICY_SEEN)?,
        credential: get(connection, CREDENTIAL)?,
        journal: load_journal(connection)?,
        homes: get(connection, HOMES)?.unwrap_or_default(),
        owed: load_owed(connection)?,
        groups: many(
            connection,
            "SELECT seq, user, body FROM user_groups WHERE length(body) <= ?1 ORDER BY seq LIMIT ?2",
            "user_groups",
            MAX_USERS,
            |row| Ok((row.get(1)?, row.get::<_, String>(2)?)),
        )?
        .into_iter()
        .filter_map(|(user, body)| Some((user, readable("user_groups", &body)?)))
        .collect(),
        devices: get(connection, DEVICES)?.unwrap_or_default(),
        history: get(connection, HISTORY)?.unwrap_or_default(),
        deployments: get(connection, DEPLOYMENTS)?.unwrap_or_default(),
        deferred: many(
            connection,
            "SELECT seq, offer, version FROM deferred WHERE length(version) <= ?1 ORDER BY seq LIMIT ?2",
            "deferred",
            MAX_DEFERRED,
            |row| Ok((row.get(1)?, row.get(2)?)),
        )?,
    })
}

pub(super) fn load_journal(connection: &Connection) -> Sql<Vec<JournalEntry>> {
    let bodies = many(
        connection,
        "SELECT device, body FROM job WHERE length(body) <= ?1 ORDER BY device LIMIT ?2",
        "job",
        MAX_JOBS,
        |row| row.get::<_, String>(1),
    )?;
    Ok(bodies.iter().filter_map(|body| readable("job", body)).collect())
}

pub(super) fn load_identities(connection: &Connection) -> Sql<Vec<Identity>> {
    if let Some(identities) = get(connection, IDENTITIES)? {
        return Ok(identities);
    }
    let old = get(connection, SYSTEM_ID)?;
    let of = |system_id| Identity { machine: Marks::default(), system_id, key: None, copied_from: None };
    Ok(old.map(of).into_iter().collect())
}

/// Restores the trust that was established before it was written: only this process may write the file.
fn load_policy(connection: &Connection) -> Sql<Option<Verified<PolicyDocument>>> {
    let Some(stored) = get::<StoredPolicy<serde_json::Value>>(connection, POLICY)? else { return Ok(None) };
    match PolicyDocument::from_json(stored.document.to_string().as_bytes()) {
        Ok(document) => Ok(Some(Verified::vouched(document, stored.version))),
        Err(error) => {
            // The error quotes the policy, which names people and has a password.
            tracing::warn!("the stored policy was left out: it is not valid for this version");
            tracing::debug!(%error, "the stored policy");
            Ok(None)
        }
    }
}

fn load_owed(connection: &Connection) -> Sql<Vec<Owed>> {
    // Statuses of updates may stand beyond the bound, see `trim`.
    let rows: Vec<(String, i64, String)> = many(
        connection,
        "SELECT seq, id, unix_s, body FROM owed WHERE length(body) <= ?1 ORDER BY seq LIMIT ?2",
        "owed",
        MAX_OWED * 2,
        |row| Ok((row.get(1)?, row.get(2)?, row.get(3)?)),
    )?;
    let owed = rows.into_iter().filter_map(|(id, unix_s, body)| {
        Some(Owed { id, unix_s: unix_s.cast_unsigned(), delivery: readable("owed", &body)? })
    });
    Ok(owed.collect())
}

fn many<T>(
    connection: &Connection,
    sql: &str,
    table: &'static str,
    limit: u32,
    read: impl Fn(&Row<'_>) -> Sql<T>,
) -> Sql<Vec<T>> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query(params![MAX_VALUE_BYTES, limit])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        match read(row) {
            Ok(value) => out.push(value),
            Err(error) => {
                tracing::warn!(table, seq = ?row.get_ref(0), "a stored row was left out");
                tracing::debug!(table, %error, "a stored row");
            }
        }
    }
    Ok(out)
}

fn get<T: DeserializeOwned>(connection: &Connection, key: &'static str) -> Sql<Option<T>> {
    let text: Option<String> = connection
        .query_row(
            "SELECT value FROM single WHERE key = ?1 AND length(value) <= ?2",
            params![key, MAX_VALUE_BYTES],
            |row| row.get(0),
        )
        .optional()?;
    Ok(text.and_then(|text| readable(key, &text)))
}

/// The error of `serde_json` names line and column, never the text: it may be a token.
fn readable<T: DeserializeOwned>(what: &'static str, text: &str) -> Option<T> {
    serde_json::from_str(text)
        .inspect_err(|error| {
            tracing::warn!(
                what,
                line = error.line(),
                column = error.column(),
                "a stored value was left out: unreadable"
            );
        })
        .ok()
}
