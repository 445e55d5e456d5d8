//! From a prepared place to the command's exit code: world, files, servers, the command, the record.
//! The same for pod and loopback; what differs is in [`Place`].

use std::{
    ffi::OsString,
    fs::{self, File},
    net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket},
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::Arc,
};

use nix::sys::{
    signal::{Signal, kill},
    socket::{Backlog, listen as set_backlog},
};
use rustls::ServerConfig;
use time::OffsetDateTime;
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    dns::Addresses,
    error::{Doing as _, Error, Result},
    issuer::Issuer,
    key::Key,
    pod::{
        enter::{self, Ids},
        mounts,
    },
    registry::Registry,
    scenario::{self, Fault, Scenario, SignWith},
    serve::{self, Kind},
    tls::{Authority, Flaw, Resolver},
    token_file::{self, Owner},
    world::World,
};

/// What the caller wants.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) name: String,
    pub(crate) scenario: Scenario,
    /// Checked before anything is built.
    pub(crate) registry: Registry,
    pub(crate) record: Option<File>,
    /// Where keys are kept between runs.
    pub(crate) keys: Option<PathBuf>,
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
}

/// Where it happens.
pub(crate) struct Place {
    pub(crate) mode: &'static str,
    /// The sandbox's own folder, as the command sees it.
    pub(crate) own: PathBuf,
    pub(crate) token_directory: PathBuf,
    /// What `AWS_WEB_IDENTITY_TOKEN_FILE` says.
    pub(crate) token_file: String,
    /// Who owns the token file by default; `None` where ownership cannot be had.
    pub(crate) owner: Option<Owner>,
    /// Makes the token's directory read-only.
    pub(crate) seal: Option<fn(&Path) -> Result<()>>,
    pub(crate) program: PathBuf,
    pub(crate) ids: Option<Ids>,
    /// What the place adds to the environment.
    pub(crate) environment: Vec<(&'static str, String)>,
    pub(crate) listeners: Listeners,
}

/// Bound before the first thread, served afterwards.
pub(crate) struct Listeners {
    pub(crate) sts: Sts,
    pub(crate) issuer: TcpListener,
    pub(crate) metadata: Option<TcpListener>,
    pub(crate) dns: Option<Dns>,
}

pub(crate) struct Dns {
    pub(crate) udp: UdpSocket,
    pub(crate) tcp: TcpListener,
    pub(crate) addresses: Addresses,
}

pub(crate) enum Sts {
    Serve(TcpListener),
    Nobody,
    /// A queue for one connection, and that one: the kernel drops every further SYN.
    Full {
        _queue: TcpListener,
        _only: TcpStream,
    },
}

impl Sts {
    pub(crate) fn drop(address: Ipv4Addr, port: u16) -> Result<Self> {
        let what = || "failed to fill the queue of a listener".to_owned();
        let queue = listen(address, port)?;
        set_backlog(&queue, Backlog::new(0).doing(what)?).doing(what)?;
        let only = TcpStream::connect(queue.local_addr().doing(what)?).doing(what)?;
        Ok(Self::Full { _queue: queue, _only: only })
    }
}

pub(crate) fn listen(address: Ipv4Addr, port: u16) -> Result<TcpListener> {
    TcpListener::bind((address, port)).doing(|| format!("failed to listen on {address}:{port}"))
}

/// Runs the command; its exit code, or 128 and its signal.
pub(crate) fn run(mut order: Order, place: Place) -> Result<i32> {
    let record_file = order.record.take();
    let key =
        |name: &str| order.keys.as_deref().map_or_else(Key::generate, |folder| Key::kept_in(folder, name));
    let other = match order.scenario.token.sign_with {
        SignWith::Issuer => None,
        SignWith::OtherKey => Some(key("other")?),
    };
    let issuer = Issuer::new(key("issuer")?, other);
    let world = Arc::new(World::new(order.scenario, order.registry, issuer));
    world.record.edit().mode = place.mode.into();
    world.record.edit().imds_connections = place.listeners.metadata.as_ref().map(|_| 0);

    place_token(&world, &place)?;
    let (ca, tls) = certificates(world.scenario.fault)?;
    mounts::write(&place.own.join("ca.pem"), &ca, 0o644)?;
    let termination_log = place.own.join("termination-log");
    mounts::write(&termination_log, "", 0o666)?;

    let mut command = enter::command(place.ids.as_ref(), place.program.as_os_str(), &order.arguments);
    command.env_clear().envs(environment(&world.scenario, &place));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.doing(|| "failed to start the runtime".into())?;
    let status = runtime.block_on(async {
        start(place.listeners, &world, tls)?;
        wait(command).await
    });
    // Tasks that hold connections are not waited for.
    runtime.shutdown_background();

    if let Some(file) = record_file {
        world.record.edit().termination_log = fs::read(&termination_log)
            .map_or_else(|_| String::new(), |bytes| String::from_utf8_lossy(&bytes).into_owned());
        world.record.write(&file)?;
    }
    let status = status?;
    Ok(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default()))
}

fn place_token(world: &World, place: &Place) -> Result<()> {
    let scenario = &world.scenario;
    let minted = world.issuer.mint(&scenario.token, OffsetDateTime::now_utc())?;
    world.record.secret(&minted.jwt);
    world.record.secret(minted.jwt.rsplit('.').next().unwrap_or_default());
    if scenario.token_file.missing {
        return Ok(());
    }
    let mut content = scenario.token.bytes.clone().unwrap_or(minted.jwt);
    content.push_str(&scenario.token.append);
    token_file::place(
        &place.token_directory,
        &scenario.token_file,
        content.as_bytes(),
        minted.issued_at,
        place.owner,
    )?;
    place.seal.map_or(Ok(()), |seal| seal(&place.token_directory))
}

