//! What a directory server may send before the LDAP library sees it: whole messages of bounded size and depth.
//!
//! The library decodes BER by recursion without a bound (a few kilobytes of nested tags end the process), decodes an
//! unfinished message again with every packet, and stops with a panic at shapes it does not expect.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Largest message. A group query is answered by a DN and result codes.
pub(super) const MAX_MESSAGE_BYTES: usize = 256 * 1024;
/// Most a connection may bring in all.
pub(super) const MAX_TOTAL_BYTES: usize = 8 * 1024 * 1024;
/// Deepest nesting; the deepest answer of RFC 4511 to what is asked here has 6 levels.
pub(super) const MAX_DEPTH: usize = 12;

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const CONSTRUCTED: u8 = 0x20;

/// RFC 4511 §4.2.2, §4.5.2, §4.12, §4.13.
const BIND_RESPONSE: u8 = 0x61;
const SEARCH_ENTRY: u8 = 0x64;
const SEARCH_DONE: u8 = 0x65;
const SEARCH_REFERENCE: u8 = 0x73;
pub(super) const EXTENDED_RESPONSE: u8 = 0x78;
const INTERMEDIATE_RESPONSE: u8 = 0x79;

#[derive(Debug, thiserror::Error)]
pub(super) enum GuardFault {
    #[error("a message of {0} bytes, at most {MAX_MESSAGE_BYTES} are read")]
    Message(usize),
    #[error("more than {MAX_TOTAL_BYTES} bytes in all")]
    Total,
    #[error("nested more than {MAX_DEPTH} deep")]
    Depth,
    #[error("not an LDAP message: {0}")]
    Shape(Shape),
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// What does not look like RFC 4511.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub(super) enum Shape {
    #[error("it does not begin with a SEQUENCE")]
    NoSequence,
    #[error("its length is indefinite or longer than four bytes")]
    Length,
    #[error("its number is missing")]
    NoNumber,
    #[error("an operation that was not asked for")]
    Unasked,
    #[error("its result code or texts are missing")]
    NoResult,
    #[error("a text that is not UTF-8")]
    NotUtf8,
    #[error("an element is cut off")]
    CutOff,
    #[error("a tag number above 30")]
    LongTag,
    #[error("an indefinite length")]
    Indefinite,
}

/// Reads one whole message and not a byte more; `None` at a clean end.
pub(super) async fn read_message(from: &mut (impl AsyncRead + Unpin)) -> Result<Option<Vec<u8>>, GuardFault> {
    let mut message = vec![0; 2];
    if from.read(&mut message[..1]).await? == 0 {
        return Ok(None);
    }
    from.read_exact(&mut message[1..]).await?;
    if message[0] != SEQUENCE {
        return Err(GuardFault::Shape(Shape::NoSequence));
    }
    let length = match message[1] {
        short @ 0..=0x7f => usize::from(short),
        long @ 0x81..=0x84 => {
            let mut digits = vec![0; usize::from(long - 0x80)];
            from.read_exact(&mut digits).await?;
            let length = digits.iter().fold(0_usize, |sum, digit| sum << 8 | usize::from(*digit));
            message.extend(digits);
            length
        }
        _ => return Err(GuardFault::Shape(Shape::Length)),
    };
    if length > MAX_MESSAGE_BYTES {
        return Err(GuardFault::Message(length));
    }
    let body = message.len();
    message.resize(body + length, 0);
    from.read_exact(&mut message[body..]).await?;
    check(&message[body..])?;
    Ok(Some(message))
}

/// The operation's tag and its content, of a checked message.
pub(super) fn operation(message: &[u8]) -> Result<(u8, &[u8]), GuardFault> {
    let (_, body, _) = element(message)?;
    let (_, _, rest) = element(body)?;
    let (tag, content, _) = element(rest)?;
    Ok((tag, content))
}

/// Content of the outer SEQUENCE: message id, operation, perhaps controls.
fn check(body: &[u8]) -> Result<(), GuardFault> {
    let (tag, id, rest) = element(body)?;
    if tag != INTEGER || id.is_empty() || id.len() > 4 {
        return Err(GuardFault::Shape(Shape::NoNumber));
    }
    let (tag, content, controls) = element(rest)?;
    match tag {
        SEARCH_ENTRY | SEARCH_REFERENCE | INTERMEDIATE_RESPONSE => {}
        BIND_RESPONSE | SEARCH_DONE | EXTENDED_RESPONSE => result(content)?,
        _ => return Err(GuardFault::Shape(Shape::Unasked)),
    }
    nested(content, 2)?;
    nested(controls, 1)
}

/// `LDAPResult`, RFC 4511 §4.1.9.
fn result(content: &[u8]) -> Result<(), GuardFault> {
    let mut rest = content;
    for (want, least) in [(0x0a, 1), (0x04, 0), (0x04, 0)] {
        let (tag, value, after) = element(rest)?;
        if tag != want || value.len() < least || (want == 0x0a && value.len() > 4) {
            return Err(GuardFault::Shape(Shape::NoResult));
        }
        if want == 0x04 && std::str::from_utf8(value).is_err() {
            return Err(GuardFault::Shape(Shape::NotUtf8));
        }
        rest = after;
    }
    Ok(())
}

