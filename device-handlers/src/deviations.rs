//! What a model does differently from USB DFU 1.1 while it takes firmware: the section `firmware.usb_dfu`.

use serde::Deserialize;

/// Deviations of one model from USB DFU 1.1. Unknown keys are errors; the default has none.
///
/// Each is a deviation of fwupd's published quirk list (plugin `dfu` at 6e95049), where it has the name that is said
/// here; the section of DFU 1.1 is what it deviates from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UsbDfuDeviations {
    /// `can-download`: in place of bitCanDnload (§4.1.3). Default: the descriptor's.
    pub can_download: Option<bool>,
    /// `manifest-tol`: in place of bitManifestationTolerant (§4.1.3): the device answers again after manifestation, so
    /// its silence means that it is at work. Default: the descriptor's.
    pub manifest_tol: Option<bool>,
    /// `will-detach`: in place of bitWillDetach (§4.1.3): it leaves the bus by itself. Default: the descriptor's.
    pub will_detach: Option<bool>,
    /// `manifest-poll`: in dfuMANIFEST it may be asked for its status (§6.1.2). Where it may not, bwPollTimeout is
    /// what manifestation takes. Default: true.
    pub manifest_poll: bool,
    /// `DfuForceVersion`: in place of bcdDFUVersion (§4.1.3): 0x0100, 0x0101 or 0x0110. Default: the descriptor's.
    pub force_version: Option<u16>,
    /// `DfuForceTransferSize`: in place of wTransferSize (§4.1.3), in bytes, 8 to 4096. Default: the descriptor's.
    pub force_transfer_size: Option<u16>,
    /// `DfuForceTimeout`: how long the device may take to answer one request, in milliseconds, 500 to 60 000.
    /// Default: 5000.
    pub force_timeout_ms: Option<u32>,
    /// `ignore-polltimeout`: bwPollTimeout means nothing and is read as 0 (§6.1.2). Default: false.
    pub ignore_polltimeout: bool,
    /// `allow-zero-polltimeout`: where bwPollTimeout is 0 a busy device is asked again at once, not after 5 ms
    /// (§6.1.2). Default: false.
    pub allow_zero_polltimeout: bool,
    /// `no-pid-change`: in DFU mode it keeps its product id (§4.2.1), and what has another id at its
    /// port is another device. Without it, and without `dfu_pids`, any id of the vendor counts. Default: false.
    pub no_pid_change: bool,
    /// `force-dfu-mode`: under one of `dfu_pids` it is in DFU mode whatever its interface says (§4.2.3), and in dfuIDLE
    /// where it says appIDLE (§6.1.2). Default: false.
    pub force_dfu_mode: bool,
    /// `ignore-runtime`: its DFU interface in normal operation (§4.1.2) does not work, and is not used: the device is
    /// updated where somebody puts it into DFU mode. Default: false.
    pub ignore_runtime: bool,
    /// `no-dfu-runtime`: without a DFU interface (§4.1.2) it is in normal operation, not half seen. Default: false.
    pub no_dfu_runtime: bool,
    /// `use-any-interface`: its DFU interface is of class FF, not FE/01 (§4.2.3). Default: false.
    pub use_any_interface: bool,
    /// `use-protocol-zero`: bInterfaceProtocol 00 stands for DFU mode, not 02 (§4.2.3). Default: false.
    pub use_protocol_zero: bool,
    /// `index-force-detach`: DFU_DETACH has bit 8 of wIndex set (§5.1 has the interface there). Default: false.
    pub index_force_detach: bool,
    /// `detach-for-attach`: it leaves DFU mode by DFU_DETACH, not by a USB reset (§7). Default: false.
    pub detach_for_attach: bool,
    /// `no-bus-reset-attach`: after manifestation it leaves by itself and is never reset (§7). Default: false.
    pub no_bus_reset_attach: bool,
    /// `attach-extra-reset`: back in normal operation it is reset once more, and runs the new firmware then (§7).
    /// Default: false.
    pub attach_extra_reset: bool,
    /// `attach-upload-download`: it leaves DFU mode only after something was read or written: one that is left alone
    /// before is read first (§6.2). Default: false.
    pub attach_upload_download: bool,
}

