//! Calls of all softphones, and what they mean for the lights of the headset.
