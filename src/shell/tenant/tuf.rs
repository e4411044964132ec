//! The tenant's TUF repository: what it signed, newest first, or a named reason why not.
//!
//! Trust starts at the pinned `root.json` and continues at the newest root that was reached from it (kept in the
//! datastore). Starting at the pinned one every time would forget the rollback protection with each refresh once the
//! keys were rotated, and let a server hide a rotation.

use super::folder::Disk;
use super::proof::Signer;
use super::refusal::{Refusal, refused};
use super::{data, folder, http};
use futures_util::{Stream, StreamExt, stream};
use hub::machine::{FailureKind, TenantFailure, Verified};
use hub::protocol::Detail;
use reqwest::header::{self, HeaderValue};
use reqwest::{Client, StatusCode};
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tenant::policy::{MAX_DOCUMENT_BYTES, PolicyDocument};
use tenant::secret::Secret;
use tough::error::Error;
use tough::{
    ExpirationEnforcement, IntoVec, Limits, Repository, RepositoryLoader, TargetName, Transport,
    TransportError, TransportErrorKind, TransportStream,
};
use url::Url;

/// Metadata sizes, bytes. A tenant with 1,000 targets needs about 250 KiB for `targets.json` and 10 KiB for the rest.
/// A length that the repository itself signed takes the place of these, so [`MAX_METADATA_BYTES`] bounds all.
const LIMITS: Limits = Limits {
    max_root_size: 256 * 1024,
    max_timestamp_size: 64 * 1024,
    max_snapshot_size: 256 * 1024,
    max_targets_size: 4 * 1024 * 1024,
    // For one refresh; the next one goes on from there.
    max_root_updates: 256,
};
pub(super) const MAX_METADATA_BYTES: u64 = 4 * 1024 * 1024;
/// Largest package.
pub(super) const MAX_TARGET_BYTES: u64 = 64 * 1024 * 1024;
/// How much of an interrupted download is read at once, bytes.
const PIECE_BYTES: usize = 64 * 1024;
/// What each refresh asks for once, whatever else it finds.
const TIMESTAMP: &str = "timestamp.json";
/// For one file of metadata.
const METADATA_TIMEOUT: Duration = Duration::from_secs(60);
/// For one package; each piece of it has its own, short time-out.
const TARGET_TIMEOUT: Duration = Duration::from_secs(60 * 60);

/// How the files of the repository are had.
#[derive(Clone, Debug)]
pub(super) enum Reach {
    /// From a server that wants to know who asks.
    Server {
        client: Client,
        signer: Signer,
        token: Option<Secret>,
    },
    /// From any web server.
    Web(Client),
    Disk(Disk),
}

/// Where a refresh takes place.
pub(super) struct Source<'a> {
    pub reach: Reach,
    pub metadata: Url,
    pub targets: Url,
    pub pinned_root: &'a [u8],
    pub datastore: PathBuf,
}

/// A repository whose chain down to `targets.json` was checked just now.
#[derive(Debug)]
pub(super) struct Checked {
    pub repository: Repository,
    pub link: Link,
    place: String,
}

pub(super) async fn refresh(source: Source<'_>) -> Result<Checked, TenantFailure> {
    let link = Link { reach: source.reach, targets: source.targets.clone(), shared: Arc::default() };
    let place = http::place(&source.metadata);
    let newest = read_if_there(&source.datastore.join("root.json"));
    let load = |root: Vec<u8>| {
        let (metadata, targets) = (source.metadata.clone(), source.targets.clone());
        let (link, datastore) = (link.clone(), source.datastore.clone());
        async move {
            RepositoryLoader::new(&root, metadata, targets)
                .transport(link)
                .limits(LIMITS)
                .datastore(datastore)
                .expiration_enforcement(ExpirationEnforcement::Safe)
                .load()
                .await
        }
    };
    let loaded = match newest {
        Some(root) => match load(root).await {
            Err(Error::ParseTrustedMetadata { .. } | Error::VerifyTrustedMetadata { .. }) => {
                tracing::warn!("the newest root.json is damaged; starting again at the pinned one");
                load(source.pinned_root.to_vec()).await
            }
            loaded => loaded,
        },
        None => load(source.pinned_root.to_vec()).await,
    };
    match loaded {
        Ok(repository) => Ok(Checked { repository, link, place }),
        Err(error) => Err(link.explain(&error, &place)),
    }
}

