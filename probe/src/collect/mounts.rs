//! Finds the mount of a file: a subPath volume shows as one, and is never updated.
//! Which file is meant, `token_file` knows.

use super::Root;
use credprobe_judge::evidence::Mount;
use std::io::Read as _;

/// The longest mount table that is read, in bytes: a pod has some kilobytes.
const LIMIT: u64 = 1024 * 1024;

/// The mount whose mount point is `path` itself, which has no links; the last one lies on top.
pub(super) fn of_file(root: &Root, path: &str) -> Option<Mount> {
    let mut table = String::new();
    root.mount_table().ok()?.take(LIMIT).read_to_string(&mut table).ok()?;
    find(&table, path)
}

pub(super) fn find(table: &str, path: &str) -> Option<Mount> {
    let mut mounts = table.lines().filter_map(parse);
    mounts.rfind(|mount| mount.point == path)
}

/// `36 35 98:0 /root /point options [optional fields] - type source options`
fn parse(line: &str) -> Option<Mount> {
    let (before, after) = line.split_once(" - ")?;
    let mut fields = before.split(' ').skip(3);
    Some(Mount {
        root: unescaped(fields.next()?),
        point: unescaped(fields.next()?),
        file_system: after.split(' ').next()?.to_owned(),
    })
}

/// Blanks, tabs, line breaks and backslashes are written in octal.
fn unescaped(field: &str) -> String {
    // Nearly none has one, and there is a line for each of a node's mounts.
    if !field.contains('\\') {
        return field.to_owned();
    }
    let marks = [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")];
    marks.iter().fold(field.to_owned(), |text, (mark, c)| text.replace(mark, c))
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
