//! What is shipped on Linux, whatever packs it: which files lie where, of which version and which time.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, UNIX_EPOCH};

use crate::cargo::{Workspace, date, make_folder, output, show, text};
use crate::{Outcome, Stop, manual, stop};

pub(crate) const MIT: &str = "LICENSE-MIT";
pub(crate) const LICENCES: [&str; 2] = ["LICENSE-APACHE", MIT];

/// Files that are taken as they are.
const PUT: [(&str, &str); 6] = [
    ("installer/linux/70-hookswitch.rules", "usr/lib/udev/rules.d/70-hookswitch.rules"),
    ("installer/linux/hookswitch-machine.service", "usr/lib/systemd/system/hookswitch-machine.service"),
    ("installer/linux/hookswitch.service", "usr/lib/systemd/user/hookswitch.service"),
    ("installer/linux/hookswitch-autostart.desktop", "etc/xdg/autostart/hookswitch.desktop"),
    ("installer/linux/hookswitch.desktop", "usr/share/applications/hookswitch.desktop"),
    ("assets/icons/hookswitch.svg", "usr/share/icons/hicolor/scalable/apps/hookswitch.svg"),
];

/// Where each shell looks for completions, but for zsh, which every distribution has look elsewhere.
const COMPLETIONS: [(&str, &str); 2] = [
    ("bash", "usr/share/bash-completion/completions/hookswitch"),
    ("fish", "usr/share/fish/vendor_completions.d/hookswitch.fish"),
];

/// What a package is made of.
#[derive(Debug, Clone)]
pub(crate) struct Package {
    pub(crate) program: PathBuf,
    pub(crate) version: String,
    /// Seconds since 1970 that all its files are of.
    pub(crate) epoch: u64,
}

impl Package {
    /// Of the agent that is built, under the version that it says.
    pub(crate) fn of(workspace: &Workspace) -> Outcome<Self> {
        let program = workspace.shipped();
        let said = manual::said(&program, &["--version"])?;
        let version = said.trim().strip_prefix("hookswitch ").filter(|text| is_version(text));
        let version = version.ok_or_else(|| stop(format!("\"{}\" names no version.", said.trim())))?;
        Ok(Self { program, version: version.to_owned(), epoch: epoch(workspace)? })
    }

    /// The same with the last part of the version one higher, to try an update with.
    pub(crate) fn next(&self) -> Outcome<Self> {
        let parts =
            self.version.rsplit_once('.').and_then(|(head, last)| Some((head, last.parse::<u64>().ok()?)));
        let (head, last) = parts.ok_or_else(|| stop(format!("no version follows \"{}\".", self.version)))?;
        Ok(Self { version: format!("{head}.{}", last + 1), ..self.clone() })
    }
}

fn is_version(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+'))
}

/// `SOURCE_DATE_EPOCH`, else when the last commit was made.
fn epoch(workspace: &Workspace) -> Outcome<u64> {
    if let Ok(set) = std::env::var("SOURCE_DATE_EPOCH") {
        return set
            .parse()
            .map_err(|_| stop(format!("SOURCE_DATE_EPOCH is \"{set}\", not a number of seconds.")));
    }
    let mut git = workspace.settled("git");
    let said = output(git.args(["log", "-1", "--format=%ct"]))
        .map_err(|Stop(why)| stop(format!("{why} Without git, set SOURCE_DATE_EPOCH.")))?;
    said.trim().parse().map_err(|_| stop(format!("`{}` says \"{}\".", show(&git), said.trim())))
}

