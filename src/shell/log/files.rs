//! The four files behind the queue: the head of a line says which one, size says when to turn the page.
#![expect(clippy::disallowed_methods, reason = "writes the logs")]

use super::masks::masked;
use crate::shell::os;
use hub::problem::Reason;
use hub::protocol::Problem;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use tracing_appender::non_blocking::ErrorCounter;

/// In the order of their heads.
pub const NAMES: [&str; 4] = ["CloudConnector", "DeviceManager", "DFUManager", "SessionManager"];
/// A file that reaches this is renamed to `NAME.1.log`.
pub const MAX_FILE_BYTES: u64 = 2 * 1024 * 1024;
/// `NAME.1.log`, the newest, to `NAME.3.log`.
pub const KEPT_FILES: u32 = 3;

pub(super) const CLOUD: u8 = 0;
pub(super) const DEVICE: u8 = 1;
pub(super) const DFU: u8 = 2;
pub(super) const SESSION: u8 = 3;
pub(super) const HEAD: [u8; 4] = *b"0123";
pub(super) const HIDE_USER: char = '-';
pub(super) const SHOW_USER: char = '+';

#[derive(Debug)]
pub(super) struct Files {
    files: [LogFile; 4],
    /// Lines the disk did not take.
    lost: u64,
    dropped: Arc<OnceLock<ErrorCounter>>,
    dropped_told: usize,
}

#[derive(Debug)]
struct LogFile {
    path: PathBuf,
    /// `None` = could not be opened again after turning the page.
    file: Option<File>,
    bytes: u64,
}

impl Files {
    pub(super) fn open(folder: &Path) -> Result<Self, Problem> {
        let mut files =
            NAMES.map(|name| LogFile { path: folder.join(format!("{name}.log")), file: None, bytes: 0 });
        for file in &mut files {
            file.open().map_err(|error| {
                Reason::LogUnwritable { reason: error.to_string() }.at(file.path.display())
            })?;
        }
        Ok(Self { files, lost: 0, dropped: Arc::default(), dropped_told: 0 })
    }

    /// To be filled with the counter of the queue in front, so that its losses show in the log.
    pub(super) fn dropped_by_queue(&self) -> Arc<OnceLock<ErrorCounter>> {
        self.dropped.clone()
    }

    fn line(&mut self, line: &str) {
        let mut chars = line.chars();
        let (Some(head), Some(user)) = (chars.next(), chars.next()) else { return };
        let Some(index) = HEAD.iter().position(|h| char::from(*h) == head) else { return };
        let mut text = masked(chars.as_str(), user == HIDE_USER);
        let dropped = self.dropped.get().map_or(0, ErrorCounter::dropped_lines);
        let missing = self.lost + (dropped - self.dropped_told.min(dropped)) as u64;
        if missing > 0 {
            text.push_str(&format!(
                "… {missing} lines before this one were lost: the disk was full or too slow\n"
            ));
        }
        match self.files[index].append(&text) {
            Ok(()) => (self.lost, self.dropped_told) = (0, dropped),
            Err(_) => self.lost += 1,
        }
    }
}

impl Write for Files {
    /// The queue hands over one whole line at a time.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.line(&String::from_utf8_lossy(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl LogFile {
    fn open(&mut self) -> io::Result<()> {
        let file = os::private_options().append(true).create(true).open(&self.path)?;
        os::make_private(&file)?;
        self.bytes = file.metadata()?.len();
        self.file = Some(file);
        Ok(())
    }

    fn append(&mut self, text: &str) -> io::Result<()> {
        if self.bytes > 0 && self.bytes + text.len() as u64 > MAX_FILE_BYTES {
            self.turn_page()?;
        }
        if self.file.is_none() {
            self.open()?;
        }
        let Some(file) = &mut self.file else { return Ok(()) };
        file.write_all(text.as_bytes())?;
        self.bytes += text.len() as u64;
        Ok(())
    }

