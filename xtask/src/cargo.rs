//! The workspace, its one target folder, and calls of cargo.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Outcome, Stop, stop};

/// The packages of this workspace, for what must be said of each by name.
const MEMBERS: [&str; 9] =
    ["hookswitch", "hub", "device-handlers", "dfu", "directory", "tenant", "simulator", "torture", "xtask"];

/// Systems that are checked here and not run.
pub(crate) const WINDOWS: &str = "x86_64-pc-windows-gnu";
pub(crate) const MACOS: &str = "aarch64-apple-darwin";

/// This checkout and where it is built.
#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) target: PathBuf,
    /// Cargo.lock must be right as it is.
    locked: bool,
}

impl Workspace {
    /// Finds both folders, says where things are built, and makes that folder this checkout's.
    pub(crate) fn open(locked: bool) -> Outcome<Self> {
        // cargo says at run time which checkout this is; what was compiled in may be another that shares the folder
        let package =
            std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&package).parent().map(Path::to_owned);
        let root = root.ok_or_else(|| stop("xtask is not inside a workspace."))?;
        let target = match std::env::var_os("CARGO_TARGET_DIR") {
            Some(folder) => root.join(folder),
            None => cache_folder()?.join("target"),
        };
        make_folder(&target)?;
        println!("Building into {} (set CARGO_TARGET_DIR to change that).", target.display());
        let workspace = Self { root, target, locked };
        workspace.claim_target()?;
        Ok(workspace)
    }

    /// Cargo tells files of two checkouts apart by their time stamps alone: after another checkout was built here,
    /// an older file of this one would count as built. So the workspace's own packages are then built anew.
    fn claim_target(&self) -> Outcome {
        let mark = self.target.join("hookswitch-checkout");
        let mine = self.root.to_string_lossy();
        let before = std::fs::read_to_string(&mark).unwrap_or_default();
        if !before.is_empty() && before != mine {
            println!("That folder was last used by {before}: this workspace's packages are built anew.");
            // Cargo cleans for one profile and one system at a time; what is left stays the other checkout's.
            let kept = [("dev", None), ("release", None), ("dev", Some(WINDOWS)), ("dev", Some(MACOS))];
            for (profile, system) in kept {
                let mut clean = self.cargo("clean");
                clean.args(["--quiet", "--profile", profile]);
                clean.args(system.into_iter().flat_map(|target| ["--target", target]));
                for member in MEMBERS {
                    clean.args(["--package", member]);
                }
                run(&mut clean)?;
            }
        }
        std::fs::write(&mark, mine.as_bytes())
            .map_err(|why| stop(format!("cannot write {}: {why}.", mark.display())))
    }

    /// `cargo COMMAND`, in this workspace, into its target folder.
    pub(crate) fn cargo(&self, command: &str) -> Command {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        self.settle(&mut cargo);
        cargo.arg(command);
        if self.locked && !matches!(command, "fmt" | "clean" | "nextest") {
            cargo.arg("--locked");
        }
        cargo
    }

    /// `cargo nextest run`, started by a rig's `with` if there is one.
    pub(crate) fn nextest(&self, rig: &[PathBuf]) -> Command {
        let mut call = self.through(rig, OsStr::new("cargo"));
        call.args(["nextest", "run", "--workspace", "--no-fail-fast", "--config-file", "xtask/nextest.toml"]);
        if self.locked {
            call.arg("--locked");
        }
        call
    }

    /// A program that is no cargo, in this workspace.
    pub(crate) fn settled(&self, program: &str) -> Command {
        let mut call = Command::new(program);
        self.settle(&mut call);
        call
    }

    /// A program started by a rig, or by itself if `rig` is empty. Paths are seen from the workspace's root.
    pub(crate) fn through(&self, rig: &[PathBuf], program: &OsStr) -> Command {
        let mut words = rig.iter().map(|word| word.as_os_str()).chain([program]);
        let mut call = Command::new(self.root.join(words.next().unwrap_or(program)));
        if rig.is_empty() {
            call = Command::new(program);
        }
        call.args(words);
        self.settle(&mut call);
        call
    }

    fn settle(&self, call: &mut Command) {
        call.current_dir(&self.root).env("CARGO_TARGET_DIR", &self.target);
        // what cargo set for this tool is not meant for what the tool starts
        for name in ["CARGO_MANIFEST_DIR", "CARGO_MANIFEST_PATH", "CARGO_PKG_NAME", "CARGO_PKG_VERSION"] {
            call.env_remove(name);
        }
    }

    /// Builds every program and example once, as the tests will use them.
    pub(crate) fn build_programs(&self) -> Outcome {
        run(self.cargo("build").args(["--workspace", "--bins", "--examples"]))
    }

    /// Where those programs are; the examples are in `examples/` below it.
    pub(crate) fn programs(&self) -> PathBuf {
        self.target.join("debug")
    }

    /// Builds the agent as it is shipped.
    pub(crate) fn build_shipped(&self) -> Outcome {
        run(self.release("build")?.args(["--package", "hookswitch", "--bin", "hookswitch"]))
    }

    /// `cargo COMMAND --release`, without the names of this computer's folders in what it makes: they tell strangers who
    /// built it, and make other bytes of the same source.
    pub(crate) fn release(&self, command: &str) -> Outcome<Command> {
        let folders = self.folders()?;
        let mut rust: Vec<String> =
            match (std::env::var("CARGO_ENCODED_RUSTFLAGS"), std::env::var("RUSTFLAGS")) {
                (Ok(flags), _) if !flags.is_empty() => flags.split('\x1f').map(str::to_owned).collect(),
                (_, Ok(flags)) => flags.split_whitespace().map(str::to_owned).collect(),
                _ => Vec::new(),
            };
        rust.extend(
            folders.iter().map(|(path, name)| format!("--remap-path-prefix={}={name}", path.display())),
        );
        let mut c: Vec<String> =
            std::env::var("CFLAGS").into_iter().filter(|flags| !flags.is_empty()).collect();
        c.extend(folders.iter().map(|(path, name)| format!("-ffile-prefix-map={}={name}", path.display())));
        let mut cargo = self.cargo(command);
        cargo.arg("--release").env("CARGO_ENCODED_RUSTFLAGS", rust.join("\x1f")).env("CFLAGS", c.join(" "));
        Ok(cargo)
    }

    /// This computer's folders that compilers write into programs, each with a name that is the same everywhere. Where
    /// one lies in another, the inner one is last: the last that matches counts. Not this checkout, whose files cargo
    /// names by their place in it: flags of its own would build all libraries anew for each.
    fn folders(&self) -> Outcome<Vec<(PathBuf, &'static str)>> {
        let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
        let home = home.or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cargo")));
        let home = home.ok_or_else(|| stop("neither CARGO_HOME nor HOME is set: set one."))?;
        let sysroot = output(self.settled("rustc").args(["--print", "sysroot"]))?;
        let mut folders = vec![
            (self.target.clone(), "/target"),
            (Path::new(sysroot.trim()).join("lib/rustlib/src/rust"), "/rustc"),
        ];
        // One for each registry, named after its address.
        let registries = home.join("registry/src");
        if folder_entries(&registries).is_empty() {
            // Before the first build there is none.
            run(&mut self.cargo("fetch"))?;
        }
        folders.extend(folder_entries(&registries).into_iter().map(|of| (of, "/crates")));
        folders.sort();
        Ok(folders)
    }

    /// Where that is.
    pub(crate) fn shipped(&self) -> PathBuf {
        self.target.join("release/hookswitch")
    }

    /// Where tests leave what a person may want to look at.
    pub(crate) fn artifacts(&self) -> PathBuf {
        self.target.join("artifacts")
    }

    /// The names of the workspace's integration tests, sorted.
    pub(crate) fn integration_tests(&self) -> Vec<String> {
        let mut names = Vec::new();
        let members = folder_entries(&self.root).into_iter().filter(|path| path.join("Cargo.toml").is_file());
        for member in members.chain([self.root.clone()]).filter(|path| !path.ends_with("fuzz")) {
            for path in folder_entries(&member.join("tests")) {
                let is_test = path.extension() == Some(OsStr::new("rs")) || path.join("main.rs").is_file();
                if let Some(name) = path.file_stem().filter(|_| is_test) {
                    names.push(name.to_string_lossy().into_owned());
                }
            }
        }
        names.sort();
        names.dedup();
        names
    }
}