/// The files that are installed on every system. `zsh`: the folder of its completions.
pub(crate) fn lay_out(workspace: &Workspace, package: &Package, zsh: &str, tree: &Tree) -> Outcome {
    let Package { program, version, epoch } = package;
    tree.put("usr/bin/hookswitch", &read(program)?, 0o755)?;
    for (from, to) in PUT {
        tree.put(to, &read(&workspace.root.join(from))?, 0o644)?;
    }
    let zsh = format!("{zsh}/_hookswitch");
    for (shell, to) in COMPLETIONS.into_iter().chain([("zsh", zsh.as_str())]) {
        let script = manual::said(program, &["--language", "en-US", "completions", shell])?;
        tree.put(to, script.as_bytes(), 0o644)?;
    }
    let day = date(*epoch, "+%Y-%m-%d")?;
    let page = manual::page(program, version, &day)?;
    tree.put_packed("usr/share/man/man1/hookswitch.1", page.as_bytes())?;
    let metainfo = text(&workspace.root.join("installer/linux/org.hookswitch.Hookswitch.metainfo.xml"))?;
    let metainfo = filled(&metainfo, &[("VERSION", version), ("DATE", &day)])?;
    tree.put("usr/share/metainfo/org.hookswitch.Hookswitch.metainfo.xml", metainfo.as_bytes(), 0o644)
}

/// All that is compiled into the program, as `name version: licence`, sorted.
pub(crate) fn compiled(workspace: &Workspace) -> Outcome<Vec<String>> {
    let mut tree = workspace.cargo("tree");
    tree.args(["--package", "hookswitch", "--edges", "normal", "--target", "x86_64-unknown-linux-gnu"]);
    let said = output(tree.args(["--prefix", "none", "--format", "{p} | {l}"]))?;
    let compiled = compiled_in(&said);
    if compiled.is_empty() {
        return Err(stop("`cargo tree` names nothing that is compiled in."));
    }
    Ok(compiled)
}

/// `name version: licence` of each foreign crate, sorted. Our own have a path behind their version.
fn compiled_in(tree: &str) -> Vec<String> {
    let foreign = tree.lines().filter_map(|line| {
        let (package, licence) = line.trim_end_matches(" (*)").split_once(" | ")?;
        let package = package.trim_end_matches(" (proc-macro)");
        (!package.contains('('))
            .then(|| format!("{package}: {}", if licence.is_empty() { "see its source" } else { licence }))
    });
    let mut found: Vec<String> = foreign.collect();
    found.sort();
    found.dedup();
    found
}

/// The points of the newest part of `CHANGELOG.md`, each with its lines.
pub(crate) fn points(page: &str) -> Outcome<Vec<Vec<&str>>> {
    let mut points: Vec<Vec<&str>> = Vec::new();
    let newest = page.lines().skip_while(|line| !line.starts_with("## ")).skip(1);
    for line in newest.take_while(|line| !line.starts_with("## ")) {
        match (line.strip_prefix("- "), points.last_mut()) {
            (Some(point), _) => points.push(vec![point]),
            (None, Some(last)) if !line.trim().is_empty() => last.push(line.trim()),
            (None, _) => {}
        }
    }
    if points.is_empty() {
        Err(stop("CHANGELOG.md has no points under its first heading."))
    } else {
        Ok(points)
    }
}

/// An empty folder of this name below `folder`.
pub(crate) fn stage(folder: &Path) -> Outcome<PathBuf> {
    let stage = folder.join("stage");
    unstage(&stage)?;
    make_folder(&stage)?;
    Ok(stage)
}

pub(crate) fn unstage(stage: &Path) -> Outcome {
    if !stage.exists() {
        return Ok(());
    }
    std::fs::remove_dir_all(stage).map_err(|why| stop(format!("cannot remove {}: {why}.", stage.display())))
}

/// The template with each `@NAME@` replaced; one that is left, or not there, is an error.
pub(crate) fn filled(template: &str, values: &[(&str, &str)]) -> Outcome<String> {
    let mut rest = template.to_owned();
    for (name, value) in values {
        let mark = format!("@{name}@");
        if !rest.contains(&mark) {
            return Err(stop(format!("a template under installer/linux has no {mark}.")));
        }
        rest = rest.replace(&mark, value);
    }
    Ok(rest)
}

/// A folder that becomes a package.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) root: PathBuf,
    pub(crate) epoch: u64,
}

impl Tree {
    pub(crate) fn put(&self, at: &str, bytes: &[u8], mode: u32) -> Outcome {
        let path = self.root.join(at);
        if let Some(folder) = path.parent() {
            make_folder(folder)?;
        }
        write(&path, bytes)?;
        self.set_mode(&path, mode)
    }

