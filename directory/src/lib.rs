//! What is asked of a company's directory (LDAP), without any I/O: the agent that asks and the tenant that publishes
//! the queries read them by the same rules.

pub mod filter;

#[cfg(test)]
#[path = "../../tests/support/seed.rs"]
mod seed;

/// Stands for the user's name in a group query; whoever fills it in escapes it after RFC 4515 §3.
pub const USER_PLACEHOLDER: &str = "$user$";
/// Longest group query, in characters.
pub const MAX_FILTER_CHARS: usize = 4_096;
