//! What a host signs to show that a request is its own: an HTTP message signature (RFC 9421) with Ed25519 over a fixed
//! list of components. Without the host's key the tenant's token enrols no known host, and an access token opens
//! nothing.
//!
//! ```text
//! Content-Digest: sha-256=:…:                                                          RFC 9530, of the body as sent
//! Signature-Input: host=("@method" "@path" "content-digest" "authorization");nonce="…";keyid="…";alg="ed25519"
//! Signature: host=:…:
//! ```
//!
//! - `@path` is the path below `SERVER_URL`, percent-encoded as sent: what stands before it is a proxy's business.
//! - `authorization` is in the list when the request has that header: all but the enrolment do.
//! - `keyid` is the host's public key ([`crate::grammar::is_host_key`]).
//! - `nonce` is what the server gave in [`NONCE_HEADER`] (each answer has a fresh one, good for [`NONCE_LIFE_S`]), a
//!   dot, and 128 random bits of the host in base64url. The server takes each once: 401 with the code `proof-stale` asks
//!   for the request again, with the nonce of that answer. No clock of the host is involved, so a wrong one does no harm.

/// Response header with a nonce for later requests.
pub const NONCE_HEADER: &str = "hookswitch-nonce";
/// How long a nonce may be used, in seconds.
pub const NONCE_LIFE_S: u64 = 300;
/// Longest nonce, both halves; characters.
pub const MAX_NONCE: usize = 128;

/// What is signed of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proof<'a> {
    /// In capitals.
    pub method: &'a str,
    /// Below `SERVER_URL`, percent-encoded.
    pub path: &'a str,
    /// Value of `Content-Digest`, see [`content_digest`].
    pub content_digest: &'a str,
    /// Value of `Authorization`.
    pub authorization: Option<&'a str>,
    /// The server's half, a dot, the host's half.
    pub nonce: &'a str,
    /// The host's public key.
    pub key: &'a str,
}

impl Proof<'_> {
    /// Value of `Signature-Input`.
    pub fn input(&self) -> String {
        format!("host={}", self.parameters())
    }

    /// The signature base (RFC 9421 §2.5): what the key signs.
    pub fn base(&self) -> String {
        let Self { method, path, content_digest, .. } = self;
        let authorization =
            self.authorization.map(|value| format!("\"authorization\": {value}\n")).unwrap_or_default();
        format!(
            "\"@method\": {method}\n\"@path\": {path}\n\"content-digest\": {content_digest}\n{authorization}\
             \"@signature-params\": {}",
            self.parameters()
        )
    }

    fn parameters(&self) -> String {
        let Self { nonce, key, .. } = self;
        let authorization = if self.authorization.is_some() { " \"authorization\"" } else { "" };
        format!(
            "(\"@method\" \"@path\" \"content-digest\"{authorization});nonce=\"{nonce}\";keyid=\"{key}\";alg=\"ed25519\""
        )
    }
}

/// Nonce and key of a `Signature-Input`. Whether the rest of it is as [`Proof::input`] writes it is for the caller to
/// compare.
pub fn read_input(value: &str) -> Option<(&str, &str)> {
    let quoted = |name: &str| value.split_once(name)?.1.split_once('"').map(|(inside, _)| inside);
    let nonce = quoted(";nonce=\"")?;
    let key = quoted(";keyid=\"")?;
    (nonce.len() <= MAX_NONCE && crate::grammar::is_host_key(key)).then_some((nonce, key))
}

/// Value of `Content-Digest` for the SHA-256 of a body, given in base64 (RFC 9530 §2).
pub fn content_digest(sha256_base64: &str) -> String {
    format!("sha-256=:{sha256_base64}:")
}

/// Value of `Signature` for a signature in base64.
pub fn signature(signature_base64: &str) -> String {
    format!("host=:{signature_base64}:")
}

/// The base64 of a `Signature`.
pub fn read_signature(value: &str) -> Option<&str> {
    value.strip_prefix("host=:")?.strip_suffix(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs";

    #[test]
    fn the_base_is_that_of_rfc_9421() {
        let digest = content_digest("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
        let mut proof = Proof {
            method: "PUT",
            path: "/v2/hosts/S-1",
            content_digest: &digest,
            authorization: Some("Bearer t"),
            nonce: "a.b",
            key: KEY,
        };
        assert_eq!(
            proof.base(),
            "\"@method\": PUT\n\"@path\": /v2/hosts/S-1\n\
             \"content-digest\": sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:\n\
             \"authorization\": Bearer t\n\
             \"@signature-params\": (\"@method\" \"@path\" \"content-digest\" \"authorization\");nonce=\"a.b\";\
             keyid=\"JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs\";alg=\"ed25519\""
        );
        assert_eq!(read_input(&proof.input()), Some(("a.b", KEY)));
        proof.authorization = None;
        assert!(!proof.base().contains("authorization") && !proof.input().contains("authorization"));
    }

    #[test]
    fn an_input_that_is_none() {
        for bad in ["", "host=()", ";nonce=\"a", ";nonce=\"a\";keyid=\"short\"", ";keyid=\"\";nonce=\"\""] {
            assert_eq!(read_input(bad), None, "{bad:?}");
        }
        let long = format!(";nonce=\"{}\";keyid=\"{KEY}\"", "x".repeat(MAX_NONCE + 1));
        assert_eq!(read_input(&long), None);
        assert_eq!(read_signature(&signature("abc")), Some("abc"));
        assert_eq!(read_signature("host=abc"), None);
    }
}
