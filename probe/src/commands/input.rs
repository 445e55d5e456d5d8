//! Reads a file that the command line names; `-` is stdin.
#![expect(
    clippy::disallowed_methods,
    reason = "policies and saved reports are no evidence: who calls names them"
)]

use std::io::{self, Read as _};
use std::path::Path;

/// The largest report that is read, in bytes. Real reports have about 20 kB.
const REPORT_LIMIT: u64 = 4 * 1024 * 1024;

/// Reads a saved report.
pub(super) fn report(path: &Path) -> Result<Vec<u8>, String> {
    // One byte more than the limit shows that the file is too long.
    let document = read(path, REPORT_LIMIT + 1).map_err(|error| error.to_string())?;
    if document.len() as u64 > REPORT_LIMIT {
        return Err(format!("it is longer than {REPORT_LIMIT} bytes, so it is not a report"));
    }
    Ok(document)
}

/// Reads at most `limit` bytes on a separate thread, so that a signal still works while a pipe or a file system does
/// not answer.
pub(super) fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let path = path.to_owned();
    let reader = std::thread::Builder::new().spawn(move || {
        let mut bytes = Vec::new();
        let source: &mut dyn io::Read =
            if path == Path::new("-") { &mut io::stdin().lock() } else { &mut std::fs::File::open(path)? };
        source.take(limit).read_to_end(&mut bytes)?;
        Ok(bytes)
    })?;
    reader.join().unwrap_or_else(|_| Err(io::ErrorKind::Other.into()))
}
