//! Where the agent keeps its files.
#![expect(clippy::disallowed_methods, reason = "folders are looked at and made here")]

use super::os::{self, Distrust, Owner, ServicePlaces};
use hub::problem::Reason;
use hub::protocol::Problem;
use std::io;
use std::path::{Path, PathBuf};

/// The folders of one user, all of them with mode 0700.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folders {
    /// `hookswitch.toml`.
    pub config: PathBuf,
    /// The database, the certificate, the credential.
    pub data: PathBuf,
    /// The four logs.
    pub state: PathBuf,
    /// Sockets; empty after a restart of the machine.
    pub runtime: PathBuf,
    /// Packages; may be deleted at any time.
    pub cache: PathBuf,
    /// Address and token of the softphone door, for this user's programs. Below `--home` it is at the top, where
    /// scripts look for it.
    pub endpoint: PathBuf,
    pub machine: MachinePlaces,
}

/// What is the machine's: folders with its `hookswitch.toml` and `tenant.toml`, and its service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachinePlaces {
    /// The one that counts below `--home`.
    pub home: Option<PathBuf>,
    /// The one of the computer, which decides on the tenant in any case.
    pub computer: PathBuf,
    /// Where the machine role listens if it is a program of its own.
    pub socket: PathBuf,
}

/// Name of that socket in the runtime folder of the service.
const MACHINE_SOCKET: &str = "machine.sock";

impl Folders {
    /// Creates what is missing and makes sure that files can be written. With `home` (from `--home` or
    /// `HOOKSWITCH_HOME`) everything is below it, also what else belongs to the machine, so that two agents do not meet.
    /// The computer's tenant holds there too.
    ///
    /// # Errors
    /// The first folder that cannot be used, why, and what to do.
    pub fn new(home: Option<&Path>) -> Result<Self, Problem> {
        let folders = Self::places(home)?;
        for folder in folders.all() {
            prepare(folder)?;
        }
        Ok(folders)
    }

    /// The same without touching the disk, for commands that only read.
    ///
    /// # Errors
    /// The system knows no home folder of this user, or it is another user's.
    pub fn places(home: Option<&Path>) -> Result<Self, Problem> {
        let computer = os::machine_settings();
        let folders = match home {
            Some(home) => {
                let home = std::path::absolute(home).map_err(|error| unwritable(home, &error.to_string()))?;
                os::trusted(&home, Owner::Me).map_err(|distrust| foreign(&home, &distrust))?;
                Self {
                    config: home.join("config"),
                    data: home.join("data"),
                    state: home.join("logs"),
                    runtime: home.join("run"),
                    cache: home.join("cache"),
                    endpoint: home.join("endpoint.json"),
                    machine: MachinePlaces {
                        socket: home.join("service/run").join(MACHINE_SOCKET),
                        home: Some(home.join("machine")),
                        computer,
                    },
                }
            }
            None => Self::of_user(computer)?,
        };
        for folder in folders.all() {
            guarded(folder)?;
        }
        Ok(folders)
    }

    /// Those of the machine role as a service. It has no settings of a user; below `home` it has a folder of its own, so
    /// that it meets no agent there.
    ///
    /// # Errors
    /// As [`Folders::new`].
    pub fn of_service(home: Option<&Path>) -> Result<Self, Problem> {
        let user = home.map(|home| Self::places(Some(home))).transpose()?;
        let (places, machine) = match user {
            Some(user) => {
                let own = user.machine.socket.ancestors().nth(2).map(Path::to_owned).unwrap_or_default();
                let places = ServicePlaces {
                    data: own.join("data"),
                    state: own.join("logs"),
                    cache: own.join("cache"),
                    runtime: own.join("run"),
                };
                (places, user.machine)
            }
            None => {
                let places = os::service_places();
                let socket = places.runtime.join(MACHINE_SOCKET);
                (places, MachinePlaces { home: None, computer: os::machine_settings(), socket })
            }
        };
        let ServicePlaces { data, state, cache, runtime } = places;
        for folder in [&data, &state, &cache, &runtime] {
            guarded(folder)?;
        }
        let made = |folder: &Path, made: io::Result<()>| {
            made.map_err(|error| match error.kind() {
                io::ErrorKind::PermissionDenied if home.is_none() => needs_root(folder),
                _ => unwritable(folder, &cause(&error)),
            })
        };
        for folder in [&data, &state, &cache] {
            made(folder, try_out(folder))?;
        }
        made(&runtime, os::public_folder(&runtime))?;
        Ok(Self {
            config: data.join("config"),
            endpoint: runtime.join("endpoint.json"),
            data,
            state,
            runtime,
            cache,
            machine,
        })
    }

    fn of_user(computer: PathBuf) -> Result<Self, Problem> {
        let dirs = directories::ProjectDirs::from("", "", "hookswitch")
            .ok_or_else(|| Reason::HomeUnknown.at("HOME"))?;
        let state = dirs.state_dir().unwrap_or_else(|| dirs.data_local_dir()).to_owned();
        let runtime = dirs.runtime_dir().map_or_else(|| state.join("run"), Path::to_owned);
        Ok(Self {
            config: dirs.config_dir().to_owned(),
            data: dirs.data_local_dir().to_owned(),
            endpoint: runtime.join("endpoint.json"),
            runtime,
            state: state.join("logs"),
            cache: dirs.cache_dir().to_owned(),
            machine: MachinePlaces {
                home: None,
                computer,
                socket: os::service_places().runtime.join(MACHINE_SOCKET),
            },
        })
    }

