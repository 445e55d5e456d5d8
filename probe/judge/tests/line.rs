//! Checks the dependencies of the two crates: no cycle of rooms in either, and nothing in this crate that needs a machine.
//! Reads the sources and the lock file. What the compiler checks by itself is not repeated here.
#![expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "reads the sources and asks cargo")]
#![expect(clippy::unwrap_used, reason = "a source that cannot be read is a failure")]
#![expect(clippy::print_stdout, reason = "the graph of rooms, under --nocapture")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The dependencies that this crate may have, including indirect ones. A new one must be added here.
const ALLOWED: &[&str] = &[
    "anstyle",
    "arraydeque",
    "bytes",
    "deranged",
    "http",
    "humantime",
    "itoa",
    "memchr",
    "num-conv",
    "percent-encoding",
    "powerfmt",
    "proc-macro2",
    "quote",
    "saphyr-parser",
    "serde",
    "serde_core",
    "serde_derive",
    "serde_json",
    "syn",
    "thiserror",
    "thiserror-impl",
    "time",
    "time-core",
    "unicode-ident",
    "zeroize",
    "zmij",
];

/// Modules of the operating system that no source of this crate may name.
const OF_A_MACHINE: &[&str] = &[
    "std::env::",
    "std::fs",
    "std::os::",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
];

type Graph = BTreeMap<String, BTreeSet<String>>;

fn crate_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

/// The source without comments and without test code, in which a dependency may point back.
fn shipped(source: &Path) -> String {
    let name = source.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let of_tests = ["tests", "fixtures", "generated", "combinations", "properties", "sts_rules", "fuzz"];
    let in_tests = source.components().any(|part| part.as_os_str() == "tests");
    if in_tests || of_tests.contains(&name.as_str()) {
        return String::new();
    }
    let text = std::fs::read_to_string(source).unwrap();
    let text = text.split("\nmod tests {").next().unwrap_or_default();
    let lines = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

/// The rooms of a crate, and the rooms that each names by `crate::`.
fn rooms(root: &Path) -> Graph {
    let mut files = Vec::new();
    sources(root, &mut files);
    let mut graph = Graph::new();
    for file in files {
        let within = file.strip_prefix(root).unwrap();
        let first = within.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
        let room = first.trim_end_matches(".rs").to_owned();
        if room == "lib" || room == "main" {
            continue;
        }
        let text = shipped(&file);
        let named = graph.entry(room.clone()).or_default();
        for (at, _) in text.match_indices("crate::") {
            let rest = &text[at + "crate::".len()..];
            let heads: Vec<&str> = match rest.strip_prefix('{') {
                // `use crate::{a, b::{c, d}}`: take the words at the first depth.
                Some(list) => at_first_depth(list),
                None => vec![rest],
            };
            for head in heads {
                let end = head.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(head.len());
                named.insert(head[..end].to_owned());
            }
        }
        named.remove(&room);
    }
    let known: BTreeSet<String> = graph.keys().cloned().collect();
    for named in graph.values_mut() {
        named.retain(|name| known.contains(name));
    }
    graph
}

fn at_first_depth(list: &str) -> Vec<&str> {
    let (mut depth, mut start, mut heads) = (0, 0, Vec::new());
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                heads.push(list[start..at].trim());
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                heads.push(list[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    heads
}

fn reachable(graph: &Graph, from: &str) -> BTreeSet<String> {
    let (mut seen, mut open) = (BTreeSet::new(), vec![from.to_owned()]);
    while let Some(room) = open.pop() {
        for next in graph.get(&room).into_iter().flatten() {
            if seen.insert(next.clone()) {
                open.push(next.clone());
            }
        }
    }
    seen
}

/// Rooms that lie on a cycle, with the rooms that they name.
fn in_a_ring(graph: &Graph) -> Vec<String> {
    let rings = graph.iter().filter(|(room, _)| reachable(graph, room).contains(*room));
    rings.map(|(room, named)| format!("{room} → {named:?}")).collect()
}

#[test]
fn no_room_of_either_crate_lies_in_a_ring() {
    for root in [crate_folder().join("src"), crate_folder().join("../src")] {
        let graph = rooms(&root);
        for (room, named) in &graph {
            println!("{room} → {named:?}");
        }
        assert!(graph.len() > 4, "{}: the rooms were not found: {graph:?}", root.display());
        assert_eq!(in_a_ring(&graph), Vec::<String>::new(), "{}", root.display());
    }
}

#[test]
fn a_ring_is_found_where_there_is_one() {
    let graph: Graph = [("a", "b"), ("b", "c"), ("c", "a"), ("d", "a")]
        .map(|(from, to)| (from.to_owned(), BTreeSet::from([to.to_owned()])))
        .into();
    assert_eq!(in_a_ring(&graph).len(), 3);
}

#[test]
fn the_transport_knows_nothing_of_what_collects_and_nobody_but_the_program_of_commands() {
    let graph = rooms(&crate_folder().join("../src"));
    let below = |room: &str| reachable(&graph, room);
    assert!(below("transport").is_empty(), "{:?}", below("transport"));
    assert!(!below("collect").contains("commands") && !below("collect").contains("serve"));
    assert!(!below("serve").contains("commands"));
}

#[test]
fn no_source_names_a_part_of_the_machine() {
    let mut files = Vec::new();
    sources(&crate_folder().join("src"), &mut files);
    for file in files {
        let text = shipped(&file);
        for name in OF_A_MACHINE {
            assert!(!text.contains(name), "{}: {name}", file.display());
        }
    }
}

/// `cargo tree -p credprobe-judge -e normal`, for all targets at once.
#[test]
fn nothing_comes_along_that_needs_a_machine() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = [
        "tree",
        "--locked",
        "--offline",
        "-p",
        "credprobe-judge",
        "-e",
        "normal",
        "--prefix=none",
        "--format={p}",
    ];
    let output =
        std::process::Command::new(cargo).args(arguments).current_dir(crate_folder()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let brought: BTreeSet<&str> = text.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(brought.contains("serde_json"), "{text}");
    let others: Vec<&&str> =
        brought.iter().filter(|name| **name != "credprobe-judge" && !ALLOWED.contains(*name)).collect();
    assert!(others.is_empty(), "not on the list of what this crate may bring along: {others:?}");
}
