//! A strict reader for the part of zip that packages use (APPNOTE.TXT 6.3: stored and deflated files, one disk).
//!
//! Written here because the checks need what general readers hide: duplicates, entries that share bytes, the two
//! copies of a name, and attributes. What the central directory says is used; the local headers must agree with it.

use std::collections::BTreeSet;

use super::LIMITS;
use crate::ranges::{Ranges, Unread};
use crate::unpack::{Place, UnpackError, Unpacker};

const END_SIGNATURE: u32 = 0x0605_4b50;
const CENTRAL_SIGNATURE: u32 = 0x0201_4b50;
const LOCAL_SIGNATURE: u32 = 0x0403_4b50;
const END_BYTES: usize = 22;
const CENTRAL_BYTES: usize = 46;
const LOCAL_BYTES: usize = 30;
/// General purpose flags: bit 0 encrypted, bit 6 strong encryption, bit 13 masked header.
const FLAGS_ENCRYPTED: u16 = 1 | 1 << 6 | 1 << 13;
const STORED: u16 = 0;
const DEFLATED: u16 = 8;
/// "Version made by": the attributes hold a Unix mode.
const MADE_BY_UNIX: u8 = 3;
const UNIX_TYPE: u32 = 0o170_000;
const UNIX_FILE: u32 = 0o100_000;
const UNIX_LINK: u32 = 0o120_000;
const NAME_BYTES: usize = 128;
/// As much of a name as is shown where it is refused, and may be more than a good one has.
const SHOWN_NAME_BYTES: usize = 140;

/// Why bytes are not an archive that is read here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// The file cannot be read.
    #[error("the package cannot be read: {0}")]
    Unread(#[from] Unread),
    /// More bytes than [`super::Limits::archive_bytes`].
    #[error("the package has {len} bytes: at most {} are read", LIMITS.archive_bytes)]
    TooLarge {
        /// Bytes that came.
        len: u64,
    },
    /// The end record is not where it must be.
    #[error("the package does not end like a zip file ({len} bytes): it is cut off, or no zip; get it again")]
    NoEnd {
        /// Bytes that came.
        len: u64,
    },
    /// A central directory that does not fit, several disks, or zip64.
    #[error("the package's directory does not fill the bytes before its end: it is damaged; get it again")]
    Directory,
    /// More entries than [`super::Limits::entries`].
    #[error("the package has {entries} entries: at most {} are read", LIMITS.entries)]
    TooManyEntries {
        /// Entries by the end record.
        entries: usize,
    },
    /// A name that must not become a path anywhere.
    #[error("entry {index} (from 0) is named {name:?}: {fault}")]
    Name {
        /// Which entry.
        index: usize,
        /// Its name, cut to 140 characters.
        name: String,
        /// What is wrong with it.
        fault: NameFault,
    },
    /// The same name twice, or names that differ in case only.
    #[error("entry {name:?} is there twice (upper and lower case count as the same)")]
    Duplicate {
        /// The later one.
        name: String,
    },
    /// A symbolic link.
    #[error("entry {name:?} is a symbolic link: only files are read")]
    SymbolicLink {
        /// Its name.
        name: String,
    },
    /// A device, pipe, folder or other thing that is no file.
    #[error("entry {name:?} is no file (mode {mode:o})")]
    NotAFile {
        /// Its name.
        name: String,
        /// Its Unix mode.
        mode: u32,
    },
    /// An encrypted entry.
    #[error("entry {name:?} is encrypted: pack it without a password")]
    Encrypted {
        /// Its name.
        name: String,
    },
    /// A compression method other than stored and deflated.
    #[error("entry {name:?} is packed by method {method}: only 0 (stored) and 8 (deflated) are read")]
    Method {
        /// Its name.
        name: String,
        /// The method.
        method: u16,
    },
    /// More unpacked bytes than allowed for this entry.
    #[error("entry {name:?} has {bytes} bytes unpacked: at most {most} are read")]
    EntryTooLarge {
        /// Its name.
        name: String,
        /// Unpacked bytes, as stated.
        bytes: u64,
        /// The bound.
        most: u64,
    },
    /// More unpacked bytes than [`super::Limits::total_bytes`].
    #[error("the package has {bytes} bytes unpacked: at most {} are read", LIMITS.total_bytes)]
    TotalTooLarge {
        /// Unpacked bytes up to the entry that passed the bound.
        bytes: u64,
    },
    /// Packed too well for firmware.
    #[error("entry {name:?} unpacks from {packed} to {bytes} bytes: more than {} times", LIMITS.ratio)]
    Ratio {
        /// Its name.
        name: String,
        /// Packed bytes.
        packed: u64,
        /// Unpacked bytes, as stated.
        bytes: u64,
    },
    /// The local header is missing, or does not agree with the directory.
    #[error("entry {name:?}: its own header does not agree with the directory; the package is damaged")]
    LocalHeader {
        /// Its name.
        name: String,
    },
    /// Its bytes are also those of another entry.
    #[error("entry {name:?} shares bytes with another entry: the package is damaged or made to deceive")]
    Overlap {
        /// Its name.
        name: String,
    },
    /// The packed bytes cannot be unpacked.
    #[error("entry {name:?} cannot be unpacked: its packed bytes are damaged; get the package again")]
    Inflate {
        /// Its name.
        name: String,
    },
    /// It unpacks to more or fewer bytes than stated.
    #[error("entry {name:?} does not unpack to the {bytes} bytes it states; the package is damaged")]
    UnpackedSize {
        /// Its name.
        name: String,
        /// Unpacked bytes, as stated.
        bytes: u64,
    },
    /// It unpacks to other bytes than were packed.
    #[error("entry {name:?} has CRC-32 {computed:08x}, {stated:08x} is stated; get the package again")]
    Crc {
        /// Its name.
        name: String,
        /// CRC-32 of the unpacked bytes.
        computed: u32,
        /// CRC-32 as stated.
        stated: u32,
    },
}

