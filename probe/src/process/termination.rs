//! Writes the termination message into the file that the kubelet made for it.
//! The report's `termination::lines` says what the message is.
#![expect(clippy::disallowed_methods, reason = "it writes the file that kubelet made for it")]

use std::fs::Metadata;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Writes `line` only into an existing file: the kubelet makes it, and outside Kubernetes there is none.
/// The file is a mount point that any user may write. A failure does not change the verdict.
/// The kubelet never makes a FIFO, a device, a socket or a link there, and to open some of them has side effects.
pub fn write(path: &Path, line: &str) {
    let is_file = |metadata: std::io::Result<Metadata>| metadata.is_ok_and(|metadata| metadata.is_file());
    if !is_file(path.symlink_metadata()) {
        return;
    }
    let flags = nix::libc::O_NONBLOCK | nix::libc::O_NOFOLLOW | nix::libc::O_NOCTTY;
    let Ok(mut file) = std::fs::File::options().write(true).custom_flags(flags).open(path) else { return };
    // The path may have been replaced since the first check.
    if is_file(file.metadata()) && file.set_len(0).is_ok() {
        let _ = file.write_all(line.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::stat::Mode;
    use std::os::unix::net::UnixDatagram;
    use std::sync::mpsc;
    use std::time::Duration;

    /// Whether the write ended within the deadline.
    fn written(path: &Path) -> bool {
        let (done, ended) = mpsc::channel();
        let path = path.to_owned();
        std::thread::spawn(move || {
            write(&path, "new");
            done.send(())
        });
        ended.recv_timeout(Duration::from_secs(5)).is_ok()
    }

    #[test]
    fn a_regular_file_is_written_and_nothing_else_is_touched() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let read = |name: &str| std::fs::read_to_string(at(name)).unwrap();
        std::fs::write(at("file"), "an older and longer message").unwrap();
        std::fs::write(at("other"), "not ours").unwrap();
        std::os::unix::fs::symlink(at("other"), at("link")).unwrap();
        std::os::unix::fs::symlink("/dev/full", at("device")).unwrap();
        nix::unistd::mkfifo(&at("fifo"), Mode::S_IRWXU).unwrap();
        nix::unistd::mkfifo(&at("read-fifo"), Mode::S_IRWXU).unwrap();
        let socket = UnixDatagram::bind(at("socket")).unwrap();
        // A process holds the FIFO open, so opening it for writing would succeed.
        let reader = std::fs::File::options().read(true).write(true).open(at("read-fifo")).unwrap();
        for name in ["file", "link", "device", "fifo", "read-fifo", "socket", ".", "missing", "file/below"] {
            assert!(written(&at(name)), "{name} holds the probe up");
        }
        assert_eq!((read("file").as_str(), read("other").as_str()), ("new", "not ours"));
        assert!(!at("missing").exists());
        socket.set_nonblocking(true).unwrap();
        assert!(socket.recv(&mut [0; 8]).is_err());
        nix::fcntl::fcntl(&reader, nix::fcntl::F_SETFL(nix::fcntl::OFlag::O_NONBLOCK)).unwrap();
        assert!(nix::unistd::read(&reader, &mut [0; 8]).is_err(), "the FIFO was written to");
    }
}
