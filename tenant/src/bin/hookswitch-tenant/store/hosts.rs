//! Whose hosts are whose: the key each is pinned to, its access tokens, and who else tried.

use std::fmt;

use rusqlite::{OptionalExtension as _, params};
use serde::Serialize;
use tenant::wire::{ACCESS_TOKEN_LIFE_S, HostRegistration};

use super::{Store, StoreError};
use crate::digest::{same, sha256};
#[cfg(test)]
use tenant::grammar::HOST_KEY;

/// Other keys remembered of one host; the ones not seen for longest go first.
const MOST_REFUSED: u32 = 16;
/// How exactly it is known when a host was here last: a busy host must not cost a write a request.
const SEEN_EVERY_S: i64 = 60;

/// A host that asks for an access token, and has shown that the key is its own.
#[derive(Debug, Clone)]
pub(crate) struct Enrolment {
    pub(crate) system_id: String,
    pub(crate) host_key: String,
    /// The access token it gets.
    pub(crate) token: String,
    /// Address it asks from.
    pub(crate) peer: String,
}

/// What became of an enrolment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Enrolled {
    /// The host is pinned to this key, since now or before.
    Done,
    /// The host is pinned to another key. Remembered for the operator.
    OtherKey,
    /// The host is new, and there are as many as there may be.
    Full,
}

/// Whose an access token is.
#[derive(Debug)]
pub(crate) struct TokenHost {
    pub(crate) system_id: String,
    pub(crate) host_key: String,
    /// What is stored of when it was here last is old by now.
    pub(crate) is_due: bool,
}

/// Every host and its key.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Hosts {
    #[cfg_attr(test, schemars(extend("const" = 1)))]
    schema: u32,
    hosts: Vec<Pinned>,
    /// Seconds since 1970, for the ages in the text.
    #[serde(skip)]
    now_s: i64,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Pinned {
    system_id: String,
    /// Null: enrolled, not registered yet.
    hostname: Option<String>,
    /// Ed25519 public key, base64url; null: the next enrolment brings it.
    #[cfg_attr(test, schemars(regex(pattern = HOST_KEY)))]
    host_key: Option<String>,
    /// Seconds since 1970-01-01T00:00:00Z.
    #[cfg_attr(test, schemars(range(min = 0)))]
    pinned_at: Option<i64>,
    /// Seconds since 1970-01-01T00:00:00Z.
    #[cfg_attr(test, schemars(range(min = 0)))]
    seen_at: i64,
    /// The host whose data this one was started with.
    copied_from: Option<String>,
    refused: Vec<Refused>,
}

/// Enrolments of this host with one other key.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Refused {
    /// Ed25519 public key, base64url.
    #[cfg_attr(test, schemars(regex(pattern = HOST_KEY)))]
    host_key: String,
    /// The address of the last one.
    peer: String,
    /// Seconds since 1970-01-01T00:00:00Z.
    #[cfg_attr(test, schemars(range(min = 0)))]
    first_at: i64,
    /// Seconds since 1970-01-01T00:00:00Z.
    #[cfg_attr(test, schemars(range(min = 0)))]
    last_at: i64,
    #[cfg_attr(test, schemars(range(min = 1)))]
    times: i64,
}

impl Store {
    /// The key that a host enrolled with.
    pub(crate) fn pinned_key(&self, system_id: &str) -> Result<Option<String>, StoreError> {
        let query = "SELECT host_key FROM host WHERE system_id = ?1";
        let key = self.connection.query_row(query, params![system_id], |row| row.get(0)).optional()?;
        Ok(key.flatten())
    }

