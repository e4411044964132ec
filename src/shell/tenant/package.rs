//! Firmware packages: downloaded once, resumed when interrupted, checked every time they are used.

use super::data::failure as data;
use super::refusal::{Refusal, refused};
use super::tuf::{Beginning, Checked, MAX_TARGET_BYTES};
use crate::shell::os;
use crate::shell::store::packages::{OpenPackage, Packages};
use futures_util::StreamExt;
use hub::machine::{FailureKind, Fingerprint, Sha256, TenantFailure, Verified};
use hub::protocol::Detail;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use tough::TargetName;

/// The least recently used packages beyond this are removed, bytes.
const MAX_CACHE_BYTES: u64 = 4 * MAX_TARGET_BYTES;
/// Longest `ETag` that is kept, bytes.
const MAX_TAG_BYTES: usize = 200;

/// A target whose length and hash the tenant's signed list vouches for.
#[derive(Debug)]
pub struct Listed {
    packages: Packages,
    checked: Checked,
    name: TargetName,
    fingerprint: Fingerprint,
}

impl Listed {
    pub(super) fn new(packages: Packages, checked: Checked, name: TargetName) -> Result<Self, TenantFailure> {
        let target = checked.find(&name)?;
        let length = target.length;
        if length > MAX_TARGET_BYTES {
            let name = name.raw();
            let why = format!("{name} has {length} bytes, at most {MAX_TARGET_BYTES} are read");
            let why = Detail::new("target-too-large", why).with("name", name).with("bytes", length);
            return Err(refused(Refusal::Oversize, why.with("most", MAX_TARGET_BYTES), name));
        }
        // The library has compared it with what comes, so another length of digest cannot match anything.
        let mut sha256 = [0; 32];
        sha256.iter_mut().zip(target.hashes.sha256.iter()).for_each(|(to, from)| *to = *from);
        let fingerprint = Fingerprint { length, sha256: Sha256(sha256) };
        Ok(Self { packages, checked, name, fingerprint })
    }

    /// The whole archive: from the disk if it is there, else from the tenant, from where the last transfer broke off.
    /// `progress` is called with done and total bytes; `keep` are packages that must not make room for this one.
    ///
    /// # Errors
    /// `tenant-…`: the network, the server, or bytes that are not what was signed.
    pub async fn fetch(
        &self,
        keep: &BTreeSet<Sha256>,
        progress: impl Fn(u64, u64),
    ) -> Result<OpenPackage, TenantFailure> {
        let Fingerprint { length, sha256 } = self.fingerprint;
        let whole = self.packages.path(sha256);
        let part = Part { file: whole.with_extension("part"), tag: whole.with_extension("etag") };
        if let Some(package) = self.open().await? {
            progress(length, length);
            return Ok(package);
        }
        let downloaded = match self.download(&part, &progress).await {
            // The interrupted beginning is damaged, or the server cannot go on from there: once more from the start.
            Err(failure) if spoilt_beginning(&failure, self.checked.link.resumed()) => {
                part.remove()?;
                self.download(&part, &progress).await
            }
            done => done,
        };
        downloaded.inspect_err(|failure| {
            // What came over a connection that broke off is worth keeping; what was refused is not.
            if failure.kind.is_refusal() {
                let _ = part.remove();
            }
        })?;
        std::fs::rename(&part.file, &whole).map_err(|error| data(&whole, &error))?;
        let _ = std::fs::remove_file(&part.tag);
        self.trim(&whole, keep);
        // What counts is what is on the disk by now.
        self.open().await?.ok_or_else(|| data(&whole, &ErrorKind::InvalidData.into()))
    }

    /// The whole archive that is on the disk, beside the loop: all of it is looked through.
    async fn open(&self) -> Result<Option<OpenPackage>, TenantFailure> {
        let (packages, wanted) = (self.packages.clone(), self.fingerprint);
        let opened = tokio::task::spawn_blocking(move || packages.open(wanted)).await;
        let opened = opened.map_err(std::io::Error::other).and_then(std::convert::identity);
        let opened = opened.map_err(|error| data(&self.packages.path(wanted.sha256), &error))?;
        let vouched = |archive| Verified::vouched(archive, self.checked.version());
        Ok(opened.map(|(archive, file)| OpenPackage { archive: vouched(archive), file }))
    }

