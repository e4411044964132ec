//! Firmware packages that were fetched, one file each, named by its digest: an interrupted update goes on from here
//! without anybody else.
#![expect(clippy::result_large_err, reason = "the failure is the answer itself; there is one a download")]

use aws_lc_rs::digest::{SHA256, digest};
use hub::machine::{Archive, FailureKind, Fetched, Fingerprint, Sha256, TenantFailure, Verified};
use hub::protocol::Problem;
use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The folder with `SHA256.zip` of whole packages, and what interrupted downloads left.
#[derive(Clone, Debug)]
pub struct Packages {
    folder: PathBuf,
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

    /// A package that is here and is, to the last bit, what was vouched for. `None` = it is not here, or damaged.
    pub(crate) fn read(&self, wanted: Fingerprint) -> std::io::Result<Option<Archive>> {
        let path = self.path(wanted.sha256);
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        if file.metadata()?.len() == wanted.length {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            if digest(&SHA256, &bytes).as_ref() == wanted.sha256.0 {
                // The least recently used one is the first to make room.
                if let Ok(file) = File::options().append(true).open(&path) {
                    let _ = file.set_modified(SystemTime::now());
                }
                return Ok(Some(Archive { bytes, fingerprint: wanted }));
            }
        }
        tracing::warn!(path = %path.display(), "a package on disk is damaged");
        Ok(None)
    }

    /// A package whose digest the journal holds: the tenant vouched for it when the job began.
    ///
    /// # Errors
    /// `package-not-kept`.
    pub fn recall(&self, wanted: Fingerprint) -> Fetched {
        let found = self.read(wanted).unwrap_or_else(|error| {
            tracing::warn!(%error, "a package on disk cannot be read");
            None
        });
        // By which version of the list it was vouched for is not kept.
        found.map(|archive| Verified::vouched(archive, 0)).ok_or_else(|| {
            let problem = Problem::new(
                "package-not-kept",
                "The firmware package is not on this computer any more",
                self.path(wanted.sha256).display().to_string(),
                "Connect this computer to the company's network and install the update again.",
            );
            TenantFailure { kind: FailureKind::Rejected, problem, retry_after: None }
        })
    }
}
