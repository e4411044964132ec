//! Keys and roots of the TUF repository.

use std::collections::HashMap;
use std::num::NonZeroU64;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::Ed25519KeyPair;
use tough::editor::signed::SignedRole;
use tough::key_source::{KeySource, LocalKeySource};
use tough::schema::{KeyHolder, RoleKeys, RoleType, Root};
use tough::sign::Sign as _;

use super::RepositoryError;
use crate::home::{Home, write_secret};

/// The roles, each with a key of its own.
pub(super) const ROLES: [RoleType; 4] =
    [RoleType::Root, RoleType::Targets, RoleType::Snapshot, RoleType::Timestamp];
pub(super) const ROOT_DAYS: u32 = 365;

/// The time `days` after `now`, in whole seconds, in whatever type the metadata keeps time in.
pub(super) fn after<T: TryFrom<SystemTime>>(now: SystemTime, days: u32) -> Result<T, RepositoryError> {
    let seconds = now.duration_since(UNIX_EPOCH).map_err(|_| RepositoryError::Clock)?.as_secs();
    let then = UNIX_EPOCH + Duration::from_secs(seconds + u64::from(days) * 24 * 60 * 60);
    T::try_from(then).map_err(|_| RepositoryError::Clock)
}

/// Signing keys of the given roles, read from their files when something is signed.
pub(super) fn key_sources(home: &Home, roles: &[RoleType]) -> Vec<Box<dyn KeySource>> {
    roles
        .iter()
        .map(|role| Box::new(LocalKeySource { path: home.key(*role) }) as Box<dyn KeySource>)
        .collect()
}

/// Generates the keys and the first root.
pub(super) async fn first_root(home: &Home, now: SystemTime) -> Result<SignedRole<Root>, RepositoryError> {
    let one = NonZeroU64::MIN;
    let mut root = Root {
        spec_version: "1.0.0".to_owned(),
        consistent_snapshot: true,
        version: one,
        expires: after(now, ROOT_DAYS)?,
        keys: HashMap::new(),
        roles: HashMap::new(),
        _extra: HashMap::new(),
    };
    for role in ROLES {
        let pkcs8 =
            Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| RepositoryError::Random)?;
        write_secret(&home.key(role), pkcs8.as_ref())?;
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).map_err(|_| RepositoryError::Random)?;
        let key = pair.tuf_key();
        let id = key.key_id().map_err(RepositoryError::Schema)?;
        root.keys.insert(id.clone(), key);
        root.roles.insert(role, RoleKeys { keyids: vec![id], threshold: one, _extra: HashMap::new() });
    }
    sign_root(home, root).await
}

/// The same root, one version on and with a new life; `None` while the old one is good for a while.
pub(super) async fn renewed_root(
    home: &Home,
    root: &Root,
    now: SystemTime,
) -> Result<Option<SignedRole<Root>>, RepositoryError> {
    const RENEW_DAYS: u32 = 90;
    let mut next = root.clone();
    let horizon = {
        next.expires = after(now, RENEW_DAYS)?;
        next.expires
    };
    if root.expires > horizon {
        return Ok(None);
    }
    next.version = root.version.checked_add(1).ok_or(RepositoryError::Version)?;
    next.expires = after(now, ROOT_DAYS)?;
    sign_root(home, next).await.map(Some)
}

async fn sign_root(home: &Home, root: Root) -> Result<SignedRole<Root>, RepositoryError> {
    let holder = KeyHolder::Root(root.clone());
    let keys = key_sources(home, &[RoleType::Root]);
    Ok(SignedRole::new(root, &holder, &keys, &SystemRandom::new()).await?)
}
