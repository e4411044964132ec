//! Packages as they come from the network: good ones, and each way of being bad.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::io::{Cursor, Write};

use dfu::FirmwareVersion;
use dfu::image::{Image, ImageError, Suffix};
use dfu::package::{
    ArchiveError, Component, Crc32, LIMITS, Method, Misfit, NameFault, Package, PackageError, Product,
    RULES_FILE, Rules, RulesError, Target, pack,
};
use zip::CompressionMethod::{Deflated, Stored};
use zip::write::SimpleFileOptions;

#[path = "package/entries.rs"]
mod entries;

fn image_file() -> Vec<u8> {
    let payload: Vec<u8> = (0..4000u32).map(|at| ((at * at) >> 3) as u8).collect();
    Image::with_suffix(&payload, Suffix { bcd_device: 0x0120, vid: 0x1209, pid: 1, bcd_dfu: 0x0100 })
}

fn rules(file: &str, bytes: &[u8]) -> Rules {
    let version = FirmwareVersion::from_bcd(0x0120).unwrap();
    Rules {
        schema: 1,
        name: "Simulated headset 1.20".to_owned(),
        vendor: "Example".to_owned(),
        version,
        targets: vec![Target { vid: 0x1209, pid: 0x0001 }],
        components: vec![Component {
            id: "headset".to_owned(),
            file: file.to_owned(),
            method: Method::UsbDfu,
            version,
            size: bytes.len() as u64,
            crc32: Some(Crc32(crc32fast::hash(bytes))),
        }],
        expected_minutes: Some(2),
        release_notes: Some("Mute is quicker.\nÜmlauts too.".to_owned()),
        battery_percent_minimum: Some(30),
    }
}

fn good() -> Vec<u8> {
    let file = image_file();
    let files = BTreeMap::from([("headset.dfu".to_owned(), file.clone())]);
    pack(&rules("headset.dfu", &file), &files).unwrap()
}

