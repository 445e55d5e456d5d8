//! A process whose environment names a file in every variable of the probe's own list, and what the probe sees of these files.
//! Each file says what it is. A variable that joins the probe's list is tested with the next run.

use super::ground::Ground;
use credprobe::collect::subject::{Subject, SubjectSelector};
use credprobe::collect::target::TargetPid;
use credprobe::collect::{self, NAMED, Named};
use credprobe::process::clock;
use credprobe_judge::evidence::Environment;
use credprobe_judge::options::Options;
use credprobe_judge::text::redactor::Redactor;
use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Content of the files that would show: of profiles, of hosts, of the resolver's list.
pub(crate) const PLANTED: [&str; 3] = ["role/planted", "10.9.8.7", "planted.svc.cluster.local"];

/// The process; ended when dropped.
pub(crate) struct App(Child);

/// What the probe observes of it.
pub(crate) struct Seen {
    /// Source, error, and whether the probe caused it.
    pub(crate) unreadable: Vec<(String, String, bool)>,
    pub(crate) text: String,
    /// The certificates added to the compiled-in roots, one for each bundle that was read.
    pub(crate) certificates: usize,
}

/// What is unreadable if everything is.
pub(crate) fn sources(error: &str, by_probe: bool) -> Vec<(String, String, bool)> {
    let source = |named: &Named| match named {
        Named::File(source) | Named::Folders(source) | Named::Fixed(source) => (*source).to_owned(),
    };
    NAMED.iter().map(|named| (source(named), error.to_owned(), by_probe)).collect()
}

impl App {
    /// With `way` the variables name that path instead of a file.
    pub(crate) fn start(ground: &Ground, uid: u32, mode: &str, way: Option<&str>) -> Self {
        let mode = u32::from_str_radix(mode, 8).unwrap();
        let mut command = Command::new("unshare");
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        let mut script = "set -e;".to_owned();
        for (number, named) in NAMED.iter().enumerate() {
            let path = ground.path(&format!("named-{number}"));
            let _ = std::fs::remove_file(&path);
            match named {
                Named::File(variable) => {
                    std::fs::write(&path, content(variable)).unwrap();
                    command.env(variable, way.unwrap_or(&path));
                }
                Named::Folders(variable) => {
                    std::fs::create_dir_all(&path).unwrap();
                    command.env(variable, way.unwrap_or(&path));
                }
                Named::Fixed(fixed) => {
                    std::fs::write(&path, content(fixed)).unwrap();
                    script += &format!(" mount --bind {path} {fixed};");
                }
            }
            let directory = if matches!(named, Named::Folders(_)) { 0o111 & (mode >> 2) } else { 0 };
            set_permissions(&path, Permissions::from_mode(mode | directory)).unwrap();
        }
        script += &format!(" exec setpriv --reuid={uid} --regid={uid} --clear-groups sleep 60");
        command.args(["--mount", "sh", "-c", &script]).stdin(Stdio::null());
        let app = Self(command.spawn().unwrap());
        let comm = format!("/proc/{}/comm", app.0.id());
        let started = (0..1_000).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            std::fs::read_to_string(&comm).is_ok_and(|comm| comm == "sleep\n")
        });
        assert!(started, "the process did not start");
        app
    }

    pub(crate) fn observe(&self) -> Seen {
        let subject = Subject::new(SubjectSelector::Process(TargetPid::Pid(self.0.id()))).unwrap();
        assert!(subject.is_seen(), "{:?}", subject.target());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let environment =
            runtime.block_on(collect::environment(&subject, Options::default(), &mut Redactor::default()));
        let mut beside = Environment::default();
        let resolver = collect::resolver_config(&subject, &mut beside.unseen);
        let trust =
            collect::read_ca_bundle(&subject, None, clock::deadline(Duration::from_secs(5)), &mut beside);
        assert_eq!(beside.unseen, [], "who may not read it is no matter of the node");
        let unreadable = environment.unreadable.iter();
        Seen {
            unreadable: unreadable
                .map(|file| (file.source.clone(), file.error.clone(), file.by_probe))
                .collect(),
            text: format!("{environment:?} {resolver:?}"),
            certificates: usize::from(trust.is_ok()),
        }
    }
}

impl Drop for App {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn content(source: &str) -> String {
    match source {
        "/etc/hosts" => format!("{} planted.example\n", PLANTED[1]),
        "/etc/resolv.conf" => format!("search {}\nnameserver 10.9.9.9\n", PLANTED[2]),
        "AWS_CA_BUNDLE" | "SSL_CERT_FILE" => {
            let authority = rcgen::generate_simple_self_signed(vec!["planted.example".to_owned()]).unwrap();
            authority.cert.pem()
        }
        _ => format!("[default]\nrole_arn = arn:aws:iam::814203749616:{}\n", PLANTED[0]),
    }
}
