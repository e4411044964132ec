//! Approved softphones in the settings: what they say, and changing one of them in the person's file.

use super::folders::Folders;
use super::own_settings;
use super::settings_files;
use hub::problem::Reason;
use hub::protocol::Problem;
use hub::protocol::client::ClientId;
use hub::protocol::local::Decider;
use hub::settings::{Key, Layers, Provenance, Settings};
use hub::user::sdk::consent::{Approvals, MOST_DENIED};

/// The setting where it is kept.
#[derive(Clone, Debug)]
pub struct ApprovedSoftphones(Folders);

impl ApprovedSoftphones {
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

    /// What these say.
    pub fn of(&self, settings: &Settings) -> Approvals {
        let setting = &settings.sdk_approved;
        let user = || self.0.user_settings().display().to_string();
        let (by, place) = match setting.from {
            Provenance::Default | Provenance::User => (Decider::Person, user()),
            Provenance::Environment => (Decider::Environment, "HOOKSWITCH_SDK_APPROVED".to_owned()),
            Provenance::Machine => (Decider::Machine, self.0.machine_settings().display().to_string()),
        };
        let denied = settings.sdk_denied.value.clone();
        Approvals { approved: setting.value.clone(), denied, by, place }
    }

    /// Moves the softphone to the person's list of approved ones or to the one of those they said no to, and gives
    /// what counts then.
    ///
    /// # Errors
    /// The file cannot be read as settings, or not be written.
    pub fn keep(&self, client: &ClientId, approved: bool) -> Result<Approvals, Problem> {
        let layers = settings_files::layers(&self.0);
        // The person's own lists, whatever counts over them.
        let (own, problems) = Settings::resolve(&Layers { user: layers.user, ..Layers::default() });
        // A list that cannot be read is not an empty one: what it said before still counts, and would be written over.
        if own.is_wrong(Key::SdkApproved) || own.is_wrong(Key::SdkDenied) {
            let reason = problems.first().map(|problem| problem.what().clone()).unwrap_or_default();
            return Err(not_kept(&self.0.user_settings().display().to_string(), &reason));
        }
        for (key, list, joins) in
            [(Key::SdkApproved, own.sdk_approved, approved), (Key::SdkDenied, own.sdk_denied, !approved)]
        {
            let mut changed = moved(&list.value, client.name(), joins);
            if changed == list.value {
                continue;
            }
            if key == Key::SdkDenied {
                changed.drain(..changed.len().saturating_sub(MOST_DENIED));
            }
            let value = Some(changed.join(",")).filter(|list| !list.is_empty());
            own_settings::keep(&self.0, key, value.as_deref()).map_err(|why| why.problem(not_kept))?;
        }
        Ok(self.read())
    }
}

/// The list with `name` last or not at all.
fn moved(list: &[String], name: &str, joins: bool) -> Vec<String> {
    if list.iter().any(|on| on == name) == joins {
        return list.to_vec();
    }
    let mut list: Vec<String> = list.iter().filter(|on| *on != name).cloned().collect();
    if joins {
        list.push(name.to_owned());
    }
    list
}

fn not_kept(place: &str, reason: &str) -> Problem {
    Reason::SoftphoneNotKept { reason: reason.to_owned() }.at(place)
}
