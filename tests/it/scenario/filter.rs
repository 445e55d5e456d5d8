//! Blanks what differs from run to run, before a report is compared with its snapshot.
//! It blanks nothing else: two runs of one scenario read the same.

use regex_lite::Regex;
use std::sync::LazyLock;

/// The order matters: a time stamp must be blanked before its numbers look like something else.
const VARIABLE: &[(&str, &str)] = &[
    // `2026-11-22T01:04:50Z`, with or without a fraction.
    (r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z", "[time]"),
    // The time of SigV4.
    (r"[0-9]{8}T[0-9]{6}Z", "[time]"),
    // The kubelet's directory.
    (r"\.\.20[0-9_]+\.[0-9]+", "..[time]"),
    // A SHA-1 of a key or certificate that was made for this run or this machine.
    (r"\b[0-9a-f]{40}\b", "[sha-1]"),
    // The end of the name that EKS gives a session.
    (r"(/eks-[a-z0-9-]+)-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "$1-[uuid]"),
    // Seconds since the epoch, as STS prints them.
    (r"\b1[0-9]{9}\b", "[seconds]"),
    // The table's column keeps its width.
    (r" +[0-9]+\.[0-9]{3} ms", "  [time] ms"),
    (r"\b[0-9]+ ms\b", "[time] ms"),
    (r"\b[0-9]+ (d|h|min)( [0-9]+ (h|min|s))?\b", "[span]"),
    (r"\b[0-9]+ s (ago|old)\b", "[span] $1"),
    // How much of an endless answer had arrived when the probe gave up.
    (r"\([0-9]+ had come\)", "([n] had come)"),
    (r"\bpid [0-9]+\b", "pid [n]"),
];

/// An error means that a pattern does not compile.
pub(super) fn stable(text: &str) -> Result<String, String> {
    static FILTERS: LazyLock<Result<Vec<(Regex, &str)>, String>> = LazyLock::new(|| {
        let compiled = |(pattern, blank): &(&str, &'static str)| match Regex::new(pattern) {
            Ok(regex) => Ok((regex, *blank)),
            Err(error) => Err(format!("{pattern}: {error}")),
        };
        VARIABLE.iter().map(compiled).collect()
    });
    let blank =
        |text: String, (pattern, blank): &(Regex, &str)| pattern.replace_all(&text, *blank).into_owned();
    Ok(FILTERS.as_ref().map_err(Clone::clone)?.iter().fold(text.to_owned(), blank))
}
