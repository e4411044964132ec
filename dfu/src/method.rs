//! The ways in which firmware gets into devices, by their names.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// How firmware gets into a device. Closed: a name that is not here is refused, never taken for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// USB DFU 1.1, see [`crate::usb_dfu`].
    UsbDfu,
}

/// The name of a method that is not built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("firmware by the method {name:?} is not known to this version: only \"usb-dfu\" is")]
pub struct MethodUnknown {
    /// As it came, cut to 40 characters.
    pub name: String,
}

impl Method {
    /// All there are.
    pub const ALL: [Self; 1] = [Self::UsbDfu];

    /// As packages and descriptions of models spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Method::UsbDfu => "usb-dfu",
        }
    }
}

impl FromStr for Method {
    type Err = MethodUnknown;

    fn from_str(name: &str) -> Result<Method, MethodUnknown> {
        let known = Self::ALL.into_iter().find(|method| method.name() == name);
        known.ok_or_else(|| MethodUnknown { name: name.chars().take(40).collect() })
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Method {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Method {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Method, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::Method;

    #[test]
    fn a_method_is_said_as_it_is_read() {
        assert_eq!("usb-dfu".parse(), Ok(Method::UsbDfu));
        assert_eq!(Method::UsbDfu.to_string(), "usb-dfu");
        let unknown = "x".repeat(100).parse::<Method>().expect_err("no such method");
        assert_eq!(unknown.name.len(), 40);
    }
}