    /// Streams to `part`, piece by piece; what came was checked against the signed hash and length.
    async fn download(&self, part: &Part, progress: &impl Fn(u64, u64)) -> Result<(), TenantFailure> {
        let (checked, length) = (&self.checked, self.fingerprint.length);
        let fail = |error: std::io::Error| data(&part.file, &error);
        checked.link.resume_with(part.beginning(length));
        let opened =
            checked.repository.read_target(&self.name).await.map_err(|error| checked.explain(&error))?;
        let mut pieces = Box::pin(opened.ok_or_else(|| checked.unknown(&self.name))?);
        let resumed = checked.link.resumed();
        let mut file = private_file(&part.file).map_err(fail)?;
        file.set_len(resumed).map_err(fail)?;
        if resumed == 0 {
            part.keep_tag(checked.link.tag()).map_err(fail)?;
        }
        let mut came = 0;
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|error| checked.explain(&error))?;
            // The first pieces of a resumed download are what the file holds already.
            if came >= resumed {
                file.write_all(&piece).map_err(fail)?;
            }
            came += piece.len() as u64;
            if came >= resumed {
                progress(came.min(length), length);
            }
        }
        if came != length {
            let (name, found) = (self.name.raw(), came);
            let why = format!("{name} has {found} bytes, signed were {length}");
            let why = Detail::new("another-length", why).with("name", name).with("bytes", found);
            return Err(refused(Refusal::Mismatch, why.with("signed", length), name));
        }
        file.sync_all().map_err(fail)
    }

    /// Keeps the folder within its bound. What cannot be removed now is removed another time.
    fn trim(&self, new: &Path, keep: &BTreeSet<Sha256>) {
        let Ok(entries) = std::fs::read_dir(self.packages.folder()) else { return };
        let keep: BTreeSet<PathBuf> = keep.iter().map(|sha256| self.packages.path(*sha256)).collect();
        let mut files: Vec<(SystemTime, u64, PathBuf)> = entries
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let meta = entry.metadata().ok().filter(std::fs::Metadata::is_file)?;
                Some((meta.modified().ok()?, meta.len(), entry.path()))
            })
            .filter(|(_, _, path)| path != new && !keep.contains(path))
            .collect();
        files.sort_unstable_by(|a, b| b.cmp(a));
        let mut total = std::fs::metadata(new).map_or(0, |meta| meta.len());
        for (_, length, path) in files {
            total = total.saturating_add(length);
            if total > MAX_CACHE_BYTES {
                let _ = std::fs::remove_file(path);
            }
        }
    }
}

/// A transfer that may go on where it broke off.
struct Part {
    file: PathBuf,
    /// What the server called the file that these bytes are the beginning of.
    tag: PathBuf,
}

impl Part {
    fn beginning(&self, length: u64) -> Beginning {
        let bytes = std::fs::metadata(&self.file).map_or(0, |meta| meta.len());
        let bytes = if (1..length).contains(&bytes) { bytes } else { 0 };
        let tag = std::fs::read_to_string(&self.tag).ok().filter(|tag| tag.len() <= MAX_TAG_BYTES);
        Beginning { file: self.file.clone(), bytes, tag }
    }

    fn keep_tag(&self, tag: Option<String>) -> std::io::Result<()> {
        match std::fs::remove_file(&self.tag) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let Some(tag) = tag.filter(|tag| tag.len() <= MAX_TAG_BYTES) else { return Ok(()) };
        private_file(&self.tag)?.write_all(tag.as_bytes())
    }

    fn remove(&self) -> Result<(), TenantFailure> {
        for path in [&self.file, &self.tag] {
            match std::fs::remove_file(path) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(data(path, &error)),
                _ => {}
            }
        }
        Ok(())
    }
}

fn spoilt_beginning(failure: &TenantFailure, resumed: u64) -> bool {
    match failure.kind {
        FailureKind::RangeNotSatisfiable => true,
        FailureKind::Mismatch => resumed > 0,
        _ => false,
    }
}

fn private_file(path: &Path) -> std::io::Result<File> {
    os::private_options().append(true).create(true).open(path)
}
