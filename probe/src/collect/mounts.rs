//! Finds the mount of a file. A subPath volume is a mount of its file, and is never updated.
//! `token_file` says which file is meant.

use super::Root;
use credprobe_judge::evidence::Mount;
use std::borrow::Cow;
use std::io::{BufRead as _, BufReader, Read as _};

/// The longest mount table that is read, in bytes. A pod's has a few kilobytes.
const LIMIT: u64 = 1024 * 1024;

/// The mount whose mount point is exactly `path`, which contains no links. The last one in the table is on top.
pub(super) fn of_file(root: &Root, path: &str) -> Option<Mount> {
    let mut table = BufReader::with_capacity(BUFFER, root.mount_table().ok()?.take(LIMIT));
    let (mut found, mut line) = (None, String::new());
    while table.read_line(&mut line).ok()? > 0 {
        found = parse(line.trim_end_matches('\n'), path).or(found);
        line.clear();
    }
    found
}

/// In bytes. Lines of a mount table have a few hundred.
const BUFFER: usize = 1024;

/// Searches a whole table, for the fuzzer and the tests.
#[cfg(any(test, fuzzing))]
pub(super) fn find(table: &str, path: &str) -> Option<Mount> {
    table.lines().rev().find_map(|line| parse(line, path))
}

/// Parses `36 35 98:0 /root /point options [optional fields] - type source options`, if its `/point` is `point`.
fn parse(line: &str, point: &str) -> Option<Mount> {
    let mut fields = line.split(' ').skip(3);
    let root = fields.next()?;
    let point = Some(unescaped(fields.next()?)).filter(|its| its == point)?;
    let (_, after) = line.split_once(" - ")?;
    Some(Mount {
        root: unescaped(root).into_owned(),
        point: point.into_owned(),
        file_system: after.split(' ').next()?.to_owned(),
    })
}

/// Replaces the octal escapes for blanks, tabs, line breaks and backslashes.
fn unescaped(field: &str) -> Cow<'_, str> {
    // Hardly any line has one, and the table has a line for each mount of a node.
    if !field.contains('\\') {
        return Cow::Borrowed(field);
    }
    let marks = [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")];
    Cow::Owned(marks.iter().fold(field.to_owned(), |text, (mark, c)| text.replace(mark, c)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = r"22 1 0:21 / /proc rw shared:5 - proc proc rw
700 690 0:88 /..2026_11_21_10/token//deleted /run/secrets/a\040b/token ro,relatime - tmpfs tmpfs rw,size=1024k
701 690 0:88 / /run/secrets/eks ro - tmpfs tmpfs rw";

    #[test]
    fn a_file_that_is_a_mount_is_found() {
        let mount = find(TABLE, "/run/secrets/a b/token").unwrap();
        assert_eq!(mount.root, "/..2026_11_21_10/token//deleted");
        assert_eq!(mount.file_system, "tmpfs");
    }

    #[test]
    fn a_file_in_a_mounted_directory_is_none() {
        assert_eq!(find(TABLE, "/run/secrets/eks/token"), None);
    }
}