/// `$XDG_CACHE_HOME/hookswitch`, which the rigs use as well.
pub(crate) fn cache_folder() -> Outcome<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("XDG_CACHE_HOME")
        .or_else(|| set("HOME").map(|home| home.join(".cache")))
        .map(|cache| cache.join("hookswitch"))
        .ok_or_else(|| stop("neither HOME nor XDG_CACHE_HOME is set: set one, or CARGO_TARGET_DIR."))
}

/// A point in time (seconds since 1970) as `date` writes it, in UTC.
pub(crate) fn date(epoch: u64, format: &str) -> Outcome<String> {
    let mut call = Command::new("date");
    let said = output(call.env("LC_ALL", "C").args(["-u", &format!("--date=@{epoch}"), format]))?;
    Ok(said.trim().to_owned())
}

pub(crate) fn text(path: &Path) -> Outcome<String> {
    std::fs::read_to_string(path).map_err(|why| stop(format!("cannot read {}: {why}.", path.display())))
}

pub(crate) fn make_folder(path: &Path) -> Outcome {
    std::fs::create_dir_all(path)
        .map_err(|why| stop(format!("cannot make the folder {}: {why}.", path.display())))
}

fn folder_entries(path: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

/// Shows the call, runs it, and stops the task if it fails.
pub(crate) fn run(call: &mut Command) -> Outcome {
    let shown = show(call);
    println!("> {shown}");
    match call.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(stop(format!("`{shown}` ended with {status}."))),
        Err(why) => Err(cannot_start(call, &why)),
    }
}

/// What a program prints; that it fails is an error.
pub(crate) fn output(call: &mut Command) -> Outcome<String> {
    let output = call.output().map_err(|why| cannot_start(call, &why))?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(stop(format!("`{}` ended with {}: {}.", show(call), output.status, why.trim())));
    }
    String::from_utf8(output.stdout).map_err(|_| stop(format!("`{}` prints no text.", show(call))))
}

pub(crate) fn cannot_start(call: &Command, why: &std::io::Error) -> Stop {
    stop(format!("cannot start {}: {why}.", call.get_program().to_string_lossy()))
}

/// The call as one would type it.
pub(crate) fn show(call: &Command) -> String {
    let program = Path::new(call.get_program()).file_name().unwrap_or(call.get_program());
    let words = [program].into_iter().chain(call.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}
