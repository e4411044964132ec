//! Firmware packages: a zip with `rules.json` and the component files it names.
//!
//! A package comes from the network or a share. Its signature is checked elsewhere; here every length, name and
//! count is taken for hostile, and nothing of it ever becomes a path.

mod archive;
mod fit;
mod rules;

use std::collections::BTreeMap;
use std::io::{Cursor, Write};

use self::archive::Archive;
pub use self::archive::{ArchiveError, NameFault};
pub use self::fit::{Misfit, Product};
pub use self::rules::{
    COMPONENTS, Component, Crc32, FILE_BYTES, ID_BYTES, MINUTES, RULES_SCHEMA, Rules, RulesError, TARGETS,
    Target, TextField,
};
use crate::image::{Image, ImageCheck, ImageError};
pub use crate::method::{Method, MethodUnknown};
use crate::ranges::Ranges;
use crate::unpack::Place;
pub use crate::version::{FirmwareVersion, VersionError};

/// Bounds of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the whole archive.
    pub archive_bytes: u64,
    /// Entries in the archive.
    pub entries: usize,
    /// Bytes of `rules.json`, unpacked.
    pub rules_bytes: u64,
    /// Bytes of one component file, unpacked.
    pub file_bytes: u64,
    /// Bytes of all entries, unpacked.
    pub total_bytes: u64,
    /// Unpacked bytes per packed byte, for entries above [`Limits::ratio_free_bytes`].
    pub ratio: u64,
    /// Entries up to this many unpacked bytes may have any ratio.
    pub ratio_free_bytes: u64,
}

/// The bounds that apply to every package.
pub const LIMITS: Limits = Limits {
    archive_bytes: 64 << 20,
    entries: 64,
    rules_bytes: 64 << 10,
    file_bytes: 64 << 20,
    total_bytes: 128 << 20,
    ratio: 100,
    ratio_free_bytes: 1 << 20,
};

/// Name of the entry that describes the package.
pub const RULES_FILE: &str = "rules.json";

/// A firmware package whose every part was checked against its rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// What `rules.json` says.
    pub rules: Rules,
    images: BTreeMap<String, Image>,
}