/// An archive by another writer than `pack`: entries as told, after a good `rules.json` for `headset.dfu`.
fn archive(entries: &[(&str, &[u8], SimpleFileOptions)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes, options) in entries {
        zip.start_file(*name, *options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn plain() -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(Stored)
}

fn with_entry(name: &str) -> Vec<u8> {
    let file = image_file();
    let json = rules("headset.dfu", &file).to_json();
    archive(&[(RULES_FILE, &json, plain()), ("headset.dfu", &file, plain()), (name, b"x", plain())])
}

/// Replaces every occurrence of a byte string by another of the same length, as an attacker with an editor would.
fn edited(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = bytes.to_vec();
    let mut edits = 0;
    for at in 0..=bytes.len() - from.len() {
        if bytes[at..].starts_with(from) {
            bytes[at..at + to.len()].copy_from_slice(to);
            edits += 1;
        }
    }
    assert!(edits > 0, "nothing to edit");
    bytes
}

/// Where the central headers of a small directory begin.
fn central_headers(bytes: &[u8]) -> Vec<usize> {
    (bytes.len().saturating_sub(1000)..bytes.len())
        .filter(|at| bytes[*at..].starts_with(b"PK\x01\x02"))
        .collect()
}

/// Where the fields of the last entry's central header begin, and the end record.
fn last_central(bytes: &[u8]) -> (usize, usize) {
    let end = bytes.len() - 22;
    let central = (0..end).rev().find(|at| bytes[*at..].starts_with(b"PK\x01\x02")).unwrap();
    (central, end)
}

fn archive_error(bytes: &[u8]) -> ArchiveError {
    match Package::open(bytes) {
        Err(PackageError::Archive(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_packed_package_opens_as_it_was_and_packs_the_same_again() {
    let file = image_file();
    let package = Package::open(good()).unwrap();
    assert_eq!(package.rules, rules("headset.dfu", &file));
    let (found, alone) = (package.component_image("headset").unwrap(), Image::parse(&file).unwrap());
    assert_eq!((found.payload_bytes, found.suffix), (alone.payload_bytes, alone.suffix));
    assert_eq!(package.component_image("base"), None);
    assert_eq!(good(), good());
}

#[test]
fn archives_of_another_writer_are_read_stored_deflated_and_in_folders() {
    let file = image_file();
    for method in [Stored, Deflated] {
        let options = plain().compression_method(method);
        let json = rules("images/headset.dfu", &file).to_json();
        let zip = archive(&[("images/headset.dfu", &file, options), (RULES_FILE, &json, options)]);
        assert!(Package::open(&zip).unwrap().component_image("headset").is_some());
    }
}

#[test]
fn names_have_up_to_128_bytes() {
    let longest = "n".repeat(128);
    let file = image_file();
    let json = rules(&longest, &file).to_json();
    let zip = archive(&[(RULES_FILE, &json, plain()), (&longest, &file, plain())]);
    assert!(Package::open(&zip).is_ok());
}

#[test]
fn large_files_that_pack_too_well_are_stored() {
    let file = vec![0xff; 3 << 20];
    let files = BTreeMap::from([("headset.dfu".to_owned(), file.clone())]);
    let zip = pack(&rules("headset.dfu", &file), &files).unwrap();
    assert_eq!(Package::open(&zip).unwrap().component_image("headset").unwrap().payload_bytes, 3 << 20);
}

/// Up to a mebibyte any ratio is fine: an image that is mostly erased flash packs to nearly nothing.
#[test]
fn small_files_may_pack_as_well_as_they_can() {
    let file = vec![0xff; 1 << 20];
    let files = BTreeMap::from([("headset.dfu".to_owned(), file.clone())]);
    let zip = pack(&rules("headset.dfu", &file), &files).unwrap();
    assert!(zip.len() < 10_000, "{} bytes", zip.len());
    assert_eq!(Package::open(&zip).unwrap().component_image("headset").unwrap().payload_bytes, 1 << 20);
}

#[test]
fn names_that_could_become_paths_are_refused() {
    let cases = [
        ("../evil", NameFault::Parent),
        ("a/../evil", NameFault::Parent),
        ("..", NameFault::Parent),
        ("/etc/evil", NameFault::Absolute),
        ("C:evil", NameFault::Drive),
        ("c:/evil", NameFault::Drive),
        ("headset.dfu:evil", NameFault::Stream),
        ("a\\evil", NameFault::Backslash),
        ("..\\evil", NameFault::Backslash),
        ("\\\\host\\evil", NameFault::Backslash),
        ("a//evil", NameFault::Part),
        ("./evil", NameFault::Part),
        ("folder/", NameFault::Part),
        ("evil\n", NameFault::Characters),
        ("evil\0.dfu", NameFault::Characters),
        ("\u{202e}ufd.dfu", NameFault::Characters),
    ];
    for (name, fault) in cases {
        // Written under a harmless name and edited, so that no writer can clean it up.
        let harmless = "q".repeat(name.len());
        let zip = edited(&with_entry(&harmless), harmless.as_bytes(), name.as_bytes());
        assert_eq!(archive_error(&zip), ArchiveError::Name { index: 2, name: name.to_owned(), fault });
    }
    let long = "n".repeat(129);
    assert!(matches!(archive_error(&with_entry(&long)), ArchiveError::Name { fault: NameFault::Length, .. }));
}

#[test]
fn duplicates_are_refused_in_any_case_of_letters() {
    for name in ["headset.dfu", "HEADSET.dfu", "Rules.JSON"] {
        let harmless = "q".repeat(name.len());
        let zip = edited(&with_entry(&harmless), harmless.as_bytes(), name.as_bytes());
        assert_eq!(archive_error(&zip), ArchiveError::Duplicate { name: name.to_owned() });
    }
}

#[test]
fn links_devices_and_folders_are_refused() {
    let zip = with_entry("link");
    let (central, _) = last_central(&zip);
    let with_mode = |mode: u16| {
        let mut zip = zip.clone();
        zip[central + 5] = 3;
        zip[central + 40..central + 42].copy_from_slice(&mode.to_le_bytes());
        archive_error(&zip)
    };
    assert_eq!(with_mode(0o120_777), ArchiveError::SymbolicLink { name: "link".to_owned() });
    for mode in [0o060_644, 0o020_644, 0o010_644, 0o040_755, 0o140_755] {
        assert_eq!(
            with_mode(mode),
            ArchiveError::NotAFile { name: "link".to_owned(), mode: u32::from(mode) }
        );
    }
}

#[test]
fn what_is_not_read_is_named() {
    let zip = with_entry("odd");
    let (central, end) = last_central(&zip);
    let name = || "odd".to_owned();
    let set = |at: usize, value: &[u8]| {
        let mut zip = zip.clone();
        zip[at..at + value.len()].copy_from_slice(value);
        archive_error(&zip)
    };
    for flags in [1u16, 1 << 6, 1 << 13] {
        assert_eq!(set(central + 8, &flags.to_le_bytes()), ArchiveError::Encrypted { name: name() });
    }
    assert_eq!(set(central + 10, &[12, 0]), ArchiveError::Method { name: name(), method: 12 });
    assert_eq!(set(central + 10, &[8, 0]), ArchiveError::LocalHeader { name: name() });
    assert_eq!(set(central + 42, &[0xff; 4]), ArchiveError::LocalHeader { name: name() });
    assert_eq!(set(central + 20, &[0xff, 0xff, 0, 0]), ArchiveError::LocalHeader { name: name() });
    assert_eq!(
        set(central + 24, &[2, 0, 0, 0]),
        ArchiveError::LocalHeader { name: name() },
        "stored: 1 is not 2"
    );
    assert_eq!(set(end + 4, &[1, 0]), ArchiveError::Directory);
    assert_eq!(set(end + 6, &[1, 0]), ArchiveError::Directory);
    assert_eq!(set(end + 8, &[2, 0, 2, 0]), ArchiveError::Directory);
    assert_eq!(set(end + 8, &[2, 0]), ArchiveError::Directory);
    let local = zip.windows(3).position(|bytes| bytes == b"odd").unwrap();
    assert!(local < central, "the name in the local header comes first");
    assert_eq!(set(local, b"ODD"), ArchiveError::LocalHeader { name: name() });
    assert_eq!(set(end + 16, &[0xff; 4]), ArchiveError::Directory);
    assert_eq!(set(end + 10, &[0xff, 0xff]), ArchiveError::TooManyEntries { entries: 0xffff });
    assert!(matches!(set(end + 20, &[1, 0]), ArchiveError::NoEnd { .. }));
}

#[test]
fn bombs_are_refused_before_they_are_unpacked() {
    let zeros = vec![0u8; 2 << 20];
    let options = plain().compression_method(Deflated);
    let zip = archive(&[("bomb", &zeros, options)]);
    assert!(matches!(archive_error(&zip), ArchiveError::Ratio { bytes: 0x20_0000, .. }));

    // Sizes that lie: what is stated bounds what is held.
    let file = image_file();
    let json = rules("headset.dfu", &file).to_json();
    let zip = archive(&[(RULES_FILE, &json, options), ("headset.dfu", &zeros[..500_000], options)]);
    let (central, _) = last_central(&zip);
    let mut lying = zip.clone();
    lying[central + 24..central + 28].copy_from_slice(&(file.len() as u32).to_le_bytes());
    let bytes = file.len() as u64;
    assert_eq!(archive_error(&lying), ArchiveError::UnpackedSize { name: "headset.dfu".to_owned(), bytes });

    let mut huge = zip.clone();
    huge[central + 24..central + 28].copy_from_slice(&(65u32 << 20).to_le_bytes());
    assert!(matches!(archive_error(&huge), ArchiveError::EntryTooLarge { bytes: 0x410_0000, .. }));

    let many: Vec<(String, &[u8])> = (0..LIMITS.entries + 1).map(|n| (format!("n{n}"), &b"x"[..])).collect();
    let many: Vec<_> = many.iter().map(|(name, bytes)| (name.as_str(), *bytes, plain())).collect();
    assert_eq!(archive_error(&archive(&many)), ArchiveError::TooManyEntries { entries: 65 });

    // Three entries of 60 MiB, all said to be in the same few bytes.
    let mut zip = archive(&[("a", b"x", plain()), ("b", b"x", plain()), ("c", b"x", plain())]);
    for at in central_headers(&zip) {
        zip[at + 24..at + 28].copy_from_slice(&(60u32 << 20).to_le_bytes());
    }
    assert!(matches!(archive_error(&zip), ArchiveError::Ratio { .. }));

    assert_eq!(
        archive_error(&vec![0; LIMITS.archive_bytes as usize + 1]),
        ArchiveError::TooLarge { len: LIMITS.archive_bytes + 1 }
    );
    let long = format!("{}{}", " ".repeat(70_000), String::from_utf8(json).unwrap());
    let zip = archive(&[(RULES_FILE, long.as_bytes(), plain()), ("headset.dfu", &file, plain())]);
    assert!(matches!(archive_error(&zip), ArchiveError::EntryTooLarge { most: 65_536, .. }));
}

#[test]
fn the_sum_of_all_entries_is_bounded() {
    let part = vec![1u8; 21 << 20];
    let big: Vec<_> = ["a", "b", "c"].iter().map(|name| (*name, part.as_slice(), plain())).collect();
    let mut zip = archive(&big);
    assert!((zip.len() as u64) < LIMITS.archive_bytes, "the archive itself is within its bound");
    // 3 × 60 MiB stated for 3 × 21 MiB of deflated data: within the ratio, beyond the sum.
    for at in central_headers(&zip) {
        zip[at + 10] = 8;
        zip[at + 24..at + 28].copy_from_slice(&(60u32 << 20).to_le_bytes());
        let local = u32::from_le_bytes(zip[at + 42..at + 46].try_into().unwrap()) as usize;
        zip[local + 8] = 8;
    }
    assert_eq!(archive_error(&zip), ArchiveError::TotalTooLarge { bytes: 180 << 20 });
}

#[test]
fn entries_that_share_bytes_are_refused() {
    // A stored entry whose data holds a whole local header, which another entry points at.
    let inner = archive(&[("in", b"deep", plain())]);
    let outer = archive(&[("out", &inner, plain()), ("in", b"deep", plain())]);
    let (central, _) = last_central(&outer);
    let mut nested = outer.clone();
    let data_at = (30 + "out".len()) as u32;
    nested[central + 42..central + 46].copy_from_slice(&data_at.to_le_bytes());
    assert_eq!(archive_error(&nested), ArchiveError::Overlap { name: "in".to_owned() });
}

#[test]
fn packed_bytes_beyond_the_end_of_the_stream_are_refused() {
    // An empty deflate stream of two bytes, with and without something after it, and cut.
    for (packed, whole) in [(&[3u8, 0][..], true), (&[3, 0, 9][..], false), (&[3][..], false)] {
        let mut zip = archive(&[(RULES_FILE, packed, plain())]);
        let (central, _) = last_central(&zip);
        zip[8] = 8;
        zip[central + 10] = 8;
        zip[central + 16..central + 20].fill(0);
        zip[central + 24..central + 28].fill(0);
        let damaged = matches!(Package::open(&zip), Err(PackageError::Archive(ArchiveError::Inflate { .. })));
        assert_eq!(damaged, !whole, "{packed:?}: {:?}", Package::open(&zip));
    }
}

#[test]
fn every_truncation_is_noticed() {
    let zip = good();
    for len in 0..zip.len() {
        assert!(matches!(archive_error(&zip[..len]), ArchiveError::NoEnd { .. }), "cut to {len} bytes");
    }
    let mut longer = zip.clone();
    longer.push(0);
    assert!(matches!(archive_error(&longer), ArchiveError::NoEnd { .. }));
}

#[test]
fn a_flipped_bit_never_changes_what_is_installed() {
    let zip = good();
    let package = Package::open(&zip).unwrap();
    for bit in 0..zip.len() * 8 {
        let mut bad = zip.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        if let Ok(opened) = Package::open(&bad) {
            assert_eq!(opened, package, "bit {bit}");
        }
    }
}

#[test]
fn parts_that_do_not_fit_the_rules_are_named() {
    let file = image_file();
    let with = |rules: &Rules, entries: &[(&str, &[u8])]| {
        let json = rules.to_json();
        let mut all = vec![(RULES_FILE, json.as_slice(), plain())];
        all.extend(entries.iter().map(|(name, bytes)| (*name, *bytes, plain())));
        Package::open(archive(&all)).unwrap_err()
    };
    let good = rules("headset.dfu", &file);
    assert!(matches!(with(&good, &[]), PackageError::MissingFile { file, .. } if file == "headset.dfu"));
    let unnamed = with(&good, &[("headset.dfu", &file), ("readme.txt", b"hello")]);
    assert!(matches!(unnamed, PackageError::UnnamedEntry { name } if name == "readme.txt"));
    assert!(matches!(
        with(&good, &[("headset.dfu", &file[1..])]),
        PackageError::Size { len: 4015, size: 4016, .. }
    ));
    let mut other = file.clone();
    other[0] ^= 1;
    assert!(matches!(with(&good, &[("headset.dfu", &other)]), PackageError::Crc { .. }));
    // Without a CRC in the rules the DFU suffix still has its own.
    let mut lax = good.clone();
    lax.components[0].crc32 = None;
    let damaged = with(&lax, &[("headset.dfu", &other)]);
    assert!(matches!(damaged, PackageError::Image { source: ImageError::Crc { .. }, .. }));
    let no_rules = Package::open(archive(&[("headset.dfu", &file, plain())]));
    assert!(matches!(no_rules, Err(PackageError::NoRules)));
    let nested = Package::open(archive(&[("package/rules.json", &good.to_json(), plain())]));
    assert!(matches!(nested, Err(PackageError::NoRules)));
}

#[test]
fn corrupt_rules_say_where() {
    let file = image_file();
    let open = |json: &[u8]| {
        let zip = archive(&[(RULES_FILE, json, plain()), ("headset.dfu", &file, plain())]);
        Package::open(&zip).unwrap_err()
    };
    let json = String::from_utf8(rules("headset.dfu", &file).to_json()).unwrap();
    let error = open(json.replace("\"size\": 4016", "\"size\": 4016,,").as_bytes());
    let PackageError::Rules(RulesError::Json { source }) = &error else { panic!("{error:?}") };
    assert_eq!(source.line(), 18);
    assert!(error.to_string().starts_with("rules.json line 18, column "), "{error}");
    for cut in [0, 1, json.len() / 2, json.len() - 3] {
        assert!(matches!(open(&json.as_bytes()[..cut]), PackageError::Rules(RulesError::Json { .. })));
    }
    assert!(matches!(open(&[0xff, 0xfe, 0]), PackageError::Rules(RulesError::Json { .. })));
    assert!(matches!(open(&vec![b'['; 60_000]), PackageError::Rules(RulesError::Json { .. })));
}

#[test]
fn pack_refuses_what_open_would() {
    let file = image_file();
    let good = rules("headset.dfu", &file);
    let files = BTreeMap::from([("headset.dfu".to_owned(), file.clone())]);
    let mut two = files.clone();
    two.insert("other".to_owned(), vec![1]);
    assert!(matches!(pack(&good, &two), Err(PackageError::UnnamedEntry { .. })));
    assert!(matches!(pack(&good, &BTreeMap::new()), Err(PackageError::MissingFile { .. })));
    let mut wrong = good.clone();
    wrong.components[0].size += 1;
    assert!(matches!(pack(&wrong, &files), Err(PackageError::Size { .. })));
    let mut wrong = good.clone();
    wrong.components[0].file = "../headset.dfu".to_owned();
    assert!(matches!(pack(&wrong, &files), Err(PackageError::Rules(RulesError::File { .. }))));
    let mut wrong = good;
    wrong.components.push(wrong.components[0].clone());
    assert!(matches!(pack(&wrong, &files), Err(PackageError::Rules(RulesError::Repeated { .. }))));
}

fn product(vid: u16, pid: u16, dfu_pids: &[u16]) -> Product {
    Product { target: Target { vid, pid }, dfu_pids: dfu_pids.to_vec() }
}

/// A package for 1209:0001, version 1.20, whose suffix says this; no wish for a charge.
fn suffixed(bcd_device: u16, vid: u16, pid: u16) -> Package {
    let file = Image::with_suffix(b"firmware", Suffix { bcd_device, vid, pid, bcd_dfu: 0x0100 });
    let rules = Rules { battery_percent_minimum: None, ..rules("headset.dfu", &file) };
    Package::open(pack(&rules, &BTreeMap::from([("headset.dfu".to_owned(), file)])).unwrap()).unwrap()
}

fn version(text: &str) -> FirmwareVersion {
    text.parse().unwrap()
}

#[test]
fn a_package_fits_the_products_and_the_version_it_is_of() {
    let package = suffixed(0x0120, 0x1209, 1);
    let ours = product(0x1209, 1, &[]);
    let wanted = Some(version("1.20"));
    assert_eq!(package.misfits(std::slice::from_ref(&ours), wanted), []);
    assert_eq!(package.misfits(std::slice::from_ref(&ours), None), []);
    let other = |vid, pid| Misfit::OtherProduct { product: Target { vid, pid } };
    let others = [product(0x1209, 2, &[]), ours.clone(), product(0x1210, 1, &[])];
    assert_eq!(package.misfits(&others, wanted), [other(0x1209, 2), other(0x1210, 1)]);
    let later = Some(version("1.30"));
    let misfit = Misfit::OtherVersion { found: version("1.20"), wanted: version("1.30") };
    assert_eq!(package.misfits(&[ours], later), [misfit]);
}

#[test]
fn a_suffix_must_not_contradict_the_rules() {
    let ours = [product(0x1209, 1, &[2, 3])];
    for (vid, pid) in [(0x1209, 1), (0x1209, 2), (0x1209, 3), (0xffff, 1), (0x1209, 0xffff), (0xffff, 0xffff)]
    {
        assert_eq!(suffixed(0x0120, vid, pid).misfits(&ours, None), [], "{vid:04x}:{pid:04x}");
    }
    for (vid, pid) in [(1, 0x1209), (0x1209, 4), (0x1210, 1), (0xffff, 4), (0x1210, 0xffff)] {
        let (id, suffix, product) = ("headset".to_owned(), Target { vid, pid }, ours[0].target);
        let misfit = Misfit::SuffixProduct { id, suffix, product };
        assert_eq!(suffixed(0x0120, vid, pid).misfits(&ours, None), [misfit]);
    }
    assert_eq!(suffixed(0xffff, 0x1209, 1).misfits(&ours, None), []);
    for (bcd, found) in [(0x0121, "1.21"), (0x0a12, "0x0a12")] {
        let (id, stated) = ("headset".to_owned(), version("1.20"));
        let misfit = Misfit::SuffixVersion { id, suffix: version(found), stated };
        assert_eq!(suffixed(bcd, 0x1209, 1).misfits(&ours, None), [misfit]);
    }
}

#[test]
fn what_is_not_built_is_a_misfit() {
    let file = image_file();
    let ours = [product(0x1209, 1, &[])];
    let with = |percent: Option<u8>, ids: &[&str], wanted: &str| {
        let mut rules = Rules { battery_percent_minimum: percent, ..rules("headset.dfu", &file) };
        let one = rules.components[0].clone();
        let named = |id: &&str| Component { id: (*id).to_owned(), file: format!("{id}.dfu"), ..one.clone() };
        rules.components = ids.iter().map(named).collect();
        rules.version = version(wanted);
        let files = ids.iter().map(|id| (format!("{id}.dfu"), file.clone())).collect();
        Package::open(pack(&rules, &files).unwrap()).unwrap().misfits(&ours, Some(version(wanted)))
    };
    assert_eq!(with(None, &["a"], "1.20"), []);
    assert_eq!(with(Some(0), &["a"], "1.20"), []);
    assert_eq!(with(Some(1), &["a"], "1.20"), [Misfit::Battery { percent: 1 }]);
    assert!(matches!(with(None, &["a"], "1.30")[0], Misfit::TwoVersions { .. }));
    // Which of several the version is meant of, nobody says.
    assert_eq!(with(None, &["a", "b"], "1.30"), [Misfit::Components { count: 2 }]);
    let both = [Misfit::Components { count: 2 }, Misfit::Battery { percent: 30 }];
    assert_eq!(with(Some(30), &["a", "b"], "1.20"), both);
}

/// Entries of so many packed and unpacked bytes, as their directory says; what they hold cannot be unpacked.
fn stating(entries: &[(usize, u32)]) -> Vec<u8> {
    let names: Vec<String> = (0..entries.len()).map(|n| format!("n{n}")).collect();
    let data: Vec<Vec<u8>> = entries.iter().map(|(packed, _)| vec![1; *packed]).collect();
    let all: Vec<_> =
        names.iter().zip(&data).map(|(name, data)| (name.as_str(), &data[..], plain())).collect();
    let mut zip = archive(&all);
    for (at, (_, unpacked)) in central_headers(&zip).into_iter().zip(entries) {
        zip[at + 10] = 8;
        zip[at + 24..at + 28].copy_from_slice(&unpacked.to_le_bytes());
        let local = u32::from_le_bytes(zip[at + 42..at + 46].try_into().unwrap()) as usize;
        zip[local + 8] = 8;
    }
    zip
}

#[test]
fn each_bound_is_reached_and_not_passed() {
    let within = |zip: &[u8]| matches!(Package::open(zip), Err(PackageError::NoRules));
    let (largest, mib, enough) = (64u32 << 20, 1u32 << 20, (64usize << 20) / 100);
    assert!(within(&stating(&[(enough, largest), (enough, largest)])), "128 MiB in two entries of 64");
    assert_eq!(
        archive_error(&stating(&[(enough, largest), (enough, largest), (1, 1)])),
        ArchiveError::TotalTooLarge { bytes: (128 << 20) + 1 }
    );
    let (name, most, bytes) = ("n0".to_owned(), LIMITS.file_bytes, u64::from(largest) + 1);
    let too_large = ArchiveError::EntryTooLarge { name: name.clone(), bytes, most };
    assert_eq!(archive_error(&stating(&[(enough + 1, largest + 1)])), too_large);

    let hundredth = (2 * mib / 100) as usize;
    assert!(within(&stating(&[(hundredth, 2 * mib)])));
    let (packed, bytes) = (hundredth as u64 - 1, u64::from(2 * mib));
    assert_eq!(
        archive_error(&stating(&[(hundredth - 1, 2 * mib)])),
        ArchiveError::Ratio { name, packed, bytes }
    );

    assert!(within(&stating(&[(1, 1); LIMITS.entries])), "64 entries");
    assert!(matches!(archive_error(&vec![0; LIMITS.archive_bytes as usize]), ArchiveError::NoEnd { .. }));

    let file = image_file();
    let mut json = rules("headset.dfu", &file).to_json();
    json.resize(65_536, b' ');
    let zip = |json: &[u8]| archive(&[(RULES_FILE, json, plain()), ("headset.dfu", &file, plain())]);
    assert!(Package::open(zip(&json)).is_ok(), "64 KiB of rules");
    json.push(b' ');
    assert!(matches!(archive_error(&zip(&json)), ArchiveError::EntryTooLarge { bytes: 65_537, .. }));
}

#[test]
fn texts_that_are_none_are_named_with_their_bounds() {
    let file = image_file();
    let good = rules("headset.dfu", &file);
    let long = || "x".repeat(4001);
    let cases = [
        (Rules { name: String::new(), ..good.clone() }, "name must have 1 to 100"),
        (Rules { vendor: long(), ..good.clone() }, "vendor must have 1 to 100"),
        (Rules { release_notes: Some(long()), ..good }, "release_notes must have 0 to 4000"),
    ];
    for (rules, words) in cases {
        let expected =
            format!("rules.json: {words} characters, none of them a control character or invisible");
        assert_eq!(Rules::parse(&rules.to_json()).unwrap_err().to_string(), expected);
    }
}
