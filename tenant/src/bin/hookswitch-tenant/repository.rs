//! The TUF repository: publishing, and keeping what is published from going stale.
//!
//! A publication becomes visible with one rename, that of `timestamp.json`. Everything it leads to (consistent
//! snapshots: files named by version or digest) is on disk before, and nothing that is already public is touched:
//! whoever stops it half-way leaves the previous publication standing.
#![expect(clippy::disallowed_methods, reason = "the repository is files")]

mod signing;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tenant::grammar::is_target_name;
use tenant::paths::POLICY_TARGET;
use tenant::policy::{MAX_DOCUMENT_BYTES, PolicyDocument, PolicyError};
use thiserror::Error;
use tough::editor::RepositoryEditor;
use tough::schema::Target;
use tough::{
    ExpirationEnforcement, FilesystemTransport, IntoVec as _, Repository, RepositoryLoader, TargetName,
};
use url::Url;

use crate::digest::sha256;
use crate::home::{self, At as _, Home, HomeError};
use crate::review::{self, Fault, Warning};
use signing::{ROLES, after, first_root, key_sources, renewed_root};

const TIMESTAMP_DAYS: u32 = 7;
const SNAPSHOT_DAYS: u32 = 30;
const TARGETS_DAYS: u32 = 90;

/// Why nothing was published.
#[derive(Debug, Error)]
pub(crate) enum RepositoryError {
    #[error(transparent)]
    Home(#[from] HomeError),
    #[error("repository: {0}")]
    Tuf(Box<tough::error::Error>),
    #[error("repository: {0}")]
    Schema(tough::schema::Error),
    #[error("nothing is published; {} to mend:{}", count(.0.len()), list(.0))]
    Faults(Vec<Fault>),
    #[error("the published {POLICY_TARGET} cannot be read: {0}; publish a new one with --policy")]
    PublishedPolicy(PolicyError),
    #[error("the repository has no {POLICY_TARGET}; publish one with --policy")]
    NoPolicy,
    #[error("another process is publishing in this folder; try again when it has ended")]
    Busy,
    #[error("the system clock is outside the range that metadata can express")]
    Clock,
    #[error("the operating system's random number generator failed")]
    Random,
    #[error("a metadata version has reached its maximum")]
    Version,
}

fn count(faults: usize) -> String {
    if faults == 1 { "one fault".to_owned() } else { format!("{faults} faults") }
}

/// One to a line.
fn list(faults: &[Fault]) -> String {
    faults.iter().map(|fault| format!("\n  {fault}")).collect()
}

impl From<tough::error::Error> for RepositoryError {
    fn from(error: tough::error::Error) -> Self {
        Self::Tuf(Box::new(error))
    }
}

/// What to publish.
#[derive(Debug, Default)]
pub(crate) struct Order {
    /// New policy document; without it the published one stays.
    pub(crate) policy: Option<PathBuf>,
    /// Files to add, or to replace by name.
    pub(crate) targets: Vec<PathBuf>,
    /// Life of timestamp, snapshot and targets in days, instead of 7, 30 and 90.
    pub(crate) expires_days: Option<u32>,
}

/// What is published now.
#[derive(Debug)]
pub(crate) struct Published {
    pub(crate) root: u64,
    pub(crate) targets: u64,
    pub(crate) snapshot: u64,
    pub(crate) timestamp: u64,
    /// Seconds since 1970 at which the first of them expires.
    pub(crate) expires_s: i64,
    /// Name → length in bytes, SHA-256 in hex.
    pub(crate) files: BTreeMap<String, (u64, String)>,
    pub(crate) warnings: Vec<Warning>,
}

/// Creates keys, root and a first publication with `policy`. Returns the SHA-256 of the root.
pub(crate) async fn create(
    home: &Home,
    policy: &PolicyDocument,
    now: SystemTime,
) -> Result<String, RepositoryError> {
    let root = first_root(home, now).await?;
    home::replace(&home.root_json(1), root.buffer())?;
    let staging = home.staging()?;
    let bytes = serde_json::to_vec_pretty(policy)
        .map_err(|source| RepositoryError::PublishedPolicy(source.into()))?;
    let file = staging.join(POLICY_TARGET);
    std::fs::write(&file, bytes).at(&file)?;

    let mut editor = RepositoryEditor::new(home.root_json(1)).await?;
    add_target(home, &mut editor, POLICY_TARGET, &file).await?;
    let one = NonZeroU64::MIN;
    editor.targets_version(one)?.targets_expires(after(now, TARGETS_DAYS)?)?;
    editor.snapshot_version(one).snapshot_expires(after(now, SNAPSHOT_DAYS)?);
    editor.timestamp_version(one).timestamp_expires(after(now, TIMESTAMP_DAYS)?);
    sign_and_show(home, editor, &staging, [one; 2]).await?;
    Ok(hex::encode(sha256(root.buffer())))
}

/// Publishes, one version on.
pub(crate) async fn publish(
    home: &Home,
    order: &Order,
    now: SystemTime,
) -> Result<Published, RepositoryError> {
    let _lock = home.lock()?.ok_or(RepositoryError::Busy)?;
    let repository = load(home).await?;
    let mut faults = Vec::new();
    let additions = name_targets(&order.targets, &mut faults);
    let mut warnings = Vec::new();
    let mut policy = None;
    if let Some(path) = &order.policy {
        let bytes = home::read_capped(path, MAX_DOCUMENT_BYTES)?;
        match PolicyDocument::unvalidated(&bytes) {
            Ok(document) => policy = Some((document, bytes)),
            Err(error) => faults.push(Fault::Policy(error)),
        }
    }
    // A document that cannot be read says nothing of packages.
    if order.policy.is_none() || policy.is_some() {
        let current;
        let document = match &policy {
            Some((document, _)) => document,
            None => {
                current = published_policy(&repository).await?;
                &current
            }
        };
        faults.extend(review::document(document));
        warnings = review::warnings(document);
        for (at, firmware) in document.firmware.iter().enumerate() {
            match package(&repository, &additions, &firmware.target).await? {
                Some(bytes) => faults.extend(review::package(at, firmware, &bytes)),
                None => faults.push(Fault::MissingTarget { at, target: firmware.target.clone() }),
            }
        }
    }
    if !faults.is_empty() {
        return Err(RepositoryError::Faults(faults));
    }

    if let Some(root) = renewed_root(home, &repository.root().signed, now).await? {
        home::replace(&home.root_json(root.signed().signed.version.get()), root.buffer())?;
    }
    let staging = home.staging()?;
    let repository = load(home).await?;
    let latest_root = home.root_json(repository.root().signed.version.get());
    let mut editor = RepositoryEditor::from_repo(latest_root, repository.clone()).await?;
    for (name, path) in &additions {
        let copy = staging.join(name);
        home::copy(path, &copy)?;
        add_target(home, &mut editor, name, &copy).await?;
    }
    if let Some((_, bytes)) = &policy {
        let copy = staging.join(POLICY_TARGET);
        std::fs::write(&copy, bytes).at(&copy)?;
        add_target(home, &mut editor, POLICY_TARGET, &copy).await?;
    }
    let days = |usual| order.expires_days.unwrap_or(usual);
    editor.targets_expires(after(now, days(TARGETS_DAYS))?)?;
    editor.snapshot_expires(after(now, days(SNAPSHOT_DAYS))?);
    editor.timestamp_expires(after(now, days(TIMESTAMP_DAYS))?);
    let versions = raise_versions(&repository, &mut editor)?;
    sign_and_show(home, editor, &staging, versions).await?;
    Ok(Published { warnings, ..describe(&load(home).await?) })
}

/// Gives timestamp and snapshot a new life when more than half of the old one is gone, though never a longer one
/// than the targets they vouch for: what a person published with an end keeps its end. Returns whether it did.
pub(crate) async fn renew(home: &Home, now: SystemTime) -> Result<bool, RepositoryError> {
    let Some(_lock) = home.lock()? else { return Ok(false) };
    let repository = load(home).await?;
    let end = repository.targets().signed.expires;
    let (timestamp, snapshot) = (repository.timestamp().signed.expires, repository.snapshot().signed.expires);
    let stale = timestamp <= after(now, TIMESTAMP_DAYS / 2)? || snapshot <= after(now, SNAPSHOT_DAYS / 2)?;
    let new_timestamp = after(now, TIMESTAMP_DAYS).map(|time| end.min(time))?;
    let new_snapshot = after(now, SNAPSHOT_DAYS).map(|time| end.min(time))?;
    if !stale || (new_timestamp <= timestamp && new_snapshot <= snapshot) {
        return Ok(false);
    }
    let staging = home.staging()?;
    let latest_root = home.root_json(repository.root().signed.version.get());
    let mut editor = RepositoryEditor::from_repo(latest_root, repository.clone()).await?;
    editor.targets_expires(end)?;
    editor.snapshot_expires(new_snapshot).timestamp_expires(new_timestamp);
    let versions = raise_versions(&repository, &mut editor)?;
    sign_and_show(home, editor, &staging, versions).await?;
    Ok(true)
}

/// The policy document as published.
pub(crate) async fn current_policy(home: &Home) -> Result<PolicyDocument, RepositoryError> {
    published_policy(&load(home).await?).await
}

/// Opens the repository as its keeper: signatures count, expiry does not (an expired publication is renewed by
/// publishing again).
async fn load(home: &Home) -> Result<Repository, RepositoryError> {
    let path = home.root_json(1);
    let root = std::fs::read(&path).at(&path)?;
    let url = |path: PathBuf| Url::from_directory_path(&path).map_err(|()| HomeError::NoTenant(path));
    let loader = RepositoryLoader::new(&root, url(home.metadata())?, url(home.targets())?)
        .transport(FilesystemTransport)
        .expiration_enforcement(ExpirationEnforcement::Unsafe);
    Ok(loader.load().await?)
}

async fn published_policy(repository: &Repository) -> Result<PolicyDocument, RepositoryError> {
    let name = TargetName::new(POLICY_TARGET)?;
    let stream = repository.read_target(&name).await?.ok_or(RepositoryError::NoPolicy)?;
    PolicyDocument::from_json(&stream.into_vec().await?).map_err(RepositoryError::PublishedPolicy)
}

/// The package of this name, as it will be published; `None` if there is none.
async fn package(
    repository: &Repository,
    additions: &BTreeMap<String, &Path>,
    target: &str,
) -> Result<Option<Vec<u8>>, RepositoryError> {
    if let Some(path) = additions.get(target) {
        return Ok(Some(home::read_capped(path, review::MOST_BYTES)?));
    }
    // A name that none can have is a fault of the document.
    if !repository.all_targets().any(|(name, _)| name.resolved() == target) {
        return Ok(None);
    }
    match repository.read_target(&TargetName::new(target)?).await? {
        Some(stream) => Ok(Some(stream.into_vec().await?)),
        None => Ok(None),
    }
}

fn name_targets<'a>(paths: &'a [PathBuf], faults: &mut Vec<Fault>) -> BTreeMap<String, &'a Path> {
    let mut named = BTreeMap::new();
    for path in paths {
        let name = path.file_name().and_then(|name| name.to_str());
        match name.filter(|name| is_target_name(name) && *name != POLICY_TARGET) {
            None => faults.push(Fault::TargetName(path.clone())),
            Some(name) if named.contains_key(name) => faults.push(Fault::TargetTwice(path.clone())),
            Some(name) => drop(named.insert(name.to_owned(), path.as_path())),
        }
    }
    named
}