/// Every element fits into its parent, down to the last.
fn nested(mut content: &[u8], depth: usize) -> Result<(), GuardFault> {
    if depth > MAX_DEPTH {
        return Err(GuardFault::Depth);
    }
    while !content.is_empty() {
        let (tag, inner, rest) = element(content)?;
        if tag & CONSTRUCTED != 0 {
            nested(inner, depth + 1)?;
        }
        content = rest;
    }
    Ok(())
}

/// Tag, content and what follows.
fn element(bytes: &[u8]) -> Result<(u8, &[u8], &[u8]), GuardFault> {
    let short = || GuardFault::Shape(Shape::CutOff);
    let [tag, first, rest @ ..] = bytes else { return Err(short()) };
    if tag & 0x1f == 0x1f {
        return Err(GuardFault::Shape(Shape::LongTag));
    }
    let (length, rest) = match *first {
        length @ 0..=0x7f => (usize::from(length), rest),
        long @ 0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(long - 0x80)).ok_or_else(short)?;
            (digits.iter().fold(0_usize, |sum, digit| sum << 8 | usize::from(*digit)), rest)
        }
        _ => return Err(GuardFault::Shape(Shape::Indefinite)),
    };
    let (content, rest) = rest.split_at_checked(length).ok_or_else(short)?;
    Ok((*tag, content, rest))
}

/// Carries both directions until one side ends or the server sends what must not pass.
pub(super) async fn carry(
    server: impl AsyncRead + AsyncWrite + Send,
    library: impl AsyncRead + AsyncWrite + Send,
) -> Result<(), GuardFault> {
    let (mut from_server, mut to_server) = tokio::io::split(server);
    let (mut from_library, mut to_library) = tokio::io::split(library);
    let outward = async {
        tokio::io::copy(&mut from_library, &mut to_server).await?;
        // Ends a TLS connection with close_notify.
        to_server.shutdown().await?;
        Ok(())
    };
    let inward = async {
        let mut total = 0_usize;
        while let Some(message) = read_message(&mut Box::pin(&mut from_server)).await? {
            total = total.saturating_add(message.len());
            if total > MAX_TOTAL_BYTES {
                return Err(GuardFault::Total);
            }
            to_library.write_all(&message).await?;
        }
        Ok(())
    };
    tokio::select! {
        done = outward => done,
        done = inward => done,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn read(bytes: &[u8]) -> Result<Option<Vec<u8>>, GuardFault> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut from = bytes;
        let message = runtime.block_on(read_message(&mut from))?;
        if let Some(message) = &message {
            assert_eq!(message.len() + from.len(), bytes.len(), "not a byte more");
        }
        Ok(message)
    }

    fn wrap(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len()).unwrap().to_be_bytes();
        [&[tag, 0x84][..], &length, content].concat()
    }

    fn message(operation: &[u8]) -> Vec<u8> {
        wrap(SEQUENCE, &[&[INTEGER, 1, 1], operation].concat())
    }

    #[test]
    fn real_answers_pass() {
        let done = [0x30, 0x0c, 0x02, 0x01, 0x02, 0x65, 0x07, 0x0a, 0x01, 0x00, 0x04, 0x00, 0x04, 0x00];
        let mut two = done.to_vec();
        two.extend(done);
        assert_eq!(read(&two).unwrap().unwrap(), done);
        assert_eq!(operation(&done).unwrap(), (SEARCH_DONE, &done[7..]));
        assert!(read(&[]).unwrap().is_none());
        let entry = wrap(SEARCH_ENTRY, &[&wrap(0x04, b"uid=x")[..], &wrap(0x30, &[])].concat());
        assert!(read(&message(&entry)).unwrap().is_some());
    }

    #[test]
    fn what_would_end_the_process_is_refused() {
        let mut deep = Vec::new();
        for _ in 0..20_000 {
            deep = wrap(0x30, &deep);
        }
        assert!(matches!(read(&message(&wrap(SEARCH_ENTRY, &deep))), Err(GuardFault::Depth)));
        assert!(matches!(read(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), Err(GuardFault::Message(_))));
        assert!(matches!(read(&[0x30, 0x80, 0, 0]), Err(GuardFault::Shape(_))));
        assert!(matches!(read(b"HTTP/1.1 400 Bad Request\r\n"), Err(GuardFault::Shape(_))));
        for bad in [
            wrap(SEQUENCE, &[]),
            wrap(SEQUENCE, &[INTEGER, 1, 1]),
            message(&wrap(0x42, &[])),
            message(&wrap(SEARCH_DONE, &[])),
            message(&wrap(SEARCH_DONE, &[0x0a, 1, 0, 0x04, 1, 0xff, 0x04, 0])),
            message(&wrap(SEARCH_ENTRY, &[0x30, 5])),
            message(&wrap(SEARCH_ENTRY, &[0x3f, 0x00])),
        ] {
            assert!(read(&bad).is_err(), "{bad:02x?}");
        }
        assert!(matches!(read(&[0x30, 0x05, 0x02]), Err(GuardFault::Io(_))));
    }

    #[test]
    fn noise_never_panics() {
        let mut random = crate::seed::random();
        for _ in 0..20_000 {
            let mut bytes: Vec<u8> = (0..random.usize(0..40)).map(|_| random.u8(..)).collect();
            if let Some(first) = bytes.first_mut() {
                *first = SEQUENCE;
            }
            let _ = read(&bytes);
        }
    }
}
