//! A view as pages: every text by its Fluent id, every name escaped by the template.

use crate::shell::markup::escaped;
use crate::shell::secret;
use askama::Template;
use hub::calendar;
use hub::locale::{Locale, Message, ProblemText};
use hub::protocol::local::{Decider, Softphone, Standing, View};
use hub::protocol::{
    Capabilities, Deployment, Device, DeviceStatus, Job, JobPhase, Offer, Outcome, Problem, Stop, TenantMode,
};
use hub::user::headset::can_carry;
use hub::user::menu::{Page, quit_strands};
use hub::user::words::{self, Standstill};

mod history;
use history::PastRow;

/// Parts of a page that are drawn anew when they change, in the order of the page.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Region {
    pub(super) name: &'static str,
    pub(super) html: String,
}

/// What templates say texts with.
struct Words<'a>(&'a Locale);

impl Words<'_> {
    fn say(&self, id: &'static str) -> String {
        self.0.format_isolated(&Message::new(id))
    }
}

#[derive(Template)]
#[template(path = "window/frame.html")]
struct Frame<'a> {
    t: Words<'a>,
    lang: &'a str,
    dir: &'static str,
    page: &'static str,
    title: String,
    regions: Vec<Region>,
    version: &'a str,
}

#[derive(Template)]
#[template(path = "window/expired.html")]
struct Expired<'a> {
    t: Words<'a>,
    lang: &'a str,
    dir: &'static str,
}

#[derive(Template)]
#[template(path = "window/problems.html")]
struct Problems<'a> {
    t: Words<'a>,
    /// Leads to the page where pages are allowed; `None` there, and while none asks.
    asks: Option<String>,
    problems: Vec<ProblemText>,
    /// What is missed and nothing to worry about.
    hints: Vec<String>,
}

#[derive(Template)]
#[template(path = "window/tenant.html")]
struct Tenant<'a> {
    t: Words<'a>,
    managed: bool,
    line: String,
    policy: Option<String>,
    /// When the policy of a folder was last the newest.
    seen: Option<Moment>,
    last_poll: Option<Moment>,
    next_poll: Option<Moment>,
    /// The directory is away: the groups are those of last time.
    groups: Option<ProblemText>,
}

/// A point in time: the browser shows it in its own zone, without scripts it is UTC.
struct Moment {
    iso: String,
    utc: String,
}

#[derive(Template)]
#[template(path = "window/devices.html")]
struct Devices<'a> {
    t: Words<'a>,
    consumer: bool,
    unheard: bool,
    devices: Vec<DeviceCard>,
}

struct DeviceCard {
    key: String,
    product: String,
    vendor: String,
    version: String,
    serial: Option<String>,
    /// Where its name alone would not tell it from another.
    port: Option<String>,
    can: Vec<String>,
    status: String,
    /// Class of the status's colour.
    look: &'static str,
    /// What the person has to do for the running update.
    waits: Option<String>,
    busy: bool,
    /// It carries the calls, of several that could.
    in_use: bool,
    /// Its id, where the person can choose it.
    choosable: Option<String>,
    problem: Option<ProblemText>,
    /// The offer that gives it its firmware again.
    recovery: Option<String>,
}

#[derive(Template)]
#[template(path = "window/softphones.html")]
struct Softphones<'a> {
    t: Words<'a>,
    asking: Vec<SoftphoneCard>,
    decided: Vec<SoftphoneCard>,
}

struct SoftphoneCard {
    key: String,
    name: String,
    /// What a program calls itself, and what allowing it means.
    about: Vec<String>,
    standing: String,
    /// Class of the standing's colour.
    look: &'static str,
    connected: bool,
    /// Who decided, if it was somebody else than the person.
    by: Option<String>,
    may_approve: bool,
    may_revoke: bool,
    /// "Deny" for one that asks, "take back" for one that may.
    revoke: &'static str,
}

#[derive(Template)]
#[template(path = "window/updates.html")]
struct Updates<'a> {
    t: Words<'a>,
    /// The one that runs or ended last, those that wait, and how those before ended.
    jobs: Vec<JobCard>,
    running: bool,
    no_offer: String,
    offers: Vec<OfferCard>,
    history: Vec<PastRow>,
}