fn read_if_there(path: &Path) -> Option<Vec<u8>> {
    std::fs::read(path).ok()
}

impl Checked {
    pub(super) fn version(&self) -> u64 {
        self.repository.targets().signed.version.get()
    }

    /// The policy document, if the repository is not at version `have`.
    pub(super) async fn policy(
        &self,
        have: Option<u64>,
    ) -> Result<Option<Verified<PolicyDocument>>, TenantFailure> {
        let version = self.version();
        match have {
            Some(have) if have == version => return Ok(None),
            // The datastore was lost, the store was not.
            Some(have) if have > version => {
                let why = format!("version {version} was offered, version {have} is in force");
                let why =
                    Detail::new("policy-rolled-back", why).with("offered", version).with("in_force", have);
                return Err(refused(Refusal::RolledBack, why, &self.place));
            }
            _ => {}
        }
        let name = target_name(tenant::paths::POLICY_TARGET, &self.place)?;
        let target = self.find(&name)?;
        if target.length > MAX_DOCUMENT_BYTES as u64 {
            let bytes = target.length;
            let why = format!("tenant.json has {bytes} bytes, at most {MAX_DOCUMENT_BYTES} are read");
            let why =
                Detail::new("document-too-large", why).with("bytes", bytes).with("most", MAX_DOCUMENT_BYTES);
            return Err(refused(Refusal::Oversize, why, &self.place));
        }
        let bytes = match self.repository.read_target(&name).await {
            Ok(Some(stream)) => stream.into_vec().await,
            Ok(None) => return Err(self.unknown(&name)),
            Err(error) => Err(error),
        };
        let bytes = bytes.map_err(|error| self.link.explain(&error, &self.place))?;
        let document = PolicyDocument::from_json(&bytes)
            .map_err(|error| refused(Refusal::PolicyInvalid, Detail::from(&error), "tenant.json"))?;
        Ok(Some(Verified::vouched(document, version)))
    }

    /// What the signed list says of a target.
    pub(super) fn find(&self, name: &TargetName) -> Result<tough::schema::Target, TenantFailure> {
        self.repository.targets().signed.find_target(name, false).cloned().map_err(|_| self.unknown(name))
    }

    pub(super) fn unknown(&self, name: &TargetName) -> TenantFailure {
        let (version, name) = (self.version(), name.raw());
        let why = format!("version {version} of the tenant's repository does not list {name}");
        let why = Detail::new("target-not-listed", why).with("version", version).with("name", name);
        refused(Refusal::TargetUnknown, why, &self.place)
    }

    pub(super) fn explain(&self, error: &Error) -> TenantFailure {
        self.link.explain(error, &self.place)
    }
}

/// Only names that are a plain file name on every disk (`tenant::grammar`).
pub(super) fn target_name(name: &str, place: &str) -> Result<TargetName, TenantFailure> {
    let refuse = || {
        let why = Detail::new("target-name", "the name of the target is not a plain file name");
        refused(Refusal::TargetUnknown, why, place)
    };
    if !tenant::grammar::is_target_name(name) {
        return Err(refuse());
    }
    TargetName::new(name).map_err(|_| refuse())
}

/// The [`Transport`].
#[derive(Clone, Debug)]
pub(super) struct Link {
    reach: Reach,
    targets: Url,
    shared: Arc<Mutex<Shared>>,
}

/// Of the next target, from an interrupted download.
#[derive(Debug, Default)]
pub(super) struct Beginning {
    /// What is there, and how much; 0 = nothing.
    pub file: PathBuf,
    pub bytes: u64,
    /// What the server called the file it is the beginning of.
    pub tag: Option<String>,
}