/// What is wrong with the name of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameFault {
    /// Nothing, or more than 128 bytes.
    #[error("expected 1 to 128 bytes")]
    Length,
    /// Not printable ASCII.
    #[error("only printable ASCII is read")]
    Characters,
    /// `\`.
    #[error("a backslash is a path separator on Windows")]
    Backslash,
    /// `C:`.
    #[error("it begins with a drive letter")]
    Drive,
    /// `a:b`.
    #[error("a colon names an alternate data stream on Windows")]
    Stream,
    /// `/a`.
    #[error("it is an absolute path")]
    Absolute,
    /// `..`.
    #[error("it leaves its folder by \"..\"")]
    Parent,
    /// `a//b`, `a/` (a folder), `./a`.
    #[error("it has an empty part or \".\"; folders are not read")]
    Part,
}

/// An archive whose directory was checked.
#[derive(Debug)]
pub(super) struct Archive<R> {
    source: R,
    entries: Vec<Entry>,
}

/// One file in an archive.
#[derive(Debug)]
pub(super) struct Entry {
    name: String,
    crc: u32,
    header_at: u64,
    place: Place,
}

impl Entry {
    pub(super) fn unpacked_bytes(&self) -> u64 {
        self.place.unpacked
    }

    pub(super) fn place(&self) -> Place {
        self.place
    }

    fn data_end(&self) -> u64 {
        self.place.at + self.place.packed
    }
}

