//! The policy in force, what it plans for the fleet, and when the tenant is asked again.

use super::people::rules::{Directory, GroupRule, GroupRules};
use super::{JournalEntry, TenantFailure, Verified};
use crate::protocol::{Deployment, Device, DeviceId, DeviceStatus, Offer, Problem, ResolvedGroup};
use dfu::FirmwareVersion;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use tenant::policy::{self, Bind, PolicyDocument};

/// Wait after the first failure; doubles up to the polling interval.
const BACKOFF_FIRST: Duration = Duration::from_secs(30);
/// The first poll after a start is spread over at most this long, so that a company's morning is not one peak.
const SPLAY_MOST: Duration = Duration::from_secs(300);

/// When to ask for the policy.
#[derive(Debug, Default)]
pub struct Poll {
    pub next: Option<Instant>,
    failures: u32,
}

impl Poll {
    /// At the start: at once without a policy, else spread by `jitter` (0..=1).
    pub fn start(&mut self, policy: Option<&PolicyDocument>, jitter: f64, now: Instant) {
        let most = policy.map_or(Duration::ZERO, |p| splay(Some(p)));
        self.next = Some(now + most.mul_f64(jitter));
    }

    /// Counted from this poll, ±5 %.
    pub fn succeeded(&mut self, policy: Option<&PolicyDocument>, jitter: f64, now: Instant) {
        self.failures = 0;
        self.next = Some(now + polling(policy).mul_f64(0.95 + jitter * 0.1));
    }

    /// `Retry-After` is honoured, within the polling interval.
    pub fn failed(&mut self, failure: &TenantFailure, policy: Option<&PolicyDocument>, now: Instant) {
        let most = polling(policy);
        let backoff = BACKOFF_FIRST.saturating_mul(1 << self.failures.min(10));
        self.failures += 1;
        self.next = Some(now + failure.retry_after.unwrap_or(backoff).clamp(Duration::from_secs(1), most));
    }
}

/// What polls are spread over that would come at once.
pub fn splay(policy: Option<&PolicyDocument>) -> Duration {
    SPLAY_MOST.min(polling(policy) / 10)
}

fn polling(policy: Option<&PolicyDocument>) -> Duration {
    Duration::from_secs(policy.map_or(21_600, |p| p.polling_s).into())
}

/// What the policy means for the devices that are there: the first group by priority that has a policy for the
/// product wins. Never a downgrade: a later local version stays.
pub fn plan<'a>(
    policy: &PolicyDocument,
    devices: impl Iterator<Item = (&'a Device, Option<Problem>)>,
    groups: &[ResolvedGroup],
    deferred: &BTreeSet<(String, String)>,
) -> Vec<Offer> {
    devices
        .filter_map(|(device, blocked)| {
            let (group, firmware) = choose(policy, device, groups)?;
            let later = is_later(&firmware.version, &device.firmware_version);
            if later == Some(false) {
                return None;
            }
            let id = offer_id(&firmware.id, &device.id);
            let incomparable = later.is_none().then(|| not_comparable(device, &firmware.version));
            let blocked = incomparable.or(blocked).or_else(|| why_not(device));
            Some(Offer {
                deferred: deferred.contains(&(id.clone(), firmware.version.clone())),
                id,
                device: device.id.clone(),
                policy: firmware.id.clone(),
                name: firmware.name.clone(),
                from_version: device.firmware_version.clone(),
                to_version: firmware.version.clone(),
                deployment: match firmware.deployment {
                    policy::Deployment::Optional => Deployment::Optional,
                    policy::Deployment::Persistent => Deployment::Persistent,
                    policy::Deployment::Automatic => Deployment::Automatic,
                    policy::Deployment::Silent => Deployment::Silent,
                },
                group: group.id.clone(),
                blocked,
            })
        })
        .collect()
}

/// Whether `target` is later than `current`; `None` where nobody can say.
fn is_later(target: &str, current: &str) -> Option<bool> {
    let (target, current): (FirmwareVersion, FirmwareVersion) = (target.parse().ok()?, current.parse().ok()?);
    target.partial_cmp(&current).map(std::cmp::Ordering::is_gt)
}

