//! `cargo xtask dist`: packages, the same bytes for the same source.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cargo::{Workspace, make_folder, output};
use crate::deb::Package;
use crate::tier::{BUILD, PACK};
use crate::{Asked, Outcome, deb, packages, stop};

pub(crate) const HELP: &str = "\
cargo xtask dist deb [--yes]

  Builds the agent as it is shipped and packs it: dist/hookswitch_VERSION_amd64.deb in the target folder, with what it
  is made of, hookswitch_VERSION.cdx.json (CycloneDX 1.6), and a list of check sums, SHA256SUMS, beside it. Says how large
  it is and which version of glibc it asks for.

  Time stamps are those of the last commit, or SOURCE_DATE_EPOCH: packed again, it has the same bytes.

  --yes   install what is missing without asking
";

/// Older ones have no distribution that is still looked after.
const GLIBC: (u32, u32) = (2, 34);
/// What a package should not be larger than.
const MOST_BYTES: u64 = 6 * 1024 * 1024;

/// `cargo xtask dist deb`
pub(crate) fn run(asked: &Asked) -> Outcome {
    let workspace = Workspace::open(asked.strict)?;
    packages::ensure(&[BUILD, PACK], asked)?;
    let lacking = PACK.lacking();
    if !lacking.is_empty() {
        return Err(stop(format!("cannot pack without {}.", lacking.join(", "))));
    }
    workspace.build_shipped()?;
    let package = Package::of(&workspace)?;
    let made = deb::pack(&workspace, &package, &workspace.target.join("dist"))?;
    println!("\n{}", made.display());
    let bytes = std::fs::metadata(&made).map_err(|why| stop(format!("{}: {why}.", made.display())))?.len();
    let aim = if bytes <= MOST_BYTES { "within" } else { "MORE THAN" };
    println!("size:  {:.2} MB, {aim} the aim of 6", bytes as f64 / f64::from(1 << 20));
    println!("glibc: {}", glibc(&workspace.shipped())?);
    Ok(())
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

/// What the tier tries: the package in `first`, the same made once more in `again`, and the one of the next version in
/// `next`.
pub(crate) fn for_tests(workspace: &Workspace) -> Outcome {
    let folder = of_tests(workspace);
    if folder.exists() {
        std::fs::remove_dir_all(&folder)
            .map_err(|why| stop(format!("cannot empty {}: {why}.", folder.display())))?;
    }
    make_folder(&folder)?;
    let package = Package::of(workspace)?;
    deb::pack(workspace, &package, &folder.join("first"))?;
    deb::pack(workspace, &package, &folder.join("again"))?;
    deb::pack(workspace, &package.next()?, &folder.join("next")).map(drop)
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
