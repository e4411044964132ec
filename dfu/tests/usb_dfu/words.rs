//! What a person reads of an update, word for word: the logs and the command line show it.

use dfu::FirmwareVersion;
use dfu::usb_dfu::{
    Bcd, DeviceNow, DfuState, DfuStatus, Failure, Phase, TransferError, UnknownReason, Verdict,
};

fn version(text: &str) -> FirmwareVersion {
    text.parse().unwrap()
}

const PHASE: Phase = Phase::Downloading { block: 7 };

#[test]
fn a_verdict_says_what_where_and_what_next() {
    let dfu = DeviceNow::Dfu;
    let (attempts, phase, device) = (2, PHASE, dfu);
    let (expected, found) = (version("1.20"), version("1.10"));
    let state = DfuState::DnBusy;
    let error = TransferError::Timeout;
    let port = "1-2.3".to_owned();
    let waits = "the device waits for firmware in DFU mode; leave it plugged in and start the update again";
    let works = "the device works as before; the update can be tried again";
    let cases = [
        (
            Failure::Cancelled { phase, device: DeviceNow::Unseen },
            "cancelled while downloading",
            "plug the device into the same port and start the update again; it is recovered from there",
        ),
        (
            Failure::CannotOpen { port, phase, error: TransferError::Busy, device },
            "cannot open the device at port 1-2.3 while downloading: another program or driver holds the interface",
            waits,
        ),
        (
            Failure::DidNotDetach { attempts },
            "the device did not enter DFU mode after 2 attempts: replug it",
            works,
        ),
        (
            Failure::NotDownloadable { can_download: false, bcd_dfu: 0x011a, device },
            "the device in DFU mode takes no DFU 1.1 download (bitCanDnload false, bcdDFU 0x011a)",
            waits,
        ),
        (
            Failure::Reported { status: DfuStatus(3), state: DfuState::Error, phase, attempts, device },
            "the device reported errWRITE: the device cannot write its memory in dfuERROR while downloading:7, attempt 2",
            waits,
        ),
        (
            Failure::UnexpectedState { state, phase, attempts, device },
            "the device was in dfuDNBUSY while downloading:7, attempt 2: DFU 1.1 has another state there",
            waits,
        ),
        (
            Failure::PollTimeoutTooLong { poll_timeout_ms: 400_000, phase, device },
            "the device asks for 400000 ms before the next request while downloading:7: more than is waited",
            waits,
        ),
        (
            Failure::Transfer { error, phase, attempts, device },
            "the device did not answer in time while downloading:7, attempt 2",
            waits,
        ),
        (
            Failure::BadStatusAnswer { len: 3, phase, device },
            "the device answered DFU_GETSTATUS with 3 bytes that are no DFU 1.1 status while downloading:7",
            waits,
        ),
        (
            Failure::Unplugged { phase, attempts, written: true, device },
            "the device left the bus while downloading:7, attempt 2: its firmware is incomplete",
            waits,
        ),
        (
            Failure::Unplugged { phase, attempts, written: false, device },
            "the device left the bus while downloading:7, attempt 2",
            waits,
        ),
        (
            Failure::NotAccepted { attempts, device },
            "the device took the whole image and came back in DFU mode, 2 times",
            waits,
        ),
        (
            Failure::StillOldVersion { expected, found, before: 0x0110 },
            "the device came back with version 1.10 (before: 1.10) instead of 1.20: it did not keep the new firmware; \
             replug it and look again",
            works,
        ),
        (
            Failure::OtherVersion { expected, found },
            "the device came back with version 1.10 instead of 1.20: the package does not hold the version that it \
             names",
            "the device works with that version; whoever published the package has to correct it",
        ),
    ];
    for (failure, what, next) in cases {
        assert_eq!(Verdict::Failed(failure).to_string(), format!("failed: {what}; {next}"));
    }
    let succeeded = Verdict::Succeeded { version: expected };
    assert_eq!(succeeded.to_string(), "succeeded: the device reports version 1.20");
}

#[test]
fn what_is_unknown_says_where_to_look() {
    let came_back = |another_seen| {
        let port = "1-2.3".to_owned();
        Verdict::Unknown(UnknownReason::NeverCameBack { port, phase: PHASE, another_seen }).to_string()
    };
    assert_eq!(
        came_back(false),
        "unknown: the device was not seen again at port 1-2.3 while downloading: plug it into the same port and look \
         at its version"
    );
    assert_eq!(
        came_back(true),
        "unknown: the device was not seen again at port 1-2.3 while downloading (another device was): plug it into \
         the same port and look at its version"
    );
    assert_eq!(
        Verdict::Unknown(UnknownReason::VersionUnreadable { bcd: 0xffff }).to_string(),
        "unknown: the device came back but reports 0xffff, which is no version: replug it and look again"
    );
}

#[test]
fn states_and_status_have_the_names_of_the_specification() {
    let states = [
        (DfuState::AppIdle, "appIDLE"),
        (DfuState::AppDetach, "appDETACH"),
        (DfuState::DfuIdle, "dfuIDLE"),
        (DfuState::DnloadSync, "dfuDNLOAD-SYNC"),
        (DfuState::DnBusy, "dfuDNBUSY"),
        (DfuState::DnloadIdle, "dfuDNLOAD-IDLE"),
        (DfuState::ManifestSync, "dfuMANIFEST-SYNC"),
        (DfuState::Manifest, "dfuMANIFEST"),
        (DfuState::ManifestWaitReset, "dfuMANIFEST-WAIT-RESET"),
        (DfuState::UploadIdle, "dfuUPLOAD-IDLE"),
        (DfuState::Error, "dfuERROR"),
    ];
    for (state, name) in states {
        assert_eq!(state.to_string(), name);
    }
    let names = [
        "OK",
        "errTARGET",
        "errFILE",
        "errWRITE",
        "errERASE",
        "errCHECK_ERASED",
        "errPROG",
        "errVERIFY",
        "errADDRESS",
        "errNOTDONE",
        "errFIRMWARE",
        "errVENDOR",
        "errUSBR",
        "errPOR",
        "errUNKNOWN",
        "errSTALLEDPKT",
    ];
    for (status, name) in (0..).zip(names) {
        assert_eq!(DfuStatus(status).to_string().split(':').next(), Some(name));
        assert_eq!(DfuStatus(status).is_final(), matches!(name, "errTARGET" | "errFILE"), "{name}");
    }
}

#[test]
fn a_failure_knows_the_version_that_was_read_back() {
    let (expected, found) = (version("1.20"), version("1.10"));
    assert_eq!(Failure::StillOldVersion { expected, found, before: 0x0110 }.found(), Some(found));
    assert_eq!(Failure::OtherVersion { expected, found }.found(), Some(found));
    assert_eq!(Failure::DidNotDetach { attempts: 3 }.found(), None);
}

#[test]
fn a_bcd_device_is_shown_as_a_version_or_as_it_is() {
    assert_eq!(Bcd(0x0120).to_string(), "1.20");
    assert_eq!(Bcd(0xffff).to_string(), "0xffff");
}
