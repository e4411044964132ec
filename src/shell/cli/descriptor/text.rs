//! The bytes of a report descriptor in the spellings people post them in: plain or annotated hex, a C array, dumps with
//! an offset before each line, what `usbhid-dump` prints and what `hid-recorder` records. Pure.

use hub::protocol::Detail;

/// Characters of a word that is not understood that are shown.
const MAX_WORD: usize = 20;

/// Text is read as text or refused with its line; anything else is taken as the bytes themselves.
pub(super) fn bytes_of(raw: Vec<u8>) -> Result<Vec<u8>, Detail> {
    match std::str::from_utf8(&raw) {
        Ok(text) if is_text(text) => read(text),
        _ => Ok(raw),
    }
}

/// Every descriptor of a collection has bytes (`A1 01`) that are in no text.
fn is_text(text: &str) -> bool {
    text.chars().all(|c| !c.is_control() || c.is_ascii_whitespace())
}

fn read(text: &str) -> Result<Vec<u8>, Detail> {
    let text = text.trim_start_matches('\u{feff}');
    let lines = || text.lines().zip(1..);
    if let Some((recorded, line)) = lines().find_map(|(l, n)| Some((l.trim().strip_prefix("R:")?, n))) {
        // hid-recorder: the number of bytes, decimal, then the bytes.
        let (count, bytes) = recorded.trim().split_once(char::is_whitespace).unwrap_or((recorded.trim(), ""));
        let bytes = hex(std::iter::once((bytes, line)))?;
        return match count.parse() == Ok(bytes.len()) {
            true => Ok(bytes),
            false => Err(not_hex(line, count)),
        };
    }
    if lines().any(|(line, _)| is_dump_head(line)) {
        // usbhid-dump: a head, the bytes, an empty line; then the next interface, or what the device said.
        let block = lines().skip_while(|(line, _)| !line.contains(":DESCRIPTOR")).skip(1);
        return hex(block.take_while(|(line, _)| !line.trim().is_empty() && !is_dump_head(line)));
    }
    if let Some(read) = with_offsets(text) {
        return read;
    }
    let text = without_comments(text);
    let (text, line) = match text.split_once('{') {
        // A C array: what is before it names it.
        Some((before, array)) => {
            (array.split('}').next().unwrap_or(array).to_owned(), before.lines().count().max(1))
        }
        None => (text, 1),
    };
    hex(text.lines().zip(line..))
}

/// `003:005:003:DESCRIPTOR         1700000000.123456`
fn is_dump_head(line: &str) -> bool {
    let mut parts = line.splitn(4, ':');
    let numbers = parts.by_ref().take(3).all(|p| p.len() == 3 && p.bytes().all(|b| b.is_ascii_digit()));
    numbers && parts.next().is_some_and(|kind| kind.starts_with("DESCRIPTOR") || kind.starts_with("STREAM"))
}

/// Each line begins with the number of the bytes before it, which are no bytes themselves: as `hexdump -C`, `xxd`,
/// `od -t x1` and Wireshark print it. `None` = the text is none of these.
fn with_offsets(text: &str) -> Option<Result<Vec<u8>, Detail>> {
    let mut lines = Vec::new();
    for (line, number) in text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty()) {
        let line = line.trim();
        let (offset, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let (offset, rest) = match offset.strip_suffix(':') {
            // xxd: two blanks, then the same as text.
            Some(offset) => (offset, rest.split("  ").next().unwrap_or(rest)),
            None => (offset, rest.split('|').next().unwrap_or(rest)),
        };
        let is_offset = (4..=8).contains(&offset.len()) && offset.bytes().all(|b| b.is_ascii_hexdigit());
        if !is_offset {
            return None;
        }
        lines.push((offset, rest, number));
    }
    let [(first, rest, number), more @ ..] = lines.as_slice() else { return None };
    if rest.trim().is_empty() {
        return None;
    }
    if !first.bytes().all(|digit| digit == b'0') {
        // A piece from the middle of a dump, if its lines count on.
        let (next, ..) = more.first()?;
        let number_of = |offset: &str| usize::from_str_radix(offset, 16).ok();
        let counts = number_of(next)?.checked_sub(number_of(first)?)?
            == hex([(*rest, *number)].into_iter()).ok()?.len();
        return counts.then(|| Err(not_hex(*number, first)));
    }
    let with = |radix| {
        let mut bytes = Vec::new();
        for (offset, rest, number) in &lines {
            if usize::from_str_radix(offset, radix) != Ok(bytes.len()) {
                return Err(not_hex(*number, offset));
            }
            bytes.extend(hex([(*rest, *number)].into_iter())?);
        }
        Ok(bytes)
    };
    // od counts in octal if it is not told otherwise, and tshark's people in decimal.
    let hexadecimal = with(16);
    Some(hexadecimal.or_else(|error| with(8).or_else(|_| with(10)).map_err(|_| error)))
}

/// Without `/* … */`, and without what follows `//`, `#` or `;` in a line; lines stay lines.
fn without_comments(text: &str) -> String {
    let mut left = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, comment)) = rest.split_once("/*") {
        left.push_str(before);
        let (comment, after) = comment.split_once("*/").unwrap_or((comment, ""));
        left.extend(comment.chars().filter(|c| *c == '\n'));
        left.push(' ');
        rest = after;
    }
    left.push_str(rest);
    let code = left.lines().map(|line| {
        let end = ["//", "#", ";"].iter().filter_map(|mark| line.find(mark)).min();
        &line[..end.unwrap_or(line.len())]
    });
    code.collect::<Vec<_>>().join("\n")
}

