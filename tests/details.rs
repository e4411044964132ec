//! What other crates' errors say to a person who reads German: every part of the sentence, and no English in it.
#![expect(clippy::disallowed_methods, reason = "a machine begins at some instant; reads the texts")]

#[path = "support/seed.rs"]
mod seed;
#[path = "details/tenant.rs"]
mod tenant;

use device_handlers::report::ReportDescriptor;
use dfu::image::{Image, Suffix};
use dfu::package::{Component, Method, Package, Rules, Target, pack};
use dfu::unpack::Place;
use dfu::usb_dfu::{
    Deviations, DeviceNow, DfuInterface, DfuState, DfuStatus, Failure, FunctionalDescriptor, Input, Mode,
    Output, Phase, Plan, TransferError, UnknownReason, UsbDfu, UsbIdentity, Verdict,
};
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use hub::locale::Locale;
use hub::problem::Reason;
use hub::protocol::Detail;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

static GERMAN: LazyLock<Locale> = LazyLock::new(|| Locale::new("de-DE"));

/// The German texts alone: nothing to fall back to.
static GERMAN_ALONE: LazyLock<FluentBundle<FluentResource>> = LazyLock::new(|| {
    let mut bundle = FluentBundle::new_concurrent(vec!["de-DE".parse().expect("a language")]);
    bundle.set_use_isolating(false);
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/locales/de-DE");
    for entry in std::fs::read_dir(folder).expect("the German texts").map(|e| e.expect("an entry")) {
        if entry.file_name().to_string_lossy().starts_with("detail-") {
            let text = std::fs::read_to_string(entry.path()).expect("a text file");
            bundle.add_resource(FluentResource::try_new(text).expect("Fluent")).expect("each id once");
        }
    }
    bundle
});

/// What the German texts say of `detail` and all that is in it; a text or an argument that is missing is a fault.
fn german_alone(detail: &Detail) -> String {
    let mut arguments = FluentArgs::new();
    for (name, value) in &detail.args {
        match value.parse::<i64>() {
            Ok(number) if number.to_string() == *value => arguments.set(name.as_str(), number),
            _ => arguments.set(name.as_str(), value.as_str()),
        }
    }
    for (name, inner) in &detail.details {
        arguments.set(name.as_str(), german_alone(inner));
    }
    let message = GERMAN_ALONE.get_message(&format!("detail-{}", detail.code));
    let pattern = message.and_then(|m| m.value()).unwrap_or_else(|| panic!("no German for {detail:?}"));
    let mut faults = Vec::new();
    let text = GERMAN_ALONE.format_pattern(pattern, Some(&arguments), &mut faults).into_owned();
    assert!(faults.is_empty(), "{faults:?} in {detail:?}");
    text
}

/// What a German person is told of `detail`: its German text and no other.
fn german(detail: Detail) -> String {
    let text = GERMAN.detail(&detail);
    assert_eq!(text, german_alone(&detail), "{detail:?}");
    text
}

fn version(text: &str) -> dfu::FirmwareVersion {
    text.parse().expect("a version")
}

fn good_package() -> Vec<u8> {
    let suffix = Suffix { bcd_device: 0x0120, vid: 0x1209, pid: 1, bcd_dfu: 0x0110 };
    let image = Image::with_suffix(&[7; 600], suffix);
    let component = Component {
        id: "main".to_owned(),
        file: "headset.dfu".to_owned(),
        method: Method::UsbDfu,
        version: version("1.20"),
        size: image.len() as u64,
        crc32: None,
    };
    let rules = Rules {
        schema: 1,
        name: "Headset".to_owned(),
        vendor: "Hookswitch".to_owned(),
        version: version("1.20"),
        targets: vec![Target { vid: 0x1209, pid: 1 }],
        components: vec![component],
        expected_minutes: None,
        release_notes: None,
        battery_percent_minimum: None,
    };
    pack(&rules, &BTreeMap::from([("headset.dfu".to_owned(), image)])).expect("a good package")
}