impl Beginning {
    /// Its bytes, piece by piece.
    fn pieces(self) -> impl Iterator<Item = std::io::Result<tough::Bytes>> {
        let mut opened = None;
        let mut left = self.bytes;
        std::iter::from_fn(move || {
            let mut piece = vec![0; usize::try_from(left).unwrap_or(usize::MAX).min(PIECE_BYTES)];
            if piece.is_empty() {
                return None;
            }
            let file = match opened.take() {
                Some(file) => Ok(file),
                None => File::open(&self.file),
            };
            let read = file.and_then(|mut file| {
                file.read_exact(&mut piece)?;
                opened = Some(file);
                Ok(piece.into())
            });
            left = read.as_ref().map_or(0, |read: &tough::Bytes| left - read.len() as u64);
            Some(read)
        })
    }
}

#[derive(Debug, Default)]
struct Shared {
    /// What went wrong last; the library only passes on that something did.
    failure: Option<TenantFailure>,
    beginning: Beginning,
    /// How much of it the server let stand.
    resumed: u64,
    /// What the server calls the last target, by a strong `ETag`.
    tag: Option<String>,
    /// How far the server's clock is ahead of ours.
    ahead_s: Option<i64>,
}

impl Link {
    fn shared(&self) -> std::sync::MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next target begins with these bytes, if the server can go on from there.
    pub(super) fn resume_with(&self, beginning: Beginning) {
        *self.shared() = Shared { beginning, ..Shared::default() };
    }

    /// What the server calls the last target.
    pub(super) fn tag(&self) -> Option<String> {
        self.shared().tag.clone()
    }

    /// Bytes of the prefix that the last target began with.
    pub(super) fn resumed(&self) -> u64 {
        self.shared().resumed
    }

    fn fail(&self, url: &Url, failure: TenantFailure) -> TransportError {
        let cause = failure.problem.what().clone();
        self.shared().failure = Some(failure);
        TransportError::new_with_cause(TransportErrorKind::Other, url, cause)
    }

    async fn open(&self, url: &Url) -> Result<TransportStream, TransportError> {
        let is_target = url.as_str().starts_with(self.targets.as_str());
        let (client, signer, token) = match &self.reach {
            Reach::Server { client, signer, token } => (client, Some(signer), token.as_ref()),
            Reach::Web(client) => (client, None, None),
            Reach::Disk(disk) => return self.open_file(disk, url, is_target).await,
        };
        // Metadata is open, but once in each poll the host shows itself: else the tenant would not know that it is
        // there as long as the policy stays.
        let shows_itself =
            |signer: &&Signer| is_target || (signer.can_sign() && url.path().ends_with(TIMESTAMP));
        let mut request = client.get(url.clone());
        let beginning =
            if is_target { std::mem::take(&mut self.shared().beginning) } else { Beginning::default() };
        let mut secrets = Vec::new();
        if let Some(token) = token.filter(|_| signer.as_ref().is_some_and(shows_itself)) {
            request = request.bearer_auth(token.expose());
            secrets.push(token);
        }
        if is_target {
            request = request.timeout(TARGET_TIMEOUT);
            if beginning.bytes > 0 {
                request = request.header(header::RANGE, format!("bytes={}-", beginning.bytes));
                // Of another file than it was the whole comes, instead of a rest that does not fit.
                if let Some(Ok(tag)) = beginning.tag.as_deref().map(HeaderValue::try_from) {
                    request = request.header(header::IF_RANGE, tag);
                }
            }
        } else {
            request = request.timeout(METADATA_TIMEOUT);
        }
        let sent = match signer.filter(|_| is_target || !secrets.is_empty()) {
            Some(signer) => signer.send(request, &secrets).await,
            // The next root is asked for each time, and is nearly never there; of any other file a refusal is one.
            None if matches!(self.reach, Reach::Web(_)) && url.path().ends_with(".root.json") => {
                folder::send_open(request).await
            }
            None => http::send(request).await,
        };
        let response = match sent {
            Ok(response) => response,
            Err(failure) if failure.kind == FailureKind::Absent => {
                return Err(TransportError::new(TransportErrorKind::FileNotFound, url));
            }
            Err(failure) => return Err(self.fail(url, failure)),
        };
        if !is_target {
            self.shared().ahead_s = http::ahead_s(&response);
        }
        let goes_on = response.status() == StatusCode::PARTIAL_CONTENT;
        if goes_on && !continues_at(&response, beginning.bytes) {
            let why =
                Detail::new("another-part", "the server sent another part of the file than was asked for");
            return Err(self.fail(url, refused(Refusal::Mismatch, why, &http::place(url))));
        }
        let beginning = if goes_on { beginning } else { Beginning::default() };
        {
            let mut shared = self.shared();
            shared.resumed = beginning.bytes;
            shared.tag = strong_tag(&response);
        }
        let (link, at) = (self.clone(), url.clone());
        let body = response
            .bytes_stream()
            .map(move |piece| piece.map_err(|error| link.fail(&at, http::transport_failure(&error))));
        Ok(self.whole(beginning, body, is_target, url))
    }