    fn all(&self) -> [&Path; 5] {
        [&self.config, &self.data, &self.state, &self.runtime, &self.cache]
    }

    /// Whose service has the headsets, if one has: wherever it is, or is to be, it is used. Two masters of one headset
    /// are worse than none.
    pub fn service(&self) -> Option<Owner> {
        let (owner, enabled) = match self.machine.home {
            Some(_) => (Owner::Me, false),
            None => (Owner::Root, os::service_is_enabled()),
        };
        (enabled || os::is_listened_at(&self.machine.socket)).then_some(owner)
    }

    /// The file of the machine's settings that every user may read.
    pub fn machine_settings(&self) -> PathBuf {
        self.machine.home.as_ref().unwrap_or(&self.machine.computer).join("hookswitch.toml")
    }

    /// The file of the user's settings.
    pub fn user_settings(&self) -> PathBuf {
        self.config.join("hookswitch.toml")
    }
}

/// That nobody else can have put there what is believed, or change it. A folder that others may write is closed later,
/// as long as it is empty.
fn guarded(folder: &Path) -> Result<(), Problem> {
    match os::trusted(folder, Owner::Me) {
        Ok(()) => Ok(()),
        Err(Distrust::OpenToOthers(open)) if open == folder && is_empty(folder) => Ok(()),
        Err(distrust) => Err(foreign(folder, &distrust)),
    }
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}

fn prepare(folder: &Path) -> Result<(), Problem> {
    try_out(folder).map_err(|error| unwritable(folder, &cause(&error)))
}

fn try_out(folder: &Path) -> io::Result<()> {
    os::private_folder(folder)?;
    // Permissions do not tell of a read-only or full disk; a file does.
    tempfile::NamedTempFile::new_in(folder).and_then(tempfile::NamedTempFile::close)
}

fn needs_root(folder: &Path) -> Problem {
    Reason::ServiceNeedsRoot.at(folder.display())
}

fn foreign(folder: &Path, distrust: &Distrust) -> Problem {
    match distrust {
        Distrust::Foreign { path, owner } => {
            Reason::HomeForeign { owner: owner.to_owned() }.at(path.display())
        }
        Distrust::OpenToOthers(path) => Reason::HomeOpen.at(path.display()),
        Distrust::System(path, error) => unwritable(path, &error.to_string()),
        Distrust::NotAFile(_) | Distrust::DanglingLink(_) => unwritable(folder, &distrust.to_string()),
    }
}

/// The system's reason without the temporary file's name.
fn cause(error: &std::io::Error) -> String {
    error.raw_os_error().map_or_else(
        || {
            error
                .get_ref()
                .and_then(|e| e.source())
                .map_or_else(|| error.kind().to_string(), ToString::to_string)
        },
        |code| std::io::Error::from_raw_os_error(code).to_string(),
    )
}

fn unwritable(folder: &Path, reason: &str) -> Problem {
    Reason::HomeUnwritable { reason: reason.to_owned() }.at(folder.display())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub::problem::Code;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn everything_is_below_home_and_private() {
        let home = tempfile::tempdir().expect("a temporary folder");
        let folders = Folders::new(Some(home.path())).expect("writable");
        for folder in [&folders.config, &folders.data, &folders.state, &folders.runtime, &folders.cache] {
            assert!(folder.starts_with(home.path()));
            let mode = std::fs::metadata(folder).expect("created").permissions().mode();
            assert_eq!(mode & 0o777, 0o700, "{}", folder.display());
            assert_eq!(std::fs::read_dir(folder).expect("readable").count(), 0, "no probe is left");
        }
        assert!(folders.machine.home.as_ref().is_some_and(|place| place.starts_with(home.path())));
        assert_eq!(
            folders.machine.computer,
            Path::new("/etc/hookswitch"),
            "no home is out of the tenant's reach"
        );
    }

    #[test]
    fn a_folder_open_to_others_is_closed() {
        let home = tempfile::tempdir().expect("a temporary folder");
        let data = home.path().join("data");
        std::fs::create_dir(&data).expect("created");
        std::fs::set_permissions(&data, PermissionsExt::from_mode(0o777)).expect("changed");
        Folders::new(Some(home.path())).expect("writable");
        assert_eq!(std::fs::metadata(&data).expect("there").permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn an_unwritable_home_is_one_clear_problem() {
        let problem = Folders::new(Some(Path::new("/proc/hookswitch"))).expect_err("nobody writes there");
        assert_eq!(problem.code, Code::HomeUnwritable);
        assert_eq!(problem.place(), "/proc/hookswitch/config");
        let home = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(home.path().join("config"), "a file").expect("written");
        assert_eq!(
            Folders::new(Some(home.path())).expect_err("a file is in the way").code,
            Code::HomeUnwritable
        );
    }
}
