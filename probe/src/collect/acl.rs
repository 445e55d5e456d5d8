//! Reads the POSIX access control list of a file that is held but not opened for reading.
//! The judge says who is granted what by it.

use credprobe_judge::evidence::{AclEntry, AclTag};
use rustix::io::Errno;
use std::fs::File;
use std::os::fd::AsRawFd as _;

/// The entries. Empty if there are none beyond the mode, or if the file system has no ACLs.
pub(super) fn read(file: &File) -> Vec<AclEntry> {
    // `fgetxattr` refuses an O_PATH descriptor with EBADF; the file's path in /proc works.
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    let mut blob = Vec::new();
    // The list may change between the call for its size and the call for its content.
    for _ in 0..3 {
        let Ok(size) = rustix::fs::getxattr_query(&path, ATTRIBUTE) else { return Vec::new() };
        blob.resize(size, 0);
        match rustix::fs::getxattr(&path, ATTRIBUTE, &mut blob[..]) {
            Ok(size) => {
                blob.truncate(size);
                return decode(&blob);
            }
            Err(Errno::RANGE) => {}
            Err(_) => break,
        }
    }
    Vec::new()
}

/// Version 2, then tag, permissions and id of each entry: 2 + 2 + 4 bytes, little endian (`linux/posix_acl_xattr.h`).
fn decode(blob: &[u8]) -> Vec<AclEntry> {
    let Some(entries) = blob.strip_prefix(&2_u32.to_le_bytes()) else { return Vec::new() };
    let (entries, _) = entries.as_chunks::<8>();
    entries.iter().filter_map(entry).collect()
}

fn entry(&[t0, t1, permissions, _, i0, i1, i2, i3]: &[u8; 8]) -> Option<AclEntry> {
    let tag = match u16::from_le_bytes([t0, t1]) {
        0x01 => AclTag::UserOwner,
        0x02 => AclTag::User,
        0x04 => AclTag::GroupOwner,
        0x08 => AclTag::Group,
        0x10 => AclTag::Mask,
        0x20 => AclTag::Other,
        _ => return None,
    };
    let named = matches!(tag, AclTag::User | AclTag::Group);
    let id = named.then_some(u32::from_le_bytes([i0, i1, i2, i3]));
    Some(AclEntry { tag, id, permissions: permissions & 7 })
}

const ATTRIBUTE: &str = "system.posix_acl_access";

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_list_of_the_kernel_is_decoded() {
        let mut blob = vec![2, 0, 0, 0];
        blob.extend([0x01, 0, 6, 0, 255, 255, 255, 255]);
        blob.extend([0x02, 0, 4, 0, 0xd2, 0x04, 0, 0]);
        let owner = AclEntry { tag: AclTag::UserOwner, id: None, permissions: 6 };
        let named = AclEntry { tag: AclTag::User, id: Some(1234), permissions: 4 };
        assert_eq!(decode(&blob), [owner, named]);
    }

    #[test]
    fn another_version_is_no_list() {
        assert_eq!(decode(&[3, 0, 0, 0, 0x01, 0, 6, 0, 255, 255, 255, 255]), []);
    }

    proptest! {
        #[test]
        fn any_bytes_have_an_answer(blob in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = decode(&blob);
        }
    }
}
