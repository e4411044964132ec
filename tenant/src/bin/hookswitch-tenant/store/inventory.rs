//! Everything the tenant knows, as one value.

use std::fmt;

use rusqlite::{Row, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tenant::wire::{
    DeviceRegistration, HostRegistration, ResolvedGroup, UpdateStatus, UserRegistration, Verdict,
};

use super::{Store, StoreError};

/// The whole inventory.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Inventory {
    #[cfg_attr(test, schemars(extend("const" = 1)))]
    schema: u32,
    tenant_id: String,
    hosts: Vec<Host>,
    manual_groups: Vec<Membership>,
    /// Events stored, of all hosts.
    #[cfg_attr(test, schemars(range(min = 0)))]
    events: i64,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Host {
    system_id: String,
    hostname: Option<String>,
    os: Option<String>,
    os_version: Option<String>,
    agent_version: Option<String>,
    groups: Vec<Group>,
    /// Seconds since 1970-01-01T00:00:00Z.
    #[cfg_attr(test, schemars(range(min = 0)))]
    seen_at: i64,
    users: Vec<User>,
    devices: Vec<Device>,
    updates: Vec<Update>,
    #[cfg_attr(test, schemars(range(min = 0)))]
    events: i64,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Group {
    id: String,
    why: String,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct User {
    user: String,
    display: Option<String>,
    groups: Vec<Group>,
    /// Seconds since 1970-01-01T00:00:00Z.
    #[cfg_attr(test, schemars(range(min = 0)))]
    seen_at: i64,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Device {
    device_id: String,
    vendor_id: u16,
    product_id: u16,
    vendor: String,
    product: String,
    serial: Option<String>,
    firmware_version: Option<String>,
    attached: bool,
    port: Option<String>,
    /// Seconds since 1970-01-01T00:00:00Z.
    #[cfg_attr(test, schemars(range(min = 0)))]
    seen_at: i64,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Update {
    event_id: String,
    device_id: String,
    policy_id: String,
    from_version: Option<String>,
    target_version: String,
    #[cfg_attr(test, schemars(with = "String", extend("enum" = Verdict::ALL)))]
    verdict: Verdict,
    version_read_back: Option<String>,
    detail: Option<String>,
    /// Seconds since 1970-01-01T00:00:00Z.
    #[cfg_attr(test, schemars(range(min = 0)))]
    reported_at: i64,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Membership {
    user: String,
    group: String,
}

impl Store {
    /// Reads everything in one transaction.
    pub(crate) fn inventory(&mut self) -> Result<Inventory, StoreError> {
        let tenant_id = self.tenant()?.id;
        let transaction = self.connection.transaction()?;
        let mut query =
            transaction.prepare("SELECT system_id, registration, seen_at FROM host ORDER BY system_id")?;
        let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let mut hosts = Vec::new();
        for row in rows {
            let (system_id, registration, seen_at): (String, Option<String>, i64) = row?;
            let registration: Option<HostRegistration> =
                registration.as_deref().map(serde_json::from_str).transpose()?;
            hosts.push(host(&transaction, system_id, registration, seen_at)?);
        }
        let mut query =
            transaction.prepare("SELECT user, group_id FROM manual_group ORDER BY user, group_id")?;
        let rows = query.query_map([], |row| Ok(Membership { user: row.get(0)?, group: row.get(1)? }))?;
        let manual_groups = rows.collect::<Result<_, _>>()?;
        let events = transaction.query_row("SELECT count(*) FROM event", [], |row| row.get(0))?;
        Ok(Inventory { schema: 1, tenant_id, hosts, manual_groups, events })
    }
}

fn host(
    connection: &rusqlite::Connection,
    system_id: String,
    registration: Option<HostRegistration>,
    seen_at: i64,
) -> Result<Host, StoreError> {
    let users = below(
        connection,
        "SELECT registration, seen_at FROM user WHERE system_id = ?1 ORDER BY user",
        &system_id,
    )?;
    let devices = below(
        connection,
        "SELECT registration, seen_at FROM device WHERE system_id = ?1 ORDER BY device_id",
        &system_id,
    )?;
    let updates = below(
        connection,
        "SELECT status, reported_at FROM update_status WHERE system_id = ?1 ORDER BY reported_at, event_id",
        &system_id,
    )?;
    let count = "SELECT count(*) FROM event WHERE system_id = ?1";
    let events = connection.query_row(count, params![system_id], |row| row.get(0))?;
    let (hostname, os, os_version, agent_version, groups) = match registration {
        Some(it) => {
            (Some(it.hostname), Some(it.os), Some(it.os_version), Some(it.agent_version), listed(it.groups))
        }
        None => (None, None, None, None, Vec::new()),
    };
    Ok(Host {
        system_id,
        hostname,
        os,
        os_version,
        agent_version,
        groups,
        seen_at,
        users: users.into_iter().map(user).collect(),
        devices: devices.into_iter().map(device).collect(),
        updates: updates.into_iter().map(update).collect(),
        events,
    })
}

/// Rows of `(json, time)` of one host.
fn below<T: DeserializeOwned>(
    connection: &rusqlite::Connection,
    query: &str,
    system_id: &str,
) -> Result<Vec<(T, i64)>, StoreError> {
    let mut query = connection.prepare(query)?;
    let read = |row: &Row<'_>| Ok((row.get::<_, String>(0)?, row.get(1)?));
    let mut out = Vec::new();
    for row in query.query_map(params![system_id], read)? {
        let (json, time) = row?;
        out.push((serde_json::from_str(&json)?, time));
    }
    Ok(out)
}

fn listed(groups: Vec<ResolvedGroup>) -> Vec<Group> {
    groups.into_iter().map(|it| Group { id: it.id, why: it.why }).collect()
}

fn user((it, seen_at): (UserRegistration, i64)) -> User {
    User { user: it.user, display: it.display, groups: listed(it.groups), seen_at }
}

fn device((it, seen_at): (DeviceRegistration, i64)) -> Device {
    Device {
        device_id: it.device_id,
        vendor_id: it.vendor_id,
        product_id: it.product_id,
        vendor: it.vendor,
        product: it.product,
        serial: it.serial,
        firmware_version: it.firmware_version,
        attached: it.attached,
        port: it.port,
        seen_at,
    }
}

fn update((it, reported_at): (UpdateStatus, i64)) -> Update {
    Update {
        event_id: it.event_id,
        device_id: it.device_id,
        policy_id: it.policy_id,
        from_version: it.from_version,
        target_version: it.target_version,
        verdict: it.verdict,
        version_read_back: it.version_read_back,
        detail: it.detail,
        reported_at,
    }
}

/// For people: one host per paragraph.
impl fmt::Display for Inventory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "tenant {}: {} hosts, {} events", self.tenant_id, self.hosts.len(), self.events)?;
        for host in &self.hosts {
            let name = host.hostname.as_deref().unwrap_or("(enrolled, not registered yet)");
            writeln!(f, "\nhost {} {name}", host.system_id)?;
            if let (Some(os), Some(version), Some(agent)) = (&host.os, &host.os_version, &host.agent_version)
            {
                writeln!(f, "  {os} {version}, agent {agent}, {} events", host.events)?;
            }
            for user in &host.users {
                writeln!(f, "  user {}", user.user)?;
                for group in &user.groups {
                    writeln!(f, "    in {}: {}", group.id, group.why)?;
                }
            }
            for it in &host.devices {
                let version = it.firmware_version.as_deref().unwrap_or("unknown");
                let attached = if it.attached { "attached" } else { "unplugged" };
                let (vendor_id, product_id) = (it.vendor_id, it.product_id);
                write!(
                    f,
                    "  device {} {vendor_id:04x}:{product_id:04x} {} {}",
                    it.device_id, it.vendor, it.product
                )?;
                writeln!(f, ", firmware {version}, {attached}")?;
            }
            for it in &host.updates {
                let verdict = match it.verdict {
                    Verdict::Succeeded => "succeeded",
                    Verdict::Failed => "failed",
                    Verdict::Unknown => "unknown",
                    Verdict::InProgress => "in progress",
                };
                let from = it.from_version.as_deref().unwrap_or("?");
                let read_back = it.version_read_back.as_deref().unwrap_or("nothing");
                write!(f, "  update {} of {}: {from} -> {}: ", it.event_id, it.device_id, it.target_version)?;
                writeln!(f, "{verdict}, read back {read_back}")?;
            }
        }
        for membership in &self.manual_groups {
            writeln!(f, "\nby hand: {} in {}", membership.user, membership.group)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Inventory;
    use crate::contract::{document, hold};

    #[test]
    fn the_inventory_is_made_of_the_types() {
        let mut schema = document::<Inventory>("hookswitch-tenant inventory --json, schema 1");
        schema["$id"] = "https://hookswitch.example/schema/inventory.schema.json".into();
        hold(env!("CARGO_MANIFEST_DIR"), "schema/inventory.schema.json", &schema);
    }
}
