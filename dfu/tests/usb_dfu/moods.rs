//! Deviations from DFU 1.1 as a device has them, and the table that says so.

use std::time::Duration;

use dfu::usb_dfu::Deviations;

use crate::device::Make;

/// What a make of device does differently from DFU 1.1, or says wrongly of itself.
#[derive(Debug, Clone)]
pub(crate) struct Moods {
    /// bmAttributes in place of the true ones, bcdDFUVersion, wTransferSize.
    pub(crate) stated_attributes: Option<u8>,
    pub(crate) stated_bcd_dfu: u16,
    pub(crate) stated_transfer_size: Option<u16>,
    /// bwPollTimeout it states whatever it does; it can be asked at any time.
    pub(crate) stated_poll_ms: Option<u32>,
    /// Names no time for writing, and gives a block up that is not asked for in so many milliseconds.
    pub(crate) patience_ms: Option<u64>,
    /// How long it takes to answer anything.
    pub(crate) answer_ms: u64,
    /// bInterfaceClass and bInterfaceSubClass of its DFU interface, bInterfaceProtocol of it in DFU mode.
    pub(crate) class: [u8; 2],
    pub(crate) dfu_protocol: u8,
    /// Says appIDLE where it is in dfuIDLE.
    pub(crate) says_app_idle: bool,
    pub(crate) no_runtime_interface: bool,
    /// Does not come back from DFU_DETACH but by hand.
    pub(crate) hangs_by_detach: bool,
    /// Refuses DFU_DETACH without bit 8 of wIndex.
    pub(crate) wants_force: bool,
    /// Leaves DFU mode by DFU_DETACH; a reset brings it back there.
    pub(crate) leaves_by_detach: bool,
    /// Leaves DFU mode only after something was read or written.
    pub(crate) leaves_after_use: bool,
    /// Says that it is done before it is, and leaves by itself when it is.
    pub(crate) hasty: bool,
    /// Runs the old firmware once more after it was given a new one, until the next reset.
    pub(crate) wants_reset: bool,
    /// A request in dfuMANIFEST ends it.
    pub(crate) disturbed: bool,
}

impl Default for Moods {
    fn default() -> Moods {
        Moods {
            stated_attributes: None,
            stated_bcd_dfu: 0x0110,
            stated_transfer_size: None,
            stated_poll_ms: None,
            patience_ms: None,
            answer_ms: 0,
            class: [0xfe, 1],
            dfu_protocol: 2,
            says_app_idle: false,
            no_runtime_interface: false,
            hangs_by_detach: false,
            wants_force: false,
            leaves_by_detach: false,
            leaves_after_use: false,
            hasty: false,
            wants_reset: false,
            disturbed: false,
        }
    }
}

/// bmAttributes.
const DOWNLOAD: u8 = 1;

impl Make {
    /// What a description of this make says.
    pub(crate) fn table(&self) -> Deviations {
        let Moods { stated_attributes, stated_bcd_dfu, stated_transfer_size, .. } = self.moods;
        let wrong = |bit: u8, truth: bool| {
            stated_attributes.filter(|stated| (stated & bit != 0) != truth).map(|_| truth)
        };
        Deviations {
            can_download: wrong(DOWNLOAD, true),
            manifest_tolerant: wrong(4, self.tolerant),
            will_detach: wrong(8, self.will_detach),
            bcd_dfu: (stated_bcd_dfu != 0x0110).then_some(0x0110),
            transfer_size: stated_transfer_size.map(|_| self.transfer_size),
            transfer_timeout: (self.moods.answer_ms > 5000).then_some(Duration::from_secs(20)),
            ignore_poll_timeout: self.moods.stated_poll_ms.is_some(),
            allow_zero_poll_timeout: self.moods.patience_ms.is_some(),
            no_pid_change: self.dfu_pids().is_empty(),
            force_dfu_mode: self.moods.says_app_idle,
            ignore_runtime: self.moods.hangs_by_detach,
            no_dfu_runtime: self.moods.no_runtime_interface,
            use_any_interface: self.moods.class == [0xff, 0],
            use_protocol_zero: self.moods.dfu_protocol == 0,
            index_force_detach: self.moods.wants_force,
            detach_for_attach: self.moods.leaves_by_detach,
            no_bus_reset_attach: self.moods.hasty,
            attach_extra_reset: self.moods.wants_reset,
            attach_upload_download: self.moods.leaves_after_use,
            no_manifest_poll: self.moods.disturbed,
        }
    }

    /// Product ids of its own in DFU mode.
    pub(crate) fn dfu_pids(&self) -> Vec<u16> {
        if self.dfu_pid == self.runtime_pid { Vec::new() } else { vec![self.dfu_pid] }
    }
}
