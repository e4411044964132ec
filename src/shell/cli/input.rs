//! How commands read files: up to a bound, whatever the file says of its own length.
#![expect(clippy::disallowed_methods, reason = "opens the files people name")]

use crate::shell::store::packages::PackageFile;
use dfu::ranges::Ranges;
use hub::protocol::Detail;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// Why a file was not read.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Devices without an end are among them.
    #[error("more than the {most} bytes that are read")]
    TooLarge { most: u64 },
}

impl From<&ReadError> for Detail {
    fn from(error: &ReadError) -> Self {
        match error {
            ReadError::Io(system) => Detail::verbatim(system),
            ReadError::TooLarge { most } => Detail::new("file-too-large", error).with("most", most),
        }
    }
}

/// A program as the system names it: by the path that its links lead to. `None` = there is no such file.
pub(super) fn program(path: &str) -> Option<String> {
    let path = std::fs::canonicalize(path).ok().filter(|path| path.is_file())?;
    // Windows says paths without a limit so.
    let path = path.to_str()?;
    Some(path.strip_prefix("\\\\?\\").unwrap_or(path).to_owned())
}

/// Errors: the system's, or more than `most` bytes.
pub(super) fn read(path: &Path, most: u64) -> Result<Vec<u8>, ReadError> {
    let mut bytes = Vec::new();
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(ReadError::TooLarge { most });
    }
    Ok(bytes)
}

/// A file to be read where it lies; of a pipe, all of it.
///
/// Errors: the system's, or more than `most` bytes from a pipe.
pub(super) fn ranges(path: &Path, most: u64) -> Result<Box<dyn Ranges>, ReadError> {
    let file = File::open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(Box::new(PackageFile::new(file)?)),
        false => Ok(Box::new(read(path, most)?)),
    }
}
