//! Which code lies together in the shipped program: what an idle agent has run, as a script for the linker.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::cargo::{Workspace, cache_folder, make_folder, run as run_call};
use crate::footprint::{agent, launch, launch_service, port_of, service};
use crate::packages;
use crate::tier::BUILD;
use crate::{Asked, Outcome, stop};

pub(crate) const HELP: &str = "\
cargo xtask layout [--yes]

  Builds the release program, runs `hookswitch run --headless`, then its two roles apart, with a breakpoint on each of its
  functions until it has idled for a while, and writes linker/idle.ld: those that ran, for the linker to put side by side. A function
  that is new or has another name since then lies with the rest and costs up to 64 kB of memory once it runs: write
  the script again before a release. Then measure with `cargo xtask bench footprint`. (x86-64 Linux only.)

  --yes   install what is missing without asking
";

const SCRIPT: &str = "linker/idle.ld";
const RECORDER: &str = "linker/record.c";
const IDLE: Duration = Duration::from_secs(10);
/// A line of the script is worth this many bytes of code that nobody runs.
const LINE_BYTES: u64 = 1000;

/// A function of the program.
#[derive(Debug)]
struct Function {
    address: u64,
    bytes: u64,
    name: String,
}

pub(crate) fn run(asked: &Asked) -> Outcome {
    let workspace = Workspace::open(asked.strict)?;
    packages::ensure(&[BUILD], asked)?;
    let mut build = workspace.release("rustc")?;
    build.args(["--package", "hookswitch", "--bin", "hookswitch", "--", "-C", "strip=none"]);
    run_call(&mut build)?;
    let folder = cache_folder()?.join("layout");
    drop(fs::remove_dir_all(&folder));
    make_folder(&folder)?;
    let recorder = folder.join("record.so");
    let mut compile = workspace.settled("cc");
    run_call(compile.args(["-O1", "-shared", "-fPIC", RECORDER, "-o"]).arg(&recorder))?;
    let functions = functions(&workspace.shipped())?;
    let ran = record(&workspace.shipped(), &folder, &recorder, &functions)?;
    drop(fs::remove_dir_all(&folder));
    let script = script(&functions, &ran.groups());
    let ran = ran.all();
    let path = workspace.root.join(SCRIPT);
    fs::write(&path, script).map_err(|why| stop(format!("cannot write {}: {why}.", path.display())))?;
    let bytes = |of: &dyn Fn(&&Function) -> bool| functions.iter().filter(of).map(|f| f.bytes).sum::<u64>();
    println!(
        "{SCRIPT}: {} of {} functions ran, {} of {} kB.",
        ran.len(),
        functions.len(),
        bytes(&|f| ran.contains(&f.address)) / 1000,
        bytes(&|_| true) / 1000
    );
    Ok(())
}

fn functions(program: &Path) -> Outcome<Vec<Function>> {
    let mut call = Command::new("readelf");
    let said = call.args(["--syms", "--wide"]).arg(program).output();
    let said = said.map_err(|why| crate::cargo::cannot_start(&call, &why))?;
    let functions: Vec<_> = String::from_utf8_lossy(&said.stdout).lines().filter_map(function_in).collect();
    if functions.is_empty() {
        return Err(stop(format!("readelf finds no functions in {}.", program.display())));
    }
    Ok(functions)
}

/// `   Num:    Value          Size Type    Bind   Vis      Ndx Name`
fn function_in(line: &str) -> Option<Function> {
    let [_, address, bytes, "FUNC", _, _, section, name] = line.split_whitespace().collect::<Vec<_>>()[..]
    else {
        return None;
    };
    let function = Function {
        address: u64::from_str_radix(address, 16).ok()?,
        bytes: bytes.parse().ok()?,
        name: name.to_owned(),
    };
    (section != "UND" && function.bytes > 0).then_some(function)
}

/// The addresses of those that a second start and a while of idling have run, of both roles in one process and of each
/// alone; the first start makes the certificate.
fn record(program: &Path, folder: &Path, recorder: &Path, all: &[Function]) -> Outcome<Ran> {
    let list = folder.join("functions");
    let addresses: String = all.iter().map(|function| format!("{:x}\n", function.address)).collect();
    fs::write(&list, addresses).map_err(|why| stop(format!("cannot write {}: {why}.", list.display())))?;
    let recorded = |mut call: Command, to: &Path| {
        call.env("LD_PRELOAD", recorder).env("RECORD_FUNCTIONS", &list).env("RECORD_TO", to);
        call
    };
    let agent_twice = |home: &Path, to: &Path| {
        let ready = || port_of(home);
        drop(launch(&mut agent(program, home), Some(&ready))?);
        drop(fs::remove_file(home.join("endpoint.json")));
        launch(&mut recorded(agent(program, home), to), Some(&ready))
    };
    let [whole, machine, user] = ["ran", "ran-machine", "ran-user"].map(|name| folder.join(name));
    let (home, apart) = (folder.join("home"), folder.join("apart"));
    make_folder(&apart)?;
    let running = agent_twice(&home, &whole)?;
    let serving = launch_service(&mut recorded(service(program, &apart), &machine), &apart)?;
    let served = agent_twice(&apart, &user)?;
    std::thread::sleep(IDLE);
    let read = |path: &Path| {
        let text = fs::read_to_string(path)
            .map_err(|why| stop(format!("cannot read {}: {why}.", path.display())))?;
        Outcome::Ok(text.lines().filter_map(|line| u64::from_str_radix(line, 16).ok()).collect())
    };
    let ran = Ran { whole: read(&whole)?, machine: read(&machine)?, user: read(&user)? };
    drop((running, served, serving));
    Ok(ran)
}

