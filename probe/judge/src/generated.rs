//! Files and parts of files that are generated from the code. A test compares them, and `make docs` writes them.
#![expect(clippy::disallowed_methods, reason = "a test that reads and writes the repository")]

use std::path::PathBuf;

/// Compares `probe/docs/NAME` with `content`, or writes it if `CREDPROBE_WRITE_DOCS=1`.
pub(crate) fn check(name: &str, content: &str) {
    check_file(&format!("probe/docs/{name}"), content);
}

fn check_file(path: &str, content: &str) {
    if std::env::var_os("CREDPROBE_WRITE_DOCS").is_some_and(|value| value == "1") {
        std::fs::write(in_repository(path), content).unwrap();
        return;
    }
    assert!(read(path) == content, "{path} is stale: run `make docs`");
}

fn in_repository(path: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "../..", path].iter().collect()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(in_repository(path)).unwrap_or_default()
}

/// Replaces the text between the markers of `name`.
fn with_block(text: &str, name: &str, content: &str) -> String {
    let begin = format!("<!-- generated:{name} -->\n");
    let (before, rest) = text.split_once(&begin).unwrap();
    let (_, after) = rest.split_once("<!-- /generated -->").unwrap();
    format!("{before}{begin}{content}<!-- /generated -->{after}")
}

#[test]
fn the_readme_is_current() {
    let example = read("tests/scenarios/reports/access-denied.txt");
    let example = format!("```text\n{}\n```\n", example.trim_end());
    check_file("README.md", &with_block(&read("README.md"), "example", &example));
}