/// Hashes the staged file, moves it to `targets/SHA256.NAME`, and lists it.
async fn add_target(
    home: &Home,
    editor: &mut RepositoryEditor,
    name: &str,
    staged: &Path,
) -> Result<(), RepositoryError> {
    let target = Target::from_path(staged).await.map_err(RepositoryError::Schema)?;
    let digest = hex::encode(&target.hashes.sha256);
    home::move_into_place(staged, &home.targets().join(format!("{digest}.{name}")))?;
    editor.add_target(name, target)?;
    Ok(())
}

fn raise_versions(
    repository: &Repository,
    editor: &mut RepositoryEditor,
) -> Result<[NonZeroU64; 2], RepositoryError> {
    let next = |version: NonZeroU64| version.checked_add(1).ok_or(RepositoryError::Version);
    let targets = next(repository.targets().signed.version)?;
    let snapshot = next(repository.snapshot().signed.version)?;
    editor.targets_version(targets)?;
    editor.snapshot_version(snapshot);
    editor.timestamp_version(next(repository.timestamp().signed.version)?);
    Ok([targets, snapshot])
}

async fn sign_and_show(
    home: &Home,
    editor: RepositoryEditor,
    staging: &Path,
    [targets, snapshot]: [NonZeroU64; 2],
) -> Result<(), RepositoryError> {
    let signed = editor.sign(&key_sources(home, &ROLES[1..])).await?;
    signed.write(staging).await?;
    // timestamp.json last: until it is in place nobody is led to the others.
    for name in
        [format!("{targets}.targets.json"), format!("{snapshot}.snapshot.json"), "timestamp.json".to_owned()]
    {
        home::move_into_place(&staging.join(&name), &home.metadata().join(&name))?;
    }
    std::fs::remove_dir_all(staging).at(staging)?;
    Ok(())
}

fn describe(repository: &Repository) -> Published {
    let files = repository.all_targets().map(|(name, target)| {
        (name.resolved().to_owned(), (target.length, hex::encode(&target.hashes.sha256)))
    });
    let ends = [
        repository.root().signed.expires,
        repository.targets().signed.expires,
        repository.snapshot().signed.expires,
        repository.timestamp().signed.expires,
    ];
    Published {
        root: repository.root().signed.version.get(),
        targets: repository.targets().signed.version.get(),
        snapshot: repository.snapshot().signed.version.get(),
        timestamp: repository.timestamp().signed.version.get(),
        expires_s: ends.iter().map(|end| end.as_second()).min().unwrap_or_default(),
        files: files.collect(),
        warnings: Vec::new(),
    }
}
