//! Hostile texts, and a real bash into which printed lines are pasted; each line comes with the place of its hostile text.
//! Only the named programs may run, and none of them may receive any of the hostile text.

use std::{
    collections::BTreeMap,
    error::Error,
    fs, io,
    os::unix::fs::symlink,
    path::Path,
    process::{Command, Stdio},
};

/// What a name may not be. `touch` shows that a text was run.
pub(crate) const HOSTILE: &[&str] = &[
    "--all",
    "-Aq",
    "--kubeconfig=/tmp/pwned",
    "a;touch pwned",
    "$(touch pwned)",
    "`touch pwned`",
    "a\ntouch pwned",
    "a\rtouch pwned",
    "a\0pwned",
    "a\u{9b}31m",
    "a\u{202e}b",
    "a\u{2028}touch pwned",
    "a\u{200b}b",
    "\u{441}heckout",
    "file:///root/.aws/credentials",
    "fileb:///root/pwned",
    "@pwned",
    "'; touch pwned; '",
    "\"; touch pwned; \"",
    "../pwned",
    "|touch pwned",
    ">pwned",
    "&touch pwned&",
    "",
    LONG,
];
const LONG: &str = concat!(
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
);

/// Programs that are recorded instead of run.
const STAND_INS: &[&str] = &[
    "aws",
    "ausearch",
    "chronyc",
    "credprobe",
    "curl",
    "env",
    "iptables-save",
    "jq",
    "kubectl",
    "wc",
    "xargs",
];

const RECORDER: &str = "#!/bin/sh\nprintf '%s\\0' \"${0##*/}\" \"$@\" >>\"$RECORD\"\n";

/// Files that printed commands write themselves.
fn is_written(name: &str) -> bool {
    // Files that only grow: they keep what was there before a change.
    let kept = name.ends_with("-before.json") || name == "thumbprints-before.txt";
    // Files that contain both the saved and the added part: written anew each time.
    kept || name.ends_with("-trust.json")
}

/// Checks that the line is what it looks like.
pub(crate) fn is_plain(line: &str) -> Result<(), String> {
    // Prose may have typographic quotation marks and the ellipsis, which are in the same block.
    let unseen = |c: char| c.is_control() || (('\u{200b}'..='\u{202e}').contains(&c) && !"’“”–…".contains(c));
    if line.contains(unseen) || (!line.starts_with("# ") && !line.is_ascii()) {
        return Err(format!("a step that is not what it looks like: {line:?}"));
    }
    Ok(())
}

/// Runs all lines as one script in a new folder.
pub(crate) fn paste(printed: &BTreeMap<String, String>) -> Result<(), String> {
    pasted(printed).map_err(|error| error.to_string())
}

fn pasted(printed: &BTreeMap<String, String>) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::Builder::new().prefix("pasted-").tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let (bin, work) = (folder.path().join("bin"), folder.path().join("work"));
    let (record, script) = (folder.path().join("record"), folder.path().join("script"));
    fs::create_dir(&bin)?;
    fs::create_dir(&work)?;
    recorder(&bin)?;
    // Each line gets its own shell, so that one that ends early does not stop the others. An unset variable must not end a line either.
    let text: String = printed.keys().map(|lines| format!("(\n:\n{lines}\n)\n")).collect();
    let text = text.replace(":?", ":-");
    fs::write(&script, &text)?;
    for check in [&["-n"][..], &[]] {
        let mut bash = Command::new("bash");
        bash.args(check).arg(&script).current_dir(&work).stdin(Stdio::null());
        bash.env_clear().env("PATH", format!("{}:/usr/bin:/bin", bin.display())).env("RECORD", &record);
        let output = bash.output()?;
        if !check.is_empty() && !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(format!("no script of a shell: {said}\n{text}").into());
        }
    }
    let ran = fs::read(&record).unwrap_or_default();
    for word in String::from_utf8_lossy(&ran).split('\0') {
        if let Some(hostile) = HOSTILE.iter().find(|hostile| !hostile.is_empty() && word.contains(**hostile))
        {
            let lines: Vec<_> = printed.iter().filter(|(line, _)| line.contains(hostile)).collect();
            return Err(format!("a program was given {word:?}, which has {hostile:?}: {lines:#?}").into());
        }
    }
    for entry in fs::read_dir(&work)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !is_written(&name) || name.starts_with('-') {
            return Err(format!("a pasted line made the file {name:?}: {printed:#?}").into());
        }
    }
    Ok(())
}

fn recorder(bin: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let path = bin.join("record");
    fs::write(&path, RECORDER)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    for name in STAND_INS {
        symlink(&path, bin.join(name))?;
    }
    Ok(())
}