/// Addresses of functions that ran, by where.
#[derive(Debug)]
struct Ran {
    whole: BTreeSet<u64>,
    machine: BTreeSet<u64>,
    user: BTreeSet<u64>,
}

impl Ran {
    fn all(&self) -> BTreeSet<u64> {
        self.whole.iter().chain(&self.machine).chain(&self.user).copied().collect()
    }

    /// What one role alone runs at the two ends, so that the other one never has its pages; what both run in between.
    fn groups(&self) -> [BTreeSet<u64>; 3] {
        let machine: BTreeSet<u64> = self.machine.difference(&self.user).copied().collect();
        let user: BTreeSet<u64> = self.user.difference(&self.machine).copied().collect();
        let both = self.all().into_iter().filter(|at| !machine.contains(at) && !user.contains(at)).collect();
        [machine, both, user]
    }
}

fn script(all: &[Function], groups: &[BTreeSet<u64>]) -> String {
    let mut text =
        "/* What an idle agent runs. Written by `cargo xtask layout`. */\nSECTIONS\n{\n  .text.idle :\n  {\n"
            .to_owned();
    for ran in groups {
        let mut tree = Tree::default();
        for function in all {
            tree.add(&parts(&function.name), function.bytes, ran.contains(&function.address));
        }
        let mut patterns = Vec::new();
        tree.patterns("", 0, &mut patterns);
        patterns.sort();
        for pattern in patterns {
            text += &format!("    *(.text.{pattern} .text.unlikely.{pattern})\n");
        }
    }
    text + "  }\n}\nINSERT BEFORE .text;\n"
}

/// Functions by the parts of their names: where nearly all below a part ran, the part names them all.
#[derive(Debug, Default)]
struct Tree {
    below: BTreeMap<String, Tree>,
    ran: bool,
    idle_bytes: u64,
}

impl Tree {
    fn add(&mut self, parts: &[String], bytes: u64, ran: bool) {
        self.ran |= ran;
        self.idle_bytes += if ran { 0 } else { bytes };
        if let Some((first, rest)) = parts.split_first() {
            self.below.entry(first.clone()).or_default().add(rest, bytes, ran);
        }
    }

    /// Adds the patterns for what ran below `name`, and gives what they cost in bytes.
    fn patterns(&self, name: &str, depth: usize, patterns: &mut Vec<String>) -> u64 {
        if !self.ran {
            return 0;
        }
        let whole = LINE_BYTES + self.idle_bytes;
        let before = patterns.len();
        let single = self
            .below
            .iter()
            .map(|(part, tree)| tree.patterns(&format!("{name}{part}"), depth + 1, patterns));
        let single: u64 = single.sum();
        // One part alone may be shared by chance.
        if self.below.is_empty() || (depth > 1 && whole < single) {
            patterns.truncate(before);
            patterns.push(if self.below.is_empty() { name.to_owned() } else { format!("{name}*") });
            return whole;
        }
        single
    }
}

/// A symbol's name in parts that nest, without what changes from build to build; the last says how it ends.
fn parts(symbol: &str) -> Vec<String> {
    if let Some(path) = symbol.strip_prefix("_ZN") {
        let mut parts = vec!["_ZN".to_owned()];
        let mut rest = path;
        while let Some((length, part, after)) = segment(rest) {
            // The hash, and what follows it.
            if length == 17 && part.starts_with('h') && after.starts_with('E') {
                break;
            }
            parts.push(format!("{length}{part}"));
            rest = after;
        }
        parts.push("17h*".to_owned());
        return parts;
    }
    // Optimisers number what they make of a function.
    let (name, numbered) = symbol.split_once('.').map_or((symbol, false), |(name, _)| (name, true));
    let end = if numbered { "*" } else { "" };
    if name.starts_with("_R") {
        return vec![without_crate_hashes(name), end.to_owned()];
    }
    let mut parts = Vec::new();
    let mut rest = name;
    if let Some(after) = name.strip_prefix("aws_lc_") {
        parts.push("aws_lc_*_".to_owned());
        rest = after.trim_start_matches(|c: char| c.is_ascii_digit() || c == '_');
    }
    while !rest.is_empty() {
        let word = rest.char_indices().skip(1).find(|(_, c)| c.is_ascii_uppercase() || *c == '_');
        let (part, after) = rest.split_at(word.map_or(rest.len(), |(at, _)| at));
        parts.push(part.to_owned());
        rest = after;
    }
    parts.push(end.to_owned());
    parts
}

