//! Firmware packages: downloaded once, resumed when interrupted, checked every time they are used.

use super::http;
use super::tuf::{self, Checked, MAX_TARGET_BYTES};
use aws_lc_rs::digest::{SHA256, digest};
use futures_util::StreamExt;
use hub::machine::{FailureKind, TenantFailure, Verified};
use hub::protocol::{Detail, Problem};
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use tough::TargetName;

/// The least recently used packages beyond this are removed, bytes.
const MAX_CACHE_BYTES: u64 = 4 * MAX_TARGET_BYTES;

/// The folder with `SHA256.zip` and, of interrupted downloads, `SHA256.part`.
#[derive(Clone, Debug)]
pub(super) struct Cache {
    folder: PathBuf,
}

impl Cache {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The bytes of a target whose hash and length `checked` vouches for.
    pub(super) async fn fetch(
        &self,
        checked: &Checked,
        name: &TargetName,
        progress: impl Fn(u64, u64),
    ) -> Result<Verified<Vec<u8>>, TenantFailure> {
        let target = checked.find(name)?;
        if target.length > MAX_TARGET_BYTES {
            let (name, bytes) = (name.raw(), target.length);
            let why = format!("{name} has {bytes} bytes, at most {MAX_TARGET_BYTES} are read");
            let why = Detail::new("target-too-large", why).with("name", name).with("bytes", bytes);
            return Err(tuf::refused("tenant-oversize", why.with("most", MAX_TARGET_BYTES), name));
        }
        let sha256: &[u8] = &target.hashes.sha256;
        let whole = self.folder.join(format!("{}.zip", hex::encode(sha256)));
        let part = whole.with_extension("part");
        if let Some(bytes) = self.cached(&whole, target.length, sha256)? {
            progress(target.length, target.length);
            return Ok(Verified::vouched(bytes, checked.version()));
        }
        let bytes = match self.download(checked, name, &part, target.length, &progress).await {
            // The interrupted beginning is damaged, or the server cannot go on from there: once more from the start.
            Err(failure) if spoilt_beginning(&failure, checked.link.resumed()) => {
                remove(&part)?;
                self.download(checked, name, &part, target.length, &progress).await
            }
            done => done,
        };
        let bytes = bytes.inspect_err(|failure| {
            // What came over a connection that broke off is worth keeping; what was refused is not.
            if failure.kind == FailureKind::Refused {
                let _ = std::fs::remove_file(&part);
            }
        })?;
        std::fs::rename(&part, &whole).map_err(|error| data(&whole, &error))?;
        self.trim(&whole);
        Ok(Verified::vouched(bytes, checked.version()))
    }

    /// A package that is here already, hashed again.
    fn cached(&self, path: &Path, length: u64, sha256: &[u8]) -> Result<Option<Vec<u8>>, TenantFailure> {
        let found = match std::fs::metadata(path) {
            Ok(meta) => meta,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(data(path, &error)),
        };
        if found.len() == length {
            let bytes = std::fs::read(path).map_err(|error| data(path, &error))?;
            if digest(&SHA256, &bytes).as_ref() == sha256 {
                if let Ok(file) = File::options().append(true).open(path) {
                    let _ = file.set_modified(SystemTime::now());
                }
                return Ok(Some(bytes));
            }
        }
        tracing::warn!(path = %path.display(), "a package in the cache was damaged; fetching it again");
        remove(path)?;
        Ok(None)
    }

    /// Streams to `part`; the bytes returned were checked against the signed hash and length.
    async fn download(
        &self,
        checked: &Checked,
        name: &TargetName,
        part: &Path,
        length: u64,
        progress: &impl Fn(u64, u64),
    ) -> Result<Vec<u8>, TenantFailure> {
        let prefix = match std::fs::metadata(part) {
            Ok(meta) if (1..length).contains(&meta.len()) => std::fs::read(part).unwrap_or_default(),
            _ => Vec::new(),
        };
        checked.link.resume_with(prefix);
        let opened = checked.repository.read_target(name).await.map_err(|error| checked.explain(&error))?;
        let mut pieces = Box::pin(opened.ok_or_else(|| checked.unknown(name))?);
        let resumed = checked.link.resumed();
        let mut file = super::super::os::private_options()
            .append(true)
            .create(true)
            .open(part)
            .map_err(|error| data(part, &error))?;
        file.set_len(resumed).map_err(|error| data(part, &error))?;
        let mut bytes = Vec::new();
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|error| checked.explain(&error))?;
            // The first piece of a resumed download is what the file holds already.
            if bytes.len() as u64 >= resumed {
                file.write_all(&piece).map_err(|error| data(part, &error))?;
            }
            bytes.extend_from_slice(&piece);
            progress((bytes.len() as u64).min(length), length);
        }
        if bytes.len() as u64 != length {
            let (name, found) = (name.raw(), bytes.len());
            let why = format!("{name} has {found} bytes, signed were {length}");
            let why = Detail::new("another-length", why).with("name", name).with("bytes", found);
            return Err(tuf::refused("tenant-mismatch", why.with("signed", length), name));
        }
        file.sync_all().map_err(|error| data(part, &error))?;
        Ok(bytes)
    }

    /// Keeps the folder within its bound. What cannot be removed now is removed another time.
    fn trim(&self, keep: &Path) {
        let Ok(entries) = std::fs::read_dir(&self.folder) else { return };
        let mut files: Vec<(SystemTime, u64, PathBuf)> = entries
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let meta = entry.metadata().ok().filter(std::fs::Metadata::is_file)?;
                Some((meta.modified().ok()?, meta.len(), entry.path()))
            })
            .filter(|(_, _, path)| path != keep)
            .collect();
        files.sort_unstable_by(|a, b| b.cmp(a));
        let mut total = std::fs::metadata(keep).map_or(0, |meta| meta.len());
        for (_, length, path) in files {
            total = total.saturating_add(length);
            if total > MAX_CACHE_BYTES {
                let _ = std::fs::remove_file(path);
            }
        }
    }
}

fn spoilt_beginning(failure: &TenantFailure, resumed: u64) -> bool {
    let range_refused = failure.problem.args.get("status").is_some_and(|status| status == "416");
    range_refused || (resumed > 0 && failure.problem.code == "tenant-mismatch")
}

fn remove(path: &Path) -> Result<(), TenantFailure> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(data(path, &error)),
        _ => Ok(()),
    }
}

fn data(path: &Path, error: &std::io::Error) -> TenantFailure {
    http::failure(FailureKind::Rejected, data_problem(path, error))
}

/// A file or folder of the agent's own that cannot be used.
pub(super) fn data_problem(path: &Path, error: &std::io::Error) -> Problem {
    Problem::new(
        "tenant-data",
        format!("The agent cannot keep what it gets from the tenant: {error}"),
        path.display().to_string(),
        "Free some space and give the agent's user the right to write there.",
    )
    .with("detail", error.to_string())
}