impl<R: Ranges> Archive<R> {
    pub(super) fn open(source: R) -> Result<Archive<R>, ArchiveError> {
        let len = source.len();
        if len > LIMITS.archive_bytes {
            return Err(ArchiveError::TooLarge { len });
        }
        let no_end = ArchiveError::NoEnd { len };
        let end_at = len.checked_sub(END_BYTES as u64).ok_or(no_end.clone())?;
        let mut end = [0; END_BYTES];
        source.read_at(end_at, &mut end)?;
        let end = Fields(&end);
        // Anything after the record (a comment) would leave two places where it could be found.
        if end.u32(0) != END_SIGNATURE || end.u16(20) != 0 {
            return Err(no_end);
        }
        let (disk, first_disk, here, entries) =
            (end.u16(4), end.u16(6), end.u16(8), usize::from(end.u16(10)));
        let (size, at) = (u64::from(end.u32(12)), u64::from(end.u32(16)));
        if entries > LIMITS.entries {
            return Err(ArchiveError::TooManyEntries { entries });
        }
        if disk != 0 || first_disk != 0 || usize::from(here) != entries || at + size != end_at {
            return Err(ArchiveError::Directory);
        }
        let entries = read_directory(&source, at, end_at, entries)?;
        Ok(Archive { source, entries })
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| entry.name.as_str())
    }

    pub(super) fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name == name)
    }

    /// Shows all unpacked bytes of an entry of at most `most`, piece by piece.
    ///
    /// They count only once this has returned without an error.
    pub(super) fn look_through(
        &self,
        entry: &Entry,
        most: u64,
        mut see: impl FnMut(&[u8]),
    ) -> Result<(), ArchiveError> {
        let (name, bytes) = (|| entry.name.clone(), entry.place.unpacked);
        if bytes > most {
            return Err(ArchiveError::EntryTooLarge { name: name(), bytes, most });
        }
        let mut crc = crc32fast::Hasher::new();
        let looked = Unpacker::new(&self.source, entry.place).each(|piece| {
            crc.update(piece);
            see(piece);
        });
        looked.map_err(|error| match error {
            UnpackError::Unread(unread) => unread.into(),
            UnpackError::Damaged => ArchiveError::Inflate { name: name() },
            UnpackError::Ends => ArchiveError::UnpackedSize { name: name(), bytes },
        })?;
        let computed = crc.finalize();
        if computed != entry.crc {
            return Err(ArchiveError::Crc { name: name(), computed, stated: entry.crc });
        }
        Ok(())
    }
}

fn read_directory(
    source: &impl Ranges,
    start: u64,
    end: u64,
    entries: usize,
) -> Result<Vec<Entry>, ArchiveError> {
    let mut found = Vec::with_capacity(entries);
    let mut names = BTreeSet::new();
    let mut total = 0u64;
    let mut at = start;
    for index in 0..entries {
        let (entry, next) = central_header(source, at, end, index)?;
        let Place { packed, unpacked, .. } = entry.place;
        if !names.insert(entry.name.to_ascii_lowercase()) {
            return Err(ArchiveError::Duplicate { name: entry.name });
        }
        total += unpacked;
        if total > LIMITS.total_bytes {
            return Err(ArchiveError::TotalTooLarge { bytes: total });
        }
        let most = LIMITS.file_bytes;
        if unpacked > most {
            return Err(ArchiveError::EntryTooLarge { name: entry.name, bytes: unpacked, most });
        }
        if unpacked > LIMITS.ratio_free_bytes && unpacked / LIMITS.ratio > packed {
            return Err(ArchiveError::Ratio { name: entry.name, packed, bytes: unpacked });
        }
        found.push(local_header(source, start, entry)?);
        at = next;
    }
    if at != end {
        return Err(ArchiveError::Directory);
    }
    let mut by_place: Vec<&Entry> = found.iter().collect();
    by_place.sort_by_key(|entry| entry.header_at);
    for pair in by_place.windows(2) {
        if pair[0].data_end() > pair[1].header_at {
            return Err(ArchiveError::Overlap { name: pair[1].name.clone() });
        }
    }
    Ok(found)
}

/// Bytes from `at` on; `None` if they do not end before `end`.
fn within(source: &impl Ranges, at: u64, end: u64, into: &mut [u8]) -> Result<Option<()>, ArchiveError> {
    if at + into.len() as u64 > end {
        return Ok(None);
    }
    Ok(Some(source.read_at(at, into)?))
}

