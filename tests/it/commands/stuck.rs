//! A FUSE file system without a server, and pipes that nobody reads: neither the deadline nor SIGTERM waits for them.
//! Both are the kernel's own. Where FUSE cannot be mounted, that part says so; in CI as root that is a failure.
#![expect(clippy::unwrap_used, reason = "in a test, that is the report")]

use crate::support::{binary, ci::in_ci};
use nix::{
    fcntl::{FcntlArg, OFlag, fcntl},
    mount::{MntFlags, MsFlags, mount, umount2},
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::{
    fs::File,
    io::{self, PipeReader, PipeWriter, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    os::fd::AsRawFd as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

const INCONCLUSIVE: i32 = 3;
const NOT_INJECTED: i32 = 10;
const SECOND: Duration = Duration::from_secs(1);

/// A mounted FUSE file system whose requests nobody reads.
struct Hung {
    _server: File,
    folder: tempfile::TempDir,
}

impl Hung {
    fn new() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let server = File::options().read(true).write(true).open("/dev/fuse");
        let mounted = server.and_then(|server| {
            let options = format!("fd={},rootmode=40000,user_id=0,group_id=0", server.as_raw_fd());
            mount(Some("fuse"), folder.path(), Some("fuse"), MsFlags::empty(), Some(&*options))?;
            Ok(server)
        });
        match mounted {
            Ok(server) => Some(Self { _server: server, folder }),
            Err(error) => {
                assert!(!(in_ci() && nix::unistd::geteuid().is_root()), "CI must mount FUSE: {error}");
                let _ = writeln!(io::stderr(), "NOT TESTED HERE: FUSE cannot be mounted: {error}");
                None
            }
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Hung {
    fn drop(&mut self) {
        let _ = umount2(self.path(), MntFlags::MNT_DETACH);
    }
}

fn probe(words: &[&str]) -> Command {
    let mut command = Command::new(binary::probe());
    command.env_clear().args(words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// The exit code, and how long it took to end; it is killed after ten seconds.
fn ended(mut child: Child, since: Instant) -> (Option<i32>, Duration) {
    while since.elapsed() < 10 * SECOND {
        if let Some(status) = child.try_wait().unwrap() {
            return (status.code(), since.elapsed());
        }
        sleep(Duration::from_millis(5));
    }
    let _ = child.kill();
    let _ = child.wait();
    (None, since.elapsed())
}

fn terminate(child: &Child) {
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGTERM).unwrap();
}

/// A pipe that is full; its reader only keeps it open.
fn full() -> (PipeReader, PipeWriter) {
    let (reader, mut writer) = io::pipe().unwrap();
    fcntl(&writer, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).unwrap();
    for piece in [&[0; 4096][..], &[0]] {
        while writer.write(piece).is_ok() {}
    }
    fcntl(&writer, FcntlArg::F_SETFL(OFlag::empty())).unwrap();
    (reader, writer)
}

const NAMED: [(&str, &str); 6] = [
    ("AWS_WEB_IDENTITY_TOKEN_FILE", "token"),
    ("AWS_CONFIG_FILE", "config"),
    ("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
    ("AWS_CA_BUNDLE", "ca.pem"),
    ("SSL_CERT_DIR", "certs"),
    ("HOME", ".aws/config"),
];

fn below(hung: &Path, (name, file): (&str, &str), token: &Path, command: &mut Command) -> PathBuf {
    command.env("AWS_ROLE_ARN", "arn:aws:iam::814203749616:role/checkout-reader");
    command.env("AWS_REGION", "eu-west-1").env("AWS_ENDPOINT_URL_STS", "https://127.0.0.1:1");
    command.env("AWS_WEB_IDENTITY_TOKEN_FILE", token);
    command.env(name, if name == "HOME" { hung.to_owned() } else { hung.join(file) });
    hung.join(file)
}

#[test]
fn a_file_system_that_does_not_answer_ends_check_in_time_with_its_path() {
    let Some(hung) = Hung::new() else { return };
    let token = tempfile::NamedTempFile::new().unwrap();
    for named in NAMED {
        let mut command = probe(&["check", "--timeout=1s", "--output=json"]);
        let path = below(hung.path(), named, token.path(), command.stdout(Stdio::piped()));
        let since = Instant::now();
        let mut child = command.spawn().unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let (code, took) = ended(child, since);
        let mut said = String::new();
        stdout.read_to_string(&mut said).unwrap();
        assert!(code == Some(INCONCLUSIVE) && took < 2 * SECOND, "{named:?}: {code:?} in {took:?}");
        assert!(said.contains(&format!("{} did not answer in time", path.display())), "{named:?}: {said}");

        let mut command = probe(&["check"]);
        below(hung.path(), named, token.path(), &mut command);
        let child = command.spawn().unwrap();
        sleep(SECOND / 3);
        let since = Instant::now();
        terminate(&child);
        let (code, took) = ended(child, since);
        assert!(code == Some(INCONCLUSIVE) && took < SECOND, "{named:?}: {code:?} {took:?} after SIGTERM");
    }
}

#[test]
fn a_report_that_nobody_reads_outlasts_neither_the_deadline_nor_a_signal() {
    for output in ["--output=text", "--output=json"] {
        for (out, err) in [(true, false), (false, true), (true, true)] {
            for signal in [false, true] {
                let timeout = if signal { "--timeout=9s" } else { "--timeout=1s" };
                let (_reader, writer) = full();
                let mut command = probe(&["check", "--no-network", timeout, output, "--log-level=info"]);
                if out {
                    command.stdout(writer.try_clone().unwrap());
                }
                if err {
                    command.stderr(writer);
                }
                let since = Instant::now();
                let child = command.spawn().unwrap();
                if signal {
                    sleep(SECOND / 3);
                    terminate(&child);
                }
                let (code, took) = ended(child, since);
                let what = format!("{output} {out} {err} {signal}: {code:?} in {took:?}");
                assert!(code == Some(NOT_INJECTED) && took < 2 * SECOND, "{what}");
            }
        }
    }
}

fn status(at: SocketAddr, path: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&at, SECOND)?;
    stream.set_read_timeout(Some(SECOND))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer.split(' ').nth(1).unwrap_or_default().to_owned())
}

/// The verdict changes with each interval, each time with a report of 20 kB for a full pipe. After that all files hang.
#[test]
fn serve_goes_on_while_nobody_reads_and_a_file_hangs() {
    let Some(hung) = Hung::new() else { return };
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("token");
    let ports = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let [public, admin] = ports.map(|port| port.local_addr().unwrap());
    let (_reader, writer) = full();
    let (listen, admin) = (format!("--listen={public}"), format!("--admin-listen={admin}"));
    let words =
        ["serve", "--no-network", "--interval=100ms", "--output=json", "--log-level=info", &listen, &admin];
    let mut command = probe(&words);
    below(Path::new("/nowhere"), ("AWS_WEB_IDENTITY_TOKEN_FILE", "token"), &link, &mut command);
    let child = command.env("AWS_WEB_IDENTITY_TOKEN_FILE", &link);
    let child = child.stdout(writer.try_clone().unwrap()).stderr(writer).spawn().unwrap();
    sleep(SECOND / 2);
    for turn in 0..40 {
        if turn % 2 == 0 {
            std::fs::write(&link, "no token").unwrap();
        } else {
            std::fs::remove_file(&link).unwrap();
        }
        sleep(SECOND / 8);
        assert_eq!(status(public, "/livez").unwrap(), "200");
    }
    std::os::unix::fs::symlink(hung.path().join("token"), &link).unwrap();
    for _ in 0..20 {
        sleep(SECOND / 10);
        assert_eq!(status(public, "/livez").unwrap(), "200");
        assert_eq!(status(public, "/readyz").unwrap(), "503");
    }
    let since = Instant::now();
    terminate(&child);
    let (code, took) = ended(child, since);
    assert!(code == Some(0) && took < SECOND, "{code:?} in {took:?}");
}
