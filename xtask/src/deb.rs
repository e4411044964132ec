//! The Debian package, packed with Debian's own tools.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cargo::{Workspace, date, make_folder, output, run as run_call, text};
use crate::shipped::{self, MIT, Package, Tree, filled, read, write};
use crate::{Outcome, stop};

const MAINTAINER: &str = "Hookswitch contributors <nobody@hookswitch.invalid>";

/// Packs it into `folder`.
pub(crate) fn pack(workspace: &Workspace, package: &Package, folder: &Path) -> Outcome<PathBuf> {
    let stage = shipped::stage(folder)?;
    let tree = Tree { root: stage.join("hookswitch"), epoch: package.epoch };
    shipped::lay_out(workspace, package, "usr/share/zsh/vendor-completions", &tree)?;
    tree.put("usr/share/doc/hookswitch/copyright", copyright(workspace)?.as_bytes(), 0o644)?;
    let page = text(&workspace.root.join("CHANGELOG.md"))?;
    let changelog = changelog(&page, &package.version, package.epoch)?;
    tree.put_packed("usr/share/doc/hookswitch/changelog.Debian", changelog.as_bytes())?;
    describe(workspace, package, &tree, &stage)?;
    tree.settle()?;
    let made = folder.join(format!("hookswitch_{}_amd64.deb", package.version));
    // One thread: with more xz cuts into other blocks. xz is what all of Debian reads.
    let mut call = Command::new("dpkg-deb");
    call.env("SOURCE_DATE_EPOCH", package.epoch.to_string());
    call.args(["--root-owner-group", "-Zxz", "-z9", "--threads-max=1", "--build"]);
    run_call(call.arg(&tree.root).arg(&made))?;
    shipped::unstage(&stage)?;
    Ok(made)
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
    let mut compiled = shipped::compiled(workspace)?;
    compiled.insert(0, "Comment: Compiled in, each under its own licence:".to_owned());
    let mit = text(&workspace.root.join(MIT))?;
    let body = mit.lines().map(|line| if line.is_empty() { " .".to_owned() } else { format!(" {line}") });
    let body: Vec<String> = body.collect();
    let template = text(&workspace.root.join("installer/linux/deb/copyright"))?;
    filled(&template, &[("COMPILED", &compiled.join("\n ")), ("MIT", &body.join("\n"))])
}

/// The newest part of `CHANGELOG.md` as Debian writes it.
fn changelog(page: &str, version: &str, epoch: u64) -> Outcome<String> {
    let mut entry = format!("hookswitch ({version}) unstable; urgency=medium\n\n");
    for lines in shipped::points(page)? {
        let _ = writeln!(entry, "  * {}", lines.join("\n    "));
    }
    let _ = write!(entry, "\n -- {MAINTAINER}  {}\n", date(epoch, "-R")?);
    Ok(entry)
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
}
