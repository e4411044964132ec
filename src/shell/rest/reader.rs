//! Who reads an answer, and what of it is for them. A program is this user's own and reads all. A page learns what it
//! needs to make calls, and nothing by which it could tell this person or this computer from others: no serial number,
//! path, company or group, and of other softphones only that they have calls.

use aws_lc_rs::digest::{SHA256, digest};
use hub::protocol::client::ClientId;
use hub::protocol::local::Call;

#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    /// Whose calls are its own; `None` = it has none, and learns no more than a page.
    pub(super) client: Option<&'a ClientId>,
    /// Random and new in each run.
    pub(super) salt: &'a str,
}

impl Reader<'_> {
    pub(super) fn is_page(&self) -> bool {
        self.client.is_none_or(ClientId::is_page)
    }

    pub(super) fn owns(&self, call: &Call) -> bool {
        self.client == Some(&call.client)
    }

    /// An id holds the serial number. A page gets one of its own for the headset, which holds while the agent runs.
    pub(super) fn device_id(&self, id: &str) -> String {
        if !self.is_page() {
            return id.to_owned();
        }
        let alias = digest(
            &SHA256,
            format!("{}\n{}\n{id}", self.salt, self.client.map_or("", ClientId::name)).as_bytes(),
        );
        crate::shell::secret::hex(&alias.as_ref()[..8])
    }

    pub(super) fn serial(&self, serial: Option<&String>) -> Option<String> {
        serial.filter(|_| !self.is_page()).cloned()
    }

    /// Whose call it is: what a program calls itself, of a page its origin. Only a page's own is told to a page.
    pub(super) fn client(&self, call: &Call) -> String {
        if self.is_page() && !self.owns(call) {
            return "other".to_owned();
        }
        call.label.clone().unwrap_or_else(|| call.client.name().to_owned())
    }
}
