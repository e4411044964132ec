//! Which host this machine is to the tenant: its id and its key, bound to the machine they were made on.
//!
//! Data that wakes up on another machine (a copied disk, image or folder) becomes a host of its own there. Data that
//! wanders (a home folder on the network) has an identity for each machine it was on.
//!
//! What cannot be seen here: two machines that tell the same of themselves, i.e. clones of one virtual machine whose
//! machine id was not made anew, under an account that may not read the hardware's id.

use crate::problem::Reason;
use crate::protocol::Problem;
use serde::{Deserialize, Serialize};
use tenant::grammar::is_host_key;
use tenant::secret::Secret;

/// Identities kept; the ones not used for longest go first.
const MOST: usize = 16;

/// What a machine tells of itself, hashed for this program alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marks {
    /// The id that the operating system got when it was installed.
    pub installation: Option<String>,
    /// The id of the hardware, if this account may read it.
    pub hardware: Option<String>,
}

impl Marks {
    /// Whether nothing speaks against it.
    fn may_be(&self, other: &Self) -> bool {
        let differ = |a: &Option<String>, b: &Option<String>| a.is_some() && b.is_some() && a != b;
        !differ(&self.installation, &other.installation) && !differ(&self.hardware, &other.hardware)
    }

    /// Whether something speaks for it.
    fn shares(&self, other: &Self) -> bool {
        let same = |a: &Option<String>, b: &Option<String>| a.is_some() && a == b;
        same(&self.installation, &other.installation) || same(&self.hardware, &other.hardware)
    }
}

/// One host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    pub machine: Marks,
    pub system_id: String,
    /// Seed of the Ed25519 key, base64url. `None` in data of versions that had no keys.
    pub key: Option<Secret>,
    /// The host whose data it was made from.
    pub copied_from: Option<String>,
}

/// The identities to keep, this machine's first.
#[derive(Debug)]
pub(super) struct Settled {
    pub known: Vec<Identity>,
    /// They are not what is on disk.
    pub changed: bool,
    /// Another host than when the agent ran last: what that one owes and its token are not this one's.
    pub another: bool,
    /// Said once, when this machine got an identity of its own.
    pub notice: Option<Problem>,
}

/// Finds this machine among `stored`, the last used first, or makes `fresh` one of them.
pub(super) fn settle(mut stored: Vec<Identity>, mut fresh: Identity) -> Settled {
    let before = stored.clone();
    let fits = |identity: &&Identity| identity.machine.may_be(&fresh.machine);
    let found = stored
        .iter()
        .position(|identity| fits(&identity) && identity.machine.shares(&fresh.machine))
        .or_else(|| stored.iter().position(|identity| fits(&identity)));
    let mut notice = None;
    let mine = match found {
        Some(at) => {
            let mut mine = stored.remove(at);
            mine.machine.installation = mine.machine.installation.or(fresh.machine.installation);
            mine.machine.hardware = mine.machine.hardware.or(fresh.machine.hardware);
            mine.key = mine.key.filter(|key| is_host_key(key.expose())).or(fresh.key);
            mine
        }
        None => {
            if let Some(original) = stored.first() {
                fresh.copied_from = Some(original.system_id.clone());
                notice = Some(copied(&original.system_id, &fresh.system_id));
            }
            fresh
        }
    };
    let another = before.first().is_some_and(|last| last.system_id != mine.system_id);
    stored.insert(0, mine);
    stored.truncate(MOST);
    Settled { changed: stored != before, known: stored, another, notice }
}

fn copied(original: &str, own: &str) -> Problem {
    Reason::HostCopied { original: original.to_owned(), own: own.to_owned() }.here()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Code;

    fn machine(installation: Option<&str>, hardware: Option<&str>) -> Marks {
        Marks { installation: installation.map(str::to_owned), hardware: hardware.map(str::to_owned) }
    }

    fn fresh(machine: Marks, id: &str) -> Identity {
        let key = Some(Secret::new(format!("{id:x<43}")));
        Identity { machine, system_id: id.to_owned(), key, copied_from: None }
    }

    fn start(stored: &[Identity], machine: Marks, id: &str) -> Settled {
        settle(stored.to_vec(), fresh(machine, id))
    }

    #[test]
    fn a_cloned_machine_becomes_a_host_of_its_own() {
        let first = start(&[], machine(Some("a"), None), "one");
        assert!(first.changed && !first.another && first.notice.is_none());
        for elsewhere in [machine(Some("b"), None), machine(Some("b"), Some("h"))] {
            let clone = start(&first.known, elsewhere, "two");
            assert!(clone.changed && clone.another);
            let mine = &clone.known[0];
            assert_eq!((mine.system_id.as_str(), mine.copied_from.as_deref()), ("two", Some("one")));
            assert_ne!(mine.key, first.known[0].key);
            assert_eq!(clone.notice.expect("said").code, Code::HostCopied);
        }
        // A disk image that kept its machine id: the hardware tells, where it may be read.
        let image = start(&[], machine(Some("a"), Some("h1")), "one").known;
        assert_eq!(start(&image, machine(Some("a"), Some("h2")), "two").known[0].system_id, "two");
        assert_eq!(
            start(&image, machine(Some("a"), None), "two").known[0].system_id,
            "one",
            "cannot be seen"
        );
    }

    #[test]
    fn the_same_machine_stays_what_it_is() {
        let first = start(&[], machine(Some("a"), None), "one").known;
        let again = start(&first, machine(Some("a"), None), "two");
        assert!(!again.changed && !again.another && again.notice.is_none());
        let as_root = start(&first, machine(Some("a"), Some("h")), "two");
        assert!(as_root.changed && !as_root.another, "one more mark");
        assert_eq!(as_root.known[0].machine, machine(Some("a"), Some("h")));
        let nothing_known = start(&as_root.known, machine(None, None), "two");
        assert!(!nothing_known.changed);
    }

    #[test]
    fn data_of_before_keys_and_marks_is_taken_on() {
        let old =
            Identity { machine: Marks::default(), system_id: "one".to_owned(), key: None, copied_from: None };
        let taken = start(&[old], machine(Some("a"), None), "two");
        assert!(taken.changed && !taken.another);
        let mine = &taken.known[0];
        assert_eq!((mine.system_id.as_str(), &mine.machine), ("one", &machine(Some("a"), None)));
        assert_eq!(mine.key, Some(Secret::new(format!("{:x<43}", "two"))));
    }

    #[test]
    fn a_home_on_the_network_has_one_identity_for_each_machine() {
        let desk = start(&[], machine(Some("a"), None), "desk").known;
        let lab = start(&desk, machine(Some("b"), None), "lab").known;
        let back = start(&lab, machine(Some("a"), None), "new");
        assert_eq!(back.known[0].system_id, "desk");
        assert!(back.another && back.notice.is_none(), "not said again");
        let again = start(&back.known, machine(Some("b"), None), "new");
        assert_eq!((again.known.len(), again.known[0].system_id.as_str()), (2, "lab"));
        let mut many = again.known;
        for n in 0..40 {
            many = start(&many, machine(Some(&format!("m{n}")), None), &format!("s{n}")).known;
        }
        assert_eq!((many.len(), many[0].system_id.as_str()), (MOST, "s39"));
    }
}
