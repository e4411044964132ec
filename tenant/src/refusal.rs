//! The codes by which a tenant server refuses: the last part of a problem's `type` ([`crate::wire::Problem::code`]).

/// Why a request is refused. Each has its word and its status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// The tenant's id or token is not this tenant's.
    Enrolment,
    /// No access token, or not a good one: enrol again.
    Token,
    /// Not signed by the host's key.
    Proof,
    /// Sign again with the nonce of this answer.
    ProofStale,
    /// The host is enrolled with another key.
    HostKey,
    /// The agent is older than the server.
    Contract,
    /// The access token is another host's.
    OtherHost,
    /// A field of the body is unknown or out of its bounds.
    Field,
    /// A segment of the path is not UTF-8.
    Path,
    /// The body could not be read.
    Body,
    /// The body is larger than may be.
    TooLarge,
    /// Another media type or encoding is expected.
    MediaType,
    /// A different final verdict is recorded.
    Verdict,
    /// The file has no such bytes.
    Range,
    /// There is nothing there.
    NotFound,
    /// Another method is meant.
    Method,
    /// Too many in a short time.
    TooMany,
    /// More than the tenant keeps.
    Quota,
    /// No such user is registered at the host.
    User,
    /// Too much to do at the moment.
    Busy,
    /// The server failed.
    Internal,
}

impl Code {
    const ALL: [Self; 21] = [
        Self::Enrolment,
        Self::Token,
        Self::Proof,
        Self::ProofStale,
        Self::HostKey,
        Self::Contract,
        Self::OtherHost,
        Self::Field,
        Self::Path,
        Self::Body,
        Self::TooLarge,
        Self::MediaType,
        Self::Verdict,
        Self::Range,
        Self::NotFound,
        Self::Method,
        Self::TooMany,
        Self::Quota,
        Self::User,
        Self::Busy,
        Self::Internal,
    ];

    /// What a server said with this status; `None` = somebody else's word, or not with this status.
    pub fn said(status: u16, word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.status() == status && code.word() == word)
    }

    /// As the problem's `type` ends.
    pub fn word(self) -> &'static str {
        match self {
            Self::Enrolment => "enrolment",
            Self::Token => "token",
            Self::Proof => "proof",
            Self::ProofStale => "proof-stale",
            Self::HostKey => "host-key",
            Self::Contract => "contract",
            Self::OtherHost => "other-host",
            Self::Field => "field",
            Self::Path => "path",
            Self::Body | Self::TooLarge => "body",
            Self::MediaType => "media-type",
            Self::Verdict => "verdict",
            Self::Range => "range",
            Self::NotFound => "not-found",
            Self::Method => "method",
            Self::TooMany => "too-many",
            Self::Quota => "quota",
            Self::User => "user",
            Self::Busy => "busy",
            Self::Internal => "internal",
        }
    }

    /// The HTTP status.
    pub fn status(self) -> u16 {
        match self {
            Self::Field | Self::Path | Self::Body => 400,
            Self::Enrolment | Self::Token | Self::Proof | Self::ProofStale => 401,
            Self::OtherHost | Self::Quota => 403,
            Self::NotFound | Self::User => 404,
            Self::Method => 405,
            Self::HostKey | Self::Verdict => 409,
            Self::Contract => 410,
            Self::TooLarge => 413,
            Self::MediaType => 415,
            Self::Range => 416,
            Self::TooMany => 429,
            Self::Internal => 500,
            Self::Busy => 503,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Code;

    #[test]
    fn each_code_is_known_by_its_word_and_its_status() {
        for (n, code) in Code::ALL.into_iter().enumerate() {
            assert_eq!(code as usize, n, "each is listed, in its order");
            assert_eq!(Code::said(code.status(), code.word()), Some(code));
            assert_eq!(Code::said(418, code.word()), None);
        }
        assert_eq!(Code::Internal as usize + 1, Code::ALL.len(), "the last one is listed");
        assert_eq!(Code::said(401, "of-another-server"), None);
    }
}