fn refused(package: &[u8]) -> Option<Detail> {
    Package::open(package).err().map(|error| Detail::from(&error))
}

#[test]
fn broken_packages() {
    let good = good_package();
    let text = |package: &[u8]| german(refused(package).expect("a broken package"));
    assert_eq!(
        text(&good[..good.len() - 9]),
        format!(
            "Das Paket endet nicht wie eine Zip-Datei ({} Byte); es ist abgeschnitten oder keine",
            good.len() - 9
        )
    );
    let mut renamed = good.clone();
    for at in 0..renamed.len() - 11 {
        if &renamed[at..at + 11] == b"headset.dfu" {
            renamed[at..at + 11].copy_from_slice(b"../dset.dfu");
        }
    }
    assert_eq!(
        text(&renamed),
        "Eintrag 1 (von 0 an) heißt „../dset.dfu“: er verlässt mit „..“ seinen Ordner"
    );

    let mut random = seed::random();
    let mut codes = BTreeSet::new();
    for _ in 0..4000 {
        let mut bytes = good.clone();
        for _ in 0..random.usize(1..3) {
            let at = random.usize(..bytes.len());
            bytes[at] = random.u8(..);
        }
        if let Some(detail) = refused(&bytes) {
            codes.insert(detail.code.clone());
            german(detail);
        }
    }
    assert!(codes.len() >= 10, "few kinds of damage: {codes:?}");
}

