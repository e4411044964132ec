//! The character sets of identifiers. Each is written down once more as a `pattern` for the JSON schema and for
//! `openapi.json`; the tests compare them.

use dfu::text::is_plain;

/// [`is_slug`] as a schema says it.
pub const SLUG: &str = "^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$";
/// [`is_target_name`] as a schema says it.
pub const TARGET_NAME: &str = "^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,126}[A-Za-z0-9])?$";
/// [`is_wire_id`] as a schema says it.
pub const WIRE_ID: &str = "^[A-Za-z0-9][A-Za-z0-9._:~-]{0,127}$";
/// [`is_host_key`] as a schema says it.
pub const HOST_KEY: &str = "^[A-Za-z0-9_-]{43}$";

/// [`SLUG`]: group and firmware-policy ids.
pub fn is_slug(text: &str) -> bool {
    let bytes = text.as_bytes();
    let edge = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    bytes.len() <= 64
        && edge(bytes.first())
        && edge(bytes.last())
        && bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-')
}

/// [`TARGET_NAME`]: TUF target names. No separator of any system, no leading
/// or trailing dot: the name is a file name on every disk it reaches.
pub fn is_target_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    let edge = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
    bytes.len() <= 128
        && edge(bytes.first())
        && edge(bytes.last())
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(b))
}

/// [`WIRE_ID`]: system, device, event, policy and tenant ids on the wire.
pub fn is_wire_id(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() <= 128
        && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || b"._:~-".contains(b))
}

/// [`HOST_KEY`]: an Ed25519 public key, 32 bytes in base64url without padding (RFC 4648 §5).
pub fn is_host_key(text: &str) -> bool {
    text.len() == 43 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

/// A user name as the operating system gives it: 1 to 256 characters, all of which show themselves, and not `.` or `..`
/// (a URL parser would swallow those as path segments even when percent-encoded).
pub fn is_user_name(text: &str) -> bool {
    is_line(text, 1, 256) && text != "." && text != ".."
}

/// One line of text: `min` to `max` characters (Unicode scalar values), all of which show themselves ([`is_plain`]).
pub fn is_line(text: &str, min: usize, max: usize) -> bool {
    let count = text.chars().count();
    (min..=max).contains(&count) && is_plain(text)
}

/// The text as one line of at most `most` characters: what does not show itself becomes nothing, white space at the ends
/// too.
pub fn cleaned(text: &str, most: usize) -> String {
    let kept: String = dfu::text::plain(text).take(most).collect();
    kept.trim().to_owned()
}

/// A distinguished name (RFC 4514), as far as its form goes: `type=value`, several with `,` or `+` between.
pub fn is_dn(text: &str) -> bool {
    let (mut parts, mut begin) = (Vec::new(), 0);
    let (mut escaped, mut quoted) = (false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            ',' | '+' | ';' if !quoted => {
                parts.push(&text[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[begin..]);
    let is_type = |kind: &str| {
        let kind = kind.trim();
        kind.starts_with(|c: char| c.is_ascii_alphanumeric())
            && kind.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b))
    };
    !escaped
        && !quoted
        && parts.iter().all(|part| part.split_once('=').is_some_and(|(kind, _)| is_type(kind)))
}

/// Host and port of an authority: a DNS name or IPv4 address, or an IPv6 address in brackets, then optionally
/// `:port` (1 to 65535). No user information.
pub fn split_authority(text: &str) -> Option<(&str, Option<u16>)> {
    let (host, rest) = if let Some(inner) = text.strip_prefix('[') {
        let (address, rest) = inner.split_once(']')?;
        address.parse::<std::net::Ipv6Addr>().ok()?;
        (address, rest)
    } else {
        let end = text.find(':').unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        };
        if name.len() > 253 || !name.split('.').all(label) {
            return None;
        }
        (name, rest)
    };
    match rest.strip_prefix(':') {
        None if rest.is_empty() => Some((host, None)),
        None => None,
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
            digits.parse().ok().filter(|port| *port != 0).map(|port| (host, Some(port)))
        }
        Some(_) => None,
    }
}

/// A web page as a browser names it (RFC 6454 §6.2: scheme, host in lower case, port unless it is the scheme's own),
/// at most 300 bytes. Plain `http` on the loopback alone: elsewhere anybody on the way could write the page. An
/// extension's page has no port. Both a person's settings and a company's policy approve by this rule, and an approval
/// is compared byte by byte.
pub fn is_page_origin(text: &str) -> bool {
    let Some((scheme, authority)) = text.split_once("://") else { return false };
    if text.len() > 300 || authority.bytes().any(|b| b.is_ascii_uppercase()) {
        return false;
    }
    let Some((host, port)) = split_authority(authority) else { return false };
    match scheme {
        "https" => port != Some(443),
        "http" => port != Some(80) && is_loopback(host),
        "chrome-extension" | "moz-extension" => port.is_none() && !authority.starts_with('['),
        _ => false,
    }
}