    /// From the tenant's folder. A file that is there in part is gone on with: its digest tells if it was another.
    async fn open_file(
        &self,
        disk: &Disk,
        url: &Url,
        is_target: bool,
    ) -> Result<TransportStream, TransportError> {
        let (beginning, time) = match is_target {
            true => (std::mem::take(&mut self.shared().beginning), TARGET_TIMEOUT),
            false => (Beginning::default(), METADATA_TIMEOUT),
        };
        let opened =
            disk.open(url, beginning.bytes, time).await.map_err(|failure| self.fail(url, failure))?;
        let Some((from, rest)) = opened else {
            return Err(TransportError::new(TransportErrorKind::FileNotFound, url));
        };
        let beginning = if from == beginning.bytes { beginning } else { Beginning::default() };
        {
            let mut shared = self.shared();
            (shared.resumed, shared.tag) = (beginning.bytes, None);
        }
        let (link, at) = (self.clone(), url.clone());
        let rest = rest.map(move |piece| piece.map_err(|failure| link.fail(&at, failure)));
        Ok(self.whole(beginning, rest, is_target, url))
    }

    fn whole(
        &self,
        beginning: Beginning,
        rest: impl Stream<Item = Result<tough::Bytes, TransportError>> + Send + Sync + 'static,
        is_target: bool,
        url: &Url,
    ) -> TransportStream {
        let (link, at, path) = (self.clone(), url.clone(), beginning.file.clone());
        let lost = move |error| link.fail(&at, data::failure(&path, &error));
        let whole = stream::iter(beginning.pieces()).map(move |piece| piece.map_err(&lost)).chain(rest);
        let most = if is_target { MAX_TARGET_BYTES } else { MAX_METADATA_BYTES };
        Box::pin(self.clone().bounded(whole, most, url.clone()))
    }

    fn bounded(
        self,
        pieces: impl Stream<Item = Result<tough::Bytes, TransportError>> + Send + Sync,
        most: u64,
        url: Url,
    ) -> impl Stream<Item = Result<tough::Bytes, TransportError>> + Send + Sync {
        let mut size = 0_u64;
        pieces.map(move |piece| {
            let piece = piece?;
            let of_web = !matches!(self.reach, Reach::Disk(_));
            if of_web && size == 0 && most == MAX_METADATA_BYTES && http::is_page(&piece) {
                let why = Detail::new("answer-is-a-page", "a web page came");
                return Err(self.fail(&url, http::intercepted(&http::place(&url), why)));
            }
            size = size.saturating_add(piece.len() as u64);
            if size > most {
                let why = Detail::new("more-bytes", format!("more than {most} bytes")).with("most", most);
                return Err(self.fail(&url, refused(Refusal::Oversize, why, &http::place(&url))));
            }
            Ok(piece)
        })
    }

