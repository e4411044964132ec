//! What devices do differently from DFU 1.1, each seen in the field.

use std::time::Duration;

use super::descriptor::FunctionalDescriptor;
use super::identity::{DfuInterface, Mode, UsbIdentity};

/// The deviations of one model. The default has none: the device is as DFU 1.1 and its descriptors say.
///
/// The name behind each field is that of the same deviation in fwupd's published quirk list (plugin `dfu` at 6e95049).
/// Not here is what an engine that never reads firmware out (`can-upload`, `ignore-upload`, `no-get-status-upload`)
/// or speaks no other protocol (`use-atmel-avr`, `legacy-protocol`; of DfuSe `absent-sector-size`, `gd32`,
/// `can-accelerate`) cannot depend on, and `signed-payload`, which says something of the image alone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Deviations {
    /// `can-download`: in place of bitCanDnload (DFU 1.1 §4.1.3).
    pub can_download: Option<bool>,
    /// `manifest-tol`: in place of bitManifestationTolerant. A tolerant device answers again after manifestation, so
    /// its silence means that it is at work: it is asked on for [`super::Plan::reenumerate_timeout`] before it is reset.
    pub manifest_tolerant: Option<bool>,
    /// `will-detach`: in place of bitWillDetach.
    pub will_detach: Option<bool>,
    /// `DfuForceVersion`: in place of bcdDFUVersion.
    pub bcd_dfu: Option<u16>,
    /// `DfuForceTransferSize`: in place of wTransferSize, in bytes; [`super::MAX_TRANSFER_BYTES`] holds all the same.
    pub transfer_size: Option<u16>,
    /// `DfuForceTimeout`: in place of [`super::TRANSFER_TIMEOUT`].
    pub transfer_timeout: Option<Duration>,
    /// `ignore-polltimeout`: bwPollTimeout means nothing and is read as 0 (DFU 1.1 §6.1.2).
    pub ignore_poll_timeout: bool,
    /// `allow-zero-polltimeout`: a bwPollTimeout of 0 is no oversight. A busy device is asked again at once.
    pub allow_zero_poll_timeout: bool,
    /// `no-pid-change`: in DFU mode it has the product id of normal operation. What has another one is another device.
    pub no_pid_change: bool,
    /// `force-dfu-mode`: under a product id of [`super::Plan::dfu_pids`] it is in DFU mode whatever
    /// bInterfaceProtocol says, and dfuIDLE where bState says appIDLE.
    pub force_dfu_mode: bool,
    /// `ignore-runtime`: its DFU interface in normal operation is broken: no DFU_DETACH is sent.
    pub ignore_runtime: bool,
    /// `no-dfu-runtime`: it has no DFU interface in normal operation; without one it *is* in normal operation.
    pub no_dfu_runtime: bool,
    /// `use-any-interface`: its DFU interface has the vendor's class FF in place of FE/01 (DFU 1.1 §4.2.3).
    pub use_any_interface: bool,
    /// `use-protocol-zero`: bInterfaceProtocol 00 stands for DFU mode (DFU 1.1 §4.2.3 has 02).
    pub use_protocol_zero: bool,
    /// `index-force-detach`: DFU_DETACH has bit 8 of wIndex set, without which it is refused.
    pub index_force_detach: bool,
    /// `detach-for-attach`: DFU mode is left by DFU_DETACH; a USB reset does not do it.
    pub detach_for_attach: bool,
    /// `no-bus-reset-attach`: after manifestation it is never reset; it leaves by itself, after it said that it is done.
    pub no_bus_reset_attach: bool,
    /// `attach-extra-reset`: back in normal operation it is reset once more. Only what comes then has the new firmware.
    pub attach_extra_reset: bool,
    /// `attach-upload-download`: its DFU mode is not left before something was read or written.
    pub attach_upload_download: bool,
    /// `manifest-poll`, turned around: in dfuMANIFEST it is asked nothing; bwPollTimeout is what manifestation takes.
    pub no_manifest_poll: bool,
}

impl Deviations {
    /// The device as it is where its descriptors say something else. A device that was corrected stays as it is.
    #[must_use]
    pub fn correct(&self, mut device: UsbIdentity, dfu_pids: &[u16]) -> UsbIdentity {
        let forced = self.force_dfu_mode && dfu_pids.contains(&device.pid);
        device.dfu = device.dfu.and_then(|dfu| {
            let mode = self.mode(dfu.mode, forced)?;
            Some(DfuInterface { mode, functional: self.functional(dfu.functional), ..dfu })
        });
        device
    }

    /// `None`: an interface that is none of DFU, as far as is known of this model.
    fn mode(&self, mode: Mode, forced: bool) -> Option<Mode> {
        let said = match mode {
            Mode::Irregular { of_class: false, .. } if !self.use_any_interface => return None,
            Mode::Irregular { protocol: 1, .. } => Mode::Runtime,
            Mode::Irregular { protocol: 2, .. } => Mode::Dfu,
            Mode::Irregular { .. } if self.use_protocol_zero => Mode::Dfu,
            Mode::Irregular { .. } if !forced => return None,
            regular => regular,
        };
        Some(if forced { Mode::Dfu } else { said })
    }

    fn functional(&self, said: FunctionalDescriptor) -> FunctionalDescriptor {
        FunctionalDescriptor {
            can_download: self.can_download.unwrap_or(said.can_download),
            manifestation_tolerant: self.manifest_tolerant.unwrap_or(said.manifestation_tolerant),
            will_detach: self.will_detach.unwrap_or(said.will_detach),
            transfer_size: self.transfer_size.unwrap_or(said.transfer_size),
            bcd_dfu: self.bcd_dfu.unwrap_or(said.bcd_dfu),
            ..said
        }
    }
}
