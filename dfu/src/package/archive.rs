//! A strict reader for the part of zip that packages use (APPNOTE.TXT 6.3: stored and deflated files, one disk).
//!
//! Written here because the checks need what general readers hide: duplicates, entries that share bytes, the two
//! copies of a name, and attributes. What the central directory says is used; the local headers must agree with it.

use std::collections::BTreeSet;
use std::io::Read;

use flate2::read::DeflateDecoder;

use super::LIMITS;

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

/// Why bytes are not an archive that is read here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// More bytes than [`super::Limits::archive_bytes`].
    #[error("the package has {len} bytes: at most {} are read", LIMITS.archive_bytes)]
    TooLarge {
        /// Bytes that came.
        len: usize,
    },
    /// The end record is not where it must be.
    #[error("the package does not end like a zip file ({len} bytes): it is cut off, or no zip; get it again")]
    NoEnd {
        /// Bytes that came.
        len: usize,
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
pub(super) struct Archive<'a> {
    bytes: &'a [u8],
    entries: Vec<Entry>,
}

/// One file in an archive.
#[derive(Debug)]
pub(super) struct Entry {
    name: String,
    method: u16,
    crc: u32,
    packed: u64,
    unpacked: u64,
    header_at: usize,
    data_at: usize,
}

impl Entry {
    pub(super) fn unpacked_bytes(&self) -> u64 {
        self.unpacked
    }

    fn data_end(&self) -> usize {
        // Checked by `local_header` to be within the archive.
        self.data_at + self.packed as usize
    }
}

impl<'a> Archive<'a> {
    pub(super) fn open(bytes: &'a [u8]) -> Result<Archive<'a>, ArchiveError> {
        if bytes.len() > LIMITS.archive_bytes {
            return Err(ArchiveError::TooLarge { len: bytes.len() });
        }
        let no_end = ArchiveError::NoEnd { len: bytes.len() };
        let end_at = bytes.len().checked_sub(END_BYTES).ok_or(no_end.clone())?;
        let end = Fields(&bytes[end_at..]);
        // Anything after the record (a comment) would leave two places where it could be found.
        if end.u32(0) != Some(END_SIGNATURE) || end.u16(20) != Some(0) {
            return Err(no_end);
        }
        let (Some(disk), Some(first_disk), Some(here), Some(entries), Some(size), Some(at)) =
            (end.u16(4), end.u16(6), end.u16(8), end.u16(10), end.u32(12), end.u32(16))
        else {
            return Err(no_end);
        };
        let (entries, at, size) = (usize::from(entries), at as usize, size as usize);
        if entries > LIMITS.entries {
            return Err(ArchiveError::TooManyEntries { entries });
        }
        if disk != 0
            || first_disk != 0
            || usize::from(here) != entries
            || at.checked_add(size) != Some(end_at)
        {
            return Err(ArchiveError::Directory);
        }
        let entries = read_directory(bytes, at, end_at, entries)?;
        Ok(Archive { bytes, entries })
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| entry.name.as_str())
    }

    pub(super) fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name == name)
    }

    /// Unpacks an entry of at most `most` bytes. Never holds more than the entry states.
    pub(super) fn unpack(&self, entry: &Entry, most: u64) -> Result<Vec<u8>, ArchiveError> {
        let name = || entry.name.clone();
        if entry.unpacked > most {
            return Err(ArchiveError::EntryTooLarge { name: name(), bytes: entry.unpacked, most });
        }
        let packed = &self.bytes[entry.data_at..entry.data_end()];
        let unpacked = if entry.method == STORED {
            packed.to_vec()
        } else {
            let mut unpacked = Vec::new();
            let mut decoder = DeflateDecoder::new(packed);
            let read = decoder.by_ref().take(entry.unpacked + 1).read_to_end(&mut unpacked);
            if read.is_err()
                || (unpacked.len() as u64 == entry.unpacked && decoder.total_in() != entry.packed)
            {
                return Err(ArchiveError::Inflate { name: name() });
            }
            unpacked
        };
        if unpacked.len() as u64 != entry.unpacked {
            return Err(ArchiveError::UnpackedSize { name: name(), bytes: entry.unpacked });
        }
        let computed = crc32fast::hash(&unpacked);
        if computed != entry.crc {
            return Err(ArchiveError::Crc { name: name(), computed, stated: entry.crc });
        }
        Ok(unpacked)
    }
}

