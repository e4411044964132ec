//! Why bytes are no firmware package, no image or no version.

use super::{shown, without_place};
use crate::protocol::Detail;
use dfu::image::{ImageError, MAX_IMAGE_BYTES};
use dfu::package::{
    ArchiveError, COMPONENTS, FILE_BYTES, ID_BYTES, LIMITS, MINUTES, MethodUnknown, Misfit, NameFault,
    PackageError, RULES_SCHEMA, RulesError, TARGETS, Target, VersionError,
};

impl From<&PackageError> for Detail {
    fn from(error: &PackageError) -> Self {
        match error {
            PackageError::Archive(archive) => archive.into(),
            PackageError::NoRules => Detail::new("package-no-rules", error),
            PackageError::Rules(rules) => rules.into(),
            PackageError::MissingFile { id, file } => Detail::new("package-missing-file", error)
                .with("component", shown(id))
                .with("file", shown(file)),
            PackageError::UnnamedEntry { name } => {
                Detail::new("package-unnamed-entry", error).with("entry", shown(name))
            }
            PackageError::Size { id, len, size } => Detail::new("package-size", error)
                .with("component", shown(id))
                .with("bytes", len)
                .with("stated", size),
            PackageError::Crc { id, computed, stated } => Detail::new("package-crc", error)
                .with("component", shown(id))
                .with("computed", computed)
                .with("stated", stated),
            PackageError::Image { id, source } => {
                Detail::new("package-image", error).with("component", shown(id)).detail("error", source)
            }
            PackageError::Write(zip) => Detail::new("package-write", error).with("error", zip),
        }
    }
}

impl From<&ArchiveError> for Detail {
    fn from(error: &ArchiveError) -> Self {
        match error {
            ArchiveError::Unread(unread) => Detail::new("archive-unread", error).with("error", &unread.why),
            ArchiveError::TooLarge { len } => {
                Detail::new("archive-too-large", error).with("bytes", len).with("most", LIMITS.archive_bytes)
            }
            ArchiveError::NoEnd { len } => Detail::new("archive-no-end", error).with("bytes", len),
            ArchiveError::Directory => Detail::new("archive-directory", error),
            ArchiveError::TooManyEntries { entries } => Detail::new("archive-too-many-entries", error)
                .with("entries", entries)
                .with("most", LIMITS.entries),
            ArchiveError::Name { index, name, fault } => Detail::new("archive-name", error)
                .with("index", index)
                .with("entry", shown(name))
                .detail("fault", *fault),
            ArchiveError::Duplicate { name } => {
                Detail::new("archive-duplicate", error).with("entry", shown(name))
            }
            ArchiveError::SymbolicLink { name } => {
                Detail::new("archive-symbolic-link", error).with("entry", shown(name))
            }
            ArchiveError::NotAFile { name, mode } => Detail::new("archive-not-a-file", error)
                .with("entry", shown(name))
                .with("mode", format!("0o{mode:o}")),
            ArchiveError::Encrypted { name } => {
                Detail::new("archive-encrypted", error).with("entry", shown(name))
            }
            ArchiveError::Method { name, method } => {
                Detail::new("archive-method", error).with("entry", shown(name)).with("method", method)
            }
            ArchiveError::EntryTooLarge { name, bytes, most } => {
                Detail::new("archive-entry-too-large", error)
                    .with("entry", shown(name))
                    .with("bytes", bytes)
                    .with("most", most)
            }
            ArchiveError::TotalTooLarge { bytes } => Detail::new("archive-total-too-large", error)
                .with("bytes", bytes)
                .with("most", LIMITS.total_bytes),
            ArchiveError::Ratio { name, packed, bytes } => Detail::new("archive-ratio", error)
                .with("entry", shown(name))
                .with("packed", packed)
                .with("bytes", bytes)
                .with("most", LIMITS.ratio),
            ArchiveError::LocalHeader { name } => {
                Detail::new("archive-local-header", error).with("entry", shown(name))
            }
            ArchiveError::Overlap { name } => {
                Detail::new("archive-overlap", error).with("entry", shown(name))
            }
            ArchiveError::Inflate { name } => {
                Detail::new("archive-inflate", error).with("entry", shown(name))
            }
            ArchiveError::UnpackedSize { name, bytes } => {
                Detail::new("archive-unpacked-size", error).with("entry", shown(name)).with("bytes", bytes)
            }
            ArchiveError::Crc { name, computed, stated } => Detail::new("archive-crc", error)
                .with("entry", shown(name))
                .with("computed", format!("{computed:08x}"))
                .with("stated", format!("{stated:08x}")),
        }
    }
}

impl From<&MethodUnknown> for Detail {
    fn from(error: &MethodUnknown) -> Self {
        Detail::new("method-unknown", error).with("method", shown(&error.name))
    }
}