    /// Pins a new host to its key, and remembers the token of one whose key it is.
    pub(crate) fn enrol(
        &mut self,
        enrolment: &Enrolment,
        most_hosts: u32,
        now_s: i64,
    ) -> Result<Enrolled, StoreError> {
        let Enrolment { system_id, host_key, token, peer } = enrolment;
        let transaction = self.connection.transaction()?;
        transaction.execute("DELETE FROM access_token WHERE expires_at <= ?1", params![now_s])?;
        let query = "SELECT host_key FROM host WHERE system_id = ?1";
        let pinned: Option<Option<String>> =
            transaction.query_row(query, params![system_id], |row| row.get(0)).optional()?;
        if pinned.is_none() {
            let hosts: u32 = transaction.query_row("SELECT count(*) FROM host", [], |row| row.get(0))?;
            if hosts >= most_hosts {
                return Ok(Enrolled::Full);
            }
        }
        let outcome = match pinned.flatten() {
            Some(pinned) if !same(pinned.as_bytes(), host_key.as_bytes()) => {
                transaction.execute(
                    "INSERT INTO refused_enrolment (system_id, host_key, peer, first_at, last_at, times)
                     VALUES (?1, ?2, ?3, ?4, ?4, 1)
                     ON CONFLICT DO UPDATE SET peer = ?3, last_at = ?4, times = times + 1",
                    params![system_id, host_key, peer, now_s],
                )?;
                transaction.execute(
                    "DELETE FROM refused_enrolment WHERE system_id = ?1 AND host_key NOT IN
                     (SELECT host_key FROM refused_enrolment WHERE system_id = ?1
                      ORDER BY last_at DESC, host_key LIMIT ?2)",
                    params![system_id, MOST_REFUSED],
                )?;
                Enrolled::OtherKey
            }
            pinned => {
                transaction.execute(
                    "INSERT INTO host (system_id, seen_at) VALUES (?1, ?2)
                     ON CONFLICT DO UPDATE SET seen_at = ?2",
                    params![system_id, now_s],
                )?;
                if pinned.is_none() {
                    transaction.execute(
                        "UPDATE host SET host_key = ?2, pinned_at = ?3 WHERE system_id = ?1",
                        params![system_id, host_key, now_s],
                    )?;
                }
                transaction.execute(
                    "INSERT INTO access_token (token_sha256, system_id, expires_at) VALUES (?1, ?2, ?3)",
                    params![sha256(token.as_bytes()), system_id, now_s + i64::from(ACCESS_TOKEN_LIFE_S)],
                )?;
                Enrolled::Done
            }
        };
        transaction.commit()?;
        Ok(outcome)
    }

    /// The host a token was made for, while it is good. The search is for a hash, so its timing tells nothing about
    /// the token; the hit is compared once more in constant time.
    pub(crate) fn host_of_token(&self, token: &str, now_s: i64) -> Result<Option<TokenHost>, StoreError> {
        let wanted = sha256(token.as_bytes());
        let query =
            "SELECT token_sha256, system_id, host_key, seen_at FROM access_token JOIN host USING (system_id)
                     WHERE token_sha256 = ?1 AND expires_at > ?2 AND host_key IS NOT NULL";
        let found: Option<(Vec<u8>, TokenHost)> = self
            .connection
            .query_row(query, params![wanted, now_s], |row| {
                let seen_at: i64 = row.get(3)?;
                let is_due = now_s.saturating_sub(seen_at) >= SEEN_EVERY_S;
                let host = TokenHost { system_id: row.get(1)?, host_key: row.get(2)?, is_due };
                Ok((row.get(0)?, host))
            })
            .optional()?;
        Ok(found.filter(|(stored, _)| same(stored, &wanted)).map(|(_, host)| host))
    }

    /// The host showed its key just now.
    pub(crate) fn saw_host(&self, system_id: &str, now_s: i64) -> Result<(), StoreError> {
        let update = "UPDATE host SET seen_at = ?2 WHERE system_id = ?1";
        self.connection.execute(update, params![system_id, now_s])?;
        Ok(())
    }

    /// Forgets a host's key: the next enrolment pins its own. `false` = there is no such host.
    pub(crate) fn reset_host(&mut self, system_id: &str) -> Result<bool, StoreError> {
        let transaction = self.connection.transaction()?;
        let known = transaction.execute(
            "UPDATE host SET host_key = NULL, pinned_at = NULL WHERE system_id = ?1",
            params![system_id],
        )?;
        for table in ["access_token", "refused_enrolment"] {
            transaction.execute(&format!("DELETE FROM {table} WHERE system_id = ?1"), params![system_id])?;
        }
        transaction.commit()?;
        Ok(known > 0)
    }

