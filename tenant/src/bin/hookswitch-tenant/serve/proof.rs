//! Whether a request is its host's: the signature of [`tenant::proof`], made for this server, and used once.
#![expect(clippy::disallowed_methods, reason = "nonces have an age")]

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use axum::extract::Request;
use axum::http::{HeaderMap, Method, Uri};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use tenant::proof::{self, NONCE_LIFE_S, Proof};

use super::answer::Refusal;
use crate::digest::{same, sha256};

/// Proofs remembered of one [`NONCE_LIFE_S`]: 16 bytes each. More than that are asked to come back.
const MOST_PROOFS: usize = 250_000;
/// Of the host's half of a nonce; 128 bits in base64url.
const LEAST_RANDOM: usize = 22;

/// What this server takes as fresh. Its key lives as long as the process: after a restart hosts fetch a new nonce.
pub(super) struct Nonces {
    key: hmac::Key,
    since: Instant,
    used: Mutex<Used>,
}

/// The proofs of the running [`NONCE_LIFE_S`] and of the one before.
#[derive(Default)]
struct Used {
    from_s: u64,
    now: HashSet<[u8; 16]>,
    before: HashSet<[u8; 16]>,
}

impl Nonces {
    pub(super) fn new(key: [u8; 32]) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        Self { key, since: Instant::now(), used: Mutex::default() }
    }

    /// A fresh one: when it was made, and a tag that only this process can make.
    pub(super) fn issue(&self) -> String {
        self.issued_at(self.since.elapsed().as_secs())
    }

    fn issued_at(&self, second: u64) -> String {
        let at = second.to_be_bytes();
        let tag = hmac::sign(&self.key, &at);
        URL_SAFE_NO_PAD.encode([&at, &tag.as_ref()[..16]].concat())
    }

    /// Whether both halves are what they should be, and the server's is young enough.
    fn is_fresh(&self, nonce: &str, now_s: u64) -> bool {
        let Some((ours, theirs)) = nonce.split_once('.') else { return false };
        let Ok(bytes) = URL_SAFE_NO_PAD.decode(ours) else { return false };
        let Some((at, _)) = bytes.split_first_chunk::<8>() else { return false };
        let at = u64::from_be_bytes(*at);
        let url_safe = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        same(ours.as_bytes(), self.issued_at(at).as_bytes())
            && (at..=at.saturating_add(NONCE_LIFE_S)).contains(&now_s)
            && theirs.len() >= LEAST_RANDOM
            && theirs.bytes().all(url_safe)
    }

    /// Takes a proof once.
    fn take(&self, nonce: &str, key: &str, now_s: u64) -> Result<(), Refusal> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if now_s >= used.from_s + NONCE_LIFE_S {
            let aged = now_s >= used.from_s + 2 * NONCE_LIFE_S;
            used.before = std::mem::take(&mut used.now);
            if aged {
                used.before.clear();
            }
            used.from_s = now_s;
        }
        let hash = sha256(format!("{key} {nonce}").as_bytes());
        let (mark, _) = hash.split_first_chunk().expect("invariant: SHA-256 has 32 bytes");
        if used.before.contains(mark) {
            return Err(Refusal::ProofStale);
        }
        if used.now.len() >= MOST_PROOFS {
            return Err(Refusal::Busy);
        }
        if used.now.insert(*mark) { Ok(()) } else { Err(Refusal::ProofStale) }
    }

    /// The digest that the body of this request has to have, if the request is signed by `key`.
    pub(super) fn check(&self, request: &Head, key: &str) -> Result<Digest, Refusal> {
        let header = |name: &str| one(&request.headers, name);
        let unsigned = Refusal::Proof("the request is not signed by the host's key; see /openapi.json");
        let (Some(input), Some(signature), Some(content_digest)) =
            (header("signature-input"), header("signature"), header("content-digest"))
        else {
            return Err(unsigned);
        };
        let (nonce, signer) = proof::read_input(input).ok_or(unsigned)?;
        if !same(signer.as_bytes(), key.as_bytes()) {
            return Err(Refusal::Proof("the request is signed by another key than this host's"));
        }
        let proof = Proof {
            method: request.method.as_str(),
            path: request.uri.path(),
            content_digest,
            authorization: header("authorization"),
            nonce,
            key,
        };
        let forged = Refusal::Proof("the signature is not one of this request");
        let (Ok(public), Some(Ok(signature))) =
            (URL_SAFE_NO_PAD.decode(key), proof::read_signature(signature).map(|text| STANDARD.decode(text)))
        else {
            return Err(forged);
        };
        // A list of components that leaves something out is another input, and one that was signed so is refused.
        let right = same(input.as_bytes(), proof.input().as_bytes())
            && UnparsedPublicKey::new(&ED25519, public).verify(proof.base().as_bytes(), &signature).is_ok();
        if !right {
            return Err(forged);
        }
        let now_s = self.since.elapsed().as_secs();
        if !self.is_fresh(nonce, now_s) {
            return Err(Refusal::ProofStale);
        }
        self.take(nonce, key, now_s)?;
        Ok(Digest(content_digest.to_owned()))
    }
}

/// All of a request but its body.
#[derive(Clone)]
pub(super) struct Head {
    method: Method,
    uri: Uri,
    pub(super) headers: HeaderMap,
}

impl From<&Request> for Head {
    fn from(request: &Request) -> Self {
        let (method, uri) = (request.method().clone(), request.uri().clone());
        Self { method, uri, headers: request.headers().clone() }
    }
}

/// What was signed of a body that is not read yet.
#[must_use = "the body may be another one"]
pub(super) struct Digest(String);

impl Digest {
    pub(super) fn is_of(&self, body: &[u8]) -> Result<(), Refusal> {
        let found = proof::content_digest(&STANDARD.encode(sha256(body)));
        let same = same(found.as_bytes(), self.0.as_bytes());
        if same { Ok(()) } else { Err(Refusal::Proof("the body is not the one that was signed")) }
    }
}

/// The value of a header that is there once.
fn one<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_good_for_its_time_and_from_this_server() {
        let nonces = Nonces::new([1; 32]);
        let random = "r".repeat(LEAST_RANDOM);
        let nonce = format!("{}.{random}", nonces.issued_at(1_000));
        assert!(nonces.is_fresh(&nonce, 1_000) && nonces.is_fresh(&nonce, 1_000 + NONCE_LIFE_S));
        assert!(!nonces.is_fresh(&nonce, 1_001 + NONCE_LIFE_S) && !nonces.is_fresh(&nonce, 999));
        assert!(!Nonces::new([2; 32]).is_fresh(&nonce, 1_000), "another server's");
        for bad in
            [&nonce[1..], &nonce[..nonce.len() - 1], &nonces.issued_at(1_000), "", ".", &format!("{nonce}\"")]
        {
            assert!(!nonces.is_fresh(bad, 1_000), "{bad}");
        }
    }

    #[test]
    fn a_proof_is_taken_once_as_long_as_its_nonce_lives() {
        let nonces = Nonces::new([1; 32]);
        for now_s in [0, 1, NONCE_LIFE_S - 1, NONCE_LIFE_S, 3 * NONCE_LIFE_S, 10 * NONCE_LIFE_S] {
            let nonce = format!("n{now_s}");
            assert!(nonces.take(&nonce, "k", now_s).is_ok(), "{now_s}");
            for later in [0, 1, NONCE_LIFE_S] {
                assert!(nonces.take(&nonce, "k", now_s + later).is_err(), "{now_s} + {later}");
            }
            assert!(nonces.take(&nonce, "another key", now_s + NONCE_LIFE_S).is_ok());
        }
    }
}
