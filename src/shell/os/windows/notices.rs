//! Notices as toasts, which stay in the system's list until they are read.

use windows::Data::Xml::Dom::XmlDocument;
use windows::UI::Notifications::{ToastNotification, ToastNotificationManager, ToastTemplateType};
use windows::core::HSTRING;

/// Names the program to the system, with the entry in the registry that goes with it.
const APPLICATION: &str = "Hookswitch.Agent";

/// Shows a notice; returns when the system has it.
///
/// # Errors
/// In words for the log.
pub fn show_notice(title: &str, body: &str) -> Result<(), String> {
    register().and_then(|()| show(title, body)).map_err(|error| error.to_string())
}

/// A program that was not installed as an app has no name for the system until it is written down for this user.
fn register() -> windows::core::Result<()> {
    let key =
        windows_registry::CURRENT_USER.create(format!(r"Software\Classes\AppUserModelId\{APPLICATION}"))?;
    key.set_string("DisplayName", "Hookswitch")
}

fn show(title: &str, body: &str) -> windows::core::Result<()> {
    let toast: XmlDocument = ToastNotificationManager::GetTemplateContent(ToastTemplateType::ToastText02)?;
    let lines = toast.GetElementsByTagName(&HSTRING::from("text"))?;
    for (index, text) in [(0, title), (1, body)] {
        // A text node: what stands in it is never markup.
        let text = toast.CreateTextNode(&HSTRING::from(text))?;
        lines.Item(index)?.AppendChild(&text)?;
    }
    let notifier = ToastNotificationManager::CreateToastNotifierWithId(&HSTRING::from(APPLICATION))?;
    notifier.Show(&ToastNotification::CreateToastNotification(&toast)?)
}
