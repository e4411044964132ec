//! The table of languages, made of the folders of `locales/`: a folder that comes is a language more.
#![expect(clippy::disallowed_methods, reason = "a build script reads the tree")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

/// Complete, and what the others fall back to.
const REFERENCE: &str = "en-US";

fn main() {
    println!("cargo::rerun-if-changed=../locales");
    let mut table = String::from("[\n");
    let others = names(Path::new("../locales"));
    let others = others.iter().filter(|tag| *tag != REFERENCE);
    for tag in std::iter::once(&REFERENCE.to_owned()).chain(others) {
        let files = names(&Path::new("../locales").join(tag));
        let of = |fits: fn(&str) -> bool| {
            let mut list = String::new();
            for file in files.iter().filter(|file| file.ends_with(".ftl") && fits(file)) {
                let path = format!("concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/../locales/{tag}/{file}\")");
                write!(list, "include_str!({path}), ").expect("text grows");
            }
            list
        };
        let help = of(|file| file == "help.ftl");
        let details = of(|file| file.starts_with("detail-"));
        let problems = of(|file| file.starts_with("problem"));
        let texts =
            of(|file| file != "help.ftl" && !file.starts_with("detail-") && !file.starts_with("problem"));
        writeln!(
            table,
            "Language {{ tag: \"{tag}\", texts: &[{texts}], problems: &[{problems}], details: &[{details}], help: &[{help}] }},"
        )
        .expect("text grows");
    }
    table.push_str("]\n");
    let folder = std::env::var("OUT_DIR").expect("cargo gives each build script a folder");
    std::fs::write(Path::new(&folder).join("languages.rs"), table).expect("the folder is writable");
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).expect("the folders of languages are in the tree");
    entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
}
