use super::*;
use hub::problem::Reason;
use hub::protocol::{Detail, JobPhase, Support, TenantState};

fn problem() -> Problem {
    Reason::WindowRequest.at("<b>here</b>")
}

fn device(product: &str, status: DeviceStatus) -> Device {
    let can = Capabilities {
        call_control: true,
        mute_sync: true,
        ring: true,
        hold: true,
        reject: true,
        redial: true,
        line_busy: true,
        teams: true,
        firmware_update: true,
    };
    Device {
        id: format!("id of {product}"),
        vendor: "<i>Vendor</i>".to_owned(),
        product: product.to_owned(),
        vendor_id: 1,
        product_id: 2,
        serial: Some("S".to_owned()),
        firmware_version: "1.20".to_owned(),
        port: None,
        capabilities: can,
        status,
        line_busy: true,
        problem: None,
    }
}

fn offer(deployment: Deployment, deferred: bool, blocked: Option<Problem>) -> Offer {
    Offer {
        id: format!("p:{deployment:?} {deferred}"),
        device: "id of <script>alert(1)</script>".to_owned(),
        policy: "p".to_owned(),
        name: "\"><img src=x onerror=alert(1)>".to_owned(),
        from_version: "1.20".to_owned(),
        to_version: "1.30".to_owned(),
        deployment,
        group: "<Group>".to_owned(),
        deferred,
        deferrable: deployment == Deployment::Optional && !deferred,
        deferrals_left: None,
        next: None,
        blocked,
    }
}

/// Every branch of every template.
fn views() -> Vec<View> {
    let job = |phase: JobPhase, total_bytes, outcome| Job {
        offer: "p:Optional false".to_owned(),
        device: "id of <script>alert(1)</script>".to_owned(),
        name: "<u>Name</u>".to_owned(),
        from_version: "1.20".to_owned(),
        to_version: "1.30".to_owned(),
        phase,
        done_bytes: 100,
        total_bytes,
        outcome,
        ..Job::default()
    };
    let full = View {
        version: "0.1.0".to_owned(),
        tenant: TenantState {
            mode: TenantMode::Server,
            company: Some("<Company>".to_owned()),
            enrolled: true,
            policy_version: Some(7),
            last_poll_s: Some(1_760_000_000),
            next_poll_s: Some(1_760_021_600),
            problem: Some(problem()),
            support: Some(Support { name: None, email: None, phone: None, url: None }),
            ..TenantState::default()
        },
        devices: vec![
            device("<script>alert(1)</script>", DeviceStatus::Ready),
            device("b", DeviceStatus::Updating),
            device("c", DeviceStatus::Unavailable { problem: problem() }),
            Device { problem: Some(problem()), ..device("d", DeviceStatus::Ready) },
        ],
        offers: vec![
            offer(Deployment::Optional, false, None),
            offer(Deployment::Optional, true, None),
            offer(Deployment::Persistent, false, Some(problem())),
            offer(Deployment::Automatic, false, None),
            offer(Deployment::Silent, false, None),
        ],
        problems: vec![problem()],
        groups_problem: Some(problem()),
        ..View::default()
    };
    let phases = [
        JobPhase::Fetching,
        JobPhase::Detaching,
        JobPhase::WaitingForDfu,
        JobPhase::WaitingForReplug,
        JobPhase::Preparing,
        JobPhase::Downloading,
        JobPhase::Manifesting,
        JobPhase::WaitingForRuntime,
        JobPhase::Working,
    ];
    let outcomes = [
        Outcome::Succeeded { version: "<1.30>".to_owned() },
        Outcome::Failed { problem: problem() },
        Outcome::Unknown { problem: problem() },
    ];
    let with_job = |job| View { job: Some(job), ..full.clone() };
    let mut views = vec![View::default(), full.clone()];
    let folder = TenantState {
        mode: TenantMode::Folder,
        enrolled: false,
        policy_seen_s: Some(1_760_000_000),
        ..full.tenant.clone()
    };
    views.push(View { tenant: TenantState { policy_version: None, ..folder.clone() }, ..full.clone() });
    views.push(View { tenant: folder, ..full.clone() });
    views.extend(phases.map(|phase| with_job(job(phase, 1000, None))));
    views.extend(outcomes.map(|outcome| with_job(job(JobPhase::Downloading, 0, Some(outcome)))));
    views.push(with_job(job(JobPhase::Fetching, 0, None)));
    let succeeded = Outcome::Succeeded { version: "<1.30>".to_owned() };
    let (queue, ended) =
        (vec![job(JobPhase::Queued, 0, None)], vec![job(JobPhase::Fetching, 0, Some(succeeded))]);
    views.push(View { queue, ended, ..with_job(job(JobPhase::Downloading, 1000, None)) });
    let waiting = TenantState { enrolled: false, ..full.tenant.clone() };
    views.push(View { tenant: waiting, ..full.clone() });
    views
}

