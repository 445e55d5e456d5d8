//! A file that is named on the command line; `-` is stdin.
#![expect(
    clippy::disallowed_methods,
    reason = "policies and saved reports are no evidence: who calls names them"
)]

use std::io::{self, Read as _};
use std::path::Path;

/// At most `limit` bytes of it.
pub(super) fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limited = |source: &mut dyn io::Read, bytes: &mut Vec<u8>| source.take(limit).read_to_end(bytes);
    if path == Path::new("-") {
        limited(&mut io::stdin().lock(), &mut bytes)?;
    } else {
        limited(&mut std::fs::File::open(path)?, &mut bytes)?;
    }
    Ok(bytes)
}
