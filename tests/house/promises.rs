//! What `SECURITY.md` promises is shown by tests that exist, and what `ARCHITECTURE.md` names is there.

use super::source;
use std::collections::BTreeSet;

/// Names of all tests in `text`.
fn tests(text: &str) -> BTreeSet<String> {
    let code = source::code(text);
    let mut found = BTreeSet::new();
    let mut is_next = false;
    for line in code.lines() {
        is_next |= line.contains("#[test]") || line.contains("::test]") || line.contains("::test(");
        if let (true, Some((_, rest))) = (is_next, line.split_once("fn ")) {
            found.extend(rest.split('(').next().map(|name| name.trim().to_owned()));
            is_next = false;
        }
    }
    found
}

/// What stands in the last column of the tables, between backticks.
fn named(page: &str) -> Vec<(usize, &str)> {
    let rows = page.lines().enumerate().filter(|(_, line)| line.starts_with('|'));
    let cells = rows.filter_map(|(n, line)| Some((n + 1, line.trim_end_matches('|').rsplit('|').next()?)));
    let names = cells.flat_map(|(n, cell)| cell.split('`').skip(1).step_by(2).map(move |name| (n, name)));
    names.collect()
}

#[test]
fn the_threat_model_names_tests_that_exist() {
    let sample = "#[test]\nfn a() {}\n    #[tokio::test]\n    #[ignore]\n    async fn b_c() {}\nfn d() {} // #[test]\nfn e() {}";
    assert_eq!(tests(sample).into_iter().collect::<Vec<_>>(), ["a", "b_c"]);
    let page = "| `it` | x | `a`, `b_c` |\n`no`\n|---|\n";
    assert_eq!(named(page), [(1, "a"), (1, "b_c")]);

    let all: BTreeSet<String> = super::files().iter().flat_map(|(_, text)| tests(text)).collect();
    let page = std::fs::read_to_string(super::root().join("SECURITY.md")).expect("SECURITY.md");
    let names = named(&page);
    assert!(names.len() > 50, "the tables are not read right: {}", names.len());
    let missing: Vec<_> = names.iter().filter(|(_, name)| !all.contains(*name)).collect();
    assert!(missing.is_empty(), "SECURITY.md names tests that are not there: {missing:#?}");
}

/// `a/{b,c}.rs` as `a/b.rs` and `a/c.rs`.
fn unfolded(path: &str) -> Vec<String> {
    let Some((before, rest)) = path.split_once('{') else { return vec![path.to_owned()] };
    let Some((names, behind)) = rest.split_once('}') else { return vec![path.to_owned()] };
    names.split(',').flat_map(|name| unfolded(&format!("{before}{}{behind}", name.trim()))).collect()
}

/// Whether `path` is a file or folder, from the top or from where the page says that it looks.
fn is_there(path: &str) -> bool {
    let path = path.trim_end_matches('/');
    ["", "src", "hub/src", "hub/src/machine", "src/shell"].iter().any(|base| {
        let path = super::root().join(base).join(path);
        path.exists() || path.with_extension("rs").exists()
    })
}

#[test]
fn the_map_names_files_that_exist() {
    assert_eq!(unfolded("a/{b,c/d}.rs"), ["a/b.rs", "a/c/d.rs"]);
    assert!(is_there("hub/src/machine.rs") && is_there("shell/ldap") && is_there("role/deploy"));
    assert!(!is_there("shell/no_such"));
    let page = std::fs::read_to_string(super::root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    let spans = page.split('`').skip(1).step_by(2);
    let is_path =
        |span: &&str| span.contains('/') && !span.contains([' ', '<', ':', '(']) && !span.starts_with('/');
    let paths: Vec<String> = spans.filter(is_path).flat_map(unfolded).collect();
    assert!(paths.len() > 80, "the page is not read right: {}", paths.len());
    let missing: Vec<_> = paths.iter().filter(|path| !is_there(path)).collect();
    assert!(missing.is_empty(), "ARCHITECTURE.md names what is not there: {missing:#?}");
}
