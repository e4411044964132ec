//! What belongs at a place of the document where something else stands.

use thiserror::Error;

/// What a text has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Expected {
    /// Words of one line, for people.
    #[error("1 to {most} characters, no control or invisible characters")]
    Line {
        /// Most characters.
        most: usize,
    },
    /// RFC 4514.
    #[error("a distinguished name of 1 to 1024 characters, no control or invisible characters")]
    DistinguishedName,
    /// Address of a directory server.
    #[error("ldap://host[:port] or ldaps://host[:port], at most 300 characters")]
    LdapServer,
    /// Of a simple bind.
    #[error("1 to 1024 characters")]
    Password,
    /// Certificates.
    #[error("PEM with at least one CERTIFICATE block, at most 65536 characters")]
    CaPem,
    /// Id of a firmware policy.
    #[error("1 to 64 of a-z 0-9 and inner hyphens")]
    Slug,
    /// Id of a group.
    #[error("1 to 64 of a-z 0-9 and inner hyphens, other than \"all-users\"")]
    GroupSlug,
    /// A group query.
    #[error("an LDAP filter in brackets (RFC 4515), at most 4096 characters on one line")]
    Filter,
    /// A group query that asks for the user.
    #[error("$user$ somewhere in the filter; without it everybody would get the same answer")]
    Placeholder,
    /// A firmware version.
    #[error(
        "a bcdDevice version such as 1.20 (1 or 2 digits, a point, 2 digits), or such as 0x0a12 where a digit is above 9"
    )]
    BcdVersion,
    /// The name of a package.
    #[error("the name of a published target: 1 to 128 of A-Z a-z 0-9 . _ -, not tenant.json")]
    Target,
    /// A deadline.
    #[error("a point in time with its zone (RFC 3339), such as 2027-01-31T18:00:00Z")]
    Timestamp,
    /// One end of a window.
    #[error("a time of day from 00:00 to 23:59")]
    TimeOfDay,
    /// The other end of a window.
    #[error("another time than from: between the two there is no time")]
    OtherTime,
    /// A softphone.
    #[error(
        "an origin as browsers send it (https://host, http only on the loopback, lower case, no path, no default \
         port), the full path of a program without commas, or a program id"
    )]
    Caller,
    /// A mail address.
    #[error("user@host, at most 254 characters")]
    Email,
    /// A web address.
    #[error("an https:// address, at most 2048 characters")]
    Url,
}