#[derive(Template)]
#[template(path = "window/quit.html")]
struct Quit<'a> {
    t: Words<'a>,
    problem: Option<ProblemText>,
}

struct JobCard {
    key: String,
    offer: String,
    title: String,
    versions: String,
    phase: String,
    /// How often writing was begun anew, in words.
    retries: Option<String>,
    /// Whether and how the person may stop it.
    stop: Stopping,
    /// Not while the person is asked to plug it in.
    plugged: bool,
    /// For which headset it waits.
    waits: Option<String>,
    running: Option<Progress>,
    verdict: Option<String>,
    problem: Option<ProblemText>,
}

#[derive(PartialEq, Eq)]
enum Stopping {
    Plain,
    /// It is asked again, with what it means.
    Asked,
    Impossible,
}

struct Progress {
    /// 0..=100; `None` while nothing is being counted.
    percent: Option<u8>,
    text: String,
}

/// When the agent goes on by itself, with the words around the time.
struct Next {
    before: String,
    at: Option<Moment>,
    after: String,
}

struct OfferCard {
    id: String,
    key: String,
    title: String,
    device: String,
    versions: String,
    deployment: String,
    group: String,
    deferred: bool,
    waits: bool,
    may_defer: bool,
    next: Option<Next>,
    left: Option<String>,
    recovery: bool,
    running: bool,
    blocked: Option<ProblemText>,
}

pub(super) fn name(page: Page) -> &'static str {
    match page {
        Page::Devices => "devices",
        Page::Updates => "updates",
        Page::Softphones => "softphones",
        Page::Quit => "quit",
    }
}

/// A whole page.
pub(super) fn frame(page: Page, view: &View, locale: &Locale) -> String {
    let t = Words(locale);
    let title = t.say(match page {
        Page::Devices => "window-devices",
        Page::Updates => "window-updates",
        Page::Softphones => "window-softphones",
        Page::Quit => "window-quit",
    });
    let regions = regions(page, view, locale);
    let frame = Frame {
        t,
        lang: locale.tag(),
        dir: direction(locale),
        page: name(page),
        title,
        regions,
        version: &view.version,
    };
    rendered(&frame)
}

/// What a browser without a session gets.
pub(super) fn expired(locale: &Locale) -> String {
    rendered(&Expired { t: Words(locale), lang: locale.tag(), dir: direction(locale) })
}

pub(super) fn regions(page: Page, view: &View, locale: &Locale) -> Vec<Region> {
    let (hints, problems): (Vec<&Problem>, Vec<&Problem>) =
        view.problems.iter().chain(&view.tenant.problem).partition(|p| words::is_hint(p));
    let problems = problems.into_iter().map(|p| locale.problem_isolated(p)).collect();
    let hints = hints.into_iter().map(|p| locale.problem_isolated(p).what).collect();
    let main = match page {
        Page::Devices => rendered(&Devices {
            t: Words(locale),
            consumer: view.tenant.mode == TenantMode::Consumer && !view.unheard,
            unheard: view.unheard,
            devices: view.devices.iter().map(|d| DeviceCard::new(d, view, locale)).collect(),
        }),
        Page::Updates => rendered(&Updates {
            t: Words(locale),
            jobs: jobs(view).map(|j| JobCard::new(j, view, locale)).collect(),
            running: view.job.as_ref().is_some_and(|j| j.outcome.is_none()),
            no_offer: locale.format_isolated(&words::no_updates(view)),
            offers: view.offers.iter().map(|o| OfferCard::new(o, view, locale)).collect(),
            history: view.history.iter().map(|past| PastRow::new(past, locale)).collect(),
        }),
        Page::Softphones => rendered(&Softphones::new(view, locale)),
        Page::Quit => rendered(&Quit {
            t: Words(locale),
            problem: quit_strands(view).map(|p| locale.problem_isolated(&p)),
        }),
    };
    vec![
        Region {
            name: "problems",
            html: rendered(&Problems { t: Words(locale), asks: asks(page, view, locale), problems, hints }),
        },
        Region { name: "main", html: main },
        Region { name: "tenant", html: rendered(&Tenant::new(view, locale)) },
        Region { name: "spoken", html: spoken(view, locale) },
        Region { name: "present", html: present(view, locale) },
    ]
}

