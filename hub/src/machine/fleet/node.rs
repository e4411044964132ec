//! One HID node, and what a device says of itself, made fit to be shown.

/// Characters of a device's own strings that are kept.
const MAX_TEXT: usize = 128;

/// One HID node of the system as enumerated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HidNode {
    /// What opens it, `/dev/hidraw3`.
    pub path: String,
    /// bInterfaceNumber; `None` where there is none (Bluetooth, uhid).
    pub interface: Option<u8>,
    pub vendor_id: u16,
    pub product_id: u16,
    pub bcd_device: u16,
    pub manufacturer: String,
    pub product: String,
    pub serial: Option<String>,
    /// USB port path; `None` for Bluetooth and uhid.
    pub port: Option<String>,
    /// `None` = could not be read just now; the next scan will.
    pub descriptor: Option<Vec<u8>>,
}

impl HidNode {
    /// A serial number of nothing but blanks and control characters is none.
    pub(super) fn own_serial(&self) -> Option<&str> {
        self.serial.as_deref().filter(|serial| !plain(serial).is_empty())
    }

    /// Nodes of one headset in an order of their own, whatever the bus told first.
    pub(super) fn order(&self) -> impl Ord + use<> {
        (self.interface.unwrap_or(u8::MAX), natural(&self.path))
    }
}

/// `/dev/hidraw2` before `/dev/hidraw10`.
fn natural(path: &str) -> Vec<(String, u64, String)> {
    let mut parts = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let (text, from_digits) = rest.split_at(digits);
        let end = from_digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(from_digits.len());
        let (number, next) = from_digits.split_at(end);
        let value = if number.is_empty() { 0 } else { number.parse().unwrap_or(u64::MAX) };
        parts.push((text.to_owned(), value, number.to_owned()));
        rest = next;
    }
    parts
}

/// What we know of a product, else what it says of itself, else a plain word.
pub(super) fn text(known: Option<&String>, own: &str, otherwise: &str) -> String {
    let own = plain(own);
    match known {
        Some(known) if !known.is_empty() => known.clone(),
        _ if !own.is_empty() => own,
        _ => otherwise.to_owned(),
    }
}

/// A device's string without what moves a terminal's cursor, turns the direction of writing or cannot be seen, and
/// not without end.
pub(super) fn plain(own: &str) -> String {
    let kept: String = dfu::text::plain(own).take(MAX_TEXT).collect();
    kept.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_paths_are_numbers() {
        let mut paths = ["/dev/hidraw10", "/dev/hidraw2", "/dev/hidraw", "/dev/hidraw2b", "/dev/hidraw1"];
        paths.sort_by_key(|path| natural(path));
        assert_eq!(paths, ["/dev/hidraw", "/dev/hidraw1", "/dev/hidraw2", "/dev/hidraw2b", "/dev/hidraw10"]);
        assert!(natural("a18446744073709551616") > natural("a2"), "too large for a number is large");
        assert_ne!(natural("a1"), natural("a01"), "two paths are two nodes");
    }

    #[test]
    fn strings_of_devices_are_cleaned_of_what_controls_and_cannot_be_seen() {
        let hostile = "\u{1b}[31mHead\u{202e}set\u{2066}\u{200b}\u{7f}\u{9b}\n \u{e0041}";
        assert_eq!(plain(hostile), "[31mHeadset");
        assert_eq!(plain("Écouteurs 耳机 ½"), "Écouteurs 耳机 ½", "letters of any script stay");
        assert_eq!(plain(&"x".repeat(100_000)).len(), MAX_TEXT);
        assert_eq!(text(None, "\u{200b}\u{202e}", "USB headset"), "USB headset");
        assert_eq!(text(Some(&"Known".to_owned()), "Own", "-"), "Known");
    }
}
