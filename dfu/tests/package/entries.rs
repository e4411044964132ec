//! Entries of an archive at the edges of what holds them.

use super::*;

/// Its name ends where the directory begins: it is seen whole, and refused for what it is.
#[test]
fn an_entry_without_bytes_may_be_the_last_one() {
    let file = image_file();
    let json = rules("headset.dfu", &file).to_json();
    let zip =
        archive(&[(RULES_FILE, &json, plain()), ("headset.dfu", &file, plain()), ("empty", b"", plain())]);
    let error = Package::open(&zip).expect_err("rules.json does not name it");
    assert!(matches!(&error, PackageError::UnnamedEntry { name } if name == "empty"), "{error}");
}

/// Fields of the two headers that this reader skips, of different lengths, in an entry that is not the last.
#[test]
fn extra_fields_and_comments_are_skipped() {
    let file = image_file();
    let json = rules("headset.dfu", &file).to_json();
    let zip = archive(&[(RULES_FILE, &json, plain()), ("headset.dfu", &file, plain())]);
    let end = zip.len() - 22;
    let first = central_headers(&zip)[0];
    let name_end = first + 46 + RULES_FILE.len();
    let put = |length_at: usize, extra: &[u8], comment: &[u8]| {
        let mut zip = zip.clone();
        zip.splice(name_end..name_end, [extra, comment].concat());
        zip[length_at] = extra.len() as u8;
        zip[first + 32] = comment.len() as u8;
        let end = end + extra.len() + comment.len();
        let size = (end - first) as u32;
        zip[end + 12..end + 16].copy_from_slice(&size.to_le_bytes());
        zip
    };
    for (extra, comment) in
        [(&[][..], &[][..]), (&[1; 5], &[]), (&[], b"three"), (&[1, 0, 1, 0, 9], b"and so")]
    {
        let opened = Package::open(put(first + 30, extra, comment));
        assert!(opened.is_ok(), "{} and {} bytes: {opened:?}", extra.len(), comment.len());
    }
    // In the header beside the data.
    let mut local = zip.clone();
    let data_at = 30 + RULES_FILE.len();
    local.splice(data_at..data_at, [1, 0, 2, 0, 9, 9]);
    local[28] = 6;
    let (first, end) = (first + 6, end + 6);
    let second = central_headers(&local)[1];
    let place = u32::from_le_bytes(local[second + 42..second + 46].try_into().unwrap()) + 6;
    local[second + 42..second + 46].copy_from_slice(&place.to_le_bytes());
    local[end + 16..end + 20].copy_from_slice(&(first as u32).to_le_bytes());
    assert!(Package::open(&local).is_ok());
}