/// What a screen reader says by itself when a headset comes or goes.
fn present(view: &View, locale: &Locale) -> String {
    let names: Vec<&str> = view.devices.iter().map(|d| d.product.as_str()).collect();
    let message = Message::new("window-present").number("count", names.len() as i64);
    escaped(&locale.format_isolated(&message.text("names", names.join(", "))))
}

fn jobs(view: &View) -> impl Iterator<Item = &Job> {
    view.job.iter().chain(&view.queue).chain(&view.ended)
}

/// What a screen reader says by itself: each phase of an update once, and its end.
fn spoken(view: &View, locale: &Locale) -> String {
    let Some(job) = &view.job else { return String::new() };
    let card = JobCard::new(job, view, locale);
    escaped(&format!("{}: {}", card.title, card.verdict.unwrap_or(card.phase)))
}

fn rendered(template: &impl Template) -> String {
    // Writing to a string does not fail, and no template refuses a value.
    template.render().unwrap_or_default()
}

fn direction(locale: &Locale) -> &'static str {
    if locale.rtl() { "rtl" } else { "ltr" }
}

/// An id for the page's elements: offers and devices have names with any characters in them.
fn key(kind: &str, id: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, id.as_bytes());
    format!("{kind}-{}", secret::hex(&digest.as_ref()[..8]))
}

fn product_of(view: &View, device: &str) -> String {
    let found = view.devices.iter().find(|d| d.id == device);
    found.map_or_else(|| device.to_owned(), |d| d.product.clone())
}

fn versions(from: &str, to: &str, locale: &Locale) -> String {
    locale.format_isolated(&Message::new("window-versions").text("from", from).text("to", to))
}

impl<'a> Tenant<'a> {
    fn new(view: &View, locale: &'a Locale) -> Self {
        let tenant = &view.tenant;
        let say = |message: &Message| locale.format_isolated(message);
        let company = tenant.company.as_deref().or(tenant.server.as_deref()).unwrap_or_default();
        let line = match tenant.mode {
            _ if view.unheard => say(&Message::new("tenant-unheard")),
            TenantMode::Consumer => say(&Message::new("window-consumer")),
            TenantMode::Locked => say(&Message::new("window-locked")),
            TenantMode::Server if tenant.enrolled => {
                say(&Message::new("window-managed-by").text("company", company))
            }
            TenantMode::Server => say(&Message::new("window-not-enrolled").text("company", company)),
            TenantMode::Folder if tenant.policy_version.is_some() => {
                say(&Message::new("window-folder").text("company", company))
            }
            TenantMode::Folder => say(&Message::new("window-folder-unread")),
        };
        let number = |version: u64| i64::try_from(version).unwrap_or(i64::MAX);
        let policy = tenant
            .policy_version
            .map(|version| say(&Message::new("window-policy-version").number("version", number(version))));
        Self {
            t: Words(locale),
            line,
            policy,
            managed: matches!(tenant.mode, TenantMode::Server | TenantMode::Folder),
            seen: tenant.policy_seen_s.filter(|_| tenant.mode == TenantMode::Folder).map(Moment::new),
            last_poll: tenant.last_poll_s.filter(|_| tenant.mode == TenantMode::Server).map(Moment::new),
            next_poll: tenant.next_poll_s.map(Moment::new),
            groups: view.groups_problem.as_ref().map(|p| locale.problem_isolated(p)),
        }
    }
}

