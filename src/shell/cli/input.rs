//! How commands read files: up to a bound, whatever the file says of its own length.
#![expect(clippy::disallowed_methods, reason = "opens the files people name")]

use std::io::{self, Read as _};
use std::path::Path;

/// Errors: the system's; `FileTooLarge` for more than `most` bytes, devices without an end among them.
pub(super) fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        let text = format!("more than the {most} bytes that are read");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
    }
    Ok(bytes)
}
