//! Which softphone it is, as the system tells it.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use tenant::grammar::{is_page_origin, is_program_path};

/// A softphone, by what it cannot choose: a page by the Origin that its browser says, a program by the executable behind
/// the connection. The name that a program gives itself is a label for people, and nothing is decided by it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum ClientId {
    /// A web page: `https://softphone.example`.
    #[serde(rename = "origin")]
    Page(String),
    /// A program: the path of its executable.
    #[serde(rename = "program")]
    Program(String),
    /// A program of this account of which the system does not tell which one it is. All such are one softphone.
    #[serde(rename = "unnamed")]
    Unnamed,
}

/// By the names of their files, without version and `.exe`.
const INTERPRETERS: [&str; 27] = [
    "ash",
    "bash",
    "bun",
    "busybox",
    "cscript",
    "dash",
    "deno",
    "dotnet",
    "java",
    "javaw",
    "ksh",
    "lua",
    "mono",
    "node",
    "nodejs",
    "perl",
    "php",
    "powershell",
    "pwsh",
    "python",
    "pythonw",
    "ruby",
    "sh",
    "tclsh",
    "wish",
    "wscript",
    "zsh",
];

impl ClientId {
    /// As settings, policies and people name it.
    pub fn named(text: &str) -> Option<Self> {
        if is_page_origin(text) {
            return Some(Self::Page(text.to_owned()));
        }
        is_program_path(text).then(|| Self::Program(text.to_owned()))
    }

    /// The program of this executable.
    pub fn of_program(path: &str) -> Self {
        if is_program_path(path) { Self::Program(path.to_owned()) } else { Self::Unnamed }
    }

    /// As people name it; a program without a name is called what it is.
    pub fn name(&self) -> &str {
        match self {
            Self::Page(name) | Self::Program(name) => name,
            Self::Unnamed => "program",
        }
    }

    pub fn is_page(&self) -> bool {
        matches!(self, Self::Page(_))
    }

    /// It only runs what it is given: what it may, every such script may.
    pub fn runs_scripts(&self) -> bool {
        let Self::Program(path) = self else { return false };
        let name = path.rsplit(['/', '\\']).next().unwrap_or_default().to_ascii_lowercase();
        let name = name.strip_suffix(".exe").unwrap_or(&name);
        // `python3.12` is one of them.
        let name = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.' || c == '-');
        INTERPRETERS.contains(&name)
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// For serde: its name alone.
pub(super) mod name {
    use super::*;

    pub(in super::super) fn serialize<S: Serializer>(id: &ClientId, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(id.name())
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<ClientId, D::Error> {
        let name = String::deserialize(from)?;
        Ok(ClientId::named(&name).unwrap_or(ClientId::Unnamed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_page_or_a_program_and_nothing_else() {
        let page = ClientId::Page("https://phone.example".to_owned());
        assert_eq!(ClientId::named("https://phone.example"), Some(page));
        for path in ["/usr/bin/phone", "C:\\Program Files\\Phone\\phone.exe"] {
            assert_eq!(ClientId::named(path), Some(ClientId::Program(path.to_owned())));
        }
        for none in ["", "program", "phone", "https://Phone.example", "null"] {
            assert_eq!(ClientId::named(none), None, "{none}");
        }
    }

    #[test]
    fn what_runs_scripts_is_known_by_its_file() {
        let runs = |path: &str| ClientId::Program(path.to_owned()).runs_scripts();
        for path in ["/usr/bin/python3.12", "/bin/sh", "/opt/jdk-21/bin/java", "C:\\node\\Node.exe"] {
            assert!(runs(path), "{path}");
        }
        for path in ["/usr/bin/phone", "/opt/python3/bin/phone", "/usr/bin/shell", "/"] {
            assert!(!runs(path), "{path}");
        }
        assert!(
            !ClientId::Page("https://node".to_owned()).runs_scripts() && !ClientId::Unnamed.runs_scripts()
        );
    }
}