/// Of STS and of the issuer.
struct Tls {
    sts: Arc<ServerConfig>,
    issuer: Arc<ServerConfig>,
}

/// What the command is told to trust, and the servers' settings.
fn certificates(fault: Fault) -> Result<(String, Tls)> {
    let authority = Arc::new(Authority::new("credprobe sandbox CA")?);
    let pem = authority.pem().to_owned();
    let issuer = Resolver::config(Arc::clone(&authority), Flaw::None, Issuer::host())?;
    let presented = match fault {
        Fault::ForeignCertificate => Arc::new(Authority::new("Corporate Proxy CA")?),
        _ => authority,
    };
    let sts = Resolver::config(presented, Flaw::under(fault), "sts.eu-west-1.amazonaws.com")?;
    Ok((pem, Tls { sts, issuer }))
}

/// Exactly what the container would have.
fn environment(scenario: &Scenario, place: &Place) -> Vec<(String, OsString)> {
    let own = |name: &str| place.own.join(name).display().to_string();
    let role = format!("arn:aws:iam::{}:role/{}", scenario::ACCOUNT, scenario::ROLE);
    let defaults = [
        ("AWS_ROLE_ARN", role),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", place.token_file.clone()),
        ("AWS_REGION", "eu-west-1".into()),
        ("AWS_DEFAULT_REGION", "eu-west-1".into()),
        ("AWS_STS_REGIONAL_ENDPOINTS", "regional".into()),
        ("POD_NAME", scenario::POD.into()),
        ("POD_NAMESPACE", scenario::NAMESPACE.into()),
        ("HOME", "/nonexistent".into()),
        ("AWS_CA_BUNDLE", own("ca.pem")),
        ("CREDPROBE_TERMINATION_LOG", own("termination-log")),
    ];
    let defaults = defaults.into_iter().chain(place.environment.iter().cloned());
    let mut environment: std::collections::BTreeMap<String, OsString> =
        defaults.map(|(name, value)| (name.to_owned(), value.into())).collect();
    if let Some(path) = std::env::var_os("PATH") {
        environment.insert("PATH".into(), path);
    }
    for (name, change) in &scenario.env {
        match change {
            Some(value) => environment.insert(name.clone(), value.into()),
            None => environment.remove(name),
        };
    }
    environment.into_iter().collect()
}

fn start(listeners: Listeners, world: &Arc<World>, tls: Tls) -> Result<()> {
    let site =
        |kind, config: Arc<ServerConfig>| serve::Site { world: Arc::clone(world), tls: config.into(), kind };
    if let Sts::Serve(listener) = listeners.sts {
        tokio::spawn(serve::https(asynchronous(listener)?, site(Kind::Sts, tls.sts)));
    } else {
        // Kept for as long as the servers run.
        tokio::spawn(async move {
            let _held = listeners.sts;
            std::future::pending::<()>().await;
        });
    }
    tokio::spawn(serve::https(asynchronous(listeners.issuer)?, site(Kind::Issuer, tls.issuer)));
    if let Some(listener) = listeners.metadata {
        tokio::spawn(serve::metadata_trap(asynchronous(listener)?, Arc::clone(world)));
    }
    if let Some(Dns { udp, tcp, addresses }) = listeners.dns {
        let what = || "failed to hand a socket to the runtime".to_owned();
        udp.set_nonblocking(true).doing(what)?;
        let udp = tokio::net::UdpSocket::from_std(udp).doing(what)?;
        tokio::spawn(serve::dns_over_udp(udp, Arc::clone(world), addresses));
        tokio::spawn(serve::dns_over_tcp(asynchronous(tcp)?, Arc::clone(world), addresses));
    }
    Ok(())
}

fn asynchronous(listener: TcpListener) -> Result<tokio::net::TcpListener> {
    let what = || "failed to hand a socket to the runtime".to_owned();
    listener.set_nonblocking(true).doing(what)?;
    tokio::net::TcpListener::from_std(listener).doing(what)
}

/// Passes on what is sent to the sandbox, until the command has ended.
async fn wait(command: std::process::Command) -> Result<ExitStatus> {
    let what = || "failed to start the command".to_owned();
    let mut command = tokio::process::Command::from(command);
    command.stdin(Stdio::inherit()).stdout(Stdio::inherit()).stderr(Stdio::inherit());
    let handler = |kind| signal(kind).doing(|| "failed to listen for signals".into());
    let (mut term, mut int, mut hup) = (
        handler(SignalKind::terminate())?,
        handler(SignalKind::interrupt())?,
        handler(SignalKind::hangup())?,
    );
    let mut child = command.spawn().doing(what)?;
    let id = child.id().and_then(|id| i32::try_from(id).ok()).map(nix::unistd::Pid::from_raw);
    let id = id.ok_or_else(|| Error::new("the command has no process id"))?;
    loop {
        let passed_on = tokio::select! {
            status = child.wait() => return status.doing(|| "failed to wait for the command".into()),
            _ = term.recv() => Signal::SIGTERM,
            _ = int.recv() => Signal::SIGINT,
            _ = hup.recv() => Signal::SIGHUP,
        };
        // A command that has just ended needs no signal.
        let _ = kill(id, passed_on);
    }
}