impl DeviceCard {
    fn new(device: &Device, view: &View, locale: &Locale) -> Self {
        let recovery = |o: &&Offer| o.device == device.id && o.deployment == Deployment::Recovery;
        let waits = |o: &&Offer| view.queue.iter().any(|job| job.offer == o.id);
        let recovery = view.offers.iter().find(recovery).filter(|o| o.blocked.is_none() && !waits(o));
        let choice = view.devices.iter().filter(|device| can_carry(device)).count() > 1;
        let carries = view.headset.as_ref() == Some(&device.id);
        let t = Words(locale);
        let standstill = words::updating(view.job.as_ref(), &device.id);
        let waits = view.job.as_ref().filter(|_| standstill == Standstill::Unplugged).map(words::running);
        let (status, problem) = match &device.status {
            DeviceStatus::Ready => ("window-status-ready", device.problem.as_ref()),
            DeviceStatus::Updating => match standstill {
                Standstill::No => ("window-status-updating", None),
                Standstill::Unplugged => ("window-status-unplugged", None),
                Standstill::Cancelling => ("window-status-cancelling", None),
            },
            DeviceStatus::NeedsFirmware { problem } => ("window-status-needs-firmware", Some(problem)),
            DeviceStatus::Unavailable { problem } => ("window-status-unavailable", Some(problem)),
        };
        Self {
            key: key("device", &device.id),
            product: device.product.clone(),
            vendor: device.vendor.clone(),
            version: device.firmware_version.clone(),
            serial: device.serial.clone().filter(|s| !s.is_empty()),
            port: words::twin_port(view, device).map(str::to_owned),
            can: abilities(&device.capabilities).map(|id| t.say(id)).collect(),
            status: t.say(status),
            look: match &device.status {
                _ if problem.is_some() || waits.is_some() => " bad",
                DeviceStatus::Updating => " busy",
                _ => "",
            },
            waits: waits.map(|message| locale.format_isolated(&message)),
            busy: device.line_busy,
            in_use: choice && carries,
            choosable: (choice && !carries && can_carry(device)).then(|| device.id.clone()),
            recovery: recovery.map(|o| o.id.clone()),
            problem: problem.map(|p| locale.problem_isolated(p)),
        }
    }
}

fn abilities(can: &Capabilities) -> impl Iterator<Item = &'static str> {
    [
        (can.call_control, "window-can-call-control"),
        (can.ring, "window-can-ring"),
        (can.mute_sync, "window-can-mute-sync"),
        (can.hold, "window-can-hold"),
        (can.reject, "window-can-reject"),
        (can.redial, "window-can-redial"),
        (can.line_busy, "window-can-line-busy"),
        (can.teams, "window-can-teams"),
        (can.firmware_update, "window-can-firmware-update"),
    ]
    .into_iter()
    .filter_map(|(able, id)| able.then_some(id))
}

impl JobCard {
    fn new(job: &Job, view: &View, locale: &Locale) -> Self {
        let product = product_of(view, &job.device);
        let is_queued = job.phase == JobPhase::Queued;
        let outcome = job.outcome.as_ref();
        let verdict = outcome.map(|outcome| {
            locale.format_isolated(&match outcome {
                Outcome::Succeeded { version } => {
                    Message::new("window-succeeded").text("device", &product).text("version", version)
                }
                Outcome::Failed { .. } => Message::new("window-failed").text("device", &product),
                Outcome::Unknown { .. } => Message::new("window-unknown").text("device", &product),
            })
        });
        let problem = outcome.and_then(|outcome| match outcome {
            Outcome::Succeeded { .. } => None,
            Outcome::Failed { problem } | Outcome::Unknown { problem } => Some(problem),
        });
        Self {
            key: key("job", &job.offer),
            offer: job.offer.clone(),
            title: name_for(&job.name, &product, locale),
            versions: versions(&job.from_version, &job.to_version, locale),
            phase: locale.format_isolated(&words::phase(job)),
            retries: (job.retries > 0).then(|| {
                let count = Message::new("window-retries").number("count", i64::from(job.retries));
                locale.format_isolated(&count)
            }),
            plugged: words::standstill(job) != Standstill::Unplugged,
            stop: match job.stop {
                _ if job.cancelling => Stopping::Impossible,
                Stop::Harmless => Stopping::Plain,
                Stop::Strands => Stopping::Asked,
                Stop::TooLate => Stopping::Impossible,
            },
            waits: is_queued.then(|| locale.format_isolated(&words::queued(view, job))),
            running: (outcome.is_none() && !is_queued).then(|| Progress::new(job, locale)),
            verdict,
            problem: problem.map(|p: &Problem| {
                let next = locale.problem_isolated(words::advice(view, job, p)).next;
                ProblemText { next, ..locale.problem_isolated(p) }
            }),
        }
    }
}

fn name_for(name: &str, device: &str, locale: &Locale) -> String {
    locale.format_isolated(&Message::new("window-update-for").text("name", name).text("device", device))
}

