//! The policy's group rules, as the directory is asked by them. No word of the protocol: they hold the directory's
//! password, which never leaves the machine role.

use crate::protocol::Problem;
use std::sync::Arc;

/// The policy's group rules and where to ask.
#[derive(Clone, PartialEq, Eq)]
pub struct GroupRules {
    /// Changes with `directory` and `groups`; `assigned` may change by itself.
    pub policy_version: u64,
    pub directory: Option<Arc<Directory>>,
    /// By priority, the first that matches wins.
    pub groups: Arc<[GroupRule]>,
    /// Manual assignments of this user that the tenant knows.
    pub assigned: Vec<String>,
}

impl std::fmt::Debug for GroupRules {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Holds a bind password.
        f.debug_struct("GroupRules")
            .field("policy_version", &self.policy_version)
            .field("groups", &self.groups.len())
            .finish()
    }
}

#[derive(Clone, PartialEq, Eq)]
pub struct Directory {
    /// `ldap://` or `ldaps://` with a host.
    pub servers: Vec<String>,
    pub base_dn: String,
    pub start_tls: bool,
    /// DN and password; `None` = anonymous.
    pub bind: Option<(String, String)>,
    /// PEM of the CA that signed the directory's certificate; `None` = the system's.
    pub ca_pem: Option<String>,
}

/// Leaves out what a log must not hold.
impl std::fmt::Debug for Directory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Directory")
            .field("servers", &self.servers)
            .field("base_dn", &self.base_dn)
            .finish_non_exhaustive()
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupRule {
    pub id: String,
    pub name: String,
    pub priority: u32,
    /// LDAP filter with `$user$`; `None` = assigned by hand.
    pub filter: Option<String>,
    pub base_dn: Option<String>,
}

/// What the directory said to [`crate::machine::Output::AskDirectory`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryAnswer {
    /// The rules that were asked.
    pub policy_version: u64,
    /// The server that answered and the ids of the groups whose query found the user.
    pub found: Result<(String, Vec<String>), Problem>,
    /// Queries that could not be asked or failed on their own, by group id.
    pub refused: Vec<(String, Problem)>,
}
