//! What may have changed around the program without anybody having asked it to do something.
//!
//! Both roles and the shell's doors are told the same way, and each looks again at what it depends on: nothing is
//! looked at only at the start. Being told too often costs a look; being told of nothing that changed is no error.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorldChange {
    /// Something on a bus came or went.
    HotPlug,
    /// The wall clock was set.
    ClockStepped,
    /// The machine slept and is awake again.
    Resumed,
    /// A route came or went: what was out of reach may be in reach, and the other way round.
    Network,
}