impl Default for UsbDfuDeviations {
    fn default() -> Self {
        Self {
            can_download: None,
            manifest_tol: None,
            will_detach: None,
            manifest_poll: true,
            force_version: None,
            force_transfer_size: None,
            force_timeout_ms: None,
            ignore_polltimeout: false,
            allow_zero_polltimeout: false,
            no_pid_change: false,
            force_dfu_mode: false,
            ignore_runtime: false,
            no_dfu_runtime: false,
            use_any_interface: false,
            use_protocol_zero: false,
            index_force_detach: false,
            detach_for_attach: false,
            no_bus_reset_attach: false,
            attach_extra_reset: false,
            attach_upload_download: false,
        }
    }
}

/// Why a `firmware.usb_dfu` section is not usable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeviationError {
    #[error("it has no effect with the method {method:?}, only with \"usb-dfu\"")]
    OtherMethod { method: Option<String> },
    #[error("force_version is 0x{came:04x}, expected 0x0100, 0x0101 or 0x0110")]
    Version { came: u16 },
    #[error("force_transfer_size is {came}, expected 8 to 4096")]
    TransferSize { came: u16 },
    #[error("force_timeout_ms is {came_ms}, expected 500 to 60000")]
    Timeout { came_ms: u32 },
    #[error("{one} and {other} exclude each other")]
    Both { one: &'static str, other: &'static str },
    #[error("force_dfu_mode tells DFU mode by dfu_pids, and there is none")]
    NoDfuPid,
}

impl UsbDfuDeviations {
    /// Applies every check. `method` and `dfu_pids` are those of the section around it.
    ///
    /// # Errors
    /// [`DeviationError`] names the first check that failed.
    pub(crate) fn check(&self, method: Option<&str>, dfu_pids: &[u16]) -> Result<(), DeviationError> {
        if *self == Self::default() {
            return Ok(());
        }
        if method != Some("usb-dfu") {
            return Err(DeviationError::OtherMethod { method: method.map(str::to_owned) });
        }
        if let Some(came) = self.force_version.filter(|version| !matches!(version, 0x0100 | 0x0101 | 0x0110))
        {
            return Err(DeviationError::Version { came });
        }
        if let Some(came) = self.force_transfer_size.filter(|bytes| !(8..=4096).contains(bytes)) {
            return Err(DeviationError::TransferSize { came });
        }
        if let Some(came_ms) = self.force_timeout_ms.filter(|ms| !(500..=60_000).contains(ms)) {
            return Err(DeviationError::Timeout { came_ms });
        }
        if self.force_dfu_mode && dfu_pids.is_empty() {
            return Err(DeviationError::NoDfuPid);
        }
        self.check_pairs(!dfu_pids.is_empty())
    }

    /// Of these the one leaves nothing for the other to change, or says the opposite.
    fn check_pairs(&self, has_dfu_pids: bool) -> Result<(), DeviationError> {
        let ignored = ("ignore_polltimeout", self.ignore_polltimeout);
        let pairs = [
            (ignored, ("allow_zero_polltimeout", self.allow_zero_polltimeout)),
            (ignored, ("manifest_poll = false", !self.manifest_poll)),
            (("no_pid_change", self.no_pid_change), ("dfu_pids", has_dfu_pids)),
            (("ignore_runtime", self.ignore_runtime), ("no_dfu_runtime", self.no_dfu_runtime)),
            (
                ("detach_for_attach", self.detach_for_attach),
                ("no_bus_reset_attach", self.no_bus_reset_attach),
            ),
        ];
        match pairs.into_iter().find(|((_, one), (_, other))| *one && *other) {
            Some(((one, _), (other, _))) => Err(DeviationError::Both { one, other }),
            None => Ok(()),
        }
    }
}