#[test]
fn broken_rules() {
    let rules = |json: &str| german(Detail::from(&Rules::parse(json.as_bytes()).expect_err("broken rules")));
    assert_eq!(
        rules(r#"{"schema":9}"#),
        "rules.json hat Schema 9, dieses Programm kennt 1; aktualisieren Sie es, oder packen Sie neu"
    );
    let whole = |targets: &str| {
        format!(
            r#"{{"schema":1,"name":"n","vendor":"v","version":"1.20","targets":[{targets}],"components":[]}}"#
        )
    };
    let target = r#"{"vid":"1209","pid":"0001"}"#;
    assert_eq!(
        rules(&whole(&format!("{target},{target}"))),
        "rules.json: targets muss 1 bis 64 verschiedene Geräte nennen, es sind 2, manche davon zweimal"
    );
    assert_eq!(rules(&whole(target)), "rules.json: components muss 1 bis 16 Einträge haben, es sind 0");
    // The parser's own words stay as they are, without the place that was named before.
    let error = Rules::parse(br#"{"schema":1,"#).expect_err("broken rules");
    assert_eq!(
        Locale::new("de").detail(&Detail::from(&error)),
        "rules.json Zeile 1, Spalte 12: EOF while parsing a value"
    );
}

fn functional() -> FunctionalDescriptor {
    FunctionalDescriptor {
        can_download: true,
        can_upload: false,
        manifestation_tolerant: true,
        will_detach: true,
        detach_timeout_ms: 500,
        transfer_size: 64,
        bcd_dfu: 0x0110,
    }
}

fn plan() -> Plan {
    let dfu = DfuInterface { interface: 3, mode: Mode::Runtime, functional: functional() };
    Plan {
        runtime: UsbIdentity {
            port: "1-2".to_owned(),
            vid: 0x1209,
            pid: 1,
            bcd_device: 0x0110,
            serial: None,
            dfu: Some(dfu),
        },
        dfu_pids: vec![2],
        image: Image {
            place: Place::whole(116),
            payload_bytes: 100,
            suffix: Some(Suffix { bcd_device: 0x0120, vid: 0x1209, pid: 1, bcd_dfu: 0x0110 }),
        },
        target_version: version("1.20"),
        deviations: Deviations::default(),
        reenumerate_timeout: Duration::from_secs(10),
        resume: None,
    }
}

#[test]
fn impossible_plans() {
    let refused = |spoil: &dyn Fn(&mut Plan)| {
        let mut plan = plan();
        spoil(&mut plan);
        german(Detail::from(&UsbDfu::new(plan, Instant::now()).expect_err("an impossible plan")))
    };
    let on_suffix = |spoil: fn(&mut Suffix)| {
        refused(&|plan| {
            plan.image.suffix.iter_mut().for_each(spoil);
        })
    };
    let on_dfu = |spoil: fn(&mut DfuInterface)| {
        refused(&|plan| {
            plan.runtime.dfu.iter_mut().for_each(spoil);
        })
    };
    let all = [
        refused(&|plan| plan.runtime.dfu = None),
        on_dfu(|dfu| dfu.mode = Mode::Dfu),
        on_dfu(|dfu| dfu.functional.can_download = false),
        on_dfu(|dfu| dfu.functional.bcd_dfu = 0x011a),
        refused(&|plan| plan.deviations.ignore_runtime = true),
        refused(&|plan| plan.image.payload_bytes = 0),
        on_suffix(|suffix| suffix.pid = 9),
        refused(&|plan| {
            plan.dfu_pids.clear();
            plan.image.suffix.iter_mut().for_each(|suffix| suffix.vid = 0x1234);
        }),
        on_suffix(|suffix| suffix.bcd_device = 0x0130),
        refused(&|plan| plan.reenumerate_timeout = Duration::from_millis(1)),
    ];
    assert_eq!(
        all,
        [
            "Das Gerät 1209:0001 am Anschluss 1-2 hat keine DFU-Schnittstelle",
            "Das Gerät 1209:0001 am Anschluss 1-2 ist schon im DFU-Modus",
            "Das Gerät am Anschluss 1-2 sagt, dass es keine Firmware annimmt (bitCanDnload ist 0)",
            "Das Gerät am Anschluss 1-2 spricht DFU 0x011a; hier werden nur 0x0100, 0x0101 und 0x0110 gesprochen",
            "Das Gerät am Anschluss 1-2 kommt aus DFU_DETACH nicht heraus: Bringen Sie es von Hand in den DFU-Modus, von dort wird es aktualisiert",
            "Es gibt nichts zu senden",
            "Nach ihrem DFU-Suffix ist die Firmware für 1209:0009, das Gerät ist aber 1209:0001, im DFU-Modus 0002",
            "Nach ihrem DFU-Suffix ist die Firmware für 1234:0001, das Gerät ist aber 1209:0001",
            "Nach ihrem DFU-Suffix hat die Firmware Version 1.30, installiert werden soll aber 1.20",
            "1 ms für die Rückkehr, erwartet werden 100 bis 3600000",
        ]
    );
}

/// The device is there and cannot be opened, however often it is tried.
#[test]
fn an_update_that_fails_at_once() {
    let mut now = Instant::now();
    let mut update = UsbDfu::new(plan(), now).expect("a good plan");
    let failure = loop {
        match update.poll_output() {
            Some(Output::Finished(Verdict::Failed(failure))) => break failure,
            Some(Output::Open { .. }) => {
                update.handle(Input::Completed(Err(TransferError::AccessDenied)), now)
            }
            Some(_) => {}
            None => {
                now = update.poll_timeout().expect("it waits for something").0;
                update.handle_timeout(now);
            }
        }
    };
    assert_eq!(
        german(Detail::from(&failure)),
        "Das Gerät am Anschluss 1-2 lässt sich beim Anfordern des DFU-Modus nicht öffnen: Das Betriebssystem \
         verweigerte den Zugriff auf das Gerät"
    );
    assert_eq!(
        german(Detail::from(failure.device())),
        "Das Headset arbeitet wie zuvor. Starten Sie die Aktualisierung wieder, wann es passt."
    );
}

fn failures() -> Vec<Failure> {
    let (device, attempts, bcd_dfu) = (DeviceNow::Dfu, 3, 0x011a);
    let phase = Phase::Downloading { block: 4 };
    let (status, state) = (DfuStatus(7), DfuState::Error);
    let transfer = |error| Failure::Transfer { error, phase, attempts, device };
    vec![
        Failure::Cancelled { phase, device },
        Failure::DidNotDetach { attempts },
        Failure::NotDownloadable { can_download: false, bcd_dfu, device },
        Failure::Reported { status, state, phase, attempts, device },
        Failure::UnexpectedState { state, phase, attempts, device },
        Failure::PollTimeoutTooLong { poll_timeout_ms: 400_000, phase, device },
        transfer(TransferError::Stall),
        transfer(TransferError::NoDevice),
        transfer(TransferError::Timeout),
        transfer(TransferError::Busy),
        transfer(TransferError::NotSent),
        transfer(TransferError::Io(-99)),
        Failure::BadStatusAnswer { len: 5, phase, device },
        Failure::Unplugged { phase, attempts, written: true, device },
        Failure::Unplugged { phase: Phase::Preparing, attempts, written: false, device },
        Failure::NotAccepted { attempts, device },
        Failure::StillOldVersion { expected: version("1.20"), found: version("1.10"), before: 0xffff },
    ]
}

#[test]
fn updates_that_failed() {
    let texts: Vec<String> = failures().iter().map(|failure| german(Detail::from(failure))).collect();
    assert_eq!(
        texts,
        [
            "abgebrochen beim Schreiben der Firmware",
            "Das Gerät wechselte nach 3 Versuchen nicht in den DFU-Modus; ziehen Sie es ab und stecken Sie es wieder an",
            "Das Gerät nimmt im DFU-Modus keine Firmware nach DFU 1.1 an (bitCanDnload 0, bcdDFU 0x011a)",
            "Das Gerät meldete errVERIFY (der Speicher enthält anderes, als geschrieben wurde) im Zustand dfuERROR beim Schreiben der Firmware, Versuch 3",
            "Das Gerät war beim Schreiben der Firmware im Zustand dfuERROR, wo DFU 1.1 einen anderen vorsieht, Versuch 3",
            "Das Gerät verlangt beim Schreiben der Firmware 400000 ms bis zur nächsten Anfrage; so lange wird nicht gewartet",
            "Das Gerät wies die Anfrage ab (STALL), beim Schreiben der Firmware, Versuch 3",
            "Das Gerät verschwand vom Bus, beim Schreiben der Firmware, Versuch 3",
            "Das Gerät antwortete nicht rechtzeitig, beim Schreiben der Firmware, Versuch 3",
            "Ein anderes Programm oder ein Treiber belegte die Schnittstelle, beim Schreiben der Firmware, Versuch 3",
            "Die Anfrage wurde nicht gesendet, weil sich ihr Journal nicht schreiben ließ, beim Schreiben der Firmware, Versuch 3",
            "Ein-/Ausgabefehler -99, beim Schreiben der Firmware, Versuch 3",
            "Das Gerät antwortete beim Schreiben der Firmware auf DFU_GETSTATUS mit 5 Byte, die kein Status nach DFU 1.1 sind",
            "Das Gerät verschwand beim Schreiben der Firmware vom Bus, Versuch 3; seine Firmware ist unvollständig",
            "Das Gerät verschwand beim Vorbereiten auf die Firmware vom Bus, Versuch 3",
            "Das Gerät nahm die ganze Firmware an und kam im DFU-Modus wieder, 3-mal",
            "Das Gerät kam mit Version 1.10 wieder (vorher: 0xffff) statt mit 1.20; es hat die neue Firmware nicht behalten",
        ]
    );
    for number in 0..=16 {
        german(Detail::from(DfuStatus(number)));
    }
    for reason in [
        UnknownReason::NeverCameBack {
            port: "1-2".into(),
            phase: Phase::WaitingForRuntime,
            another_seen: true,
        },
        UnknownReason::NeverCameBack { port: "1-2".into(), phase: Phase::Manifesting, another_seen: false },
        UnknownReason::VersionUnreadable { bcd: 0xffff },
    ] {
        german(Detail::from(&reason));
    }
    for device in [DeviceNow::Runtime, DeviceNow::Dfu, DeviceNow::Unseen] {
        german(Detail::from(device));
    }
}

#[test]
fn broken_report_descriptors() {
    let text = |bytes: &[u8]| {
        german(Detail::from(&ReportDescriptor::parse(bytes).expect_err("a broken descriptor")))
    };
    assert_eq!(text(&[0x05]), "Er endet mitten im Element bei Byte 0: 2 Byte wurden erwartet, 1 kamen");
    assert_eq!(text(&[0xa1, 0x01]), "Er endet bei Byte 2, während noch eine Collection offen ist");
    assert_eq!(text(&[0xb4]), "Bei Byte 0 steht ein Pop ohne Push");
    assert_eq!(text(&[0x85, 0]), "Das Element bei Byte 0 nennt den Report 0, erwartet wird 1 bis 255");
    let mut random = seed::random();
    let mut codes = BTreeSet::new();
    for _ in 0..20_000 {
        let items = [0x05, 0x09, 0x85, 0xa1, 0xc0, 0x75, 0x95, 0x81, 0xa4, 0xb4, 0x96, 0x2a];
        let bytes: Vec<u8> = (0..random.usize(1..400))
            .map(|_| if random.bool() { items[random.usize(..items.len())] } else { random.u8(..) })
            .collect();
        if let Err(error) = ReportDescriptor::parse(&bytes) {
            let detail = Detail::from(&error);
            codes.insert(detail.code.clone());
            german(detail);
        }
    }
    assert!(codes.len() >= 5, "few kinds of damage: {codes:?}");
}

/// What a peer sends is bounded by its frame; whatever is nested in it must not end the process.
#[test]
fn nested_details_end() {
    let nested = |depth: usize| {
        let mut json = r#"{"code":"dfu-transfer","text":"x"}"#.to_owned();
        for _ in 0..depth {
            json = format!(
                r#"{{"code":"package-image","text":"x","args":{{"component":"c"}},"details":{{"error":{json}}}}}"#
            );
        }
        format!(
            r#"{{"answer":"problem","problem":{{"code":"package-refused","what":"w","where":"p","next":"n","args":{{"resumed":"false"}},"details":{{"error":{json}}}}}}}"#
        )
    };
    let read = |depth| serde_json::from_str::<hub::protocol::local::LocalAnswer>(&nested(depth));
    assert!(read(10_000).is_err() && read(70).is_err(), "deeper than any of ours");
    let answer = read(50).expect("within the bound of the parser");
    let hub::protocol::local::LocalAnswer::Problem { problem } = answer else { panic!("{answer:?}") };
    let text = Locale::new("de").problem(&problem).what;
    assert_eq!(text.matches("Komponente „c“: ").count(), 50, "{text}");
}

#[test]
fn a_problem_says_its_detail_once() {
    let failure = Failure::Unplugged {
        phase: Phase::Downloading { block: 1 },
        attempts: 3,
        written: true,
        device: DeviceNow::Unseen,
    };
    let problem = Reason::UpdateFailed {
        why: "unplugged".to_owned(),
        detail: (&failure).into(),
        device: failure.device().into(),
    }
    .at("1209-0001");
    for (tag, what, next, more) in [
        (
            "en-US",
            "The headset was unplugged during its update",
            "Plug the headset into the same USB port and start the update again; it is recovered from there.",
            "the device left the bus while the firmware was written, attempt 3; its firmware is incomplete",
        ),
        (
            "de-DE",
            "Das Headset wurde während der Aktualisierung abgezogen",
            "Stecken Sie das Headset an denselben USB-Anschluss und starten Sie die Aktualisierung noch einmal; von \
             dort wird es wiederhergestellt.",
            "Das Gerät verschwand beim Schreiben der Firmware vom Bus, Versuch 3; seine Firmware ist unvollständig",
        ),
    ] {
        let text = Locale::new(tag).problem(&problem);
        assert_eq!((text.what.as_str(), text.next.as_str(), text.more.as_str()), (what, next, more));
    }
}
