//! What the test tiers are, what each needs, and what is counted: data alone.

use std::path::PathBuf;

use crate::{Outcome, stop};

/// What one purpose needs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Needs {
    pub(crate) purpose: &'static str,
    /// Names of Debian packages.
    pub(crate) packages: &'static [&'static str],
    /// Commands that must then be there; other systems may have them from elsewhere.
    pub(crate) commands: &'static [&'static str],
}

pub(crate) const BUILD: Needs = Needs {
    purpose: "building",
    packages: &["gcc", "libc6-dev", "pkg-config", "libudev-dev", "libusb-1.0-0-dev"],
    commands: &["cc", "pkg-config"],
};

/// Of what the tier `packages` needs, what `cargo xtask dist` does.
pub(crate) const PACK: Needs = Needs {
    purpose: "packing",
    packages: &["binutils", "coreutils", "dpkg", "dpkg-dev", "git", "gzip", "rpm"],
    commands: &["date", "dpkg-deb", "dpkg-shlibdeps", "gzip", "md5sum", "objdump", "rpmbuild", "sha256sum"],
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tier {
    Fast,
    Directory,
    Browser,
    Kernel,
    Accounts,
    Desktop,
    Packages,
    Windows,
    MacOs,
}

impl Tier {
    pub(crate) const ALL: [Self; 9] = [
        Self::Fast,
        Self::Directory,
        Self::Browser,
        Self::Kernel,
        Self::Accounts,
        Self::Desktop,
        Self::Packages,
        Self::Windows,
        Self::MacOs,
    ];

    /// The name of the tier; for those with a rig also of its integration test.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Fast => "fast",
            Self::Directory => "directory",
            Self::Browser => "browser",
            Self::Kernel => "kernel",
            Self::Accounts => "accounts",
            Self::Desktop => "desktop",
            Self::Packages => "packages",
            Self::Windows => "windows",
            Self::MacOs => "macos",
        }
    }

    pub(crate) fn named(name: &str) -> Outcome<Self> {
        let found = Self::ALL.into_iter().find(|tier| tier.name() == name);
        found.ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            stop(format!("there is no tier \"{name}\"; there are {names}."))
        })
    }

    pub(crate) fn needs(self) -> Needs {
        let (packages, commands): (&[&str], &[&str]) = match self {
            Self::Fast => (
                &["curl", "dbus", "procps", "python3", "util-linux"],
                &["curl", "dbus-daemon", "kill", "prlimit", "python3"],
            ),
            Self::Directory => {
                (&["slapd", "ldap-utils", "openssl"], &["slapd", "ldapadd", "ldapsearch", "openssl"])
            }
            Self::Browser => {
                (&["chromium", "chromium-driver", "libnss3-tools"], &["chromium", "chromedriver", "certutil"])
            }
            Self::Kernel => (
                &["xz-utils", "dbus", "libglib2.0-bin", "passwd", "util-linux"],
                &[
                    "apt-get",
                    "dpkg-deb",
                    "xz",
                    "dbus-daemon",
                    "dbus-run-session",
                    "gdbus",
                    "setpriv",
                    "useradd",
                ],
            ),
            Self::Accounts => (
                &["dbus", "passwd", "perl-base", "systemd", "udev", "util-linux"],
                &[
                    "dbus-daemon",
                    "perl",
                    "setpriv",
                    "systemctl",
                    "systemd-analyze",
                    "udevadm",
                    "unshare",
                    "useradd",
                ],
            ),
            Self::Desktop => (
                &[
                    "xvfb",
                    "xfce4-panel",
                    "xfconf",
                    "dbus",
                    "dbus-x11",
                    "libglib2.0-bin",
                    "imagemagick",
                    "xdotool",
                    "adwaita-icon-theme",
                    "fonts-dejavu-core",
                ],
                &["Xvfb", "xfce4-panel", "dbus-run-session", "gdbus", "import", "xdotool"],
            ),
            Self::Packages => (
                &[
                    "appstream",
                    "binutils",
                    "coreutils",
                    "desktop-file-utils",
                    "dpkg",
                    "dpkg-dev",
                    "git",
                    "gzip",
                    "man-db",
                    "mmdebstrap",
                    "systemd",
                    "util-linux",
                ],
                &[
                    "appstreamcli",
                    "chroot",
                    "desktop-file-validate",
                    "dpkg-deb",
                    "dpkg-shlibdeps",
                    "gzip",
                    "man",
                    "mmdebstrap",
                    "objdump",
                    "sha256sum",
                    "systemd-analyze",
                    "unshare",
                ],
            ),
            Self::Windows | Self::MacOs => (&[], &["rustup"]),
        };
        Needs { purpose: self.name(), packages, commands }
    }

    /// What is fetched once before the rig can stand, seen from the workspace's root.
    pub(crate) fn setup(self) -> Option<PathBuf> {
        match self {
            Self::Kernel => Some("tests/kernel/setup.sh".into()),
            Self::Packages => Some("tests/packages/setup.sh".into()),
            Self::Fast | Self::Directory | Self::Browser | Self::Accounts | Self::Desktop => None,
            Self::Windows | Self::MacOs => None,
        }
    }

    /// The rig that the tests of this tier are started by, seen from the workspace's root.
    pub(crate) fn rig(self) -> Vec<PathBuf> {
        match self {
            Self::Fast | Self::Kernel | Self::Windows | Self::MacOs => vec![],
            Self::Directory => vec!["tests/directory/slapd.sh".into(), "with".into()],
            Self::Browser => vec!["tests/browser/rig.sh".into(), "with".into()],
            Self::Accounts => vec!["tests/accounts/rig.sh".into()],
            Self::Desktop => vec!["tests/desktop/rig.sh".into()],
            Self::Packages => vec!["tests/packages/rig.sh".into()],
        }
    }
}

/// What tests came to.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}
