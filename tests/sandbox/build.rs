//! Embeds the scenarios: one entry for each file of `../scenarios`, so that the binary needs no files.
//! The content is parsed only when the program asks for a scenario.

use std::{env, error::Error, fmt::Write as _, fs, io::Write as _, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../scenarios").canonicalize()?;
    // The folder's time stamp changes when a file is added or removed, a file's own time stamp when it is edited.
    writeln!(std::io::stdout(), "cargo::rerun-if-changed={}", folder.display())?;
    let mut files = Vec::new();
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
    files.sort();
    let mut code = String::from("&[\n");
    for file in files {
        let family = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        writeln!(code, "    ({family:?}, include_str!({:?})),", file.display().to_string())?;
    }
    code.push_str("]\n");
    fs::write(Path::new(&env::var("OUT_DIR")?).join("families.rs"), code)?;
    Ok(())
}
