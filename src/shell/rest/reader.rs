//! Who reads an answer, and what of it is for them. A program is this user's own and reads all. A page learns what it
//! needs to make calls, and nothing by which it could tell this person or this computer from others: no serial number,
//! path, company or group, and of other softphones only that they have calls.

use aws_lc_rs::digest::{SHA256, digest};

#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    /// The name its calls are owned under.
    pub(super) name: &'a str,
    pub(super) is_page: bool,
    /// Random and new in each run.
    pub(super) salt: &'a str,
}

impl Reader<'_> {
    /// An id holds the serial number. A page gets one of its own for the headset, which holds while the agent runs.
    pub(super) fn device_id(&self, id: &str) -> String {
        if !self.is_page {
            return id.to_owned();
        }
        let alias = digest(&SHA256, format!("{}\n{}\n{id}", self.salt, self.name).as_bytes());
        crate::shell::secret::hex(&alias.as_ref()[..8])
    }

    pub(super) fn serial(&self, serial: Option<&String>) -> Option<String> {
        serial.filter(|_| !self.is_page).cloned()
    }

    /// Whose call it is.
    pub(super) fn client(&self, client: &str) -> String {
        if self.is_page && client != self.name { "other".to_owned() } else { client.to_owned() }
    }
}
