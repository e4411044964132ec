//! Why the tenant's policy document is refused. The path of the value stays as it is: it names the place in the JSON.

use super::{shown, without_place};
use crate::protocol::Detail;
use tenant::policy::{Expected, PolicyError, SCHEMA};

impl From<&PolicyError> for Detail {
    fn from(error: &PolicyError) -> Self {
        match error {
            PolicyError::TooLarge { got, max } => {
                Detail::new("document-too-large", error).with("bytes", got).with("most", max)
            }
            PolicyError::Json(json) => Detail::new("policy-json", error)
                .with("line", json.line())
                .with("column", json.column())
                .with("error", without_place(json)),
            PolicyError::Schema { got } => {
                Detail::new("policy-schema", error).with("found", got).with("known", SCHEMA)
            }
            PolicyError::Range { path, min, max, got } => Detail::new("policy-range", error)
                .with("path", path)
                .with("least", min)
                .with("most", max)
                .with("found", got),
            PolicyError::Count { path, min, max, got } => Detail::new("policy-count", error)
                .with("path", path)
                .with("least", min)
                .with("most", max)
                .with("found", got),
            PolicyError::Text { path, expected } => {
                Detail::new("policy-text", error).with("path", path).detail("expected", *expected)
            }
            PolicyError::Duplicate { path, id, first } => Detail::new("policy-duplicate", error)
                .with("path", path)
                .with("id", shown(id))
                .with("first", first),
            PolicyError::UnknownGroup { path, id } => {
                Detail::new("policy-unknown-group", error).with("path", path).with("id", shown(id))
            }
            PolicyError::NoDirectory { path } => Detail::new("policy-no-directory", error).with("path", path),
            PolicyError::Brackets { path } => Detail::new("policy-brackets", error).with("path", path),
            PolicyError::StartTlsOverTls { path } => {
                Detail::new("policy-starttls-over-tls", error).with("path", path)
            }
            PolicyError::PasswordInTheClear { path } => {
                Detail::new("policy-password-in-the-clear", error).with("path", path)
            }
            PolicyError::OtherDeployment { path, with, found } => {
                Detail::new("policy-other-deployment", error)
                    .with("path", path)
                    .with("deployments", with)
                    .with("found", found.name())
            }
            PolicyError::EmptySupport => Detail::new("policy-empty-support", error),
        }
    }
}

impl From<Expected> for Detail {
    fn from(expected: Expected) -> Self {
        match expected {
            Expected::Line { most } => Detail::new("expected-line", expected).with("most", most),
            Expected::DistinguishedName => Detail::new("expected-distinguished-name", expected),
            Expected::LdapServer => Detail::new("expected-ldap-server", expected),
            Expected::Password => Detail::new("expected-password", expected),
            Expected::CaPem => Detail::new("expected-ca-pem", expected),
            Expected::Slug => Detail::new("expected-slug", expected),
            Expected::GroupSlug => Detail::new("expected-group-slug", expected),
            Expected::Filter => Detail::new("expected-filter", expected),
            Expected::Placeholder => Detail::new("expected-placeholder", expected).with("words", "$user$"),
            Expected::BcdVersion => Detail::new("expected-bcd-version", expected),
            Expected::Target => Detail::new("expected-target", expected),
            Expected::Timestamp => Detail::new("expected-timestamp", expected),
            Expected::TimeOfDay => Detail::new("expected-time-of-day", expected),
            Expected::OtherTime => Detail::new("expected-other-time", expected),
            Expected::Caller => Detail::new("expected-caller", expected),
            Expected::Email => Detail::new("expected-email", expected),
            Expected::Url => Detail::new("expected-url", expected),
        }
    }
}
