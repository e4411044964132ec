//! The Debian package: what lies where, and its packing with Debian's own tools.

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, UNIX_EPOCH};

use crate::cargo::{Workspace, date, make_folder, output, run as run_call, show, text};
use crate::{Outcome, Stop, manual, sbom, stop};

const MAINTAINER: &str = "Hookswitch contributors <nobody@hookswitch.invalid>";
const LICENCE: &str = "LICENSE-MIT";

/// Files that are taken as they are.
const PUT: [(&str, &str); 6] = [
    ("installer/linux/70-hookswitch.rules", "usr/lib/udev/rules.d/70-hookswitch.rules"),
    ("installer/linux/hookswitch-machine.service", "usr/lib/systemd/system/hookswitch-machine.service"),
    ("installer/linux/hookswitch.service", "usr/lib/systemd/user/hookswitch.service"),
    ("installer/linux/hookswitch-autostart.desktop", "etc/xdg/autostart/hookswitch.desktop"),
    ("installer/linux/hookswitch.desktop", "usr/share/applications/hookswitch.desktop"),
    ("assets/icons/hookswitch.svg", "usr/share/icons/hicolor/scalable/apps/hookswitch.svg"),
];

/// Where each shell looks for completions.
const COMPLETIONS: [(&str, &str); 3] = [
    ("bash", "usr/share/bash-completion/completions/hookswitch"),
    ("zsh", "usr/share/zsh/vendor-completions/_hookswitch"),
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

/// Packs it into `folder`, with what it is made of and the list of check sums beside it.
pub(crate) fn pack(workspace: &Workspace, package: &Package, folder: &Path) -> Outcome<PathBuf> {
    let stage = folder.join("stage");
    if stage.exists() {
        std::fs::remove_dir_all(&stage)
            .map_err(|why| stop(format!("cannot empty {}: {why}.", stage.display())))?;
    }
    let tree = Tree { root: stage.join("hookswitch"), epoch: package.epoch };
    lay_out(workspace, package, &tree)?;
    describe(workspace, package, &tree, &stage)?;
    tree.settle()?;
    let name = format!("hookswitch_{}_amd64.deb", package.version);
    // One thread: with more xz cuts into other blocks. xz is what all of Debian reads.
    let mut call = Command::new("dpkg-deb");
    call.env("SOURCE_DATE_EPOCH", package.epoch.to_string());
    call.args(["--root-owner-group", "-Zxz", "-z9", "--threads-max=1", "--build"]);
    run_call(call.arg(&tree.root).arg(folder.join(&name)))?;
    std::fs::remove_dir_all(&stage)
        .map_err(|why| stop(format!("cannot remove {}: {why}.", stage.display())))?;
    let made_of = format!("hookswitch_{}.cdx.json", package.version);
    write(&folder.join(&made_of), sbom::of(workspace, &package.version, package.epoch)?.as_bytes())?;
    let sums = output(Command::new("sha256sum").args([&name, &made_of]).current_dir(folder))?;
    write(&folder.join("SHA256SUMS"), sums.as_bytes())?;
    Ok(folder.join(name))
}

/// The files that are installed.
fn lay_out(workspace: &Workspace, package: &Package, tree: &Tree) -> Outcome {
    let Package { program, version, epoch } = package;
    tree.put("usr/bin/hookswitch", &read(program)?, 0o755)?;
    for (from, to) in PUT {
        tree.put(to, &read(&workspace.root.join(from))?, 0o644)?;
    }
    for (shell, to) in COMPLETIONS {
        let script = manual::said(program, &["--language", "en-US", "completions", shell])?;
        tree.put(to, script.as_bytes(), 0o644)?;
    }
    let day = date(*epoch, "+%Y-%m-%d")?;
    let page = manual::page(program, version, &day)?;
    tree.put_packed("usr/share/man/man1/hookswitch.1", page.as_bytes())?;
    let metainfo = text(&workspace.root.join("installer/linux/org.hookswitch.Hookswitch.metainfo.xml"))?;
    let metainfo = filled(&metainfo, &[("VERSION", version), ("DATE", &day)])?;
    tree.put("usr/share/metainfo/org.hookswitch.Hookswitch.metainfo.xml", metainfo.as_bytes(), 0o644)?;
    tree.put("usr/share/doc/hookswitch/copyright", copyright(workspace)?.as_bytes(), 0o644)?;
    let changelog = changelog(&text(&workspace.root.join("CHANGELOG.md"))?, version, *epoch)?;
    tree.put_packed("usr/share/doc/hookswitch/changelog.Debian", changelog.as_bytes())
}

/// What dpkg reads: control file, maintainer scripts, check sums.
fn describe(workspace: &Workspace, package: &Package, tree: &Tree, stage: &Path) -> Outcome {
    let files = tree.files()?;
    let in_etc: String =
        files.iter().filter(|file| file.starts_with("etc/")).map(|file| format!("/{file}\n")).collect();
    let mut bytes = 0;
    for file in &files {
        let path = tree.root.join(file);
        bytes += std::fs::metadata(&path).map_err(|why| stop(format!("{}: {why}.", path.display())))?.len();
    }
    let of_program = files.iter().filter(|file| !file.starts_with("etc/"));
    let sums = output(Command::new("md5sum").args(of_program).current_dir(&tree.root))?;
    let source = workspace.root.join("installer/linux/deb");
    let control = filled(
        &text(&source.join("control"))?,
        &[
            ("VERSION", &package.version),
            ("SIZE", &bytes.div_ceil(1024).to_string()),
            ("DEPENDS", &depends(&tree.root.join("usr/bin/hookswitch"), stage)?),
        ],
    )?;
    tree.put("DEBIAN/control", control.as_bytes(), 0o644)?;
    tree.put("DEBIAN/conffiles", in_etc.as_bytes(), 0o644)?;
    tree.put("DEBIAN/md5sums", sums.as_bytes(), 0o644)?;
    for script in ["postinst", "prerm", "postrm"] {
        tree.put(&format!("DEBIAN/{script}"), &read(&source.join(script))?, 0o755)?;
    }
    Ok(())
}

/// The packages of the libraries that the program loads, each with the version whose symbols it uses.
fn depends(program: &Path, stage: &Path) -> Outcome<String> {
    // dpkg-shlibdeps wants a source package around it
    let around = stage.join("source");
    make_folder(&around.join("debian"))?;
    write(
        &around.join("debian/control"),
        b"Source: hookswitch\n\nPackage: hookswitch\nArchitecture: amd64\n",
    )?;
    let said = output(Command::new("dpkg-shlibdeps").args(["-O", "-e"]).arg(program).current_dir(&around))?;
    let found = said.lines().find_map(|line| line.strip_prefix("shlibs:Depends=")).map(str::trim);
    let found = found.filter(|depends| depends.contains("libc6"));
    found
        .map(str::to_owned)
        .ok_or_else(|| stop(format!("dpkg-shlibdeps finds no libraries: \"{}\".", said.trim())))
}

/// The licence, and those of all that is compiled into the program.
fn copyright(workspace: &Workspace) -> Outcome<String> {
    let mut tree = workspace.cargo("tree");
    tree.args(["--package", "hookswitch", "--edges", "normal", "--target", "x86_64-unknown-linux-gnu"]);
    let said = output(tree.args(["--prefix", "none", "--format", "{p} | {l}"]))?;
    let mut compiled = compiled_in(&said);
    if compiled.is_empty() {
        return Err(stop("`cargo tree` names nothing that is compiled in."));
    }
    compiled.insert(0, "Comment: Compiled in, each under its own licence:".to_owned());
    let mit = text(&workspace.root.join(LICENCE))?;
    let body = mit.lines().map(|line| if line.is_empty() { " .".to_owned() } else { format!(" {line}") });
    let body: Vec<String> = body.collect();
    let template = text(&workspace.root.join("installer/linux/deb/copyright"))?;
    filled(&template, &[("COMPILED", &compiled.join("\n ")), ("MIT", &body.join("\n"))])
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

/// The newest part of `CHANGELOG.md` as Debian writes it.
fn changelog(page: &str, version: &str, epoch: u64) -> Outcome<String> {
    let mut entry = format!("hookswitch ({version}) unstable; urgency=medium\n\n");
    let newest = page.lines().skip_while(|line| !line.starts_with("## ")).skip(1);
    let mut points = 0;
    for line in newest.take_while(|line| !line.starts_with("## ")) {
        if let Some(point) = line.strip_prefix("- ") {
            points += 1;
            let _ = writeln!(entry, "  * {point}");
        } else if !line.trim().is_empty() {
            let _ = writeln!(entry, "    {}", line.trim());
        }
    }
    if points == 0 {
        return Err(stop("CHANGELOG.md has no points under its first heading."));
    }
    let _ = write!(entry, "\n -- {MAINTAINER}  {}\n", date(epoch, "-R")?);
    Ok(entry)
}

/// The template with each `@NAME@` replaced; one that is left, or not there, is an error.
fn filled(template: &str, values: &[(&str, &str)]) -> Outcome<String> {
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
struct Tree {
    root: PathBuf,
    epoch: u64,
}

impl Tree {
    fn put(&self, at: &str, bytes: &[u8], mode: u32) -> Outcome {
        let path = self.root.join(at);
        if let Some(folder) = path.parent() {
            make_folder(folder)?;
        }
        write(&path, bytes)?;
        self.set_mode(&path, mode)
    }

    /// Through gzip, which then says neither its name nor the time.
    fn put_packed(&self, at: &str, bytes: &[u8]) -> Outcome {
        self.put(at, bytes, 0o644)?;
        output(Command::new("gzip").arg("-9n").arg(self.root.join(at))).map(drop)
    }

    /// All that is installed, sorted, seen from the root.
    fn files(&self) -> Outcome<Vec<String>> {
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
    fn settle(&self) -> Outcome {
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
    fn walk(&self) -> Outcome<Vec<PathBuf>> {
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

fn read(path: &Path) -> Outcome<Vec<u8>> {
    std::fs::read(path).map_err(|why| stop(format!("cannot read {}: {why}.", path.display())))
}

fn write(path: &Path, bytes: &[u8]) -> Outcome {
    std::fs::write(path, bytes).map_err(|why| stop(format!("cannot write {}: {why}.", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_changelog_is_the_newest_part_in_debian_s_form() {
        let page = "# Changelog\n\n## 2.0.0\n\n- One\n  and more.\n- Two.\n\n## 1.0.0\n\n- Old.\n";
        let told = changelog(page, "2.0.0", 0).expect("a changelog");
        assert_eq!(
            told,
            format!(
                "hookswitch (2.0.0) unstable; urgency=medium\n\n  * One\n    and more.\n  * Two.\n\n -- {MAINTAINER}  Thu, 01 Jan 1970 00:00:00 +0000\n"
            )
        );
        assert!(changelog("# Changelog\n", "2.0.0", 0).is_err());
    }

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
}