/// `5shell...` -> 5, `shell`, `...`
fn segment(text: &str) -> Option<(usize, &str, &str)> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let length = text[..digits].parse().ok()?;
    let (part, after) = text[digits..].split_at_checked(length)?;
    Some((length, part, after))
}

/// `NtCs1234_3std` -> `NtCs*_3std`
fn without_crate_hashes(name: &str) -> String {
    let mut clean = String::new();
    let mut rest = name;
    while let Some((before, after)) = rest.split_once("Cs") {
        let hash = after.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(after.len());
        clean += before;
        clean += if after[hash..].starts_with('_') { "Cs*" } else { &after[..hash] };
        rest = &after[hash..];
    }
    clean + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(address: u64, bytes: u64, name: &str) -> Function {
        Function { address, bytes, name: name.to_owned() }
    }

    #[test]
    fn reads_a_function_from_a_table_of_symbols() {
        let line =
            "  1234: 000000000034468a    62 FUNC    LOCAL  HIDDEN    15 _ZN3hub4user17h0123456789abcdefE";
        let read = function_in(line).expect("a function");
        assert_eq!((read.address, read.bytes), (0x34468a, 62));
        assert_eq!(read.name, "_ZN3hub4user17h0123456789abcdefE");
        for other in [
            "    12: 0000000000000000     0 FUNC    GLOBAL DEFAULT  UND malloc",
            "    13: 0000000000d00000    24 OBJECT  LOCAL  DEFAULT    21 table",
            "Symbol table '.symtab' contains 27000 entries:",
        ] {
            assert!(function_in(other).is_none(), "{other}");
        }
    }

    #[test]
    fn a_name_is_cut_where_it_nests_and_freed_of_hashes() {
        let cases: [(&str, &[&str]); 6] = [
            ("_ZN3hub4user4call17h0123456789abcdefE", &["_ZN", "3hub", "4user", "4call", "17h*"]),
            ("_ZN3hub4user17h0123456789abcdefE.llvm.77", &["_ZN", "3hub", "4user", "17h*"]),
            ("_RNvNtCsjrHSEGnQ3l9_3std6thread4park", &["_RNvNtCs*_3std6thread4park", ""]),
            ("sqlite3VdbeExec", &["sqlite3", "Vdbe", "Exec", ""]),
            ("aws_lc_0_47_0_EVP_md.part.0", &["aws_lc_*_", "E", "V", "P", "_md", "*"]),
            ("main", &["main", ""]),
        ];
        for (symbol, wanted) in cases {
            assert_eq!(parts(symbol), wanted, "{symbol}");
        }
    }

    #[test]
    fn a_module_that_ran_is_named_once_and_one_that_did_not_is_not() {
        let name = |path: &str| format!("_ZN{path}17h0123456789abcdefE");
        let all = [
            function(1, 500, &name("3hub4user4call1a")),
            function(2, 500, &name("3hub4user4call1b")),
            function(3, 90, &name("3hub4user4call1c")),
            function(4, 9000, &name("3hub4user3sdk1a")),
            function(5, 10, &name("3hub4user3sdk1b")),
            function(6, 10, "main"),
            function(7, 10, "other"),
        ];
        let text = script(&all, &[BTreeSet::from([1, 2, 5, 6])]);
        let named: Vec<&str> = text.lines().filter_map(|line| line.trim().strip_prefix("*(.text.")).collect();
        assert_eq!(
            named,
            [
                "_ZN3hub4user3sdk1b17h* .text.unlikely._ZN3hub4user3sdk1b17h*)",
                "_ZN3hub4user4call* .text.unlikely._ZN3hub4user4call*)",
                "main .text.unlikely.main)",
            ]
        );
    }

    #[test]
    fn what_one_role_alone_runs_stands_at_an_end() {
        let of = |ran: &[u64]| ran.iter().copied().collect::<BTreeSet<u64>>();
        let ran = Ran { whole: of(&[1, 2, 3, 6]), machine: of(&[1, 2, 4]), user: of(&[2, 3, 5]) };
        assert_eq!(ran.groups(), [of(&[1, 4]), of(&[2, 6]), of(&[3, 5])]);
        assert_eq!(ran.all(), of(&[1, 2, 3, 4, 5, 6]));
    }
}