    fn turn_page(&mut self) -> io::Result<()> {
        // From here on there is no page to turn until a line is on a new one: what follows may fail and is tried again
        // with the next line, which must not push the kept pages out.
        (self.file, self.bytes) = (None, 0);
        if !self.path.exists() {
            return self.open();
        }
        let numbered = |number: u32| self.path.with_extension(format!("{number}.log"));
        for number in (1..KEPT_FILES).rev() {
            if numbered(number).exists() {
                std::fs::rename(numbered(number), numbered(number + 1))?;
            }
        }
        std::fs::rename(&self.path, numbered(1))?;
        self.open()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub::problem::Code;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn pages_turn_at_the_size_and_the_oldest_goes() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut files = Files::open(folder.path()).expect("writable");
        let line = format!("1-{}\n", "x".repeat(64 * 1024 - 1));
        for _ in 0..(5 * MAX_FILE_BYTES / (64 * 1024)) {
            files.write_all(line.as_bytes()).expect("always taken");
        }
        files.write_all(b"1-the last\n").expect("always taken");
        let mut found: Vec<(String, u64)> = std::fs::read_dir(folder.path())
            .expect("readable")
            .flatten()
            .map(|e| (e.file_name().to_string_lossy().into_owned(), e.metadata().expect("there")))
            .inspect(|(name, meta)| assert_eq!(meta.permissions().mode() & 0o777, 0o600, "{name}"))
            .map(|(name, meta)| (name, meta.len()))
            .collect();
        found.sort();
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            [
                "CloudConnector.log",
                "DFUManager.log",
                "DeviceManager.1.log",
                "DeviceManager.2.log",
                "DeviceManager.3.log",
                "DeviceManager.log",
                "SessionManager.log"
            ]
        );
        assert!(found.iter().all(|(_, bytes)| *bytes <= MAX_FILE_BYTES), "{found:?}");
        let last = std::fs::read_to_string(folder.path().join("DeviceManager.log")).expect("readable");
        assert!(last.ends_with("the last\n"));
    }

    #[test]
    fn a_lost_line_is_told_when_the_disk_is_back() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut files = Files::open(folder.path()).expect("writable");
        let good = std::mem::replace(&mut files.files[0].file, File::open("/dev/null").ok());
        files.write_all(b"0-one\n0-").expect("always taken");
        files.files[0].file = good;
        files.write_all(b"0-two\n").expect("always taken");
        let text = std::fs::read_to_string(folder.path().join("CloudConnector.log")).expect("readable");
        assert!(text.starts_with("two\n… 1 lines before this one were lost"), "{text}");
    }

    #[test]
    fn a_log_deleted_while_it_is_written_comes_back_and_costs_no_kept_page() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = |name: &str| folder.path().join(name);
        let mut files = Files::open(folder.path()).expect("writable");
        std::fs::write(path("DFUManager.1.log"), "kept").expect("written");
        std::fs::remove_file(path("DFUManager.log")).expect("it was there");
        let line = format!("2-{}\n", "x".repeat(64 * 1024 - 1));
        for _ in 0..(MAX_FILE_BYTES / (64 * 1024) + 4) {
            files.write_all(line.as_bytes()).expect("always taken");
        }
        assert!(path("DFUManager.log").exists());
        assert_eq!(std::fs::read_to_string(path("DFUManager.1.log")).expect("readable"), "kept");
    }

    #[test]
    fn hostile_lines_are_ignored() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut files = Files::open(folder.path()).expect("writable");
        for line in [&b""[..], b"0", b"9-x\n", b"\xff\xff\xff"] {
            files.write_all(line).expect("always taken");
        }
        assert!(files.files.iter().all(|file| file.bytes == 0));
    }

    #[test]
    fn a_log_that_cannot_be_opened_is_one_clear_problem() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::create_dir(folder.path().join("DFUManager.log")).expect("created");
        let problem = Files::open(folder.path()).expect_err("a folder is in the way");
        assert_eq!(problem.code, Code::LogUnwritable);
        assert!(problem.place().ends_with("DFUManager.log"));
    }
}