/// Why bytes are not a firmware package.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// The zip itself.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// `rules.json` is missing.
    #[error("the package has no {RULES_FILE}: it is no firmware package, or was packed with its folder")]
    NoRules,
    /// `rules.json` is there but wrong.
    #[error(transparent)]
    Rules(#[from] RulesError),
    /// A component's file is missing.
    #[error("component {id:?}: its file {file:?} is not in the package")]
    MissingFile {
        /// Component.
        id: String,
        /// File named by the rules.
        file: String,
    },
    /// An entry that no component names.
    #[error("entry {name:?} is named by no component of {RULES_FILE}: remove it, or name it")]
    UnnamedEntry {
        /// The entry.
        name: String,
    },
    /// The file is not as long as the rules say.
    #[error("component {id:?}: its file has {len} bytes, {RULES_FILE} says {size}")]
    Size {
        /// Component.
        id: String,
        /// Bytes in the package.
        len: u64,
        /// Bytes by the rules.
        size: u64,
    },
    /// The file is not the one the rules mean.
    #[error("component {id:?}: its file has CRC-32 {computed}, {RULES_FILE} says {stated}")]
    Crc {
        /// Component.
        id: String,
        /// CRC-32 of the file.
        computed: Crc32,
        /// CRC-32 by the rules.
        stated: Crc32,
    },
    /// The file is no firmware image.
    #[error("component {id:?}: {source}")]
    Image {
        /// Component.
        id: String,
        /// Why.
        source: ImageError,
    },
    /// `pack` only: the zip could not be written.
    #[error("cannot write the package: {0}")]
    Write(#[from] zip::result::ZipError),
}

impl Package {
    /// Opens a package and looks through every component by its rules; nothing of it is kept but what they say and
    /// where the images lie.
    ///
    /// Errors: see [`PackageError`]; bounds in [`LIMITS`].
    pub fn open(source: impl Ranges) -> Result<Package, PackageError> {
        let archive = Archive::open(source)?;
        let entry = archive.entry(RULES_FILE).ok_or(PackageError::NoRules)?;
        let mut rules = Vec::new();
        archive.look_through(entry, LIMITS.rules_bytes, |piece| rules.extend_from_slice(piece))?;
        let rules = Rules::parse(&rules)?;
        let named = |name: &str| name == RULES_FILE || rules.components.iter().any(|part| part.file == name);
        if let Some(name) = archive.names().find(|name| !named(name)) {
            return Err(PackageError::UnnamedEntry { name: name.to_owned() });
        }
        let mut images = BTreeMap::new();
        for component in &rules.components {
            let id = component.id.clone();
            let file = component.file.clone();
            let entry = archive.entry(&file).ok_or(PackageError::MissingFile { id: id.clone(), file })?;
            // The size is compared before a byte is unpacked.
            check_size(component, entry.unpacked_bytes())?;
            let mut check = ComponentCheck::new(entry.place());
            archive.look_through(entry, LIMITS.file_bytes, |piece| check.see(piece))?;
            images.insert(id, check.image(component)?);
        }
        Ok(Package { rules, images })
    }

    /// The image of a component, without its DFU suffix.
    #[must_use]
    pub fn component_image(&self, id: &str) -> Option<&Image> {
        self.images.get(id)
    }
}

/// Writes a package. The same input gives the same bytes.
///
/// `files` holds exactly the files the components name. Errors: see [`PackageError`]; what is returned opens with
/// [`Package::open`].
pub fn pack(rules: &Rules, files: &BTreeMap<String, Vec<u8>>) -> Result<Vec<u8>, PackageError> {
    rules.check()?;
    if let Some(name) = files.keys().find(|name| !rules.components.iter().any(|part| part.file == **name)) {
        return Err(PackageError::UnnamedEntry { name: name.clone() });
    }
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    // Stored, not deflated, if deflating would break the ratio a reader accepts.
    let options = |method| {
        zip::write::SimpleFileOptions::default()
            .compression_method(method)
            .last_modified_time(zip::DateTime::default())
            .unix_permissions(0o644)
    };
    zip.start_file(RULES_FILE, options(zip::CompressionMethod::Deflated))?;
    zip.write_all(&rules.to_json()).map_err(zip::result::ZipError::from)?;
    for component in &rules.components {
        let (id, file) = (component.id.clone(), component.file.clone());
        let bytes = files.get(&file).ok_or(PackageError::MissingFile { id, file })?;
        check_size(component, bytes.len() as u64)?;
        let mut check = ComponentCheck::new(Place::whole(bytes.len() as u64));
        check.see(bytes);
        check.image(component)?;
        let large = bytes.len() as u64 > LIMITS.ratio_free_bytes;
        let method = if large { zip::CompressionMethod::Stored } else { zip::CompressionMethod::Deflated };
        zip.start_file(component.file.as_str(), options(method))?;
        zip.write_all(bytes).map_err(zip::result::ZipError::from)?;
    }
    let archive = zip.finish()?.into_inner();
    Package::open(archive.as_slice())?;
    Ok(archive)
}

fn check_size(component: &Component, len: u64) -> Result<(), PackageError> {
    if len == component.size {
        return Ok(());
    }
    Err(PackageError::Size { id: component.id.clone(), len, size: component.size })
}

/// What is found out about a component's file as it comes by.
struct ComponentCheck {
    crc: crc32fast::Hasher,
    image: ImageCheck,
}

impl ComponentCheck {
    fn new(place: Place) -> ComponentCheck {
        ComponentCheck { crc: crc32fast::Hasher::new(), image: ImageCheck::new(place) }
    }

    fn see(&mut self, piece: &[u8]) {
        self.crc.update(piece);
        self.image.see(piece);
    }

    fn image(self, component: &Component) -> Result<Image, PackageError> {
        let computed = Crc32(self.crc.finalize());
        if let Some(stated) = component.crc32.filter(|stated| *stated != computed) {
            return Err(PackageError::Crc { id: component.id.clone(), computed, stated });
        }
        self.image.finish().map_err(|source| PackageError::Image { id: component.id.clone(), source })
    }
}