fn read_directory(
    bytes: &[u8],
    start: usize,
    end: usize,
    entries: usize,
) -> Result<Vec<Entry>, ArchiveError> {
    let mut found = Vec::with_capacity(entries);
    let mut names = BTreeSet::new();
    let mut total = 0u64;
    let mut at = start;
    for index in 0..entries {
        let (entry, next) = central_header(&bytes[..end], at, index)?;
        if !names.insert(entry.name.to_ascii_lowercase()) {
            return Err(ArchiveError::Duplicate { name: entry.name });
        }
        total += entry.unpacked;
        if total > LIMITS.total_bytes {
            return Err(ArchiveError::TotalTooLarge { bytes: total });
        }
        let most = LIMITS.file_bytes;
        if entry.unpacked > most {
            return Err(ArchiveError::EntryTooLarge { name: entry.name, bytes: entry.unpacked, most });
        }
        if entry.unpacked > LIMITS.ratio_free_bytes && entry.unpacked / LIMITS.ratio > entry.packed {
            return Err(ArchiveError::Ratio {
                name: entry.name,
                packed: entry.packed,
                bytes: entry.unpacked,
            });
        }
        found.push(local_header(&bytes[..start], entry)?);
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

/// Reads the entry of the directory at `at`; also says where the next one begins.
fn central_header(bytes: &[u8], at: usize, index: usize) -> Result<(Entry, usize), ArchiveError> {
    let header = bytes.get(at..).map(Fields).ok_or(ArchiveError::Directory)?;
    let fields = || {
        Some((
            header.u32(0).filter(|signature| *signature == CENTRAL_SIGNATURE)?,
            (header.u16(4)?, header.u16(8)?, header.u16(10)?, header.u32(16)?),
            (header.u32(20)?, header.u32(24)?),
            (usize::from(header.u16(28)?), usize::from(header.u16(30)?), usize::from(header.u16(32)?)),
            (header.u32(38)?, header.u32(42)?),
        ))
    };
    let (_, (made_by, flags, method, crc), (packed, unpacked), (name_len, extra_len, comment_len), place) =
        fields().ok_or(ArchiveError::Directory)?;
    let (attributes, header_at) = place;
    let raw = header.0.get(CENTRAL_BYTES..CENTRAL_BYTES + name_len).ok_or(ArchiveError::Directory)?;
    let name = check_name(raw).map_err(|fault| {
        let name = String::from_utf8_lossy(raw).chars().take(140).collect();
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
    if !matches!(method, STORED | DEFLATED) {
        return Err(ArchiveError::Method { name, method });
    }
    let next = at + CENTRAL_BYTES + name_len + extra_len + comment_len;
    let entry = Entry {
        name,
        method,
        crc,
        packed: u64::from(packed),
        unpacked: u64::from(unpacked),
        header_at: header_at as usize,
        data_at: 0,
    };
    Ok((entry, next))
}

/// Finds the data of an entry; `bytes` end where the directory begins.
fn local_header(bytes: &[u8], mut entry: Entry) -> Result<Entry, ArchiveError> {
    let place = || {
        let header = Fields(bytes.get(entry.header_at..)?);
        let (flags, method) = (header.u16(6)?, header.u16(8)?);
        let (name_len, extra_len) = (usize::from(header.u16(26)?), usize::from(header.u16(28)?));
        let name = header.0.get(LOCAL_BYTES..LOCAL_BYTES + name_len)?;
        let agrees = header.u32(0)? == LOCAL_SIGNATURE
            && flags & FLAGS_ENCRYPTED == 0
            && method == entry.method
            && name == entry.name.as_bytes()
            && (method != STORED || entry.packed == entry.unpacked);
        let data_at = entry.header_at + LOCAL_BYTES + name_len + extra_len;
        let data_end = data_at.checked_add(usize::try_from(entry.packed).ok()?)?;
        (agrees && data_end <= bytes.len()).then_some(data_at)
    };
    match place() {
        Some(data_at) => {
            entry.data_at = data_at;
            Ok(entry)
        }
        None => Err(ArchiveError::LocalHeader { name: entry.name }),
    }
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

/// Little-endian fields at offsets, if they are there.
#[derive(Clone, Copy)]
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn u16(self, at: usize) -> Option<u16> {
        self.0.get(at..)?.first_chunk().map(|bytes| u16::from_le_bytes(*bytes))
    }

    fn u32(self, at: usize) -> Option<u32> {
        self.0.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
    }
}
