//! Embeds the scenarios: one entry for each folder below `../scenarios`, so that the binary needs no files.
//! A folder without `scenario.json` fails the build.

use std::{env, error::Error, fmt::Write as _, fs, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../scenarios");
    // The folder's own time stamp changes when a case is added or removed, a file's when it is edited.
    writeln!(std::io::stdout(), "cargo::rerun-if-changed={}", folder.display())?;
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            names.push(entry.file_name().into_string().map_err(|name| format!("{name:?} is not UTF-8"))?);
        }
    }
    names.sort();
    let mut code = String::from("&[\n");
    for name in names {
        let file = folder.join(&name).join("scenario.json").canonicalize()?;
        writeln!(code, "    ({name:?}, include_str!({:?})),", file.display().to_string())?;
    }
    code.push_str("]\n");
    fs::write(Path::new(&env::var("OUT_DIR")?).join("cases.rs"), code)?;
    Ok(())
}

use std::io::Write as _;
