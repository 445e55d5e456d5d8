//! A file that is named on the command line; `-` is stdin.
#![expect(
    clippy::disallowed_methods,
    reason = "policies and saved reports are no evidence: who calls names them"
)]

use std::io::{self, Read as _};
use std::path::Path;

/// At most `limit` bytes of it, on a thread of its own: this one is free for a signal, while a pipe or a file system
/// does not answer.
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
