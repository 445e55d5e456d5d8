//! A file that does not answer: a network or FUSE file system whose server is gone, memory behind a page fault.
//! It was not seen, so nothing is said about what is in it. Pure.

use crate::catalog::Class;
use crate::catalog::texts::outcome as texts;
use crate::judge::finding::Finding;
use crate::steps::slot;
use crate::steps::values::Values;

/// `path` is where the look hangs; empty: it is not known.
pub(super) fn judge(path: &str) -> Finding {
    let values = Values::default().with_text(slot::FILE, path);
    let finding = if path.is_empty() {
        Finding::new(Class::Inconclusive, "the attempt did not end in time")
            .presented("an attempt that outlasted --timeout")
            .required("one that ends within it")
            .why("The attempt took longer than --timeout allows, and no single server or file held it up. So credprobe got too little time or too little CPU.")
            .steps(&values, &[&texts::GIVE_TIME])
    } else {
        Finding::new(Class::Inconclusive, format!("{path} did not answer in time"))
            .presented(format!("{path}, where open or read does not return"))
            .required("a file system that answers within --timeout")
            .why(format!("To open or read {path} does not return. Its file system waits for a server that does not answer. Nothing is known of what it holds."))
            .steps(&values, &[&texts::SEE_MOUNTS_HERE, &texts::REPAIR_VOLUME])
    };
    // The server may come back.
    finding.transient(true)
}
