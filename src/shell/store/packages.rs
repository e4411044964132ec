//! Firmware packages that were fetched, one file each, named by its digest: an interrupted update goes on from here
//! without anybody else.
//!
//! A package is opened once, and what was opened is what is checked and what is read from until its job has ended: its
//! name is not looked up again, so nothing can be put in its place between the two. Finished files are never written
//! to, and nobody but the agent's account can enter the folder.

use crate::shell::os;
use aws_lc_rs::digest::{Context, SHA256};
use dfu::package::Package;
use dfu::ranges::{Ranges, Unread};
use hub::machine::{Archive, FailureKind, Fingerprint, Sha256, TenantFailure, Verified};
use hub::problem::Reason;
use hub::protocol::Detail;
use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// How much of a package is read at once to look through it, bytes.
const PIECE_BYTES: u64 = 64 * 1024;

/// The folder with `SHA256.zip` of whole packages, and what interrupted downloads left.
#[derive(Clone, Debug)]
pub struct Packages {
    folder: PathBuf,
}

/// An open package file. It stays what it was when it was opened, whatever becomes of its name.
#[derive(Debug)]
pub struct PackageFile {
    file: File,
    length: u64,
}

/// A package as it is handed on: what was found out about it, and the file that it was found out about.
#[derive(Debug)]
pub struct OpenPackage {
    pub archive: Verified<Archive>,
    pub file: PackageFile,
}

impl Packages {
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the whole package of this digest is, or will be.
    pub(crate) fn path(&self, sha256: Sha256) -> PathBuf {
        self.folder.join(format!("{sha256}.zip"))
    }

    /// A package that is here and is, to the last bit, what was vouched for. `None` = it is not here, or damaged. Blocks
    /// while it reads all of it.
    pub(crate) fn open(&self, wanted: Fingerprint) -> std::io::Result<Option<(Archive, PackageFile)>> {
        let path = self.path(wanted.sha256);
        let file = match os::open_own(&path) {
            Ok(file) => PackageFile::new(file)?,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        if file.length != wanted.length || file.sha256()? != wanted.sha256 {
            tracing::warn!(path = %path.display(), "a package on disk is damaged");
            return Ok(None);
        }
        // The least recently used one is the first to make room.
        if let Ok(file) = File::options().append(true).open(&path) {
            let _ = file.set_modified(SystemTime::now());
        }
        let contents = Package::open(&file).map_err(|error| Detail::from(&error));
        Ok(Some((Archive { fingerprint: wanted, contents }, file)))
    }

    /// A package whose digest the journal holds: the tenant vouched for it when the job began. Blocks.
    ///
    /// # Errors
    /// `package-not-kept`.
    pub fn recall(&self, wanted: Fingerprint) -> Result<OpenPackage, TenantFailure> {
        let found = self.open(wanted).unwrap_or_else(|error| {
            tracing::warn!(%error, "a package on disk cannot be read");
            None
        });
        // By which version of the list it was vouched for is not kept.
        let vouched = |(archive, file)| OpenPackage { archive: Verified::vouched(archive, 0), file };
        found.map(vouched).ok_or_else(|| {
            let problem = Reason::PackageNotKept.at(self.path(wanted.sha256).display());
            TenantFailure { kind: FailureKind::Rejected, problem, retry_after: None }
        })
    }
}

impl PackageFile {
    /// # Errors
    /// As fstat(2).
    pub fn new(file: File) -> std::io::Result<Self> {
        let length = file.metadata()?.len();
        Ok(Self { file, length })
    }

    fn sha256(&self) -> std::io::Result<Sha256> {
        let mut digest = Context::new(&SHA256);
        let mut piece = vec![0; PIECE_BYTES.min(self.length) as usize];
        let mut at = 0;
        while at < self.length {
            let piece = &mut piece[..PIECE_BYTES.min(self.length - at) as usize];
            os::read_at(&self.file, at, piece)?;
            digest.update(piece);
            at += piece.len() as u64;
        }
        let mut sha256 = Sha256([0; 32]);
        sha256.0.copy_from_slice(digest.finish().as_ref());
        Ok(sha256)
    }
}

impl Ranges for PackageFile {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> Result<(), Unread> {
        os::read_at(&self.file, at, into).map_err(|error| Unread { at, why: error.to_string() })
    }
}
