//! Reads the certificates that the wire should trust: a bundle that replaces the compiled-in roots, and additions to the roots.
//! The wire checks their content.
#![expect(clippy::disallowed_methods, reason = "an observer: the bundle of a flag is the probe's own file")]

use super::files::{Files, folders};
use super::noted;
use super::walk::errno_name;
use crate::collect::subject::Subject;
use crate::process::clock;
use crate::transport::{self, BundleProblem, RootStore};
use credprobe_judge::evidence::{Environment, TrustProblem, Unseen};
use std::ffi::OsStr;
use tokio::time::Instant;

/// The longest bundle that is read, in bytes. Mozilla's whole list has about 250 kB as PEM.
const BUNDLE_LIMIT: u64 = 4 * 1024 * 1024;

/// How many files are read in all folders of `SSL_CERT_DIR` together. Their total length is limited like a bundle's. Distributions
/// have about 300 files, links included.
const FILES_LIMIT: usize = 1_000;

/// Whether the subject's environment says which roots it trusts.
#[must_use]
pub fn names_roots(subject: &Subject) -> bool {
    ["AWS_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"].into_iter().any(|name| subject.text(name).is_some())
}

/// Reads the bundle of `flag`, else of `AWS_CA_BUNDLE`, and adds `SSL_CERT_FILE` and `SSL_CERT_DIR` as far as `deadline` allows.
/// Additions that add nothing, and files that cannot be observed, are recorded in `environment`.
///
/// # Errors
/// The bundle cannot be read or holds no certificate.
pub fn read_ca_bundle(
    subject: &Subject,
    flag: Option<&str>,
    deadline: Instant,
    environment: &mut Environment,
) -> Result<RootStore, TrustProblem> {
    let (idle_trust, unseen) = (&mut environment.trust_idle, &mut environment.unseen);
    if subject.variable("AWS_CA_BUNDLE").is_some_and(OsStr::is_empty) {
        idle_trust.push(idle("AWS_CA_BUNDLE=".to_owned(), "the variable is empty"));
    }
    let by_flag = flag.map(|path| ("--ca-bundle", path));
    let bundle = by_flag.or_else(|| Some(("AWS_CA_BUNDLE", subject.text("AWS_CA_BUNDLE")?)));
    let mut roots = None;
    if let Some((source, path)) = bundle {
        let label = format!("{source}={path}");
        match if flag.is_some() { own(path, BUNDLE_LIMIT) } else { subject.read(path, BUNDLE_LIMIT) } {
            Ok(pem) if pem.trim_ascii().is_empty() => idle_trust.push(idle(label, "the file is empty")),
            Ok(pem) => roots = Some((label, pem)),
            Err(error) => {
                let errno = error.raw_os_error().map(|_| errno_name(&error));
                return Err(TrustProblem { errno, ..idle(label, &error.to_string()) });
            }
        }
    }
    let (additions, not_seen) = additions(subject, deadline);
    // If this variable is set, Rust's clients, Ruby and others have only the roots of that file.
    let file = subject.text("SSL_CERT_FILE").map(|path| format!("SSL_CERT_FILE={path}"));
    let is_missing = |label: &String| {
        !additions.iter().any(|(other, _)| other == label)
            && !not_seen.iter().any(|unseen| unseen.what == *label)
            && !environment.unreadable.iter().any(|file| file.source == "SSL_CERT_FILE")
    };
    idle_trust.extend(file.filter(is_missing).map(|label| idle(label, "there is no such file")));
    unseen.extend(not_seen);
    let roots = roots.as_ref().map(|(label, pem)| (label.as_str(), pem.as_slice()));
    let given: Vec<(&str, &[u8])> =
        additions.iter().map(|(label, pem)| (label.as_str(), pem.as_slice())).collect();
    let trust = transport::root_store(roots, &given).map_err(problem)?;
    idle_trust.extend(trust.idle().iter().cloned().map(problem));
    Ok(trust)
}

fn problem(problem: BundleProblem) -> TrustProblem {
    idle(problem.label, &problem.reason)
}

fn idle(source: String, problem: &str) -> TrustProblem {
    TrustProblem { source, problem: problem.to_owned(), ..TrustProblem::default() }
}

/// Contents with their labels. The files of a folder share the folder's label.
type Additions = Vec<(String, Vec<u8>)>;

fn additions(subject: &Subject, deadline: Instant) -> (Additions, Vec<Unseen>) {
    if subject.text("SSL_CERT_FILE").or_else(|| subject.text("SSL_CERT_DIR")).is_none() {
        return Default::default();
    }
    subject.with_rights(|files| {
        let mut unseen = Vec::new();
        (additions_in(subject, files, deadline, &mut unseen), unseen)
    })
}