impl From<NameFault> for Detail {
    fn from(fault: NameFault) -> Self {
        match fault {
            NameFault::Length => Detail::new("name-length", fault),
            NameFault::Characters => Detail::new("name-characters", fault),
            NameFault::Backslash => Detail::new("name-backslash", fault),
            NameFault::Drive => Detail::new("name-drive", fault),
            NameFault::Stream => Detail::new("name-stream", fault),
            NameFault::Absolute => Detail::new("name-absolute", fault),
            NameFault::Parent => Detail::new("name-parent", fault),
            NameFault::Part => Detail::new("name-part", fault),
        }
    }
}

impl From<&RulesError> for Detail {
    fn from(error: &RulesError) -> Self {
        match error {
            RulesError::Json { source } => Detail::new("rules-json", error)
                .with("line", source.line())
                .with("column", source.column())
                .with("error", without_place(source)),
            RulesError::Schema { found } => {
                Detail::new("rules-schema", error).with("found", found).with("known", RULES_SCHEMA)
            }
            RulesError::Text { field, least, most } => {
                Detail::new("rules-text", error).with("field", field).with("least", least).with("most", most)
            }
            RulesError::Targets { len, repeated } => Detail::new("rules-targets", error)
                .with("count", len)
                .with("most", TARGETS)
                .with("repeated", repeated),
            RulesError::Components { len } => {
                Detail::new("rules-components", error).with("count", len).with("most", COMPONENTS)
            }
            RulesError::Id { index, id } => Detail::new("rules-id", error)
                .with("index", index)
                .with("component", shown(id))
                .with("most", ID_BYTES),
            RulesError::File { id, file } => Detail::new("rules-file", error)
                .with("component", shown(id))
                .with("file", shown(file))
                .with("most", FILE_BYTES),
            RulesError::Repeated { id } => Detail::new("rules-repeated", error).with("component", shown(id)),
            RulesError::Method { id, source } => {
                Detail::new("rules-method", error).with("component", shown(id)).detail("error", source)
            }
            RulesError::Size { id, size } => Detail::new("rules-size", error)
                .with("component", shown(id))
                .with("bytes", size)
                .with("most", LIMITS.file_bytes),
            RulesError::Minutes { minutes } => {
                Detail::new("rules-minutes", error).with("minutes", minutes).with("most", MINUTES)
            }
            RulesError::BatteryPercent { percent } => {
                Detail::new("rules-battery-percent", error).with("percent", percent)
            }
        }
    }
}

impl From<&ImageError> for Detail {
    fn from(error: &ImageError) -> Self {
        match error {
            ImageError::Empty => Detail::new("image-empty", error),
            ImageError::TooLarge { len } => {
                Detail::new("image-too-large", error).with("bytes", len).with("most", MAX_IMAGE_BYTES)
            }
            ImageError::SuffixLength { at, length, len } => Detail::new("image-suffix-length", error)
                .with("at", at)
                .with("length", length)
                .with("bytes", len),
            ImageError::Crc { stated, computed } => Detail::new("image-crc", error)
                .with("stated", format!("0x{stated:08x}"))
                .with("computed", format!("0x{computed:08x}")),
            ImageError::Specification { bcd_dfu } => {
                Detail::new("image-specification", error).with("bcd_dfu", format!("0x{bcd_dfu:04x}"))
            }
        }
    }
}

impl From<&Misfit> for Detail {
    fn from(misfit: &Misfit) -> Self {
        let ids = |target: &Target| format!("{:04x}:{:04x}", target.vid, target.pid);
        match misfit {
            Misfit::OtherProduct { product } => {
                Detail::new("package-other-product", misfit).with("product", ids(product))
            }
            Misfit::Components { count } => {
                Detail::new("package-component-count", misfit).with("count", count)
            }
            Misfit::OtherVersion { found, wanted } => {
                Detail::new("package-other-version", misfit).with("found", found).with("wanted", wanted)
            }
            Misfit::TwoVersions { package, component } => Detail::new("package-two-versions", misfit)
                .with("package", package)
                .with("component", component),
            Misfit::SuffixProduct { id, suffix, product } => Detail::new("package-suffix-product", misfit)
                .with("component", shown(id))
                .with("suffix", ids(suffix))
                .with("product", ids(product)),
            Misfit::SuffixVersion { id, suffix, stated } => Detail::new("package-suffix-version", misfit)
                .with("component", shown(id))
                .with("suffix", suffix)
                .with("stated", stated),
            Misfit::Battery { percent } => Detail::new("package-battery", misfit).with("percent", percent),
        }
    }
}

impl From<&VersionError> for Detail {
    fn from(error: &VersionError) -> Self {
        match error {
            VersionError::Erased => Detail::new("version-erased", error),
            VersionError::Text { text } => Detail::new("version-text", error).with("text", shown(text)),
        }
    }
}
