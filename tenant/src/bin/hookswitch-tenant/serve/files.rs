//! The TUF repository over HTTP. Metadata is small and read whole; targets are streamed, with byte ranges.

use std::io::{self, SeekFrom};
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_RANGE, RANGE,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tenant::grammar::is_target_name;
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};

use super::Site;
use super::access::Caller;
use super::answer::{Refusal, has, tagged};

const OCTETS: &str = "application/octet-stream";
/// Larger metadata is refused by clients anyway.
const MAX_METADATA_BYTES: u64 = 16 * 1024 * 1024;
const CHUNK_BYTES: u64 = 64 * 1024;

type Name = Result<Path<String>, PathRejection>;

/// Open to all. A host that shows itself all the same is one that was here: mostly its poll finds nothing new, and
/// then this is all it asks for.
pub(super) async fn metadata(
    State(site): State<Arc<Site>>,
    name: Name,
    headers: HeaderMap,
    caller: Result<Caller, Refusal>,
) -> Result<Response, Refusal> {
    // The one refusal that the host mends itself, with the nonce of the answer.
    if let Err(stale @ Refusal::ProofStale) = caller {
        return Err(stale);
    }
    let Ok(Path(name)) = name else { return Err(Refusal::PathEncoding) };
    if !is_target_name(&name) || !name.ends_with(".json") {
        return Err(Refusal::NotFound);
    }
    let file = File::open(site.metadata.join(name)).await.map_err(|error| missing(&error))?;
    let mut body = Vec::new();
    file.take(MAX_METADATA_BYTES).read_to_end(&mut body).await.map_err(|error| missing(&error))?;
    Ok(tagged(&headers, OCTETS, body))
}

pub(super) async fn target(
    State(site): State<Arc<Site>>,
    name: Name,
    caller: Caller,
) -> Result<Response, Refusal> {
    let headers = caller.headers();
    let Ok(Path(name)) = name else { return Err(Refusal::PathEncoding) };
    let (digest, rest) = name.split_once('.').ok_or(Refusal::NotFound)?;
    let is_digest = digest.len() == 64 && digest.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if !is_digest || !is_target_name(rest) {
        return Err(Refusal::NotFound);
    }
    // The name is the hash of the content: a tag that never lies, and nothing that could change.
    let tag = format!("\"{digest}\"");
    if has(headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(ETAG, tag)]).into_response());
    }
    let mut file = File::open(site.targets.join(&name)).await.map_err(|error| missing(&error))?;
    let length = file.metadata().await.map_err(|error| missing(&error))?.len();
    let range = headers.get(RANGE).and_then(|range| range.to_str().ok());
    let still = headers.get(IF_RANGE).is_none_or(|condition| condition.as_bytes() == tag.as_bytes());
    let wanted = range.filter(|_| still).map_or(Wanted::Whole, |range| Wanted::of(range, length));
    let shared = [
        (ETAG, tag),
        (CONTENT_TYPE, OCTETS.to_owned()),
        (ACCEPT_RANGES, "bytes".to_owned()),
        (CACHE_CONTROL, "private, immutable, max-age=31536000".to_owned()),
    ];
    match wanted {
        Wanted::Nothing => Err(Refusal::Range { length }),
        Wanted::Whole => {
            Ok((shared, [(CONTENT_LENGTH, length.to_string())], body(file, length)).into_response())
        }
        Wanted::Part { first, last } => {
            file.seek(SeekFrom::Start(first)).await.map_err(|error| missing(&error))?;
            let count = last - first + 1;
            let part = [
                (CONTENT_LENGTH, count.to_string()),
                (CONTENT_RANGE, format!("bytes {first}-{last}/{length}")),
            ];
            Ok((StatusCode::PARTIAL_CONTENT, shared, part, body(file, count)).into_response())
        }
    }
}

fn missing(error: &io::Error) -> Refusal {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::IsADirectory => Refusal::NotFound,
        _ => {
            eprintln!("hookswitch-tenant: repository: {error}");
            Refusal::Internal
        }
    }
}

fn body(file: File, length: u64) -> Body {
    Body::from_stream(stream::try_unfold((file, length), |(mut file, left)| async move {
        if left == 0 {
            return Ok::<_, io::Error>(None);
        }
        let mut chunk = vec![0; usize::try_from(left.min(CHUNK_BYTES)).unwrap_or_default()];
        let got = file.read(&mut chunk).await?;
        if got == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        chunk.truncate(got);
        let left = left.saturating_sub(u64::try_from(got).unwrap_or(u64::MAX));
        Ok(Some((Bytes::from(chunk), (file, left))))
    }))
}

/// What a `Range` header (RFC 9110 §14.2) asks of a file.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    Whole,
    /// First and last byte.
    Part {
        first: u64,
        last: u64,
    },
    Nothing,
}

impl Wanted {
    /// One range is honoured; several, other units and nonsense get the whole file, as the RFC allows.
    fn of(header: &str, length: u64) -> Self {
        let Some((first, last)) = header.strip_prefix("bytes=").and_then(|range| range.split_once('-'))
        else {
            return Self::Whole;
        };
        let number =
            |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten();
        let end = length.checked_sub(1);
        match (first, number(first), last, number(last)) {
            ("", _, _, Some(0)) => Self::Nothing,
            ("", _, _, Some(count)) => {
                end.map_or(Self::Nothing, |last| Self::Part { first: length.saturating_sub(count), last })
            }
            (_, Some(first), "", _) => match end {
                Some(last) if first <= last => Self::Part { first, last },
                _ => Self::Nothing,
            },
            (_, Some(first), _, Some(last)) if first <= last => match end {
                Some(end) if first <= end => Self::Part { first, last: last.min(end) },
                _ => Self::Nothing,
            },
            _ => Self::Whole,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Wanted;

    #[test]
    fn ranges_are_read_as_the_rfc_says() {
        let part = |first, last| Wanted::Part { first, last };
        for (header, expected) in [
            ("bytes=0-0", part(0, 0)),
            ("bytes=2-", part(2, 9)),
            ("bytes=-3", part(7, 9)),
            ("bytes=-30", part(0, 9)),
            ("bytes=5-100", part(5, 9)),
            ("bytes=10-", Wanted::Nothing),
            ("bytes=-0", Wanted::Nothing),
            ("bytes=3-2", Wanted::Whole),
            ("bytes=0-1,3-4", Wanted::Whole),
            ("bytes=+1-2", Wanted::Whole),
            ("bytes=-", Wanted::Whole),
            ("lines=0-1", Wanted::Whole),
            ("bytes=99999999999999999999-", Wanted::Whole),
        ] {
            assert_eq!(Wanted::of(header, 10), expected, "{header}");
        }
        assert_eq!(Wanted::of("bytes=0-", 0), Wanted::Nothing);
    }
}
