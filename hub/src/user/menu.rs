//! The tray menu as a value: the shell draws it, tests compare it.

use super::headset::can_carry;
use super::words::{self, Standstill};
use crate::locale::Message;
use crate::problem::Reason;
use crate::protocol::local::{CallState, Standing, View};
use crate::protocol::{Deployment, Device, DeviceId, DeviceStatus, Job, Offer, Problem, Stop, TenantMode};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Menu {
    /// Shown when the pointer rests on the icon.
    pub tooltip: Message,
    /// Draws the icon's badge.
    pub badge: Badge,
    pub items: Vec<Item>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Badge {
    #[default]
    None,
    /// An update waits.
    Update,
    /// In a call.
    Call,
    /// Muted in a call.
    Muted,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// Text without action.
    Label(Message),
    Action {
        label: Message,
        action: Action,
    },
    Separator,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    OpenWindow(Page),
    /// Lets this headset carry the calls.
    UseHeadset(DeviceId),
    /// Asks with the page [`Page::Quit`] where that would leave a headset without firmware.
    Quit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    Devices,
    Updates,
    Softphones,
    /// Why not to end the program now, and how to all the same.
    Quit,
}

/// Devices shown before the menu says how many more there are.
const MAX_DEVICES: usize = 8;
/// Pages that ask, the most recent ones; the window shows all.
const MAX_ASKING: usize = 2;

/// The menu that fits `view`.
pub fn menu(view: &View) -> Menu {
    let mut items = Vec::new();
    if view.devices.is_empty() {
        items.push(Item::Label(Message::new(if view.unheard {
            "headsets-unheard"
        } else {
            "tray-no-device"
        })));
    }
    let choice = view.devices.iter().filter(|device| can_carry(device)).count() > 1;
    items.extend(view.devices.iter().take(MAX_DEVICES).map(|device| device_item(device, choice, view)));
    if view.devices.len() > MAX_DEVICES {
        let more = (view.devices.len() - MAX_DEVICES) as i64;
        items.push(Item::Label(Message::new("tray-more-devices").number("count", more)));
    }
    items.push(Item::Separator);
    let running = view.job.as_ref().filter(|j| j.outcome.is_none());
    if let Some(job) = running {
        items.push(Item::Label(progress_line(job)));
    }
    items.extend(view.queue.iter().map(|job| Item::Label(words::queued(view, job))));
    let waits = |offer: &Offer| view.queue.iter().any(|job| job.offer == offer.id);
    let open: Vec<_> = view.offers.iter().filter(|o| !o.deferred && !waits(o)).collect();
    for offer in &open {
        let label = match offer.deployment {
            Deployment::Recovery => Message::new("tray-recover").text("name", product_of(view, offer)),
            _ => Message::new("tray-install").text("name", &offer.name).text("version", &offer.to_version),
        };
        // A menu is no place to begin what must not be interrupted: the page says what it means and asks.
        items.push(Item::Action { label, action: Action::OpenWindow(Page::Updates) });
    }
    if open.is_empty() && running.is_none() && view.queue.is_empty() {
        items.push(Item::Label(words::no_updates(view)));
    }
    items.push(Item::Separator);
    let asking = view.softphones.iter().filter(|s| s.standing == Standing::Asking && !s.locked);
    items.extend(asking.take(MAX_ASKING).map(|softphone| Item::Action {
        label: Message::new("tray-softphone-asks").text("softphone", softphone.client.name()),
        action: Action::OpenWindow(Page::Softphones),
    }));
    items.push(Item::Action {
        label: Message::new("tray-open-devices"),
        action: Action::OpenWindow(Page::Devices),
    });
    items.push(Item::Action {
        label: Message::new("tray-open-updates"),
        action: Action::OpenWindow(Page::Updates),
    });
    items.push(Item::Action {
        label: Message::new("tray-open-softphones"),
        action: Action::OpenWindow(Page::Softphones),
    });
    items.push(Item::Separator);
    items.push(Item::Label(tenant_line(view)));
    items.push(Item::Action { label: Message::new("tray-quit"), action: Action::Quit });
    let answered = view.calls.iter().find(|c| c.state == CallState::Answered);
    let badge = match answered {
        Some(call) if call.muted => Badge::Muted,
        Some(_) => Badge::Call,
        None if !open.is_empty() => Badge::Update,
        None => Badge::None,
    };
    let tooltip = match badge {
        Badge::Muted => Message::new("tray-tooltip-muted"),
        Badge::Call => Message::new("tray-tooltip-call"),
        Badge::Update => Message::new("tray-tooltip-updates").number("count", open.len() as i64),
        Badge::None => Message::new("tray-tooltip").number("count", view.devices.len() as i64),
    };
    Menu { tooltip, badge, items }
}

/// Why the program should not end now.
pub fn quit_strands(view: &View) -> Option<Problem> {
    // It goes on there.
    if view.service {
        return None;
    }
    let job = view.job.as_ref().filter(|job| job.outcome.is_none() && job.stop != Stop::Harmless)?;
    Some(Reason::QuitStrands.at(&job.name))
}

fn product_of(view: &View, offer: &Offer) -> String {
    let device = view.devices.iter().find(|device| device.id == offer.device);
    device.map_or_else(|| offer.name.clone(), |device| device.product.clone())
}

/// Where there is a choice, the one that carries the calls is marked and the others can be chosen.
fn device_item(device: &Device, choice: bool, view: &View) -> Item {
    if !choice || !can_carry(device) {
        return Item::Label(device_line(device, view));
    }
    if view.headset.as_ref() == Some(&device.id) {
        return Item::Label(Message::new("tray-device-in-use").text("name", words::name(view, device)));
    }
    let label = Message::new("tray-use-device").text("name", words::name(view, device));
    Item::Action { label, action: Action::UseHeadset(device.id.clone()) }
}

fn device_line(device: &Device, view: &View) -> Message {
    let id = match device.status {
        DeviceStatus::Ready if device.problem.is_some() => "tray-device-impaired",
        DeviceStatus::Ready => "tray-device",
        DeviceStatus::Updating => "tray-device-updating",
        DeviceStatus::NeedsFirmware { .. } => "tray-device-needs-firmware",
        DeviceStatus::Unavailable { .. } => "tray-device-unavailable",
    };
    Message::new(id).text("name", words::name(view, device)).text("version", &device.firmware_version)
}

fn progress_line(job: &Job) -> Message {
    if words::standstill(job) != Standstill::No {
        return words::running(job);
    }
    let percent = (job.done_bytes * 100).checked_div(job.total_bytes).unwrap_or(0).min(100);
    Message::new("tray-progress").text("name", &job.name).number("percent", percent as i64)
}

fn tenant_line(view: &View) -> Message {
    match (view.tenant.mode, &view.tenant.company) {
        _ if view.unheard => Message::new("tenant-unheard"),
        (TenantMode::Consumer, _) => Message::new("tray-consumer"),
        (TenantMode::Locked, _) => Message::new("tray-locked"),
        (TenantMode::Server, Some(company)) => Message::new("tray-managed").text("company", company),
        (TenantMode::Server, None) => Message::new("tray-not-enrolled"),
        (TenantMode::Folder, company) => match (company, view.tenant.policy_seen_s) {
            (Some(company), Some(seen_s)) => Message::new("tray-folder")
                .text("company", company)
                .text("seen", crate::calendar::minute(seen_s)),
            _ => Message::new("tray-folder-unread"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{JobPhase, Outcome};

    fn offer(id: &str) -> Offer {
        Offer {
            id: id.into(),
            device: "d".into(),
            policy: "p".into(),
            name: "Headset".into(),
            from_version: "1.00".into(),
            to_version: "1.20".into(),
            deployment: Deployment::Optional,
            group: "all-users".into(),
            deferred: false,
            deferrable: true,
            deferrals_left: None,
            next: None,
            blocked: None,
        }
    }

    /// Entries of updates. None of them begins one.
    fn updates(menu: &Menu) -> usize {
        let to_page = Action::OpenWindow(Page::Updates);
        let is = |i: &&Item| matches!(i, Item::Action { label, action } if label.id == "tray-install" && *action == to_page);
        menu.items.iter().filter(is).count()
    }

    #[test]
    fn a_folder_is_told_from_a_server() {
        let mut view = View::default();
        let line = |view: &View| tenant_line(view).id;
        view.tenant.mode = TenantMode::Folder;
        assert_eq!(line(&view), "tray-folder-unread");
        view.tenant.company = Some("Acme".to_owned());
        view.tenant.policy_seen_s = Some(1_760_000_000);
        assert_eq!(line(&view), "tray-folder");
        view.tenant.mode = TenantMode::Server;
        assert_eq!(line(&view), "tray-managed");
    }

    #[test]
    fn nothing_there_is_said() {
        let menu = menu(&View::default());
        assert_eq!(menu.items[0], Item::Label(Message::new("tray-no-device")));
        assert_eq!(menu.badge, Badge::None);
        assert!(menu.items.contains(&Item::Label(Message::new("tray-consumer"))));
        assert_eq!(
            menu.items.last().map(|i| matches!(i, Item::Action { action: Action::Quit, .. })),
            Some(true)
        );
    }

    #[test]
    fn an_offer_leads_to_its_page_and_one_that_waits_is_said_to_wait() {
        let mut view = View { offers: vec![offer("a")], ..View::default() };
        assert_eq!((updates(&menu(&view)), menu(&view).badge), (1, Badge::Update));
        let mut job = Job {
            offer: "a".into(),
            device: "d".into(),
            name: "Headset".into(),
            from_version: "1.00".into(),
            to_version: "1.20".into(),
            phase: JobPhase::Downloading,
            done_bytes: 1,
            total_bytes: 3,
            ..Job::default()
        };
        view.job = Some(job.clone());
        view.offers.push(offer("b"));
        view.offers.remove(0);
        let running = menu(&view);
        assert_eq!(updates(&running), 1, "another one may be let wait");
        let waiting = Job { offer: "b".into(), phase: JobPhase::Queued, ..job.clone() };
        let waits = View { queue: vec![waiting], ..view.clone() };
        let line = Message::new("job-queued").text("name", "Headset").text("headset", "Headset");
        let line = Item::Label(line.text("before", "Headset"));
        assert!(menu(&waits).items.contains(&line), "{:?}", menu(&waits));
        assert_eq!((updates(&menu(&waits)), menu(&waits).badge), (0, Badge::None));
        let line = Message::new("tray-progress").text("name", "Headset").number("percent", 33);
        assert!(running.items.contains(&Item::Label(line)));
        let unplugged = Job { phase: JobPhase::WaitingForReplug, ..job.clone() };
        let line = Message::new("job-unplugged").text("name", "Headset");
        let pulled = View { job: Some(unplugged), ..view.clone() };
        assert!(menu(&pulled).items.contains(&Item::Label(line)));
        job.outcome = Some(Outcome::Succeeded { version: "1.20".into() });
        view.job = Some(job);
        assert_eq!(updates(&menu(&view)), 1, "a job that ended blocks nothing");
        view.offers[0].deferred = true;
        assert_eq!((updates(&menu(&view)), menu(&view).badge), (0, Badge::None));
    }
}
