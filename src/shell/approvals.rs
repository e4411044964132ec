//! Approved web pages in the settings: what they say, and changing one of them in the person's file.

use super::folders::Folders;
use super::own_settings::{self, NotKept};
use super::settings_files;
use hub::protocol::Problem;
use hub::protocol::local::Decider;
use hub::settings::{Key, Layers, Provenance, Settings};
use hub::user::sdk::consent::Approvals;

/// The setting where it is kept.
#[derive(Clone, Debug)]
pub struct ApprovedPages(Folders);

impl ApprovedPages {
    pub fn new(folders: Folders) -> Self {
        Self(folders)
    }

    /// Where the rest of the person's settings is.
    pub fn folders(&self) -> &Folders {
        &self.0
    }

    /// What counts now.
    pub fn read(&self) -> Approvals {
        self.of(&Settings::resolve(&settings_files::layers(&self.0)).0)
    }

    fn of(&self, settings: &Settings) -> Approvals {
        let setting = &settings.sdk_approved;
        let user = || self.0.user_settings().display().to_string();
        let (by, place) = match setting.from {
            Provenance::Default | Provenance::User => (Decider::Person, user()),
            Provenance::Environment => (Decider::Environment, "HOOKSWITCH_SDK_APPROVED".to_owned()),
            Provenance::Machine => (Decider::Machine, self.0.machine_settings().display().to_string()),
            Provenance::Tenant => (Decider::Company, user()),
        };
        Approvals { origins: setting.value.clone(), by, place }
    }

    /// Adds `origin` to the person's list or takes it out, and gives what counts then.
    ///
    /// # Errors
    /// The file cannot be read as settings, or not be written.
    pub fn keep(&self, origin: &str, approved: bool) -> Result<Approvals, Problem> {
        let layers = settings_files::layers(&self.0);
        // The person's own list, whatever counts over it.
        let own = Layers { user: layers.user.clone(), ..Layers::default() };
        let mut list = Settings::resolve(&own).0.sdk_approved.value;
        list.retain(|on| on != origin);
        if approved {
            list.push(origin.to_owned());
        }
        let list = Some(list.join(",")).filter(|list| !list.is_empty());
        own_settings::keep(&self.0, Key::SdkApproved, list.as_deref())
            .map_err(|NotKept { place, reason }| not_kept(&place, &reason))?;
        Ok(self.read())
    }
}

fn not_kept(place: &str, reason: &str) -> Problem {
    Problem::new(
        "softphone-not-kept",
        format!("This counts until Hookswitch ends; it cannot be remembered: {reason}"),
        place,
        "Correct the file or its permissions, then decide again.",
    )
    .with("reason", reason)
}
