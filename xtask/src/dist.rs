//! `cargo xtask dist`: packages, the same bytes for the same source.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cargo::{Workspace, make_folder, output};
use crate::shipped::{Package, write};
use crate::tier::{BUILD, PACK};
use crate::{Asked, Outcome, deb, packages, rpm, sbom, stop};

pub(crate) const HELP: &str = "\
cargo xtask dist deb|rpm|all [--yes]

  Builds the agent as it is shipped and packs it into the folder dist of the target folder:
    deb   hookswitch_VERSION_amd64.deb, for Debian, Ubuntu and their relatives
    rpm   hookswitch-VERSION-1.x86_64.rpm, for Fedora, openSUSE and their relatives
    all   both
  Beside them lie what they are made of, hookswitch_VERSION.cdx.json (CycloneDX 1.6), and check sums of them all,
  SHA256SUMS. Says how large each is and which version of glibc the agent asks for.

  Time stamps are those of the last commit, or SOURCE_DATE_EPOCH: packed again, they have the same bytes.

  --yes   install what is missing without asking
";

/// Older ones have no distribution that is still looked after.
const GLIBC: (u32, u32) = (2, 34);
/// What a package should not be larger than.
const MOST_BYTES: u64 = 6 * 1024 * 1024;

#[derive(Debug, Clone, Copy)]
pub(crate) enum Format {
    Deb,
    Rpm,
}

impl Format {
    pub(crate) const ALL: [Self; 2] = [Self::Deb, Self::Rpm];
}

/// `cargo xtask dist deb|rpm|all`
pub(crate) fn run(asked: &Asked, formats: &[Format]) -> Outcome {
    let workspace = Workspace::open(asked.strict)?;
    packages::ensure(&[BUILD, PACK], asked)?;
    let lacking = PACK.lacking();
    if !lacking.is_empty() {
        return Err(stop(format!("cannot pack without {}.", lacking.join(", "))));
    }
    workspace.build_shipped()?;
    let folder = workspace.target.join("dist");
    // What an earlier version left is in no list of check sums.
    empty(&folder)?;
    for made in pack(&workspace, &Package::of(&workspace)?, formats, &folder)? {
        println!("\n{}", made.display());
        let bytes =
            std::fs::metadata(&made).map_err(|why| stop(format!("{}: {why}.", made.display())))?.len();
        let aim = if bytes <= MOST_BYTES { "within" } else { "MORE THAN" };
        println!("size:  {:.2} MB, {aim} the aim of 6", bytes as f64 / f64::from(1 << 20));
    }
    println!("glibc: {}", glibc(&workspace.shipped())?);
    Ok(())
}

/// Packs it, with what it is made of and the list of check sums beside.
fn pack(
    workspace: &Workspace,
    package: &Package,
    formats: &[Format],
    folder: &Path,
) -> Outcome<Vec<PathBuf>> {
    make_folder(folder)?;
    let mut made = Vec::new();
    for format in formats {
        made.push(match format {
            Format::Deb => deb::pack(workspace, package, folder)?,
            Format::Rpm => rpm::pack(workspace, package, folder)?,
        });
    }
    let made_of = format!("hookswitch_{}.cdx.json", package.version);
    write(&folder.join(&made_of), sbom::of(workspace, &package.version, package.epoch)?.as_bytes())?;
    let names = made.iter().filter_map(|path| path.file_name()).map(|name| name.to_owned());
    let mut sums = Command::new("sha256sum");
    sums.args(names).arg(&made_of).current_dir(folder);
    write(&folder.join("SHA256SUMS"), output(&mut sums)?.as_bytes())?;
    Ok(made)
}

fn empty(folder: &Path) -> Outcome {
    if !folder.exists() {
        return Ok(());
    }
    std::fs::remove_dir_all(folder).map_err(|why| stop(format!("cannot empty {}: {why}.", folder.display())))
}

/// The newest version of glibc that a symbol of the program asks for, and who asks for more than is the aim.
fn glibc(program: &Path) -> Outcome<String> {
    let table = output(Command::new("objdump").arg("-T").arg(program))?;
    let asked = asked_of_glibc(&table);
    let most = asked.iter().map(|(version, _)| *version).max();
    let most = most.ok_or_else(|| stop(format!("{} asks for no glibc at all.", program.display())))?;
    let above: Vec<String> = asked
        .iter()
        .filter(|(version, _)| *version > GLIBC)
        .map(|((major, minor), name)| format!("{name} ({major}.{minor})"))
        .collect();
    let why = if above.is_empty() { String::new() } else { format!(", for {}", above.join(", ")) };
    Ok(format!("{}.{}{why}; the aim is {}.{}", most.0, most.1, GLIBC.0, GLIBC.1))
}

/// Symbols with the version of glibc of each, out of `objdump -T`. Weak ones are asked for too: the loader looks at
/// versions, not at symbols.
fn asked_of_glibc(table: &str) -> Vec<((u32, u32), &str)> {
    let line = |line: &'_ str| -> Option<(u32, u32)> {
        let (_, version) = line.split_once("GLIBC_")?;
        let mut parts = version.split(|c: char| !c.is_ascii_digit());
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    };
    let undefined = table.lines().filter(|line| line.contains("*UND*"));
    undefined.filter_map(|text| Some((line(text)?, text.split_whitespace().next_back()?))).collect()
}

/// What the tier tries: the packages in `first`, the same made once more in `again`, and those of the next version in
/// `next`.
pub(crate) fn for_tests(workspace: &Workspace) -> Outcome {
    let folder = of_tests(workspace);
    empty(&folder)?;
    let package = Package::of(workspace)?;
    for (name, package) in [("first", &package), ("again", &package), ("next", &package.next()?)] {
        pack(workspace, package, &Format::ALL, &folder.join(name))?;
    }
    Ok(())
}

/// Where those are.
pub(crate) fn of_tests(workspace: &Workspace) -> PathBuf {
    workspace.target.join("packages")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_of_glibc_is_read_with_its_symbol() {
        let table = "0000 DF *UND*\t0000 (GLIBC_2.35) __x\n0000  w DF *UND*\t0000 (GLIBC_2.2.5) free\n\
                     0000 g DF .text\t0000 (GLIBC_2.40) ours\n0000 DF *UND*\t0000 (GCC_3.0) _Unwind_Resume\n";
        assert_eq!(asked_of_glibc(table), [((2, 35), "__x"), ((2, 2), "free")]);
    }
}
