//! The package for Fedora, openSUSE and their relatives, packed with rpm's own tools.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cargo::{Workspace, date, run as run_call, text};
use crate::shipped::{self, LICENCES, Package, Tree, filled, read, write};
use crate::{Outcome, stop};

const SOURCE: &str = "installer/linux/rpm";
/// What a distribution that has no preset for the units goes by.
const PRESETS: [(&str, &str); 2] = [
    ("50-hookswitch-system.preset", "usr/lib/systemd/system-preset/50-hookswitch.preset"),
    ("50-hookswitch-user.preset", "usr/lib/systemd/user-preset/50-hookswitch.preset"),
];
const LICENCE_FOLDER: &str = "usr/share/licenses/hookswitch";
/// Of each system, and of no package of ours.
const OF_THE_SYSTEM: [&str; 8] = [
    "etc",
    "usr",
    "usr/bin",
    "usr/lib",
    "usr/share",
    "usr/share/man",
    "usr/share/man/man1",
    "usr/lib/systemd",
];

/// The same bytes for the same source, wherever and whenever it is packed.
const SETTLED: [&str; 9] = [
    "_buildhost hookswitch.invalid",
    "use_source_date_epoch_as_buildtime 1",
    "clamp_mtime_to_source_date_epoch 1",
    "_binary_payload w9.xzdio",
    // What is shipped was built and stripped, and is taken as it is.
    "__os_install_post %{nil}",
    "debug_package %{nil}",
    "_build_id_links none",
    "_rpmfilename %{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}.rpm",
    "_use_internal_dependency_generator 1",
];

/// Packs it into `folder`.
pub(crate) fn pack(workspace: &Workspace, package: &Package, folder: &Path) -> Outcome<PathBuf> {
    let stage = shipped::stage(folder)?;
    let tree = Tree { root: stage.join("hookswitch"), epoch: package.epoch };
    shipped::lay_out(workspace, package, "usr/share/zsh/site-functions", &tree)?;
    for (from, to) in PRESETS {
        tree.put(to, &read(&workspace.root.join(SOURCE).join(from))?, 0o644)?;
    }
    for licence in LICENCES {
        tree.put(&format!("{LICENCE_FOLDER}/{licence}"), &read(&workspace.root.join(licence))?, 0o644)?;
    }
    let compiled = shipped::compiled(workspace)?.join("\n");
    let compiled = format!("Compiled in, each under its own licence:\n{compiled}\n");
    tree.put(&format!("{LICENCE_FOLDER}/COMPILED-IN"), compiled.as_bytes(), 0o644)?;
    tree.settle()?;
    let version = rpm_version(&package.version);
    let spec = stage.join("hookswitch.spec");
    write(&spec, described(workspace, package, &version, &tree)?.as_bytes())?;
    let mut call = Command::new("rpmbuild");
    call.env("SOURCE_DATE_EPOCH", package.epoch.to_string()).args([
        "-bb",
        "--quiet",
        "--target",
        "x86_64-linux",
    ]);
    let places =
        [("_topdir", stage.join("rpm")), ("_rpmdir", folder.to_owned()), ("_dbpath", stage.join("db"))];
    for (name, path) in places {
        call.arg("--define").arg(format!("{name} {}", path.display()));
    }
    for macros in SETTLED {
        call.args(["--define", macros]);
    }
    run_call(call.arg(&spec))?;
    shipped::unstage(&stage)?;
    let made = folder.join(format!("hookswitch-{version}-1.x86_64.rpm"));
    if made.is_file() { Ok(made) } else { Err(stop(format!("rpmbuild did not write {}.", made.display()))) }
}

/// A dash separates version and release there; what comes before a version has a tilde.
fn rpm_version(version: &str) -> String {
    version.replace('-', "~")
}

fn described(workspace: &Workspace, package: &Package, version: &str, tree: &Tree) -> Outcome<String> {
    let source = workspace.root.join(SOURCE);
    let script = |name: &str| text(&source.join(name)).map(|script| plain(script.trim_end()));
    let page = text(&workspace.root.join("CHANGELOG.md"))?;
    let mut changes = String::new();
    for lines in shipped::points(&page)? {
        let _ = writeln!(changes, "- {}", plain(&lines.join("\n  ")));
    }
    filled(
        &text(&source.join("hookswitch.spec"))?,
        &[
            ("VERSION", version),
            ("TREE", &tree.root.display().to_string()),
            ("FILES", &listed(&tree.files()?)),
            ("POST", &script("post")?),
            ("PREUN", &script("preun")?),
            ("POSTUN", &script("postun")?),
            ("DAY", &date(package.epoch, "+%a %b %d %Y")?),
            ("CHANGES", changes.trim_end()),
        ],
    )
}

/// Without a meaning for rpm's macros.
fn plain(text: &str) -> String {
    text.replace('%', "%%")
}

/// Each file, and each folder that is not every system's: those are gone with the last package that has them.
fn listed(files: &[String]) -> String {
    let mut lines: Vec<String> = Vec::new();
    for file in files {
        let folders = file.match_indices('/').map(|(at, _)| &file[..at]);
        let folders = folders.filter(|folder| !OF_THE_SYSTEM.contains(folder));
        lines.extend(folders.map(|folder| format!("%dir /{folder}")));
        let kind = match file {
            file if file.starts_with("etc/") => "%config(noreplace) ",
            file if file.starts_with(LICENCE_FOLDER) => "%license ",
            file if file.starts_with("usr/share/man/") => "%doc ",
            _ => "",
        };
        lines.push(format!("{kind}/{file}"));
    }
    lines.sort();
    lines.dedup();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_listed_with_their_kind_and_the_folders_that_are_ours() {
        let files = [
            "etc/xdg/autostart/a.desktop",
            "usr/bin/a",
            "usr/share/licenses/hookswitch/L",
            "usr/share/man/man1/a.1.gz",
        ];
        assert_eq!(
            listed(&files.map(str::to_owned)),
            "%config(noreplace) /etc/xdg/autostart/a.desktop\n%dir /etc/xdg\n%dir /etc/xdg/autostart\n\
             %dir /usr/share/licenses\n%dir /usr/share/licenses/hookswitch\n%doc /usr/share/man/man1/a.1.gz\n\
             %license /usr/share/licenses/hookswitch/L\n/usr/bin/a"
        );
    }

    #[test]
    fn what_comes_before_a_version_is_older_and_a_percent_sign_is_one() {
        assert_eq!(rpm_version("1.2.0-rc.1"), "1.2.0~rc.1");
        assert_eq!(plain("5 % of %{x}"), "5 %% of %%{x}");
    }
}
