//! The host's key: made here, kept by the store, and used for nothing but signing requests to the tenant.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use tenant::secret::Secret;

/// A key pair that is ready to sign.
#[derive(Debug)]
pub(super) struct HostKey {
    pair: Ed25519KeyPair,
    /// As the tenant knows it.
    pub(super) public: String,
}

/// The seed of a new key; `None` if the system gave no random bytes. The public half follows from it.
pub fn fresh() -> Option<Secret> {
    let mut seed = [0; 32];
    aws_lc_rs::rand::fill(&mut seed).ok()?;
    Some(Secret::new(URL_SAFE_NO_PAD.encode(seed)))
}

/// 128 random bits in base64url, for a nonce.
pub(super) fn random() -> String {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).expect("invariant: a system that made the key has random bytes");
    URL_SAFE_NO_PAD.encode(bytes)
}

impl HostKey {
    /// `None` if it is no seed.
    pub(super) fn of(seed: &Secret) -> Option<Self> {
        let seed = URL_SAFE_NO_PAD.decode(seed.expose()).ok()?;
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).ok()?;
        let public = URL_SAFE_NO_PAD.encode(pair.public_key());
        Some(Self { pair, public })
    }

    /// In base64.
    pub(super) fn sign(&self, base: &str) -> String {
        STANDARD.encode(self.pair.sign(base.as_bytes()))
    }
}
