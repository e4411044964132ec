//! The policy in force, what it plans for the fleet, and when the tenant is asked again.

use super::{JournalEntry, TenantFailure};
use crate::problem::Reason;
use crate::protocol::{Deployment, Device, DeviceId, DeviceStatus, Offer, Problem, ResolvedGroup};
use device_handlers::registry;
use dfu::{FirmwareVersion, Method};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};
use tenant::policy::{self, FirmwarePolicy, PolicyDocument};

mod in_force;

pub use in_force::InForce;

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
    policy: &InForce,
    devices: impl Iterator<Item = (&'a Device, Option<Problem>)>,
    groups: &[ResolvedGroup],
    deferred: &BTreeSet<(String, String)>,
) -> Vec<Offer> {
    let mut ranks = BTreeMap::new();
    for (rank, group) in groups.iter().enumerate() {
        ranks.entry(group.id.as_str()).or_insert(rank);
    }
    devices
        .filter_map(|(device, blocked)| {
            let (rank, firmware) = choose(policy, device, &ranks)?;
            let later = is_later(&firmware.version, &device.firmware_version);
            if later == Some(false) {
                return None;
            }
            let id = offer_id(&firmware.id, &device.id);
            let incomparable = later.is_none().then(|| not_comparable(device, &firmware.version));
            let blocked = incomparable.or(blocked).or_else(|| why_not(device));
            let dismissed = deferred.contains(&(id.clone(), firmware.version.clone()));
            Some(Offer {
                deferred: dismissed,
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
                group: groups[rank].id.clone(),
                deferrable: firmware.deployment == policy::Deployment::Optional && !dismissed,
                deferrals_left: None,
                next: None,
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
    Reason::VersionNotComparable { current: device.firmware_version.clone(), target: target.to_owned() }
        .at(&device.product)
}

/// A device that a failed update left without working firmware gets it, whatever the policy says by now. `obtainable`:
/// there is somewhere to have the package from.
pub fn recovery(
    entry: &JournalEntry,
    policy: Option<&InForce>,
    groups: &[ResolvedGroup],
    obtainable: bool,
) -> Offer {
    let named = policy.and_then(|p| p.document().firmware.iter().find(|f| f.id == entry.policy));
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
        deferrable: false,
        deferrals_left: None,
        next: None,
        blocked: (!obtainable).then(|| Reason::RecoveryWithoutTenant.at(&entry.name)),
    }
}

pub fn offer_id(policy: &str, device: &DeviceId) -> String {
    format!("{policy}:{device}")
}

/// The first group by priority that has a policy for the product; of several policies the first one. `ranks`: which
/// group comes when.
fn choose<'a>(
    policy: &'a InForce,
    device: &Device,
    ranks: &BTreeMap<&str, usize>,
) -> Option<(usize, &'a FirmwarePolicy)> {
    let named = policy.firmware((device.vendor_id, device.product_id));
    let ranked = named.filter_map(|firmware| {
        let first = firmware.groups.iter().filter_map(|group| ranks.get(group.as_str())).min()?;
        Some((*first, firmware))
    });
    ranked.min_by_key(|(rank, _)| *rank)
}

fn why_not(device: &Device) -> Option<Problem> {
    match &device.status {
        DeviceStatus::Unavailable { problem } | DeviceStatus::NeedsFirmware { problem } => {
            return Some(problem.clone());
        }
        DeviceStatus::Updating => {
            return Some(Reason::DeviceReturning.at(&device.product));
        }
        DeviceStatus::Ready => {}
    }
    let method = registry::describe(device.vendor_id, device.product_id).firmware.method;
    if let Some(Err(unknown)) = method.map(|name| name.parse::<Method>()) {
        let problem = Reason::MethodUnknown { why: (&unknown).into() }.at(&device.product);
        return Some(problem);
    }
    (!device.capabilities.firmware_update).then(|| Reason::NoDfuInterface.at(&device.id))
}