/// Out of reach, the age of what is in force is all there is to go by.
#[test]
fn a_policy_from_a_folder_is_shown_with_its_age() {
    let tenant = TenantState {
        mode: TenantMode::Folder,
        server: Some("file:///srv/acme/".to_owned()),
        company: Some("Acme".to_owned()),
        policy_version: Some(7),
        policy_seen_s: Some(1_760_000_000),
        ..TenantState::default()
    };
    let view = View { tenant, ..View::default() };
    for (tag, line, as_of) in [
        ("en-US", "whose policy comes from a folder. Nothing is reported there.", "Policy as of:"),
        (
            "de-DE",
            "Die Richtlinie kommt aus einem Ordner. Gemeldet wird dorthin nichts.",
            "Richtlinie vom Stand:",
        ),
    ] {
        let regions = regions(Page::Devices, &view, &Locale::new(tag));
        let html = regions.into_iter().find(|r| r.name == "tenant").expect("the company").html;
        assert!(html.contains(line) && html.contains(as_of), "{html}");
        assert!(html.contains(r#"<time datetime="2025-10-09T08:53:20Z" data-age>"#), "{html}");
        assert!(html.contains(r#"data-action="poll""#), "it can be asked: {html}");
    }
}

/// A bar that stands still and a calm badge would not tell the person that it is their turn.
#[test]
fn a_pulled_cable_is_said_where_the_headset_is_shown() {
    let locale = Locale::new("en-US");
    let job =
        |phase: JobPhase, cancelling| Job { device: "d".to_owned(), phase, cancelling, ..Job::default() };
    let page = |job| {
        let devices = vec![Device { id: "d".to_owned(), ..device("Headset", DeviceStatus::Updating) }];
        let view = View { devices, job: Some(job), ..View::default() };
        regions(Page::Devices, &view, &locale).into_iter().find(|r| r.name == "main").expect("main").html
    };
    let writing = page(job(JobPhase::Downloading, false));
    assert!(writing.contains(r#"class="state busy">Being updated"#), "{writing}");
    let pulled = page(job(JobPhase::WaitingForReplug, false));
    assert!(pulled.contains(r#"class="state bad">Unplugged"#), "{pulled}");
    assert!(pulled.contains("Plug it back into the same USB port"), "{pulled}");
    let cancelling = page(job(JobPhase::Downloading, true));
    assert!(cancelling.contains("being canceled"), "{cancelling}");
}

#[test]
fn an_update_that_waits_says_for_what_and_can_be_taken_back() {
    let locale = Locale::new("en-US");
    let headset = |id: &str, name: &str, status| Device { id: id.to_owned(), ..device(name, status) };
    let job = |id: &str, phase| Job {
        offer: format!("fw:{id}"),
        device: id.to_owned(),
        name: "Firmware".to_owned(),
        phase,
        ..Job::default()
    };
    let offer =
        Offer { id: "fw:b".to_owned(), device: "b".to_owned(), ..offer(Deployment::Recovery, false, None) };
    let ended = Job {
        outcome: Some(Outcome::Succeeded { version: "2.00".to_owned() }),
        ..job("c", JobPhase::Fetching)
    };
    let view = View {
        devices: vec![
            headset("a", "Desk One", DeviceStatus::Updating),
            headset("b", "Desk Two", DeviceStatus::Ready),
            headset("c", "Desk Three", DeviceStatus::Ready),
        ],
        offers: vec![offer],
        job: Some(job("a", JobPhase::Manifesting)),
        queue: vec![job("b", JobPhase::Queued)],
        ended: vec![ended],
        ..View::default()
    };
    let main =
        |page| regions(page, &view, &locale).into_iter().find(|r| r.name == "main").expect("main").html;
    let plain = |html: String| html.replace(['\u{2068}', '\u{2069}'], "");
    let html = plain(main(Page::Updates));
    assert!(html.contains("Firmware for Desk Two waits until Desk One is done."), "{html}");
    let cancels = html.matches(r#"data-id="fw:b" data-action="cancel""#).count();
    assert_eq!((cancels, html.matches("<progress").count()), (1, 1), "{html}");
    assert!(!html.contains(r#"data-action="install""#), "it is asked for already: {html}");
    assert!(html.contains("Done: Desk Three now reports version 2.00"), "{html}");
    assert!(!main(Page::Devices).contains(r#"data-action="install""#));
}

#[test]
fn every_text_exists_and_no_name_is_markup() {
    for tag in Locale::tags() {
        let locale = Locale::new(tag);
        let pages = views().into_iter().flat_map(|view| {
            [Page::Devices, Page::Updates, Page::Softphones].map(|page| frame(page, &view, &locale))
        });
        for html in pages.chain([expired(&locale)]) {
            assert!(!html.contains("[window-"), "{tag}: a text is missing in {html}");
            assert!(html.contains(&format!("<html lang=\"{tag}\" dir=\"ltr\">")));
            for hostile in
                ["<script>alert", "<img src=x", "<i>Vendor", "<u>Name", "<b>here", "<Group>", "<1.30>"]
            {
                assert!(!html.contains(hostile), "{hostile} in {html}");
            }
            assert_eq!(
                html.matches("<script").count(),
                html.matches("<script src=\"/assets/window.js\" defer>").count()
            );
            assert!(!html.contains("style=") && !html.contains(" onclick"), "forbidden by the policy");
        }
    }
}

#[test]
fn only_what_changed_is_another_region() {
    let locale = Locale::new("en-US");
    let [.., before, _] = &views()[..] else { panic!("some views") };
    let mut after = before.clone();
    if let Some(job) = &mut after.job {
        job.total_bytes = 1000;
        job.done_bytes = 500;
    }
    let changed = |page| {
        let (old, new) = (regions(page, before, &locale), regions(page, &after, &locale));
        let changed: Vec<_> = new.iter().filter(|r| !old.contains(r)).map(|r| r.name).collect();
        changed
    };
    assert!(changed(Page::Devices).is_empty());
    // Not "spoken": a screen reader is not told of every percent.
    assert_eq!(changed(Page::Updates), ["main"]);
}

/// A directory that is away is IT's business: no red box, and what the system says of it only for who opens it.
#[test]
fn advice_for_the_wrong_person_a_directory_that_is_away_is_a_quiet_line() {
    let locale = Locale::new("en-US");
    let [_, full, ..] = &views()[..] else { panic!("some views") };
    let regions = regions(Page::Devices, full, &locale);
    let html = |name| regions.iter().find(|r| r.name == name).map(|r| r.html.as_str()).expect("a region");
    assert_eq!(html("problems").matches("note bad").count(), 2, "the agent's own and the tenant's");
    let quiet = html("tenant").split_once("<details").expect("details").1;
    assert!(quiet.starts_with(" class=\"quiet\"") && quiet.contains("<summary>"), "{quiet}");
    assert!(!quiet.contains("note bad") && quiet.contains("Load the page again"), "{quiet}");
}

/// Who reads it is in the window already, and nothing is broken.
#[test]
fn a_desktop_without_a_tray_is_no_alarm() {
    let locale = Locale::new("en-US");
    let tray = Reason::TrayNotShown { reason: Detail::verbatim("r") }.here();
    let view = View { problems: vec![tray], ..View::default() };
    let html = &regions(Page::Devices, &view, &locale)[0].html;
    assert!(
        html.contains("There is no icon near the clock") && html.contains("leads back to this window"),
        "{html}"
    );
    assert!(!html.contains("note bad") && !html.contains("Open the window"), "{html}");
}

#[test]
fn ask_now_is_a_button_beside_the_last_and_the_next_time() {
    let locale = Locale::new("en-US");
    let [consumer, full, ..] = &views()[..] else { panic!("some views") };
    let tenant = |view| regions(Page::Updates, view, &locale).into_iter().find(|r| r.name == "tenant");
    let html = tenant(full).expect("a region").html;
    assert!(html.contains("data-action=\"poll\"") && html.matches("<time").count() == 2, "{html}");
    assert!(!tenant(consumer).expect("a region").html.contains("button"));
}

#[test]
fn progress_is_a_share_of_the_whole() {
    let locale = Locale::new("en-US");
    let [.., before, _] = &views()[..] else { panic!("some views") };
    let mut job = before.job.clone().expect("a job");
    (job.done_bytes, job.total_bytes) = (131_072, 262_144);
    let progress = Progress::new(&job, &locale);
    assert_eq!(progress.percent, Some(50));
    let plain = progress.text.replace(['\u{2068}', '\u{2069}'], "");
    assert_eq!(plain, "50 % – 128 of 256 KiB");
    job.done_bytes = u64::MAX;
    assert_eq!(Progress::new(&job, &locale).percent, Some(100));
}

#[test]
fn a_headset_without_firmware_has_its_button_and_a_download_asks_before_it_is_cancelled() {
    let locale = Locale::new("en-US");
    let needs = Device {
        id: "d".to_owned(),
        ..device("Headset", DeviceStatus::NeedsFirmware { problem: problem() })
    };
    let recovery =
        Offer { id: "fw:d".to_owned(), device: "d".to_owned(), ..offer(Deployment::Recovery, false, None) };
    let view =
        |job| View { devices: vec![needs.clone()], offers: vec![recovery.clone()], job, ..View::default() };
    let main = |page, view: &View| {
        regions(page, view, &locale).into_iter().find(|r| r.name == "main").expect("main").html
    };
    for page in [Page::Devices, Page::Updates] {
        let html = main(page, &view(None));
        assert!(html.contains(r#"data-id="fw:d" data-action="install""#), "{html}");
        assert!(!html.contains("data-action=\"defer\""), "{html}");
    }
    let job =
        |stop, cancelling| Some(Job { phase: JobPhase::Downloading, stop, cancelling, ..Job::default() });
    let plain = main(Page::Updates, &view(job(Stop::Harmless, false)));
    assert!(plain.contains(r#"data-action="cancel""#) && !plain.contains("<details"), "{plain}");
    let asked = main(Page::Updates, &view(job(Stop::Strands, false)));
    let (warning, button) = (asked.find("does not work until"), asked.find(r#"data-action="cancel-anyway""#));
    assert!(warning.is_some() && warning < button && !asked.contains(r#"data-action="cancel""#), "{asked}");
    for ends in [job(Stop::TooLate, false), job(Stop::Strands, true)] {
        let html = main(Page::Updates, &view(ends));
        assert!(!html.contains(r#"data-action="cancel"#), "{html}");
    }
    assert!(main(Page::Quit, &view(job(Stop::Strands, false))).contains("A headset is being updated"));
    assert!(!main(Page::Quit, &view(None)).contains("A headset is being updated"));
}
