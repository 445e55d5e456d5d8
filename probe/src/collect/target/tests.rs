//! Tests with processes that are started and ended here, and with a simulated /proc of files.
#![expect(clippy::disallowed_methods, reason = "tests write files and are their own children")]

use super::*;
use credprobe_judge::judge::finding::Severity;
use credprobe_judge::judge::target::{Difference, findings, ptrace_refusal};
use nix::sys::prctl::set_dumpable;
use std::io::Read as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// A child that is killed and waited for, whatever the test does.
struct Running(Child);

impl Running {
    fn start(command: &mut Command) -> Self {
        Self(command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap())
    }

    /// Starts `sleep` with this environment and waits until it has replaced the child's program.
    fn sleep(variables: &[(&str, &OsStr)]) -> Self {
        let started =
            Self::start(Command::new("sleep").arg("60").env_clear().envs(variables.iter().copied()));
        started.until(|comm| comm == "sleep")
    }

    fn until(self, is: impl Fn(&str) -> bool) -> Self {
        let comm = format!("/proc/{}/comm", self.pid());
        for _ in 0..500 {
            if is(std::fs::read_to_string(&comm).unwrap().trim_end()) {
                return self;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("pid {} is still {}", self.pid(), std::fs::read_to_string(&comm).unwrap());
    }

    fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Writes directly, because the test harness would capture it.
fn say(to: &mut dyn std::io::Write, line: &str) {
    writeln!(to, "{line}").unwrap();
}

fn words(target: &Target) -> String {
    let findings = findings(target, &credprobe_judge::evidence::Process::default());
    findings.into_iter().map(|finding| finding.summary).collect()
}

#[test]
fn a_process_is_seen_with_its_known_variables_and_its_root() {
    let variables =
        [("AWS_REGION", "eu-west-1"), ("DB_PASSWORD", "x")].map(|(name, value)| (name, value.as_ref()));
    let child = Running::sleep(&variables);
    let (target, seen) = observe(TargetPid::Pid(child.pid()));
    let seen = seen.unwrap();
    assert_eq!(seen.variables, BTreeMap::from([("AWS_REGION".into(), "eu-west-1".into())]));
    assert_eq!((target.pid, target.comm.as_str()), (Some(child.pid()), "sleep"));
    let (own, status) = (target.own.as_ref().unwrap(), target.status.as_ref().unwrap());
    assert_eq!((own.pid, status.parent), (std::process::id(), std::process::id()));
    assert_eq!((status.uid, status.gid), (own.uid, own.gid));
    let root = nix::sys::stat::fstat(&seen.root).unwrap();
    let ours = nix::sys::stat::stat("/").unwrap();
    assert_eq!((root.st_dev, root.st_ino), (ours.st_dev, ours.st_ino));
    assert_eq!(words(&target), "");
    // The held directory belongs to the process, not to the pid.
    drop(child);
    let file =
        nix::fcntl::openat(&seen.proc, "status", nix::fcntl::OFlag::O_RDONLY, nix::sys::stat::Mode::empty());
    assert!(file.is_err(), "a dead process still has a status");
}

#[test]
fn an_environment_of_two_megabytes_and_one_without_utf8_are_read() {
    // exec(2) allows arguments of a quarter of the stack limit.
    let script = "ulimit -s 65536; big=$(head -c 100000 /dev/zero | tr '\\0' x); \
        for n in $(seq 40); do export BIG_$n=$big; done; export AWS_CA_BUNDLE=$big; exec sleep 60";
    let mut shell = Command::new("sh");
    shell.args(["-c", script]).env_clear().env("PATH", "/usr/bin:/bin");
    shell.env("AWS_PROFILE", OsStr::from_bytes(b"\xff"));
    let child = Running::start(&mut shell).until(|comm| comm == "sleep");
    std::thread::sleep(EXEC);
    let environ = std::fs::read(format!("/proc/{}/environ", child.pid())).unwrap();
    assert!(environ.len() > 4_000_000, "{}", environ.len());
    let (target, seen) = observe(TargetPid::Pid(child.pid()));
    let profile = BTreeMap::from([("AWS_PROFILE".into(), OsStr::from_bytes(b"\xff").to_owned())]);
    assert_eq!(seen.unwrap().variables, profile);
    assert_eq!(target.truncated.variables, ["AWS_CA_BUNDLE"]);
    assert!(words(&target).ends_with("count as not set: AWS_CA_BUNDLE"), "{}", words(&target));
}

#[test]
fn capabilities_of_another_user_namespace_are_none() {
    let command = ["--user", "--map-root-user", "sleep", "60"];
    let child = Running::start(Command::new("unshare").args(command)).until(|comm| comm == "sleep");
    let (target, _) = observe(TargetPid::Pid(child.pid()));
    let ids = crate::collect::ids(
        &crate::collect::subject::SubjectSelector::Process(TargetPid::Pid(child.pid())),
        Some(&target),
    );
    assert!(target.other_user_namespace && !target.status.unwrap().effective.is_empty());
    assert_eq!((ids.source.as_str(), ids.capabilities), ("target-pid", vec![]));
    let (target, _) = observe(TargetPid::Pid(Running::sleep(&[]).pid()));
    assert!(!target.other_user_namespace);
}

#[test]
fn an_environment_of_nothing_is_seen() {
    let child = Running::sleep(&[]);
    assert!(observe(TargetPid::Pid(child.pid())).1.unwrap().variables.is_empty());
}

#[test]
fn a_pid_that_is_nobodys_does_not_exist() {
    let mut child = Running::sleep(&[]);
    child.0.kill().unwrap();
    child.0.wait().unwrap();
    for pid in [child.pid(), 0, u32::MAX] {
        let (target, seen) = observe(TargetPid::Pid(pid));
        assert_eq!(
            (seen.is_none(), target.exists, target.status_error.as_deref()),
            (true, Some(false), Some("ENOENT"))
        );
        assert!(words(&target).starts_with(&format!("there is no pid {pid} ")), "{}", words(&target));
    }
}

#[test]
fn a_zombie_is_told_from_a_process_without_variables() {
    let mut child = Running::sleep(&[]);
    child.0.kill().unwrap();
    let stat = format!("/proc/{}/stat", child.pid());
    while !std::fs::read_to_string(&stat).unwrap().contains(") Z ") {
        std::thread::sleep(Duration::from_millis(10));
    }
    let (target, seen) = observe(TargetPid::Pid(child.pid()));
    assert!(seen.is_none());
    assert!(words(&target).contains("has exited"), "{target:#?}");
}

#[test]
fn whoever_exits_meanwhile_is_either_seen_or_said_to_be_gone() {
    for delay in 0..100 {
        let child = Running::start(Command::new("true").env_clear().env("AWS_REGION", "eu-west-1"));
        std::thread::sleep(Duration::from_micros(delay * 20));
        let (target, seen) = observe(TargetPid::Pid(child.pid()));
        match seen {
            Some(_) => assert_eq!(words(&target), ""),
            None => assert!(words(&target).contains("exited"), "{target:#?}"),
        }
    }
}

#[test]
fn credprobe_itself_is_no_other_process() {
    let (target, seen) = observe(TargetPid::Pid(std::process::id()));
    assert!(seen.is_none());
    assert!(words(&target).ends_with("is credprobe itself"), "{}", words(&target));
}

#[test]
fn a_kernel_thread_is_named_as_one() {
    if std::fs::read_to_string("/proc/2/comm").is_ok_and(|comm| comm == "kthreadd\n") {
        let (target, seen) = observe(TargetPid::Pid(2));
        assert!(seen.is_none() && target.whole_node);
        assert!(words(&target).contains("thread of the kernel"), "{}", words(&target));
        // If kernel threads are visible, `auto` does not guess either.
        let (target, seen) = observe(TargetPid::Auto);
        assert!(seen.is_none() && target.pid.is_none());
        assert!(words(&target).contains("shares the node’s processes"), "{}", words(&target));
    } else {
        say(&mut std::io::stderr(), "NOT TESTED: no kernel thread is in sight here");
    }
}

#[test]
fn a_shells_export_shows_in_its_child_only() {
    let script = "export AWS_REGION=us-east-1 POD_NAME=x SECRET=y; unset AWS_PROFILE; sleep 60 & wait";
    let shell = Running::start(
        Command::new("sh")
            .args(["-c", script])
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("AWS_PROFILE", "shop"),
    );
    let children = format!("/proc/{0}/task/{0}/children", shell.pid());
    let leaf: u32 = loop {
        let child = std::fs::read_to_string(&children).unwrap().trim().parse().ok();
        let is_sleep =
            |pid: &u32| std::fs::read(format!("/proc/{pid}/comm")).is_ok_and(|comm| comm == b"sleep\n");
        match child.filter(is_sleep) {
            Some(pid) => break pid,
            None => std::thread::sleep(Duration::from_millis(10)),
        }
    };
    let (target, seen) = observe(TargetPid::Pid(shell.pid()));
    kill(Pid::from_raw(leaf.cast_signed()), nix::sys::signal::Signal::SIGKILL).unwrap();
    assert!(seen.unwrap().variables.contains_key(OsStr::new("AWS_PROFILE")));
    let variables = vec!["AWS_PROFILE".to_owned(), "AWS_REGION".to_owned()];
    assert_eq!(target.differing, [Differing { pid: leaf, comm: "sleep".to_owned(), variables }]);
}

/// A directory in the layout of /proc.
struct Files(tempfile::TempDir);

impl Files {
    fn new(own: u32) -> Self {
        let files = Self(tempfile::tempdir().unwrap());
        std::os::unix::fs::symlink(own.to_string(), files.path().join("self")).unwrap();
        files
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn process(&self, (pid, parent, comm): (u32, u32, &str), cgroup: &str, environ: &[u8]) -> PathBuf {
        let folder = self.path().join(pid.to_string());
        std::fs::create_dir_all(folder.join("root")).unwrap();
        let status = format!(
            "State:\tS (sleeping)\nPid:\t{pid}\nPPid:\t{parent}\nUid:\t5\t5\t5\t5\nGid:\t6\t6\t6\t6\nGroups:\t\n\
             CapPrm:\t0\nCapEff:\t0\nCapBnd:\t0\nKthread:\t0\n"
        );
        for (name, content) in [("status", status.as_bytes()), ("comm", format!("{comm}\n").as_bytes())] {
            std::fs::write(folder.join(name), content).unwrap();
        }
        std::fs::write(folder.join("cgroup"), cgroup).unwrap();
        std::fs::write(folder.join("environ"), environ).unwrap();
        folder
    }
}

#[test]
fn in_a_shared_namespace_candidates_say_whether_they_have_a_role() {
    let files = Files::new(15);
    files.process((1, 0, "pause"), "p", b"");
    files.process((7, 0, "checkout"), "a", b"AWS_ROLE_ARN=arn\0");
    files.process((15, 0, "credprobe"), "b", b"");
    let (target, seen) = observe_in(files.path(), TargetPid::Auto);
    assert!(seen.is_some() && target.pid == Some(7) && target.candidates.is_empty());
    files.process((9, 0, "envoy\x1b[31m\n"), "c", b"");
    std::fs::remove_file(files.process((11, 0, "sealed"), "d", b"").join("environ")).unwrap();
    let (target, seen) = observe_in(files.path(), TargetPid::Auto);
    assert!(seen.is_none() && target.pid.is_none());
    let sightings: Vec<_> =
        target.candidates.iter().map(|candidate| (candidate.pid, candidate.role_arn)).collect();
    assert_eq!(sightings, [(7, Sighting::Yes), (9, Sighting::No), (11, Sighting::Unreadable)]);
}

#[test]
fn without_proc_nothing_is_seen() {
    let empty = tempfile::tempdir().unwrap();
    for folder in [empty.path(), Path::new("/nonexistent")] {
        for asked in [TargetPid::Auto, TargetPid::Pid(1)] {
            let (target, seen) = observe_in(folder, asked);
            assert_eq!((seen.is_none(), target.proc_error.as_deref()), (true, Some("ENOENT")));
            assert!(words(&target).starts_with("no other process can be seen"));
        }
    }
}

#[test]
fn a_pid_1_that_proc_hides_is_told_from_none() {
    let files = Files::new(std::process::id());
    files.process((std::process::id(), 0, "credprobe"), "b", b"");
    let (target, seen) = observe_in(files.path(), TargetPid::Auto);
    assert_eq!((seen.is_none(), target.pid, target.exists), (true, Some(1), Some(true)));
    assert_eq!(words(&target), "pid 1 is there, but /proc hides it from credprobe’s user");
}

#[test]
fn a_status_that_is_not_the_kernels_is_not_trusted() {
    let files = Files::new(15);
    files.process((15, 0, "credprobe"), "b", b"");
    let folder = files.process((1, 0, "checkout"), "a", b"");
    std::fs::write(folder.join("status"), vec![b'x'; 300_000]).unwrap();
    let (target, seen) = observe_in(files.path(), TargetPid::Pid(1));
    assert_eq!((seen.is_none(), target.status_error.as_deref()), (true, Some("EBADMSG")));
}

/// The child processes of the next test run this, by `CREDPROBE_TEST_ROLE`. Without the variable it does nothing.
#[test]
fn role() {
    match std::env::var("CREDPROBE_TEST_ROLE").as_deref() {
        Ok("hide") => {
            set_dumpable(false).unwrap();
            say(&mut std::io::stdout(), "hidden");
            let _ = std::io::stdin().read(&mut [0]);
        }
        Ok(asked) => {
            let (target, seen) = observe(asked.parse().map_or(TargetPid::Auto, TargetPid::Pid));
            let findings = findings(&target, &credprobe_judge::evidence::Process::default());
            let error = findings.iter().any(|finding| finding.severity == Severity::Error);
            assert_ne!(seen.is_some(), error, "what is not seen is an error, and only that");
            say(&mut std::io::stdout(), &format!("\nSEEN {}", serde_json::to_string(&target).unwrap()));
        }
        Err(_) => {}
    }
}

const DEFAULT: &str = "-all,+chown,+dac_override,+fsetid,+fowner,+mknod,+net_raw,+setgid,+setuid,+setfcap,+setpcap,\
    +net_bind_service,+sys_chroot,+kill,+audit_write";

/// `setpriv OPTIONS…`, to be followed by a program.
fn with(options: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.arg("--clear-groups").args(options.split(' ')).env_clear();
    command
}

fn role_command(options: &str, role: &str) -> Command {
    let mut command = with(options);
    command.arg(std::env::current_exe().unwrap());
    command.args(["--exact", "collect::target::tests::role", "--nocapture"]).env("CREDPROBE_TEST_ROLE", role);
    command
}

/// What a process with these ids and capabilities observes of `pid`.
fn seen_by(options: &str, pid: u32) -> Target {
    let output = role_command(options, &pid.to_string()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let json = text.lines().find_map(|line| line.strip_prefix("SEEN "));
    serde_json::from_str(json.unwrap_or_else(|| panic!("{options}: {output:?}"))).unwrap()
}

#[test]
fn the_kernel_refuses_where_the_rule_says_so() {
    if !nix::unistd::geteuid().is_root() || with("--version").output().is_err() {
        return say(&mut std::io::stderr(), "NOT TESTED: other users need root and setpriv");
    }
    let root = format!("--reuid 0 --regid 0 --bounding-set {DEFAULT}");
    let ptrace = format!("{root},+sys_ptrace");
    let only_ptrace = "--reuid 0 --regid 0 --bounding-set -all,+sys_ptrace";
    let (app, bind) =
        ("--reuid 1000 --regid 1000", "--inh-caps +net_bind_service --ambient-caps +net_bind_service");
    let bind = format!("{app} {bind}");
    let other = "--reuid 2000 --regid 2000 --bounding-set -all,+sys_ptrace";
    let none = "--reuid 0 --regid 0 --bounding-set -all";
    let hidden = "hidden";
    // Reader, target, whether environ and root can be read (sources.md, “Other processes”).
    let rows = [
        (app, app, true, true),
        ("--reuid 1000 --regid 0", app, false, false),
        (&root, app, false, false),
        (&ptrace, app, true, true),
        (only_ptrace, app, false, true),
        (other, app, false, false),
        (app, &bind, false, false),
        (app, hidden, false, false),
        (none, &root, false, false),
        (&root, &root, true, true),
        (&ptrace, &root, true, true),
        (&ptrace, hidden, true, true),
    ];
    for (reader, options, environ, root) in rows {
        let mut child = if options == hidden {
            Running(role_command(app, "hide").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap())
        } else {
            Running::start(with(options).args(["sleep", "60"])).until(|comm| comm == "sleep")
        };
        if let Some(stdout) = &mut child.0.stdout {
            let mut said = String::new();
            while !said.contains("hidden") {
                let mut byte = [0];
                assert_eq!(stdout.read(&mut byte).unwrap(), 1, "{said}");
                said.push(byte[0].into());
            }
        }
        let target = seen_by(reader, child.pid());
        let readable = (target.environment_error.is_none(), target.root_error.is_none());
        assert_eq!(readable, (environ, root), "{reader} reads {options}: {target:#?}");
        let differences = ptrace_refusal(&target);
        let only_owner = matches!(differences[..], [Difference::Owner { .. }]);
        assert_eq!(differences.is_empty(), environ, "{reader} reads {options}: {differences:?}");
        assert_eq!(differences.is_empty() || only_owner, root, "{reader} reads {options}: {differences:?}");
    }
}
