//! Words between the roles in two processes: one JSON object a line, each bounded.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _};

pub(super) fn written(word: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(word)?;
    line.push(b'\n');
    Ok(line)
}

/// The next word, of at most `most` bytes; `None` = the other end closed, at the end of a line or not.
///
/// # Errors
/// `FileTooLarge`; what came is no word; as read(2).
pub(super) async fn read<T: DeserializeOwned>(
    from: &mut (impl AsyncBufRead + Unpin),
    most: u64,
) -> io::Result<Option<T>> {
    let mut line = Vec::new();
    from.take(most).read_until(b'\n', &mut line).await?;
    match line.last() {
        Some(b'\n') => Ok(Some(serde_json::from_slice(&line)?)),
        Some(_) if line.len() as u64 == most => Err(io::ErrorKind::FileTooLarge.into()),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_word_is_a_whole_line_of_bounded_length() {
        let mut bytes = &b"1\n 22 \nx\n333"[..];
        assert_eq!(read::<u8>(&mut bytes, 8).await.ok(), Some(Some(1)));
        assert_eq!(read::<u8>(&mut bytes, 8).await.ok(), Some(Some(22)));
        assert!(read::<u8>(&mut bytes, 8).await.is_err(), "no JSON");
        assert_eq!(read::<u8>(&mut bytes, 8).await.ok(), Some(None), "the line was not ended");
        let error = read::<u8>(&mut &[b'1'; 9][..], 8).await.expect_err("too long");
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        assert_eq!(written(&22).ok().as_deref(), Some(&b"22\n"[..]));
    }
}
