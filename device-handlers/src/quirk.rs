//! Deviations that no report descriptor tells. A new one costs a variant, a doc that says where it was seen, and a
//! test; data only names them.

use serde::Deserialize;

/// What a headset does differently from the handshake of [`crate::headset`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quirk {
    /// Off-Hook is cleared while a call is held, and the Hook=0 that follows does not end the call. Without it
    /// Off-Hook stays set, because some headsets end the call when it is cleared.
    HoldClearsOffHook,
    /// The Microphone LED (0008:0021) is a mute light, 1 = muted. Without it the LED is left alone, as on most
    /// headsets it means that the microphone is *on*.
    MicrophoneLedIsMute,
    /// Phone Mute is a toggle although its field is declared absolute.
    MuteIsToggle,
    /// Phone Mute is a state although its field is declared relative.
    MuteIsState,
    /// Each write of the Mute LED is answered by a Phone Mute pulse, also when the write answers a press.
    MuteEcho,
    /// A report that repeats Hook=0 and changes nothing is a press: it rejects while ringing and ends a call.
    /// Without it such reports are repeats, as some systems deliver reports at an idle rate.
    RepeatedOnHookIsPress,
    /// What is declared as Off-Hook LED lights the message-waiting lamp: no call control over it.
    OffHookLedIsMessageWaiting,
}
