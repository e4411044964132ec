//! Where a tenant is, and what can be had of it there.

/// One tenant's place, as the setting `server_url` names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TenantSource {
    /// `https://…`: a server that knows its hosts and takes their reports.
    Server(String),
    /// `file:///…/` or `folder+https://…/`: a signed folder on a disk, a share or a web server. It gives what it gives to
    /// everybody, and takes nothing.
    Folder(String),
}

/// What makes an address of the web that of a folder. One word beside the address could contradict it; a server that is
/// taken for a folder, or the other way round, would be a company that hears nothing of its machines.
const FOLDER: &str = "folder+";

impl TenantSource {
    /// By the address alone.
    pub fn named(address: &str) -> Self {
        match address.starts_with("file:") || address.starts_with(FOLDER) {
            true => Self::Folder(address.to_owned()),
            false => Self::Server(address.to_owned()),
        }
    }

    /// As the settings have it.
    pub fn address(&self) -> &str {
        let (Self::Server(address) | Self::Folder(address)) = self;
        address
    }

    /// Where its files are: `https://…` or `file:///…`.
    pub fn url(&self) -> &str {
        self.address().strip_prefix(FOLDER).unwrap_or_else(|| self.address())
    }

    /// Whether machines make themselves known there, and are given a token that opens the rest.
    pub fn can_enrol(&self) -> bool {
        matches!(self, Self::Server(_))
    }

    /// Whether it takes reports, and knows who is in which group by hand.
    pub fn can_report(&self) -> bool {
        matches!(self, Self::Server(_))
    }
}
