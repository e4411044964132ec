//! What the outside sees of a headset; frozen by `schema/state.schema.json` and a golden file.

use serde::{Deserialize, Serialize};

use crate::setup::Layout;

/// Which of its two devices the headset is at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// HID and DFU runtime interface.
    Runtime,
    /// DFU mode interface only, under another product id.
    Dfu,
}

/// The lights as last written by the host; all off without power.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lights {
    /// Off-Hook (0008:0017).
    pub off_hook: bool,
    /// Mute (0008:0009).
    pub mute: bool,
    /// Ring (0008:0018).
    pub ring: bool,
    /// Hold (0008:0020).
    pub hold: bool,
    /// Microphone (0008:0021); `Layout::Shared` only.
    pub microphone: bool,
    /// On-Line (0008:002A).
    pub on_line: bool,
    /// Ringer (000B:009E); `Layout::Shared` only.
    pub ringer: bool,
}

/// States of DFU 1.1, A.1, in its spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[repr(u8)]
pub enum DfuState {
    /// Runtime, no DFU activity.
    #[serde(rename = "appIDLE")]
    AppIdle = 0,
    /// Runtime, DETACH received.
    #[serde(rename = "appDETACH")]
    AppDetach = 1,
    /// DFU mode, waiting for requests.
    #[serde(rename = "dfuIDLE")]
    DfuIdle = 2,
    /// A block was received, GETSTATUS is due.
    #[serde(rename = "dfuDNLOAD-SYNC")]
    DnloadSync = 3,
    /// A block is being programmed.
    #[serde(rename = "dfuDNBUSY")]
    DnBusy = 4,
    /// Between blocks.
    #[serde(rename = "dfuDNLOAD-IDLE")]
    DnloadIdle = 5,
    /// The zero-length block was received, GETSTATUS is due.
    #[serde(rename = "dfuMANIFEST-SYNC")]
    ManifestSync = 6,
    /// Manifestation.
    #[serde(rename = "dfuMANIFEST")]
    Manifest = 7,
    /// Manifestation is done, a USB reset is due.
    #[serde(rename = "dfuMANIFEST-WAIT-RESET")]
    ManifestWaitReset = 8,
    /// Between UPLOAD blocks.
    #[serde(rename = "dfuUPLOAD-IDLE")]
    UploadIdle = 9,
    /// An error waits for CLRSTATUS.
    #[serde(rename = "dfuERROR")]
    Error = 10,
}

/// Status codes of DFU 1.1, 6.1.2, those this headset uses, in its spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[repr(u8)]
pub enum DfuStatus {
    /// No error.
    #[serde(rename = "OK")]
    Ok = 0x00,
    /// Program memory function failed.
    #[serde(rename = "errPROG")]
    ErrProg = 0x06,
    /// Programmed memory failed verification.
    #[serde(rename = "errVERIFY")]
    ErrVerify = 0x07,
    /// Cannot program memory due to received address out of range.
    #[serde(rename = "errADDRESS")]
    ErrAddress = 0x08,
    /// The firmware is corrupt: the device cannot return to runtime.
    #[serde(rename = "errFIRMWARE")]
    ErrFirmware = 0x0A,
    /// The device stalled an unexpected request.
    #[serde(rename = "errSTALLEDPKT")]
    ErrStalledPkt = 0x0F,
}

/// The firmware in flash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FirmwareState {
    /// Version of the last complete firmware, `"1.00"`.
    pub version: String,
    /// Bytes of the image in flash, header included.
    pub image_bytes: u64,
    /// The firmware can run. False between the erase by a first block and the end of manifestation.
    pub valid: bool,
    /// Manifestations that ended well since the headset was made.
    pub updates_completed: u32,
    /// Times a download or manifestation was cut off and left the firmware unusable.
    pub updates_broken: u32,
}

/// The DFU state machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DfuView {
    /// bState.
    pub state: DfuState,
    /// bStatus.
    pub status: DfuStatus,
    /// Data blocks of the current download.
    pub blocks_received: u32,
    /// Bytes of the current download.
    pub bytes_received: u64,
}

/// Everything about a headset at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// In the socket; false after unplug, true also while it re-enumerates.
    pub plugged: bool,
    /// On the bus right now.
    pub present: bool,
    /// Runtime or DFU mode.
    pub mode: Mode,
    /// Report layout.
    pub layout: Layout,
    /// idVendor.
    pub vendor_id: u16,
    /// idProduct of the present mode.
    pub product_id: u16,
    /// iSerialNumber.
    pub serial: String,
    /// Hook Switch as the headset reports it.
    pub hook: bool,
    /// The microphone is muted: the Mute light, as long as the call lasts.
    pub mute: bool,
    /// The radio link is open: as long as Off-Hook is lit.
    pub radio_link: bool,
    /// The lights.
    pub lights: Lights,
    /// The firmware in flash.
    pub firmware: FirmwareState,
    /// The DFU state machine.
    pub dfu: DfuView,
}

/// A condition on a [`State`] that is not of the form `name=value[,name=value…]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConditionError {
    /// A term without `=`.
    NoValue {
        /// The term.
        term: String,
    },
    /// No such field.
    UnknownName {
        /// The name.
        name: String,
    },
}

impl std::fmt::Display for ConditionError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoValue { term } => write!(f, "{term:?} is not name=value, for example ring=true"),
            Self::UnknownName { name } => write!(
                f,
                "the state has no field {name:?}; names are those of `state --json`, nested ones as \
                 firmware.version, lights also as ring"
            ),
        }
    }
}

impl std::error::Error for ConditionError {}

/// `name=value` terms joined by commas, all of which must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    terms: Vec<(String, String)>,
}

impl std::str::FromStr for Condition {
    type Err = ConditionError;

    fn from_str(text: &str) -> Result<Self, ConditionError> {
        let mut terms = Vec::new();
        for term in text.split(',') {
            let (name, value) =
                term.split_once('=').ok_or_else(|| ConditionError::NoValue { term: term.to_owned() })?;
            terms.push((name.trim().to_owned(), value.trim().to_owned()));
        }
        Ok(Self { terms })
    }
}

impl Condition {
    /// Whether all terms hold.
    ///
    /// # Errors
    /// When a name is not a field of the state.
    pub fn holds(&self, state: &State) -> Result<bool, ConditionError> {
        let json = serde_json::to_value(state).unwrap_or_default();
        let mut all = true;
        for (name, expected) in &self.terms {
            let pointer = format!("/{}", name.replace('.', "/"));
            let found = json
                .pointer(&pointer)
                .or_else(|| json.pointer(&format!("/lights{pointer}")).filter(|_| name != "mute"))
                .filter(|value| !value.is_object())
                .ok_or_else(|| ConditionError::UnknownName { name: name.clone() })?;
            let written = found.as_str().map_or_else(|| found.to_string(), str::to_owned);
            all &= written == *expected;
        }
        Ok(all)
    }
}
