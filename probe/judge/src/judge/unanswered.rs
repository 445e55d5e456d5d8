//! A file that does not answer: a network or FUSE file system whose server is gone, memory behind a page fault.
//! It was not seen, so nothing is said about what is in it. Pure.

use crate::catalog::Class;
use crate::judge::finding::Finding;

/// `path` is where the look hangs; empty: it is not known.
pub(super) fn judge(path: &str) -> Finding {
    let finding = if path.is_empty() {
        Finding::new(Class::Inconclusive, "the attempt did not end in time")
            .presented("an attempt that outlasted --timeout")
            .required("one that ends within it")
            .fix("# give it more time, or credprobe more CPU: --timeout=30s, resources.limits.cpu")
    } else {
        Finding::new(Class::Inconclusive, format!("{path} did not answer in time"))
            .presented(format!("{path}, where open or read does not return"))
            .required("a file system that answers within --timeout")
            .fix(
                "# find the volume on which it lies; repair or unmount it: an NFS, EFS or FUSE server that does not answer holds the SDK up as well",
            )
    };
    // The server may come back.
    finding.transient(true)
}