fn hex<'a>(lines: impl Iterator<Item = (&'a str, usize)>) -> Result<Vec<u8>, Detail> {
    let mut bytes = Vec::new();
    for (line, number) in lines {
        for word in line.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty()) {
            append(&mut bytes, word).ok_or_else(|| not_hex(number, word))?;
        }
    }
    Ok(bytes)
}

/// `05`, `050b`, `0x5` or `0x05`, several of the last in a row (`0x050x0b`) too.
fn append(bytes: &mut Vec<u8>, word: &str) -> Option<()> {
    let plain = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X"));
    match plain {
        Some(digits) if (1..=2).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit()) => {
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
        }
        Some(_) => return None,
        None if word.len().is_multiple_of(2) && word.bytes().all(|b| b.is_ascii_hexdigit()) => {
            for at in (0..word.len()).step_by(2) {
                bytes.push(u8::from_str_radix(&word[at..at + 2], 16).ok()?);
            }
        }
        None => return None,
    }
    Some(())
}

fn not_hex(line: usize, word: &str) -> Detail {
    let word: String = word.chars().take(MAX_WORD).collect();
    Detail::new("descriptor-not-hex", format!("not hex text: line {line} has “{word}”"))
        .with("line", line)
        .with("word", word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Vec<u8>, String> {
        bytes_of(text.as_bytes().to_vec()).map_err(|error| error.text)
    }

    #[test]
    fn a_posted_descriptor_in_its_usual_spellings() {
        let whole = Ok(vec![0x05, 0x0B, 0x09, 0x05]);
        for text in [
            "05 0b\n09 05\n",
            "0x05, 0x0B, 0x09, 0x5",
            "050b0905",
            "05 0B   # Usage Page (Telephony)\r\n09 05   ; Usage (Headset)\r\n",
            "\u{feff}05,0B,09,05",
            "static const uint8_t d[] = {\n  0x05, 0x0B, // Usage Page\n  0x09, 0x05 /* Headset\n of two lines */\n};\n",
            "D: 0\nR: 4 05 0b 09 05\nN: Some headset 16\nI: 3 1395 009c\nE: 0.1 2 02 01\n",
            "003:005:003:DESCRIPTOR         1700000000.123456\n 05 0B\n 09 05\n\n003:005:002:DESCRIPTOR 1.0\n 05 0C\n",
            "003:005:003:STREAM             1700000000.1\n 02 01\n\n003:005:003:DESCRIPTOR 1.0\n 05 0B 09 05\n",
        ] {
            assert_eq!(of(text), whole, "{text:?}");
        }
    }

    /// An offset that is taken for bytes makes another descriptor of it.
    #[test]
    fn offsets_before_the_lines_of_a_dump_are_no_bytes() {
        let bytes: Vec<u8> = (0..40).map(|n| n * 3 + 1).collect();
        let row = |row: &[u8]| row.iter().map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(" ");
        let dump = |line: &dyn Fn(usize, &[u8]) -> String| -> String {
            bytes.chunks(16).enumerate().map(|(n, bytes)| line(n * 16, bytes) + "\n").collect()
        };
        for text in [
            dump(&|at, bytes| format!("{at:04x}   {}", row(bytes))),
            dump(&|at, bytes| format!("{at:06x} {}", row(bytes))) + "000028\n",
            dump(&|at, bytes| format!("{at:07o} {}", row(bytes))) + "0000050\n",
            dump(&|at, bytes| format!("{at:07} {}", row(bytes))) + "0000040\n",
            dump(&|at, bytes| format!("{at:08x}  {}  |.....a b.|", row(bytes))) + "00000028\n",
            dump(&|at, bytes| format!("{at:08x}: {}  ..a b ...", row(bytes))),
        ] {
            assert_eq!(of(&text), Ok(bytes.clone()), "{text}");
        }
        let wrong = dump(&|at, bytes| format!("{:04x}   {}", at * 3, row(bytes)));
        assert_eq!(of(&wrong), Err("not hex text: line 2 has “0030”".to_owned()));
        let middle = dump(&|at, bytes| format!("{:04x}   {}", at + 32, row(bytes)));
        assert_eq!(of(&middle), Err("not hex text: line 1 has “0020”".to_owned()));
        assert_eq!(
            of("050b 0905\na101 c0"),
            Ok(vec![0x05, 0x0b, 0x09, 0x05, 0xa1, 0x01, 0xc0]),
            "no offsets"
        );
    }

    #[test]
    fn text_that_is_none_of_them_is_refused_with_its_line_and_never_taken_for_bytes() {
        for (text, line, word) in [
            ("Dear support,\n05 0b", 1, "Dear"),
            ("05 0b\n09 5 81", 2, "5"),
            ("05 0b\n\n/* a\n b */ zz", 4, "zz"),
            ("x\ny = {\n 0x05,\n 0x123 }", 4, "0x123"),
            ("R: 5 05 0b 09 05", 1, "5"),
            ("R: 2 05 xx", 1, "xx"),
            ("003:005:003:DESCRIPTOR 1.0\n 05 0B\n no", 3, "no"),
            ("Item(Global): Usage Page, data= [ 0x0b ] 11", 1, "Item(Global):"),
            ("äöü", 1, "äöü"),
        ] {
            assert_eq!(of(text), Err(format!("not hex text: line {line} has “{word}”")), "{text:?}");
        }
        let long = of(&"g".repeat(100_000)).expect_err("no hex");
        assert!(long.chars().count() < 60, "{long}");
    }

    #[test]
    fn what_is_no_text_is_taken_as_it_is() {
        for raw in [vec![0x05, 0x0b, 0x09, 0x05, 0xa1, 0x01, 0xc0], vec![0xff; 4], b"05 0b\x00".to_vec()] {
            assert_eq!(bytes_of(raw.clone()), Ok(raw));
        }
    }
}