/// A program by the full path of its executable, as the system says it: `/usr/bin/phone`, or `C:\\…` with a letter for the
/// drive; at most 1,024 bytes, all of which show themselves. Lists of softphones are written with commas, so there is none
/// in it. It is compared byte by byte.
pub fn is_program_path(text: &str) -> bool {
    let (parts, separator) = match text.as_bytes() {
        [b'/', ..] => (&text[1..], '/'),
        [drive, b':', b'\\', ..] if drive.is_ascii_alphabetic() => (&text[3..], '\\'),
        _ => return false,
    };
    let shown = text.len() <= 1024 && is_plain(text) && !text.contains(',') && text.trim() == text;
    shown && parts.split(separator).all(|part| !matches!(part, "" | "." | ".."))
}

fn is_loopback(host: &str) -> bool {
    let address = host.parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_named_as_browsers_do() {
        for good in [
            "https://phone.example",
            "https://phone.example:8443",
            "http://localhost:3000",
            "http://localhost",
            "http://127.0.0.1:3000",
            "http://[::1]:3000",
            "https://[2001:db8::1]",
            "chrome-extension://abcdefghijklmnop",
        ] {
            assert!(is_page_origin(good), "{good}");
        }
        for bad in [
            "",
            "*",
            "null",
            "phone.example",
            "http://evil.example",
            "http://localhost.evil.example",
            "http://127.0.0.1.evil.example",
            "http://10.0.0.1",
            "https://",
            "https://phone.example/",
            "https://phone.example/path",
            "https://Phone.example",
            "https://phone.example:443",
            "http://localhost:80",
            "https://phone.example:0",
            "https://user@phone.example",
            "https://*.example",
            "ftp://phone.example",
            "chrome-extension://abc:1",
            "chrome-extension://",
            &format!("https://{}.example", "a.".repeat(150)),
        ] {
            assert!(!is_page_origin(bad), "{bad}");
        }
    }

    #[test]
    fn programs_are_named_by_their_whole_path() {
        for good in
            ["/usr/bin/phone", "/phone", "/opt/Ünser Phone/a\\b", "C:\\Program Files\\Phone\\phone.exe"]
        {
            assert!(is_program_path(good), "{good}");
        }
        for bad in [
            "",
            "/",
            "phone",
            "./phone",
            "/usr//phone",
            "/usr/../phone",
            "/usr/./phone",
            "/usr/bin/",
            "/a,b",
            "/a\nb",
            "/a ",
            "/a\u{202e}b",
            "C:phone",
            "C:\\",
            "C:/phone",
            "\\\\server\\phone",
            "1:\\phone",
            &format!("/{}", "a".repeat(1024)),
        ] {
            assert!(!is_program_path(bad), "{bad:?}");
        }
    }

    #[test]
    fn ids_end_where_their_sets_end() {
        assert!(is_slug("sales-emea-2") && is_slug("a") && is_slug(&"a".repeat(64)));
        for bad in ["", "-a", "a-", "A", "a_b", "ä", &"a".repeat(65)] {
            assert!(!is_slug(bad), "{bad:?}");
        }
        assert!(is_target_name("jabra-evolve_2.1.0.zip"));
        for bad in ["", ".hidden", "a.", "a/b", "a\\b", "..", "a b", "a:b", &"a".repeat(129)] {
            assert!(!is_target_name(bad), "{bad:?}");
        }
        assert!(
            is_wire_id("1-4.2:1.0")
                && is_wire_id("1209-0001-0~1-2")
                && !is_wire_id(".")
                && !is_wire_id("a/b")
                && !is_wire_id("")
        );
        assert!(is_user_name("CORP\\jörg müller") && !is_user_name("..") && !is_user_name("a\nb"));
        for hidden in ["ceo\u{202e}", "ceo\u{200b}", "\u{feff}ceo", "a\u{2028}b"] {
            assert!(!is_user_name(hidden) && !is_line(hidden, 1, 200), "{hidden:?}");
        }
    }

    #[test]
    fn a_distinguished_name_is_types_and_values() {
        for good in ["dc=x", "ou=People, dc=example,dc=com", "cn=a\\,b+sn=c,o=\"x, y\"", "2.5.4.3=x", "ou="] {
            assert!(is_dn(good), "{good}");
        }
        for bad in ["", "example.com", "dc=x,", "dc=x,,dc=y", "=x", "o=x\\", "o=\"x", "dc=x,example", "ü=x"]
        {
            assert!(!is_dn(bad), "{bad}");
        }
    }

    #[test]
    fn an_authority_is_a_host_and_perhaps_a_port() {
        assert_eq!(split_authority("dc1.example.com:389"), Some(("dc1.example.com", Some(389))));
        assert_eq!(split_authority("[::1]:636"), Some(("::1", Some(636))));
        assert_eq!(split_authority("10.0.0.1"), Some(("10.0.0.1", None)));
        for bad in [
            "",
            ":389",
            "a..b",
            "user@host",
            "host:",
            "host:0",
            "host:65536",
            "host:+1",
            "[::1",
            "[::g]",
            "a/b",
        ] {
            assert_eq!(split_authority(bad), None, "{bad:?}");
        }
    }
}
