//! The policy in force, with what is looked up in it all the time: read once, shared, and found without a walk over
//! what may be a thousand groups and a thousand firmware policies.

use crate::machine::Verified;
use crate::machine::people::rules::{Directory, GroupRule, GroupRules};
use std::sync::Arc;
use tenant::policy::{self, Bind, FirmwarePolicy, PolicyDocument};

#[derive(Debug)]
pub struct InForce {
    policy: Verified<PolicyDocument>,
    /// By product and place in the document.
    firmware: Vec<(Product, usize)>,
    directory: Option<Arc<Directory>>,
    groups: Arc<[GroupRule]>,
    by_hand: bool,
}

/// A product by its USB ids.
type Product = (u16, u16);

impl InForce {
    pub fn new(policy: Verified<PolicyDocument>) -> Self {
        let document = policy.get();
        let named = document.firmware.iter().enumerate().flat_map(|(at, firmware)| {
            firmware.products.iter().map(move |product| ((product.vendor_id, product.product_id), at))
        });
        let mut firmware: Vec<_> = named.collect();
        firmware.sort_unstable();
        let (directory, groups) = (directory(document), group_rules(document));
        let by_hand = document.groups.iter().any(|g| matches!(g.rule, policy::GroupRule::Manual {}));
        Self { policy, firmware, directory, groups, by_hand }
    }

    pub fn document(&self) -> &PolicyDocument {
        self.policy.get()
    }

    pub fn version(&self) -> u64 {
        self.policy.version()
    }

    /// What is meant for a product, in the order of the document.
    pub fn firmware(&self, product: Product) -> impl Iterator<Item = &FirmwarePolicy> {
        let first = self.firmware.partition_point(|(named, _)| *named < product);
        let named = self.firmware[first..].iter().take_while(move |(named, _)| *named == product);
        named.map(|(_, at)| &self.document().firmware[*at])
    }

    /// Whether any group is assigned by hand, so that the tenant has to be asked for each user.
    pub fn has_groups_by_hand(&self) -> bool {
        self.by_hand
    }

    /// The group rules as a directory is asked.
    pub fn group_rules(&self, assigned: &[String]) -> GroupRules {
        GroupRules {
            policy_version: self.version(),
            directory: self.directory.clone(),
            groups: self.groups.clone(),
            assigned: assigned.to_vec(),
        }
    }
}

fn directory(document: &PolicyDocument) -> Option<Arc<Directory>> {
    let ldap = document.ldap.as_ref()?;
    Some(Arc::new(Directory {
        servers: ldap.servers.clone(),
        base_dn: ldap.base_dn.clone(),
        start_tls: ldap.start_tls,
        bind: match &ldap.bind {
            Bind::Anonymous {} => None,
            Bind::Simple { dn, password } => Some((dn.clone(), password.expose().to_owned())),
        },
        ca_pem: ldap.ca_pem.clone(),
    }))
}

fn group_rules(document: &PolicyDocument) -> Arc<[GroupRule]> {
    let rules = document.groups_by_priority().into_iter().map(|g| {
        let (filter, base_dn) = match &g.rule {
            policy::GroupRule::LdapQuery { filter, base_dn } => (Some(filter.clone()), base_dn.clone()),
            policy::GroupRule::Manual {} => (None, None),
        };
        GroupRule { id: g.id.clone(), name: g.name.clone(), priority: g.priority, filter, base_dn }
    });
    rules.collect()
}
