//! Names that somebody can give a value: variables, settings of a profile, flags.
//! They are read from the program: flags from its help, the others from its source.
#![expect(clippy::unwrap_used, reason = "in a test, that is the report")]

use super::{binary, run::run};
use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::{Command, Stdio},
};

/// Names between quotes anywhere in the program.
fn literals(is_wanted: impl Fn(&str) -> bool) -> BTreeSet<String> {
    fn read(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                read(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.extend(fs::read_to_string(&path).unwrap().split('"').map(str::to_owned));
            }
        }
    }
    let mut found = BTreeSet::new();
    for folder in ["src", "judge/src"] {
        read(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut found);
    }
    found.retain(|name| is_wanted(name));
    found
}

pub(crate) fn variables() -> BTreeSet<String> {
    let of_variable = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let families =
        ["AWS_", "POD_", "NODE_", "KUBERNETES_", "SSL_", "HTTP", "NO_", "ALL_", "CREDPROBE_", "SMITHY_"];
    let found = literals(|name| {
        let upper = families.iter().any(|family| name.starts_with(family)) && name.chars().all(of_variable);
        upper || name.ends_with("_proxy") || name == "HOME"
    });
    for name in ["AWS_REGION", "AWS_ENDPOINT_URL_STS", "https_proxy", "POD_NAME", "NODE_NAME", "SSL_CERT_DIR"]
    {
        assert!(found.contains(name), "{name} is not found in the source");
    }
    found
}

/// The settings of a profile.
pub(crate) fn settings() -> BTreeSet<String> {
    let of_setting = |c: char| c.is_ascii_lowercase() || c == '_';
    let settings =
        literals(|name| name.contains(['_', 'r']) && name.len() > 5 && name.chars().all(of_setting));
    assert!(settings.contains("web_identity_token_file") && settings.contains("region"), "{settings:?}");
    settings
}

/// The flags of a command, from its help.
pub(crate) fn flags(command: &str) -> Vec<String> {
    let help =
        run(Command::new(binary::probe()).env_clear().args([command, "--help"]), Stdio::piped()).unwrap();
    let rows = help.stdout.lines().map(|line| line.trim_start().trim_start_matches("-o, "));
    let of_flag = |c: char| !(c.is_ascii_lowercase() || c == '-');
    let names = rows.filter_map(|row| row.strip_prefix("--")?.split(of_flag).next());
    let names: BTreeSet<&str> = names.chain(["help"]).collect();
    assert!(names.len() > 1, "{help}");
    names.into_iter().filter(|name| !name.is_empty()).map(str::to_owned).collect()
}