    /// Names what the library found.
    fn explain(&self, error: &Error, place: &str) -> TenantFailure {
        if let Error::Transport { url, source, .. } = error {
            let place = http::place(url);
            let inner = std::error::Error::source(source).and_then(|inner| inner.downcast_ref::<Error>());
            return match inner {
                Some(Error::MaxSizeExceeded { .. }) => {
                    refused(Refusal::Oversize, sayable(error, inner), &place)
                }
                Some(Error::HashMismatch { .. }) => refused(Refusal::Mismatch, sayable(error, inner), &place),
                _ if source.kind() == TransportErrorKind::FileNotFound => {
                    let why = Detail::new("file-lacking", "the repository lacks a file that must be there");
                    refused(Refusal::NotFound, why, &place)
                }
                _ => {
                    let failure = self.shared().failure.take();
                    failure.unwrap_or_else(|| refused(Refusal::Metadata, Detail::verbatim(error), &place))
                }
            };
        }
        if let Error::ExpiredMetadata { .. } = error
            && let Some(off) = self.shared().ahead_s.and_then(|ahead_s| http::clock_is_off(ahead_s, place))
        {
            return off;
        }
        let refusal = match error {
            Error::ExpiredMetadata { .. } => Refusal::Expired,
            Error::OlderMetadata { .. }
            | Error::OlderSnapshotInTimestamp { .. }
            | Error::SnapshotRoleMissing { .. }
            | Error::SnapshotRoleRollback { .. } => Refusal::RolledBack,
            Error::VerifyMetadata { .. }
            | Error::VerifyRoleMetadata { .. }
            | Error::VerifyTrustedMetadata { .. } => Refusal::Signature,
            Error::MaxSizeExceeded { .. } | Error::MaxUpdatesExceeded { .. } => Refusal::Oversize,
            Error::HashMismatch { .. } | Error::VersionMismatch { .. } => Refusal::Mismatch,
            Error::SystemTimeSteppedBackward { .. } => Refusal::Clock,
            Error::DatastoreCreate { .. }
            | Error::DatastoreOpen { .. }
            | Error::DatastoreRemove { .. }
            | Error::DatastoreInit { .. }
            | Error::DatastoreSerialize { .. } => Refusal::Data,
            _ => Refusal::Metadata,
        };
        refused(refusal, sayable(error, None), place)
    }
}

#[tough::async_trait]
impl Transport for Link {
    /// A failure other than "not found" comes as the first item of the stream: the library takes a `fetch` that fails
    /// in any way for "there is no newer root", and a server that hides a key rotation must not get away with a 500.
    async fn fetch(&self, url: Url) -> Result<TransportStream, TransportError> {
        match self.open(&url).await {
            Err(error) if error.kind() != TransportErrorKind::FileNotFound => {
                Ok(Box::pin(stream::once(std::future::ready(Err(error)))))
            }
            opened => opened,
        }
    }
}

/// RFC 9110 §8.8.1: only a strong one stands for the same bytes.
fn strong_tag(response: &reqwest::Response) -> Option<String> {
    let tag = response.headers().get(header::ETAG)?.to_str().ok()?;
    tag.starts_with('"').then(|| tag.to_owned())
}

/// `Content-Range: bytes START-END/TOTAL` (RFC 9110 §14.4).
fn continues_at(response: &reqwest::Response, start: u64) -> bool {
    let range = response.headers().get(header::CONTENT_RANGE).and_then(|value| value.to_str().ok());
    range.and_then(|range| range.strip_prefix("bytes ")?.split_once('-')?.0.parse().ok()) == Some(start)
}

/// The library's words without the URL, which is the place.
fn sayable(error: &Error, inner: Option<&Error>) -> Detail {
    match inner.unwrap_or(error) {
        Error::HashMismatch { calculated, expected, .. } => {
            Detail::new("another-sha256", format!("its SHA-256 is {calculated}, signed was {expected}"))
                .with("found", calculated)
                .with("signed", expected)
        }
        other => Detail::verbatim(other),
    }
}