fn additions_in(
    subject: &Subject,
    files: &Files<'_>,
    deadline: Instant,
    unseen: &mut Vec<Unseen>,
) -> Additions {
    let mut additions = Vec::new();
    if let Some(path) = subject.text("SSL_CERT_FILE") {
        let label = format!("SSL_CERT_FILE={path}");
        let pem = noted(files.read(path, BUNDLE_LIMIT), || label.clone(), unseen);
        additions.extend(pem.map(|pem| (label, pem)));
    }
    let (mut bytes, mut left) = (BUNDLE_LIMIT, FILES_LIMIT);
    for folder in folders(subject, "SSL_CERT_DIR") {
        let label = format!("SSL_CERT_DIR={folder}");
        let names = noted(files.names(folder, left), || label.clone(), unseen);
        for name in names.unwrap_or_default() {
            if bytes == 0 || clock::instant() >= deadline {
                return additions;
            }
            left -= 1;
            let path = format!("{folder}/{name}");
            let pem = noted(files.read(&path, bytes), || format!("SSL_CERT_DIR={path}"), unseen);
            if let Some(pem) = pem {
                bytes = bytes.saturating_sub(pem.len() as u64);
                additions.push((label.clone(), pem));
            }
        }
    }
    additions
}

/// Opens without blocking, so that a FIFO in place of the file cannot hold the probe up.
pub(super) fn own(path: &str, limit: u64) -> std::io::Result<Vec<u8>> {
    use std::os::unix::fs::OpenOptionsExt as _;
    crate::process::aside::looking_at(path);
    let mut options = std::fs::File::options();
    super::bounded(options.read(true).custom_flags(nix::libc::O_NONBLOCK).open(path)?, limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::subject::SubjectSelector;
    use std::fs::{create_dir, write};
    use std::time::Duration;

    const SPACE: &[u8] = &[b' '; 64 * 1024];

    fn read(variables: &[(&str, String)], deadline: Instant) -> (Additions, Vec<Unseen>) {
        let variables = variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
        additions(&Subject::new(SubjectSelector::Own).unwrap().with_variables(variables), deadline)
    }

    fn later() -> Instant {
        clock::deadline(Duration::from_secs(60))
    }

    /// Folders with `files` files each, all with this content.
    fn folders_of(
        parent: &tempfile::TempDir,
        folders: usize,
        files: usize,
        content: &[u8],
    ) -> [(&'static str, String); 1] {
        let paths: Vec<String> = (0..folders)
            .map(|folder| {
                let path = parent.path().join(folder.to_string());
                create_dir(&path).unwrap();
                (0..files).for_each(|file| write(path.join(file.to_string()), content).unwrap());
                path.to_str().unwrap().to_owned()
            })
            .collect();
        [("SSL_CERT_DIR", paths.join(":"))]
    }

    #[test]
    fn all_folders_share_one_budget_of_bytes_files_and_folders() {
        let parent = || tempfile::tempdir().unwrap();
        let (bytes, files, folders) = (parent(), parent(), parent());
        let (read_bytes, _) = read(&folders_of(&bytes, 3, 40, SPACE), later());
        let total: u64 = read_bytes.iter().map(|(_, pem)| pem.len() as u64).sum();
        assert_eq!(total, BUNDLE_LIMIT, "of three folders with 2.5 MiB each");
        let (read_files, _) = read(&folders_of(&files, 3, 400, b"x"), later());
        assert_eq!(read_files.len(), FILES_LIMIT, "of three folders with 400 files each");
        let (read_folders, unseen) = read(&folders_of(&folders, 120, 1, b"x"), later());
        assert_eq!((read_folders.len(), unseen), (100, vec![]), "of 120 folders");
    }

    #[test]
    fn after_the_deadline_no_file_of_a_folder_is_read() {
        let parent = tempfile::tempdir().unwrap();
        let variables = folders_of(&parent, 1, 3, b"x");
        assert_eq!(read(&variables, clock::instant()).0.len(), 0);
        assert_eq!(read(&variables, later()).0.len(), 3);
    }

    /// The kernel answers a read of `/proc/self/mem` at address 0 with EIO.
    #[test]
    fn what_the_node_keeps_from_view_is_noted_and_what_is_missing_is_not() {
        let of = |path: &str| {
            read(&[("SSL_CERT_FILE", path.to_owned()), ("SSL_CERT_DIR", path.to_owned())], later())
        };
        let (additions, unseen) = of("/proc/self/mem");
        let first = unseen.first().map(|unseen| (unseen.what.as_str(), unseen.error.as_str()));
        assert_eq!((additions.len(), first), (0, Some(("SSL_CERT_FILE=/proc/self/mem", "EIO"))));
        assert_eq!(of("/nothing/here"), (vec![], vec![]));
    }

    #[test]
    fn an_empty_bundle_adds_nothing_and_takes_nothing_away() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for value in ["", file.path().to_str().unwrap()] {
            let variables = [("AWS_CA_BUNDLE".into(), value.into())].into();
            let subject = Subject::new(SubjectSelector::Own).unwrap().with_variables(variables);
            let mut environment = Environment::default();
            let trust = read_ca_bundle(&subject, None, later(), &mut environment).unwrap();
            assert_eq!((trust.label(), environment.trust_idle.len()), ("compiled-in", 1), "{value:?}");
        }
    }
}