    /// All hosts with their keys, and the enrolments that were refused.
    pub(crate) fn hosts(&mut self, now_s: i64) -> Result<Hosts, StoreError> {
        let transaction = self.connection.transaction()?;
        let mut query = transaction.prepare(
            "SELECT system_id, registration, host_key, pinned_at, seen_at FROM host ORDER BY system_id",
        )?;
        let mut refusals = transaction.prepare(
            "SELECT host_key, peer, first_at, last_at, times FROM refused_enrolment WHERE system_id = ?1
             ORDER BY last_at DESC, host_key",
        )?;
        let mut rows = query.query([])?;
        let mut hosts = Vec::new();
        while let Some(row) = rows.next()? {
            let system_id: String = row.get(0)?;
            let registration: Option<String> = row.get(1)?;
            let registration: Option<HostRegistration> =
                registration.as_deref().map(serde_json::from_str).transpose()?;
            let refused = refusals.query_map(params![system_id], |row| {
                Ok(Refused {
                    host_key: row.get(0)?,
                    peer: row.get(1)?,
                    first_at: row.get(2)?,
                    last_at: row.get(3)?,
                    times: row.get(4)?,
                })
            })?;
            let refused = refused.collect::<Result<_, _>>()?;
            let (hostname, copied_from) = registration.map(|it| (it.hostname, it.copied_from)).unzip();
            hosts.push(Pinned {
                system_id,
                hostname,
                host_key: row.get(2)?,
                pinned_at: row.get(3)?,
                seen_at: row.get(4)?,
                copied_from: copied_from.flatten(),
                refused,
            });
        }
        Ok(Hosts { schema: 1, hosts, now_s })
    }
}

/// For people: one host a line, what is wrong with it below.
impl fmt::Display for Hosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let age = |then: i64| Age(self.now_s.saturating_sub(then));
        writeln!(f, "{} hosts", self.hosts.len())?;
        for host in &self.hosts {
            let name = host.hostname.as_deref().unwrap_or("(not registered yet)");
            write!(f, "{}  {name}, seen {}", host.system_id, age(host.seen_at))?;
            match (&host.host_key, host.pinned_at) {
                (Some(key), Some(at)) => writeln!(f, ", key {} since {}", short(key), age(at))?,
                _ => writeln!(f, ", no key: the next enrolment brings it")?,
            }
            if let Some(original) = &host.copied_from {
                writeln!(f, "  its data was copied from host {original}; it is a host of its own now")?;
            }
            for refused in &host.refused {
                let Refused { host_key, peer, last_at, times, .. } = refused;
                let times = if *times == 1 { "once".to_owned() } else { format!("{times} times") };
                writeln!(
                    f,
                    "  refused {times}, last {} from {peer}: an enrolment with another key, {}",
                    age(*last_at),
                    short(host_key)
                )?;
            }
            if !host.refused.is_empty() {
                let id = &host.system_id;
                writeln!(
                    f,
                    "  If this host lost its key: hookswitch-tenant hosts reset --dir DIR {id}. If not, somebody \
                     else has TENANT_TOKEN."
                )?;
            }
        }
        Ok(())
    }
}

/// Enough of a key to tell two apart.
fn short(key: &str) -> &str {
    key.get(..12).unwrap_or(key)
}

/// Seconds, for people.
struct Age(i64);

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            ..60 => f.write_str("just now"),
            60..3_600 => write!(f, "{} min ago", self.0 / 60),
            3_600..172_800 => write!(f, "{} h ago", self.0 / 3_600),
            _ => write!(f, "{} days ago", self.0 / 86_400),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Hosts;
    use crate::contract::{document, hold};

    #[test]
    fn the_list_of_hosts_is_made_of_the_types() {
        let mut schema = document::<Hosts>("hookswitch-tenant hosts --json, schema 1");
        schema["$id"] = "https://hookswitch.example/schema/hosts.schema.json".into();
        hold(env!("CARGO_MANIFEST_DIR"), "schema/hosts.schema.json", &schema);
    }
}