/// Reads the entry of the directory at `at`; also says where the next one begins.
fn central_header(
    source: &impl Ranges,
    at: u64,
    end: u64,
    index: usize,
) -> Result<(Entry, u64), ArchiveError> {
    let mut header = [0; CENTRAL_BYTES];
    within(source, at, end, &mut header)?.ok_or(ArchiveError::Directory)?;
    let header = Fields(&header);
    if header.u32(0) != CENTRAL_SIGNATURE {
        return Err(ArchiveError::Directory);
    }
    let (made_by, flags, method, crc) = (header.u16(4), header.u16(8), header.u16(10), header.u32(16));
    let (name_len, extra_len, comment_len) = (header.u16(28), header.u16(30), header.u16(32));
    let (attributes, header_at) = (header.u32(38), u64::from(header.u32(42)));
    let name_at = at + CENTRAL_BYTES as u64;
    let next = name_at + u64::from(name_len) + u64::from(extra_len) + u64::from(comment_len);
    if name_at + u64::from(name_len) > end {
        return Err(ArchiveError::Directory);
    }
    let mut raw = vec![0; usize::from(name_len).min(SHOWN_NAME_BYTES)];
    source.read_at(name_at, &mut raw)?;
    let name = check_name(&raw).map_err(|fault| {
        let name = String::from_utf8_lossy(&raw).into_owned();
        ArchiveError::Name { index, name, fault }
    })?;
    let mode = attributes >> 16;
    if (made_by >> 8) as u8 == MADE_BY_UNIX && mode & UNIX_TYPE == UNIX_LINK {
        return Err(ArchiveError::SymbolicLink { name });
    }
    if (made_by >> 8) as u8 == MADE_BY_UNIX && !matches!(mode & UNIX_TYPE, 0 | UNIX_FILE) {
        return Err(ArchiveError::NotAFile { name, mode });
    }
    if flags & FLAGS_ENCRYPTED != 0 {
        return Err(ArchiveError::Encrypted { name });
    }
    let deflated = match method {
        STORED => false,
        DEFLATED => true,
        _ => return Err(ArchiveError::Method { name, method }),
    };
    let (packed, unpacked) = (u64::from(header.u32(20)), u64::from(header.u32(24)));
    Ok((Entry { name, crc, header_at, place: Place { at: 0, packed, unpacked, deflated } }, next))
}

/// Finds the data of an entry; the directory begins at `end`.
fn local_header(source: &impl Ranges, end: u64, mut entry: Entry) -> Result<Entry, ArchiveError> {
    let disagrees = || ArchiveError::LocalHeader { name: entry.name.clone() };
    let mut header = [0; LOCAL_BYTES];
    within(source, entry.header_at, end, &mut header)?.ok_or_else(disagrees)?;
    let header = Fields(&header);
    let name_at = entry.header_at + LOCAL_BYTES as u64;
    let mut name = vec![0; entry.name.len()];
    within(source, name_at, end, &mut name)?.ok_or_else(disagrees)?;
    let Place { packed, unpacked, deflated, .. } = entry.place;
    let agrees = header.u32(0) == LOCAL_SIGNATURE
        && header.u16(6) & FLAGS_ENCRYPTED == 0
        && header.u16(8) == if deflated { DEFLATED } else { STORED }
        && usize::from(header.u16(26)) == name.len()
        && name == entry.name.as_bytes()
        && (deflated || packed == unpacked);
    let data_at = name_at + name.len() as u64 + u64::from(header.u16(28));
    if !agrees || data_at + packed > end {
        return Err(disagrees());
    }
    entry.place.at = data_at;
    Ok(entry)
}

fn check_name(raw: &[u8]) -> Result<String, NameFault> {
    if raw.is_empty() || raw.len() > NAME_BYTES {
        return Err(NameFault::Length);
    }
    let name = std::str::from_utf8(raw).map_err(|_| NameFault::Characters)?;
    if !name.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Err(NameFault::Characters);
    }
    if name.contains('\\') {
        return Err(NameFault::Backslash);
    }
    if raw.len() >= 2 && raw[0].is_ascii_alphabetic() && raw[1] == b':' {
        return Err(NameFault::Drive);
    }
    if name.contains(':') {
        return Err(NameFault::Stream);
    }
    if name.starts_with('/') {
        return Err(NameFault::Absolute);
    }
    match name.split('/').find(|part| matches!(*part, "" | "." | "..")) {
        Some("..") => Err(NameFault::Parent),
        Some(_) => Err(NameFault::Part),
        None => Ok(name.to_owned()),
    }
}

/// Little-endian fields of a header, at offsets that lie within it.
#[derive(Clone, Copy)]
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn u16(self, at: usize) -> u16 {
        u16::from_le_bytes([self.0[at], self.0[at + 1]])
    }

    fn u32(self, at: usize) -> u32 {
        u32::from(self.u16(at)) | u32::from(self.u16(at + 2)) << 16
    }
}