impl Progress {
    fn new(job: &Job, locale: &Locale) -> Self {
        if job.total_bytes == 0 {
            return Self { percent: None, text: String::new() };
        }
        let done = job.done_bytes.min(job.total_bytes);
        let percent = u8::try_from(u128::from(done) * 100 / u128::from(job.total_bytes)).unwrap_or(100);
        let kib = |bytes: u64| i64::try_from(bytes.div_ceil(1024)).unwrap_or(i64::MAX);
        let text = Message::new("window-progress")
            .number("percent", i64::from(percent))
            .number("done", kib(done))
            .number("total", kib(job.total_bytes));
        Self { percent: Some(percent), text: locale.format_isolated(&text) }
    }
}

impl<'a> Softphones<'a> {
    fn new(view: &View, locale: &'a Locale) -> Self {
        let (asking, decided): (Vec<_>, Vec<_>) =
            view.softphones.iter().partition(|s| s.standing == Standing::Asking);
        let cards = |list: Vec<&Softphone>| list.iter().map(|s| SoftphoneCard::new(s, locale)).collect();
        Self { t: Words(locale), asking: cards(asking), decided: cards(decided) }
    }
}

impl SoftphoneCard {
    fn new(softphone: &Softphone, locale: &Locale) -> Self {
        let approved = softphone.standing == Standing::Approved;
        let somebody_else = softphone.by.filter(|by| *by != Decider::Person);
        Self {
            key: key("softphone", softphone.client.name()),
            name: softphone.client.to_string(),
            about: words::about(softphone).map(|about| locale.format_isolated(&about)).collect(),
            standing: locale.format_isolated(&words::standing(softphone.standing)),
            look: match softphone.standing {
                Standing::Asking => " busy",
                Standing::Approved => "",
                Standing::Denied => " bad",
            },
            connected: softphone.connected,
            by: somebody_else.map(|by| locale.format_isolated(&words::decided_by(by))),
            may_approve: !approved && !softphone.locked,
            may_revoke: softphone.standing != Standing::Denied && !softphone.locked,
            revoke: if approved { "window-softphone-revoke" } else { "window-softphone-deny" },
        }
    }
}

/// That softphones ask, wherever the person is.
fn asks(page: Page, view: &View, locale: &Locale) -> Option<String> {
    let mut asking = view.softphones.iter().filter(|s| s.standing == Standing::Asking && !s.locked);
    let newest = asking.next().filter(|_| page != Page::Softphones)?;
    let message = Message::new("window-softphone-asks").text("softphone", newest.client.name());
    Some(locale.format_isolated(&message.number("more", asking.count() as i64)))
}

impl OfferCard {
    fn new(offer: &Offer, view: &View, locale: &Locale) -> Self {
        let device = product_of(view, &offer.device);
        let running = view.job.as_ref().is_some_and(|j| j.outcome.is_none() && j.offer == offer.id);
        Self {
            id: offer.id.clone(),
            key: key("offer", &offer.id),
            title: offer.name.clone(),
            device,
            versions: versions(&offer.from_version, &offer.to_version, locale),
            deployment: locale.format_isolated(&words::deployment(offer.deployment)),
            group: words::group(view, &offer.group, locale),
            deferred: offer.deferred,
            waits: view.queue.iter().any(|job| job.offer == offer.id),
            recovery: offer.deployment == Deployment::Recovery,
            may_defer: offer.deferrable,
            next: Next::new(offer, locale),
            left: words::deferrals_left(offer).map(|left| locale.format_isolated(&left)),
            running,
            blocked: offer.blocked.as_ref().map(|p| locale.problem_isolated(p)),
        }
    }
}

impl Next {
    /// The page writes the time as its reader is used to.
    fn new(offer: &Offer, locale: &Locale) -> Option<Self> {
        const HERE: &str = "@@";
        let said = locale.format_isolated(&words::next(offer, |_| HERE.to_owned())?);
        let at = offer.next.and_then(|next| next.at_s).map(Moment::new);
        let (before, after) = said.split_once(HERE).unwrap_or((&said, ""));
        Some(Self { before: before.to_owned(), at, after: after.to_owned() })
    }
}

impl Moment {
    fn new(unix_s: u64) -> Self {
        Self { iso: calendar::rfc3339(unix_s), utc: calendar::minute(unix_s) }
    }
}

#[cfg(test)]
mod tests;