    /// Through gzip, which then says neither its name nor the time.
    pub(crate) fn put_packed(&self, at: &str, bytes: &[u8]) -> Outcome {
        self.put(at, bytes, 0o644)?;
        output(Command::new("gzip").arg("-9n").arg(self.root.join(at))).map(drop)
    }

    /// All that is installed, sorted, seen from the root.
    pub(crate) fn files(&self) -> Outcome<Vec<String>> {
        let mut files = Vec::new();
        for path in self.walk()?.into_iter().filter(|path| path.is_file()) {
            let inside = path.strip_prefix(&self.root).ok().and_then(Path::to_str);
            files.push(
                inside
                    .ok_or_else(|| stop(format!("{} is no name for a package.", path.display())))?
                    .to_owned(),
            );
        }
        files.sort();
        Ok(files)
    }

    /// Modes that do not hang on who builds, and the time of the source for all.
    pub(crate) fn settle(&self) -> Outcome {
        let time = UNIX_EPOCH + Duration::from_secs(self.epoch);
        // What lies deepest first: to write into a folder is to change its time.
        for path in self.walk()?.into_iter().rev() {
            if path.is_dir() {
                self.set_mode(&path, 0o755)?;
            } else if path.extension().is_some_and(|extension| extension == "gz") {
                self.set_mode(&path, 0o644)?;
            }
            let set = std::fs::File::open(&path).and_then(|file| file.set_modified(time));
            set.map_err(|why| stop(format!("cannot set the time of {}: {why}.", path.display())))?;
        }
        Ok(())
    }

    /// Everything, folders before what is in them.
    pub(crate) fn walk(&self) -> Outcome<Vec<PathBuf>> {
        let mut found = vec![self.root.clone()];
        let mut next = 0;
        while let Some(path) = found.get(next).cloned() {
            next += 1;
            if path.is_dir() {
                let entries = std::fs::read_dir(&path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
                let entries =
                    entries.map_err(|why| stop(format!("cannot read {}: {why}.", path.display())))?;
                found.extend(entries.into_iter().map(|entry| entry.path()));
            }
        }
        Ok(found)
    }

    fn set_mode(&self, path: &Path, mode: u32) -> Outcome {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
            .map_err(|why| stop(format!("cannot set the mode of {}: {why}.", path.display())))
    }
}

pub(crate) fn read(path: &Path) -> Outcome<Vec<u8>> {
    std::fs::read(path).map_err(|why| stop(format!("cannot read {}: {why}.", path.display())))
}

pub(crate) fn write(path: &Path, bytes: &[u8]) -> Outcome {
    std::fs::write(path, bytes).map_err(|why| stop(format!("cannot write {}: {why}.", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_crates_are_listed_once_and_without_the_paths_of_ours() {
        let tree = "hookswitch v0.1.0 (/a/b) | MIT\nx v1.0.0 | MIT\nderive v2.0.0 (proc-macro) | ISC\nx v1.0.0 | MIT (*)\n\n";
        assert_eq!(compiled_in(tree), ["derive v2.0.0: ISC", "x v1.0.0: MIT"]);
    }

    #[test]
    fn a_template_that_has_lost_a_place_is_not_filled() {
        assert_eq!(filled("a @X@ b", &[("X", "1")]).expect("filled"), "a 1 b");
        assert!(filled("a b", &[("X", "1")]).is_err());
    }

    #[test]
    fn the_next_version_is_one_higher() {
        let package = |version: &str| Package { program: "x".into(), version: version.into(), epoch: 0 };
        assert_eq!(package("0.1.9").next().expect("a version").version, "0.1.10");
        assert!(package("0.1.x").next().is_err());
        assert!(is_version("1.0.0-rc.1") && !is_version("v1") && !is_version("1 2") && !is_version(""));
    }

    #[test]
    fn the_points_of_the_newest_version_are_told_line_by_line() {
        let page = "# Changelog\n\n## 2.0.0\n\n- One\n  and more.\n- Two.\n\n## 1.0.0\n\n- Old.\n";
        let told = points(page).expect("points");
        assert_eq!(told, [vec!["One", "and more."], vec!["Two."]]);
        assert!(points("# Changelog\n").is_err());
    }
}
