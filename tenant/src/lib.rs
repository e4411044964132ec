//! The contract between a tenant and the agents it looks after.
//!
//! - [`policy`]: the policy document, target `tenant.json` of the tenant's TUF repository. Written by the company,
//!   signed by `hookswitch-tenant publish`, read by every agent. Strict: an unknown field is an error, because a
//!   misspelt key that is silently skipped is a policy that silently does not apply. A document that needs new
//!   fields raises [`policy::SCHEMA`].
//! - [`wire`]: what agent and server say to each other over HTTPS. Requests are strict (the server refuses what it
//!   cannot store, so that an agent never believes a fact was recorded that was not); answers are read tolerantly
//!   (an agent of last year must survive a server of today).
//! - [`paths`]: the routes, once, for both sides.
//! - [`refusal`]: the codes by which the server refuses.
//! - [`proof`]: what a host signs, so that neither the tenant's token nor an access token is worth anything without the
//!   host's key.
//!
//! The library holds no server and does no I/O. The server is the binary `hookswitch-tenant` (feature `server`).
//! `openapi.json` and `schema/` are made of these types and routes, for people who do not read Rust.

#[cfg(test)]
#[path = "../../tests/support/contract.rs"]
mod contract;
pub mod grammar;
#[cfg(test)]
mod openapi;
pub mod paths;
pub mod policy;
pub mod proof;
pub mod refusal;
pub mod secret;
#[cfg(test)]
mod shape;
pub mod wire;

/// The OpenAPI description of the server's routes, also served at [`paths::OPENAPI`].
pub const OPENAPI: &str = include_str!("../openapi.json");

/// JSON Schema 2020-12 of [`policy::PolicyDocument`].
pub const POLICY_SCHEMA: &str = include_str!("../schema/policy.schema.json");

/// JSON Schema 2020-12 of what `hookswitch-tenant hosts --json` prints.
pub const HOSTS_SCHEMA: &str = include_str!("../schema/hosts.schema.json");

/// JSON Schema 2020-12 of what `hookswitch-tenant inventory --json` prints.
pub const INVENTORY_SCHEMA: &str = include_str!("../schema/inventory.schema.json");
