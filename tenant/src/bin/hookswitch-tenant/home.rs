//! The folder of a tenant, and how files get into it.
//!
//! ```text
//! DIR/                    0700
//!   tenant.db             0600  inventory, events, hashed tokens (SQLite)
//!   keys/ROLE.pk8         0600  TUF signing keys (ed25519, PKCS #8)
//!   tls/server.{pem,key}  key 0600
//!   ca.pem                what clients trust
//!   endpoint.json         where `serve` listens
//!   repository/{metadata,targets}   the file tenant: this folder alone, on any web server or share, is enough
//! ```
#![expect(clippy::disallowed_methods, reason = "this module is where the tenant's files are written")]

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use thiserror::Error;
use tough::schema::RoleType;

/// What can go wrong with the folder.
#[derive(Debug, Error)]
pub(crate) enum HomeError {
    #[error("{}: already there and not empty; choose a new folder", .0.display())]
    Occupied(PathBuf),
    #[error("{}: no tenant here; run `hookswitch-tenant init --dir {}` first", .0.display(), .0.display())]
    NoTenant(PathBuf),
    #[error("{}: {source}", .path.display())]
    File { path: PathBuf, source: io::Error },
}

/// Attaches a path to an I/O error.
pub(crate) trait At<T> {
    fn at(self, path: &Path) -> Result<T, HomeError>;
}

impl<T> At<T> for io::Result<T> {
    fn at(self, path: &Path) -> Result<T, HomeError> {
        self.map_err(|source| HomeError::File { path: path.to_owned(), source })
    }
}

/// A tenant's folder.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    root: PathBuf,
}

impl Home {
    /// Makes an empty tenant folder with mode 0700.
    pub(crate) fn create(dir: &Path) -> Result<Self, HomeError> {
        if let Ok(mut entries) = fs::read_dir(dir)
            && entries.next().is_some()
        {
            return Err(HomeError::Occupied(dir.to_owned()));
        }
        fs::create_dir_all(dir).at(dir)?;
        restrict_dir(dir)?;
        let home = Self { root: dir.canonicalize().at(dir)? };
        for dir in [
            home.root.join("keys"),
            home.root.join("tls"),
            home.repository(),
            home.metadata(),
            home.targets(),
        ] {
            fs::create_dir(&dir).at(&dir)?;
        }
        restrict_dir(&home.root.join("keys"))?;
        restrict_dir(&home.root.join("tls"))?;
        Ok(home)
    }

    /// Opens the folder of an existing tenant.
    pub(crate) fn open(dir: &Path) -> Result<Self, HomeError> {
        let root = dir.canonicalize().map_err(|_| HomeError::NoTenant(dir.to_owned()))?;
        let home = Self { root };
        if home.database().is_file() { Ok(home) } else { Err(HomeError::NoTenant(dir.to_owned())) }
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.root.join("tenant.db")
    }

    pub(crate) fn key(&self, role: RoleType) -> PathBuf {
        self.root.join("keys").join(format!("{role}.pk8"))
    }

    pub(crate) fn ca(&self) -> PathBuf {
        self.root.join("ca.pem")
    }

    pub(crate) fn server_certificate(&self) -> PathBuf {
        self.root.join("tls").join("server.pem")
    }

    pub(crate) fn server_key(&self) -> PathBuf {
        self.root.join("tls").join("server.key")
    }

    pub(crate) fn endpoint(&self) -> PathBuf {
        self.root.join("endpoint.json")
    }

    pub(crate) fn repository(&self) -> PathBuf {
        self.root.join("repository")
    }

    pub(crate) fn metadata(&self) -> PathBuf {
        self.repository().join("metadata")
    }

    pub(crate) fn targets(&self) -> PathBuf {
        self.repository().join("targets")
    }

    /// The root of the given version.
    pub(crate) fn root_json(&self, version: u64) -> PathBuf {
        self.metadata().join(format!("{version}.root.json"))
    }

    /// Takes the right to publish; `None` when another process has it. Freed when dropped.
    pub(crate) fn lock(&self) -> Result<Option<File>, HomeError> {
        let path = self.root.join("publish.lock");
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).at(&path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(source)) => Err(HomeError::File { path, source }),
        }
    }

    /// An empty folder on the same file system as the repository. Call it with the lock held.
    pub(crate) fn staging(&self) -> Result<PathBuf, HomeError> {
        let path = self.repository().join(".staging");
        match fs::remove_dir_all(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(HomeError::File { path, source }),
        }
        fs::create_dir(&path).at(&path)?;
        Ok(path)
    }
}

fn restrict_dir(dir: &Path) -> Result<(), HomeError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(dir, fs::Permissions::from_mode(0o700)).at(dir)?;
    }
    #[cfg(not(unix))]
    let _ = dir;
    Ok(())
}

/// Writes a new file only its owner can read.
pub(crate) fn write_secret(path: &Path, bytes: &[u8]) -> Result<(), HomeError> {
    let mut options = OpenOptions::new();
    options.create_new(true).write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(path).at(path)?;
    file.write_all(bytes).at(path)?;
    file.sync_all().at(path)
}

/// Puts a file in place whole: readers see the old one or the new one.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), HomeError> {
    let fresh = path.with_extension("new");
    fs::write(&fresh, bytes).at(&fresh)?;
    move_into_place(&fresh, path)
}

/// Renames a finished file over `to`, with its contents and the rename on disk before this returns.
pub(crate) fn move_into_place(from: &Path, to: &Path) -> Result<(), HomeError> {
    File::open(from).and_then(|file| file.sync_all()).at(from)?;
    fs::rename(from, to).at(to)?;
    // Windows cannot open a folder this way; NTFS journals the rename itself.
    #[cfg(unix)]
    if let Some(dir) = to.parent() {
        File::open(dir).and_then(|dir| dir.sync_all()).at(dir)?;
    }
    Ok(())
}

/// Reads a file of at most `max` bytes; one byte more is returned when it is longer, so that the reader notices.
pub(crate) fn read_capped(path: &Path, max: usize) -> Result<Vec<u8>, HomeError> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    let cap = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1);
    File::open(path).at(path)?.take(cap).read_to_end(&mut bytes).at(path)?;
    Ok(bytes)
}

/// Copies a file; returns nothing but the copy.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<(), HomeError> {
    let mut source = File::open(from).at(from)?;
    let mut copy = File::create(to).at(to)?;
    io::copy(&mut source, &mut copy).at(from)?;
    Ok(())
}
