//! The bytes of one entry of an archive, piece by piece.

use std::io::{self, Read};

use flate2::read::DeflateDecoder;

use crate::ranges::{Ranges, Unread};

/// How many bytes are taken at once where all of an entry is looked through.
pub(crate) const PIECE_BYTES: usize = 16 << 10;

/// Where the bytes of a file lie within another, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub(crate) at: u64,
    pub(crate) packed: u64,
    pub(crate) unpacked: u64,
    pub(crate) deflated: bool,
}

impl Place {
    /// A file of so many bytes, all of it, as it is.
    #[must_use]
    pub fn whole(bytes: u64) -> Place {
        Place { at: 0, packed: bytes, unpacked: bytes, deflated: false }
    }

    /// Bytes of the file.
    #[must_use]
    pub fn bytes(self) -> u64 {
        self.unpacked
    }
}

/// Why a range of an entry is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnpackError {
    /// The file itself.
    #[error(transparent)]
    Unread(#[from] Unread),
    /// Its packed bytes mean nothing.
    #[error("the packed bytes are damaged")]
    Damaged,
    /// It has fewer bytes than that.
    #[error("there are fewer bytes than are asked for")]
    Ends,
}

/// Reads an entry. Going on is cheap, going back begins anew: what is packed can only be read forwards.
#[derive(Debug)]
pub struct Unpacker<R> {
    source: R,
    place: Place,
    inflating: Option<Inflating<R>>,
}

#[derive(Debug)]
struct Inflating<R> {
    decoder: DeflateDecoder<Packed<R>>,
    /// Unpacked bytes that came.
    at: u64,
}

impl<R: Ranges + Clone> Unpacker<R> {
    /// Of the entry at `place` of `source`, which was found there.
    pub fn new(source: R, place: Place) -> Unpacker<R> {
        Unpacker { source, place, inflating: None }
    }

    /// Fills `into` with the unpacked bytes from `at` on.
    ///
    /// Errors: see [`UnpackError`].
    pub fn read(&mut self, at: u64, into: &mut [u8]) -> Result<(), UnpackError> {
        let end = at.checked_add(into.len() as u64).ok_or(UnpackError::Ends)?;
        if end > self.place.unpacked {
            return Err(UnpackError::Ends);
        }
        if !self.place.deflated {
            return Ok(self.source.read_at(self.place.at + at, into)?);
        }
        let mut inflating = match self.inflating.take().filter(|inflating| inflating.at <= at) {
            Some(inflating) => inflating,
            None => Inflating { decoder: self.decoder(), at: 0 },
        };
        let mut skipped = [0; 512];
        while inflating.at < at {
            let most = usize::try_from(at - inflating.at).unwrap_or(usize::MAX).min(skipped.len());
            inflating.fill(&mut skipped[..most])?;
        }
        inflating.fill(into)?;
        self.inflating = Some(inflating);
        Ok(())
    }

    fn decoder(&self) -> DeflateDecoder<Packed<R>> {
        let Place { at, packed, .. } = self.place;
        let packed = Packed { source: self.source.clone(), at, end: at + packed };
        DeflateDecoder::new_with_buf(packed, vec![0; PIECE_BYTES])
    }

    /// Shows every byte once, in order, and holds the entry to what is stated: that many bytes, no more, from that
    /// many packed ones.
    pub(crate) fn each(&mut self, mut see: impl FnMut(&[u8])) -> Result<(), UnpackError> {
        let Place { packed, unpacked, deflated, .. } = self.place;
        let mut piece = vec![0; PIECE_BYTES.min(usize::try_from(unpacked).unwrap_or(usize::MAX))];
        let mut at = 0;
        while at < unpacked {
            let most = usize::try_from(unpacked - at).unwrap_or(usize::MAX).min(piece.len());
            self.read(at, &mut piece[..most])?;
            see(&piece[..most]);
            at += most as u64;
        }
        if !deflated {
            return Ok(());
        }
        let Inflating { mut decoder, .. } =
            self.inflating.take().unwrap_or_else(|| Inflating { decoder: self.decoder(), at: 0 });
        match decoder.read(&mut [0]).map_err(of_io)? {
            0 if decoder.total_in() == packed => Ok(()),
            0 => Err(UnpackError::Damaged),
            _ => Err(UnpackError::Ends),
        }
    }
}

impl<R: Ranges> Inflating<R> {
    fn fill(&mut self, mut into: &mut [u8]) -> Result<(), UnpackError> {
        while !into.is_empty() {
            let got = self.decoder.read(into).map_err(of_io)?;
            if got == 0 {
                return Err(UnpackError::Ends);
            }
            self.at += got as u64;
            into = &mut into[got..];
        }
        Ok(())
    }
}

/// The packed bytes, as the decoder wants them.
#[derive(Debug)]
struct Packed<R> {
    source: R,
    at: u64,
    end: u64,
}

impl<R: Ranges> Read for Packed<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.end - self.at).unwrap_or(usize::MAX).min(into.len());
        self.source.read_at(self.at, &mut into[..most]).map_err(io::Error::other)?;
        self.at += most as u64;
        Ok(most)
    }
}

/// A file that cannot be read is not a damaged one.
fn of_io(error: io::Error) -> UnpackError {
    match error.downcast::<Unread>() {
        Ok(unread) => UnpackError::Unread(unread),
        Err(_) => UnpackError::Damaged,
    }
}
