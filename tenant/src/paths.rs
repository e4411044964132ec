//! The routes of a tenant server. Constants with `{name}` are templates (OpenAPI and router spelling); the functions
//! fill them in, percent-encoding every segment (RFC 3986 §2.1), and give a path to append to `SERVER_URL`.
//!
//! Authorisation: [`HEALTH`], [`OPENAPI`] and `/metadata/…` are open (metadata is signed and holds no secret).
//! Everything else, `/targets/…` included, wants `Authorization: Bearer ACCESS_TOKEN` and the host's signature
//! ([`crate::proof`]): the policy document may carry a directory password, and firmware is not for passers-by.
//! [`ENROL`], which gives the token, wants the signature alone. Routes below `/v2/hosts/{system_id}` answer 403 to the
//! token of another host.
//!
//! The number in the routes is [`CONTRACT`]. Routes of an older one are answered 410 with the code `contract`, so that
//! an old agent says what is the matter.

use std::fmt::Write as _;

/// Version of the contract: the requests and their routes. 2 bound each request to the host's key.
pub const CONTRACT: u32 = 2;

/// `POST` [`crate::wire::EnrolRequest`] → 200 [`crate::wire::EnrolResponse`].
pub const ENROL: &str = "/v2/enrol";
/// `GET` → 200 [`crate::wire::Health`]. Says nothing about the tenant.
pub const HEALTH: &str = "/v2/health";
/// `PUT` [`crate::wire::HostRegistration`] → 204.
pub const HOST: &str = "/v2/hosts/{system_id}";
/// `PUT` [`crate::wire::UserRegistration`] → 204.
pub const USER: &str = "/v2/hosts/{system_id}/users/{user}";
/// `GET` → 200 [`crate::wire::ManualGroups`], with `ETag`.
pub const USER_GROUPS: &str = "/v2/hosts/{system_id}/users/{user}/groups";
/// `PUT` [`crate::wire::DeviceRegistration`] → 204.
pub const DEVICE: &str = "/v2/hosts/{system_id}/devices/{device_id}";
/// `PUT` [`crate::wire::UpdateStatus`] → 204; 409 when a different final verdict is already recorded.
pub const UPDATE: &str = "/v2/hosts/{system_id}/updates/{event_id}";
/// `POST` [`crate::wire::EventBatch`] → 200 [`crate::wire::EventsAnswer`].
pub const EVENTS: &str = "/v2/events";
/// `GET`: TUF metadata, with `ETag`.
pub const METADATA: &str = "/metadata/{file}";
/// `GET`: TUF targets (`SHA256.NAME`), with `ETag` and byte ranges.
pub const TARGETS: &str = "/targets/{file}";
/// `GET`: the OpenAPI description.
pub const OPENAPI: &str = "/openapi.json";

/// A method of HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Asks.
    Get,
    /// Asks for something to be done.
    Post,
    /// Says how something is.
    Put,
}

macro_rules! routes {
    ($($method:ident $path:ident $route:ident,)+) => {
        /// What a tenant server answers: method and path. The server has a handler for each, and the contract describes
        /// each, by the compiler's word.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Route {
            $(
                #[doc = concat!("[`Method::", stringify!($method), "`] [`", stringify!($path), "`].")]
                $route,
            )+
        }

        impl Route {
            /// All there are.
            pub const ALL: &[Self] = &[$(Self::$route),+];

            /// The one that is meant.
            pub fn method(self) -> Method {
                match self {
                    $(Self::$route => Method::$method,)+
                }
            }

            /// The template.
            pub fn path(self) -> &'static str {
                match self {
                    $(Self::$route => $path,)+
                }
            }
        }
    };
}

routes! {
    Post ENROL Enrol,
    Get HEALTH Health,
    Put HOST PutHost,
    Put USER PutUser,
    Get USER_GROUPS GetGroups,
    Put DEVICE PutDevice,
    Put UPDATE PutUpdate,
    Post EVENTS PostEvents,
    Get METADATA Metadata,
    Get TARGETS Target,
    Get OPENAPI OpenApi,
}

/// Base of the TUF metadata, with the trailing slash that URL joining needs.
pub const METADATA_BASE: &str = "/metadata/";
/// Base of the TUF targets, with the trailing slash that URL joining needs.
pub const TARGETS_BASE: &str = "/targets/";
/// The first root of the repository, the one `TENANT_ROOT` is the SHA-256 of. Later roots follow it as
/// `2.root.json` … and are reached by TUF's own chain.
pub const ROOT: &str = "/metadata/1.root.json";
/// Name of the policy document's target.
pub const POLICY_TARGET: &str = "tenant.json";

/// Media type of [`crate::wire::EventBatch`] (CloudEvents 1.0, JSON batch format §4).
pub const EVENTS_MEDIA_TYPE: &str = "application/cloudevents-batch+json";
/// Media type of [`crate::wire::Problem`] (RFC 9457 §3).
pub const PROBLEM_MEDIA_TYPE: &str = "application/problem+json";

/// [`HOST`], filled in.
pub fn host(system_id: &str) -> String {
    format!("/v2/hosts/{}", segment(system_id))
}

/// [`USER`], filled in.
pub fn user(system_id: &str, user: &str) -> String {
    format!("{}/users/{}", host(system_id), segment(user))
}

/// [`USER_GROUPS`], filled in.
pub fn user_groups(system_id: &str, user: &str) -> String {
    format!("{}/groups", self::user(system_id, user))
}

/// [`DEVICE`], filled in.
pub fn device(system_id: &str, device_id: &str) -> String {
    format!("{}/devices/{}", host(system_id), segment(device_id))
}

/// [`UPDATE`], filled in.
pub fn update(system_id: &str, event_id: &str) -> String {
    format!("{}/updates/{}", host(system_id), segment(event_id))
}

/// Percent-encodes everything but the unreserved characters of RFC 3986 §2.3.
fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").expect("invariant: writing to a String cannot fail");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_cannot_leave_its_place() {
        assert_eq!(user("S-1", "CORP\\jörg/x?"), "/v2/hosts/S-1/users/CORP%5Cj%C3%B6rg%2Fx%3F");
        assert_eq!(user_groups("a", "b"), "/v2/hosts/a/users/b/groups");
        assert_eq!(device("a", "1-4:1.0"), "/v2/hosts/a/devices/1-4%3A1.0");
        assert_eq!(update("a", "e"), "/v2/hosts/a/updates/e");
    }
}