fn not_comparable(device: &Device, target: &str) -> Problem {
    let current = &device.firmware_version;
    Problem::new(
        "version-not-comparable",
        format!(
            "The headset's firmware version {current} cannot be compared with {target}, the one meant for it"
        ),
        device.product.clone(),
        "Tell your IT department: the policy should name a version of the kind that the headset reports.",
    )
    .with("current", current.clone())
    .with("target", target.to_owned())
}

/// A device that a failed update left without working firmware gets it, whatever the policy says by now. `obtainable`:
/// there is somewhere to have the package from.
pub fn recovery(
    entry: &JournalEntry,
    policy: Option<&PolicyDocument>,
    groups: &[ResolvedGroup],
    obtainable: bool,
) -> Offer {
    let named = policy.and_then(|p| p.firmware.iter().find(|f| f.id == entry.policy));
    let group = groups.iter().find(|g| named.is_some_and(|f| f.groups.contains(&g.id))).or(groups.last());
    Offer {
        id: entry.offer.clone(),
        device: entry.device.clone(),
        policy: entry.policy.clone(),
        name: entry.name.clone(),
        from_version: entry.from_version.clone(),
        to_version: entry.target_version.clone(),
        deployment: Deployment::Recovery,
        group: group.map(|g| g.id.clone()).unwrap_or_default(),
        deferred: false,
        blocked: (!obtainable).then(|| {
            Problem::new(
                "recovery-without-tenant",
                "Its firmware came from a company that does not manage this computer any more",
                entry.name.clone(),
                "Keep the headset at this USB port and ask your IT department.",
            )
        }),
    }
}

pub fn offer_id(policy: &str, device: &DeviceId) -> String {
    format!("{policy}:{device}")
}

fn choose<'a>(
    policy: &'a PolicyDocument,
    device: &Device,
    groups: &'a [ResolvedGroup],
) -> Option<(&'a ResolvedGroup, &'a policy::FirmwarePolicy)> {
    let fits = |p: &&policy::FirmwarePolicy| {
        p.products.iter().any(|x| (x.vendor_id, x.product_id) == (device.vendor_id, device.product_id))
    };
    groups.iter().find_map(|group| {
        let named = policy.firmware.iter().filter(fits).find(|p| p.groups.contains(&group.id))?;
        Some((group, named))
    })
}

fn why_not(device: &Device) -> Option<Problem> {
    match &device.status {
        DeviceStatus::Unavailable { problem } | DeviceStatus::NeedsFirmware { problem } => {
            return Some(problem.clone());
        }
        DeviceStatus::Updating => {
            return Some(Problem::new(
                "device-returning",
                "The headset is on its way back from its update",
                device.product.clone(),
                "Wait a few seconds.",
            ));
        }
        DeviceStatus::Ready => {}
    }
    (!device.capabilities.firmware_update).then(|| {
        Problem::new(
            "no-dfu-interface",
            "The device shows no firmware update interface",
            device.id.clone(),
            "Plug it in by its USB cable, directly and not through a charger.",
        )
    })
}

/// The policy's group rules as a directory is asked.
pub fn group_rules(policy: &Verified<PolicyDocument>, assigned: &[String]) -> GroupRules {
    let document = policy.get();
    let directory = document.ldap.as_ref().map(|ldap| Directory {
        servers: ldap.servers.clone(),
        base_dn: ldap.base_dn.clone(),
        start_tls: ldap.start_tls,
        bind: match &ldap.bind {
            Bind::Anonymous {} => None,
            Bind::Simple { dn, password } => Some((dn.clone(), password.expose().to_owned())),
        },
        ca_pem: ldap.ca_pem.clone(),
    });
    let groups = document.groups_by_priority().into_iter().map(|g| {
        let (filter, base_dn) = match &g.rule {
            policy::GroupRule::LdapQuery { filter, base_dn } => (Some(filter.clone()), base_dn.clone()),
            policy::GroupRule::Manual {} => (None, None),
        };
        GroupRule { id: g.id.clone(), name: g.name.clone(), priority: g.priority, filter, base_dn }
    });
    GroupRules {
        policy_version: policy.version(),
        directory,
        groups: groups.collect(),
        assigned: assigned.to_vec(),
    }
}

/// Whether any group is assigned by hand, so that the tenant has to be asked for this user.
pub fn has_manual_groups(policy: &PolicyDocument) -> bool {
    policy.groups.iter().any(|g| matches!(g.rule, policy::GroupRule::Manual {}))
}
