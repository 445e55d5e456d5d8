//! Reads an environment as a stream and keeps only the variables that credprobe knows.
//! The rest is wiped at once, because it may contain passwords of others.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use zeroize::{Zeroize as _, Zeroizing};

/// In bytes. More than exec(2) allows (6 MiB of arguments and environment), because a process may move the bounds of its own.
pub(super) const LIMIT: u64 = 16 * 1024 * 1024;

/// The longest entry that is kept, in bytes. Real entries have a few hundred.
const ENTRY_LIMIT: usize = 64 * 1024;

/// The longest name that is considered, in bytes.
const NAME_LIMIT: usize = 256;

/// Room for all kept entries, in bytes. There could be millions of names with our prefixes.
const KEPT_LIMIT: usize = 1024 * 1024;

/// The most that a variable takes besides its bytes.
const OVERHEAD: usize = 256;

const PREFIXES: &[&str] = &["AWS_", "KUBERNETES_SERVICE_", "POD_"];

const NAMES: &[&str] = &[
    "HOME",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "SMITHY_CLIENT_SDK_CUSTOM_PARTITION",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

/// The kept part of an environment. No `Debug`, because values may be secret.
#[derive(Default)]
pub(super) struct Environment {
    pub(super) variables: BTreeMap<OsString, OsString>,
    /// Names of variables whose values were incomplete and dropped.
    pub(super) cut: BTreeSet<OsString>,
    /// A limit was reached before the end.
    pub(super) truncated: bool,
}

/// Reads to the end, or until `budget` bytes are used up.
pub(super) fn read(mut source: impl Read, budget: &mut u64) -> io::Result<Environment> {
    let mut entries = Entries::default();
    let mut chunk = Zeroizing::new(vec![0; ENTRY_LIMIT]);
    loop {
        let length = match source.read(&mut chunk) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let Some(rest) = budget.checked_sub(length as u64) else {
            entries.seen.truncated = true;
            break;
        };
        *budget = rest;
        entries.feed(&chunk[..length]);
    }
    // The last entry is incomplete without its NUL.
    entries.end(false);
    Ok(entries.seen)
}

fn is_kept(name: &[u8]) -> bool {
    PREFIXES.iter().any(|prefix| name.starts_with(prefix.as_bytes()))
        || NAMES.iter().any(|known| known.as_bytes() == name)
}

/// Joins entries that span chunks.
struct Entries {
    entry: Zeroizing<Vec<u8>>,
    place: Place,
    room: usize,
    seen: Environment,
}

/// What happens with the rest of an entry.
#[derive(PartialEq)]
enum Place {
    Kept,
    /// The name is known, but the value is too long.
    TooLong,
    Foreign,
}

impl Default for Entries {
    fn default() -> Self {
        // The buffer is never reallocated, because that would leave copies.
        let entry = Zeroizing::new(Vec::with_capacity(ENTRY_LIMIT));
        Self { entry, place: Place::Kept, room: KEPT_LIMIT, seen: Environment::default() }
    }
}

impl Entries {
    fn feed(&mut self, chunk: &[u8]) {
        for part in chunk.split_inclusive(|byte| *byte == 0) {
            match part.split_last() {
                Some((0, text)) => {
                    self.take(text);
                    self.end(true);
                }
                _ => self.take(part),
            }
        }
    }

    fn take(&mut self, text: &[u8]) {
        if self.place != Place::Kept {
            return;
        }
        let room = ENTRY_LIMIT - self.entry.len();
        self.entry.extend_from_slice(&text[..text.len().min(room)]);
        if text.len() > room {
            self.place = Place::TooLong;
        }
        let start = &self.entry[..self.entry.len().min(NAME_LIMIT)];
        let may_be_kept = match start.iter().position(|byte| *byte == b'=') {
            Some(end) => is_kept(&start[..end]),
            None => start.len() < NAME_LIMIT,
        };
        if !may_be_kept {
            self.wipe();
            self.place = Place::Foreign;
        }
    }

    fn end(&mut self, terminated: bool) {
        if let Some(end) = self.entry.iter().position(|byte| *byte == b'=') {
            let (name, value) = (OsStr::from_bytes(&self.entry[..end]), &self.entry[end + 1..]);
            let (variables, cut) = (&mut self.seen.variables, &mut self.seen.cut);
            // Of duplicates the first counts, as for getenv(3) and the SDKs' own versions of it.
            if !variables.contains_key(name) && !cut.contains(name) {
                let needed = self.entry.len() + OVERHEAD;
                if needed > self.room {
                    self.seen.truncated = true;
                } else if terminated && self.place == Place::Kept {
                    variables.insert(name.to_owned(), OsString::from_vec(value.to_vec()));
                } else {
                    cut.insert(name.to_owned());
                }
                self.room = self.room.saturating_sub(needed);
            }
        }
        self.wipe();
        self.place = Place::Kept;
    }

    /// Wipes only the bytes in use, because millions of short entries may follow each other.
    fn wipe(&mut self) {
        self.entry.as_mut_slice().zeroize();
        self.entry.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn environment(bytes: &[u8]) -> Environment {
        read(bytes, &mut { LIMIT }).unwrap()
    }

    fn names(environment: &Environment) -> Vec<&str> {
        environment.variables.keys().map(|name| name.to_str().unwrap()).collect()
    }

    #[test]
    fn only_known_names_are_kept() {
        let seen =
            environment(b"AWS_REGION=eu-west-1\0DB_PASSWORD=x\0HOME=/\0HOMER=1\0POD_NAME=a=b\0\0no equals\0");
        assert_eq!(names(&seen), ["AWS_REGION", "HOME", "POD_NAME"]);
        assert_eq!(seen.variables[OsStr::new("POD_NAME")], "a=b");
    }

    #[test]
    fn of_duplicates_the_first_counts() {
        let seen = environment(b"AWS_REGION=first\0AWS_REGION=second\0");
        assert_eq!(seen.variables[OsStr::new("AWS_REGION")], "first");
    }

    #[test]
    fn bytes_that_are_no_utf8_stay() {
        let seen = environment(b"AWS_PROFILE=\xff\xfe\0");
        assert_eq!(seen.variables[OsStr::new("AWS_PROFILE")].as_bytes(), b"\xff\xfe");
    }

    #[test]
    fn a_value_that_is_too_long_or_half_is_dropped_and_named() {
        let mut bytes = b"AWS_PROFILE=".to_vec();
        bytes.resize(3 * ENTRY_LIMIT, b'x');
        bytes.extend(b"\0AWS_REGION=eu-west-1\0AWS_ROLE_ARN=arn:aws:ia");
        let seen = environment(&bytes);
        assert_eq!(names(&seen), ["AWS_REGION"]);
        assert_eq!(seen.cut, BTreeSet::from(["AWS_PROFILE".into(), "AWS_ROLE_ARN".into()]));
    }

    #[test]
    fn the_longest_entry_is_kept() {
        let mut bytes = b"AWS_PROFILE=".to_vec();
        bytes.resize(ENTRY_LIMIT, b'x');
        bytes.push(0);
        assert_eq!(names(&environment(&bytes)), ["AWS_PROFILE"]);
    }

    #[test]
    fn an_endless_environment_ends_at_the_limit() {
        assert!(read(io::repeat(b'x'), &mut { LIMIT }).unwrap().truncated);
        assert!(read(io::repeat(0), &mut { 100_000 }).unwrap().truncated);
    }

    #[test]
    fn thousands_of_variables_take_bounded_memory() {
        let many: Vec<u8> = (0..10_000).flat_map(|n| format!("AWS_{n}=\0").into_bytes()).collect();
        let seen = environment(&many);
        assert!(seen.truncated && seen.variables.len() <= KEPT_LIMIT / OVERHEAD, "{}", seen.variables.len());
    }

    /// Delivers a few bytes at a time.
    struct Drops<'a>(&'a [u8], usize);

    impl Read for Drops<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let (now, later) = self.0.split_at(self.0.len().min(self.1));
            self.0 = later;
            buffer[..now.len()].copy_from_slice(now);
            Ok(now.len())
        }
    }

    proptest! {
        #[test]
        fn any_bytes_in_any_pieces_give_the_same(
            bytes in proptest::collection::vec(prop_oneof![Just(0), Just(b'='), any::<u8>()], 0..400),
            pieces in 1..9_usize,
        ) {
            let bytes = [b"AWS_A=1\0PASSWORD=2\0AWS_".as_slice(), &bytes].concat();
            let (whole, parts) = (environment(&bytes), read(Drops(&bytes, pieces), &mut { LIMIT }).unwrap());
            prop_assert!(whole.variables == parts.variables && whole.cut == parts.cut);
            prop_assert!(whole.variables.keys().all(|name| is_kept(name.as_bytes())));
        }
    }
}
