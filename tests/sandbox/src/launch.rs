//! Runs the command in a prepared place: makes world, files and servers, starts the command, writes the record.
//! This is the same for pod and loopback; [`Place`] holds what differs.

use std::{
    ffi::OsString,
    fs::{self, File},
    net::{IpAddr, TcpListener, TcpStream, UdpSocket},
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::Arc,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use nix::sys::{
    signal::{Signal, kill},
    socket::{Backlog, listen as set_backlog},
};
use rustls::ServerConfig;
use time::{Duration, OffsetDateTime};
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    api_server,
    control::{self, Controlled, Kubelet},
    dns::Addresses,
    error::{Doing as _, Error, Result},
    issuer::Issuer,
    key::Key,
    pod::{
        enter::{self, Entry},
        mounts,
        targets::{self, Environment, Targets},
    },
    registry::Registry,
    scenario::{
        self, Fault, Scenario, SignWith, Token, TokenFile,
        agent::{Agent, TokenKind},
        hostile::{Misdeed, Peer},
    },
    serve::{self, Kind},
    tls::{Authority, Flaw, Resolver},
    token_file::{self, Owner},
    world::World,
};

/// What the caller asks for.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) name: String,
    pub(crate) scenario: Scenario,
    /// Checked before anything is built.
    pub(crate) registry: Registry,
    pub(crate) record: Option<File>,
    /// Where keys are kept between runs.
    pub(crate) keys: Option<PathBuf>,
    /// Whether the command may change the world.
    pub(crate) control: bool,
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
}

/// Where the command runs.
pub(crate) struct Place {
    pub(crate) mode: &'static str,
    /// The sandbox's own folder, as the command sees it.
    pub(crate) own: PathBuf,
    /// The first one is what the scenario's `token` and `token_file` describe.
    pub(crate) tokens: Vec<PlacedToken>,
    /// The default owner of the token file; `None` where ownership cannot be changed.
    pub(crate) owner: Option<Owner>,
    /// Makes a token's directory read-only.
    pub(crate) seal: Option<fn(&Path) -> Result<()>>,
    pub(crate) program: PathBuf,
    pub(crate) entry: Entry,
    /// Processes that run beside the command.
    pub(crate) targets: Option<Targets>,
    /// What the place adds to the environment.
    pub(crate) environment: Vec<(&'static str, String)>,
    /// Where the service account's token for the API server is mounted.
    pub(crate) service_account: Option<PathBuf>,
    pub(crate) listeners: Listeners,
}

pub(crate) struct PlacedToken {
    pub(crate) kind: TokenKind,
    pub(crate) directory: PathBuf,
    /// The path that the environment gives.
    pub(crate) file: String,
}

impl Place {
    fn own(&self, name: &str) -> String {
        self.own.join(name).display().to_string()
    }
}

/// Bound before the first thread starts, served afterwards.
pub(crate) struct Listeners {
    pub(crate) sts: Port,
    pub(crate) issuer: Port,
    pub(crate) api_server: Port,
    pub(crate) agent: Port,
    pub(crate) proxy: Option<Proxy>,
    pub(crate) metadata: Option<TcpListener>,
    pub(crate) dns: Option<Dns>,
}

pub(crate) struct Dns {
    pub(crate) udp: UdpSocket,
    pub(crate) tcp: TcpListener,
    pub(crate) addresses: Addresses,
}

/// `addresses` are for the names that the proxy resolves itself.
pub(crate) struct Proxy {
    pub(crate) listener: TcpListener,
    pub(crate) addresses: Addresses,
}

/// The port of a server that has several addresses.
pub(crate) enum Port {
    /// Serve at each of them.
    Serve(Vec<TcpListener>),
    Nobody,
    Full {
        _queues: Vec<Queue>,
    },
}

impl Port {
    pub(crate) fn serve(addresses: &[IpAddr], port: u16) -> Result<Self> {
        Ok(Self::Serve(addresses.iter().map(|at| listen(*at, port)).collect::<Result<_>>()?))
    }

    /// A port at which every SYN is dropped.
    pub(crate) fn full(addresses: &[IpAddr], port: u16) -> Result<Self> {
        let queues = addresses.iter().map(|at| Queue::full(*at, port)).collect::<Result<_>>()?;
        Ok(Self::Full { _queues: queues })
    }

    /// The listeners to serve. Others are only held, for as long as the servers run.
    fn open(self) -> Vec<TcpListener> {
        match self {
            Self::Serve(listeners) => listeners,
            held => {
                tokio::spawn(async move {
                    let _held = held;
                    std::future::pending::<()>().await;
                });
                Vec::new()
            }
        }
    }
}

/// A listener whose queue takes one connection, and that connection. The kernel drops every further SYN.
pub(crate) struct Queue {
    _listener: TcpListener,
    _only: TcpStream,
}

impl Queue {
    pub(crate) fn full(address: IpAddr, port: u16) -> Result<Self> {
        let what = || "failed to fill the queue of a listener".to_owned();
        let listener = listen(address, port)?;
        set_backlog(&listener, Backlog::new(0).doing(what)?).doing(what)?;
        let at = listener.local_addr().doing(what)?;
        // The kernel adds the route of a new IPv6 address a moment after the address itself.
        let mut attempts = 0;
        let only = loop {
            match TcpStream::connect(at) {
                Err(error) if error.kind() == std::io::ErrorKind::NetworkUnreachable && attempts < 100 => {
                    attempts += 1;
                    std::thread::sleep(std::time::Duration::from_millis(5));
                }
                connected => break connected.doing(what)?,
            }
        };
        Ok(Self { _listener: listener, _only: only })
    }
}

pub(crate) fn listen(address: IpAddr, port: u16) -> Result<TcpListener> {
    TcpListener::bind((address, port)).doing(|| format!("failed to listen on {address}:{port}"))
}

/// No output may contain the values of these variables.
const CREDENTIALS: &[&str] =
    &["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN"];

/// Runs the command. Returns its exit code, or 128 plus its signal.
pub(crate) fn run(mut order: Order, place: Place) -> Result<i32> {
    let record_file = order.record.take();
    let key =
        |name: &str| order.keys.as_deref().map_or_else(Key::generate, |folder| Key::kept_in(folder, name));
    let other = match order.scenario.token.sign_with {
        SignWith::Issuer | SignWith::Nobody => None,
        SignWith::OtherKey => Some(key("other")?),
    };
    let issuer = Issuer::new(key("issuer")?, other, order.scenario.issuer.clone()).prepared()?;
    let world = Arc::new(World::new(order.scenario, order.registry, issuer));
    for (_, value) in world.scenario.changes().filter(|(name, _)| CREDENTIALS.contains(name)) {
        world.record.secret(value);
    }
    for user_info in world.scenario.changes().filter_map(|(_, value)| user_info(value)) {
        world.record.secret(user_info.split_once(':').map_or(user_info, |(_, password)| password));
        world.record.secret(&STANDARD.encode(user_info));
    }
    world.record.edit().mode = place.mode.into();
    world.record.edit().imds_connections = place.listeners.metadata.as_ref().map(|_| 0);
    world.record.edit().agent_connections = matches!(place.listeners.agent, Port::Serve(_)).then_some(0);

    let control = if order.control { Some((control::listen()?, kubelet(&place)?)) } else { None };
    let healthy = (Token::default(), TokenFile::default());
    let stated = (world.scenario.token.clone(), world.scenario.token_file.clone());
    for (token, (spec, file)) in place.tokens.iter().zip([stated, healthy]) {
        place_token(&world, &place, token, spec, &file)?;
    }
    let (ca, tls) = certificates(&world)?;
    mounts::write(&place.own.join("corporate-ca.pem"), &tls.corporate_ca, 0o644)?;
    place_service_account(&world, &place, &tls.cluster_ca)?;
    mounts::write(&place.own.join("ca.pem"), &ca, 0o644)?;
    if let Some(profile) = &world.scenario.profile {
        mounts::write(&place.own.join("credentials"), profile, 0o644)?;
    }
    for value in world.scenario.secrets_in_files() {
        world.record.secret(value);
    }
    let termination_log = place.own.join("termination-log");
    mounts::write(&termination_log, "", 0o666)?;

    let healthy = healthy_environment(&world.scenario, &place);
    // Held until the command has ended.
    let _targets =
        place.targets.as_ref().map(|targets| targets.start(&world.scenario, &healthy)).transpose()?;
    let mut command = enter::command(&place.entry, place.program.as_os_str(), &order.arguments)?;
    command.env_clear().envs(environment(&world.scenario, &place, healthy));
    if let Some((listener, _)) = &control {
        let address = listener.local_addr().doing(|| "failed to look at a listener".into())?;
        command.env("CREDPROBE_SANDBOX_CONTROL", address.to_string());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.doing(|| "failed to start the runtime".into())?;
    let status = runtime.block_on(async {
        start(place.listeners, &world, tls)?;
        if let Some((listener, kubelet)) = control {
            let controlled = Controlled { world: Arc::clone(&world), kubelet: Some(kubelet), ca };
            tokio::spawn(control::serve(asynchronous(listener)?, controlled));
        }
        wait(command).await
    });
    // Do not wait for tasks that hold connections.
    runtime.shutdown_background();

    if let Some(file) = record_file {
        world.record.edit().termination_log = fs::read(&termination_log)
            .map_or_else(|_| String::new(), |bytes| String::from_utf8_lossy(&bytes).into_owned());
        world.record.write(&file)?;
    }
    let status = status?;
    Ok(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default()))
}

/// The `user:password` in a URL.
fn user_info(value: &str) -> Option<&str> {
    let (_, rest) = value.split_once("://")?;
    rest.split('/').next()?.rsplit_once('@').map(|(user_info, _)| user_info)
}

/// The volume of the first token, at a path that stays writable when the command's is sealed.
fn kubelet(place: &Place) -> Result<Kubelet> {
    let token = place.tokens.first().ok_or_else(|| Error::new("--control needs a token to rotate"))?;
    let mut directory = token.directory.clone();
    if place.seal.is_some() {
        directory = place.own.join("kubelet");
        fs::create_dir(&directory).doing(|| format!("failed to make {}", directory.display()))?;
        mounts::bind(&token.directory, &directory)?;
    }
    Ok(Kubelet { directory, owner: place.owner, kind: token.kind })
}

fn place_token(
    world: &World,
    place: &Place,
    token: &PlacedToken,
    spec: Token,
    file: &TokenFile,
) -> Result<()> {
    let spec = spec.meant_for(token.kind.audience());
    let minted = world.issuer.mint(&spec, OffsetDateTime::now_utc())?;
    world.record.secret(&minted.jwt);
    world.record.secret(minted.jwt.rsplit('.').next().unwrap_or_default());
    if file.missing {
        return Ok(());
    }
    let now = OffsetDateTime::now_utc();
    let written_at =
        file.written_seconds_ago.map_or(minted.issued_at, |age| now.saturating_sub(Duration::seconds(age)));
    let content = token_file::content(&spec, minted.jwt);
    if spec.base64 {
        world.record.secret(content.trim());
    }
    let volume = token_file::Volume { directory: &token.directory, written_at, owner: place.owner };
    let sealed = token_file::place(volume, token.kind.file(), file, content.as_bytes(), &place.own)?;
    place.seal.map_or(Ok(()), |seal| seal(&sealed))
}

/// Writes what the kubelet mounts into every pod: token, the cluster's CA and namespace, readable by all.
fn place_service_account(world: &World, place: &Place, ca: &str) -> Result<()> {
    let Some(directory) = &place.service_account else {
        return Ok(());
    };
    let minted = api_server::mint_token(&world.issuer, &world.scenario.token, OffsetDateTime::now_utc())?;
    world.record.secret(&minted.jwt);
    world.record.secret(minted.jwt.rsplit('.').next().unwrap_or_default());
    let volume = token_file::Volume { directory, written_at: minted.issued_at, owner: None };
    volume.project(&[
        ("token", minted.jwt.as_bytes()),
        ("ca.crt", ca.as_bytes()),
        ("namespace", scenario::NAMESPACE.as_bytes()),
    ])?;
    place.seal.map_or(Ok(()), |seal| seal(directory))
}

struct Tls {
    sts: Arc<ServerConfig>,
    issuer: Arc<ServerConfig>,
    api_server: Arc<ServerConfig>,
    /// The CA of a proxy that inspects TLS in place of STS. Only clients that are told to trust it do.
    corporate_ca: String,
    /// The CA of `api_server`, which signs nothing else.
    cluster_ca: String,
}

/// The CA that the command is told to trust, and the TLS settings of the servers.
fn certificates(world: &World) -> Result<(String, Tls)> {
    let fault = world.scenario.fault;
    let authority = Arc::new(Authority::new("credprobe sandbox CA")?);
    let pem = authority.pem().to_owned();
    let corporate = Arc::new(Authority::new("Corporate Proxy CA")?);
    let corporate_ca = corporate.pem().to_owned();
    // Applies the peer's misdeed, if it has one.
    let config = |peer: Peer, authority: &Arc<Authority>, flaw: Flaw, name: &str| {
        let (authority, flaw) = match world.scenario.misdeed(peer) {
            Some(Misdeed::ForeignCertificate) => (Arc::clone(&corporate), flaw),
            Some(Misdeed::ExpiredCertificate) => (Arc::clone(authority), Flaw::Expired),
            Some(Misdeed::WrongNameCertificate) => (Arc::clone(authority), Flaw::WrongName),
            _ => (Arc::clone(authority), flaw),
        };
        Resolver::config(authority, flaw, name)
    };
    let issuer = config(Peer::Issuer, &authority, Flaw::None, world.issuer.host())?;
    let presented = match fault {
        Fault::ForeignCertificate => Arc::clone(&corporate),
        _ => authority,
    };
    let sts = config(Peer::Sts, &presented, Flaw::under(fault), "sts.eu-west-1.amazonaws.com")?;
    let cluster = Arc::new(Authority::new("kubernetes")?);
    let cluster_ca = cluster.pem().to_owned();
    // Clients that connect by address send no name.
    let api_server = config(Peer::ApiServer, &cluster, Flaw::None, scenario::API_SERVER)?;
    Ok((pem, Tls { sts, issuer, api_server, corporate_ca, cluster_ca }))
}

/// The environment that the application's container would have.
fn healthy_environment(scenario: &Scenario, place: &Place) -> Environment {
    let injected = place.tokens.iter().flat_map(|token| {
        let other = match token.kind {
            TokenKind::WebIdentity => {
                ("AWS_ROLE_ARN", format!("arn:aws:iam::{}:role/{}", scenario::ACCOUNT, scenario::ROLE))
            }
            TokenKind::PodIdentity => {
                let uri = scenario.agent.as_ref().map(Agent::uri).unwrap_or_default();
                ("AWS_CONTAINER_CREDENTIALS_FULL_URI", uri.into())
            }
        };
        [other, (token.kind.variable(), token.file.clone())]
    });
    let defaults = [
        ("AWS_REGION", "eu-west-1".into()),
        ("AWS_DEFAULT_REGION", "eu-west-1".into()),
        ("AWS_STS_REGIONAL_ENDPOINTS", "regional".into()),
        ("POD_NAME", scenario::POD.into()),
        ("POD_NAMESPACE", scenario::NAMESPACE.into()),
        ("HOME", "/nonexistent".into()),
        ("AWS_CA_BUNDLE", place.own("ca.pem")),
    ];
    let profile =
        scenario.profile.as_ref().map(|_| ("AWS_SHARED_CREDENTIALS_FILE", place.own("credentials")));
    let defaults = injected.chain(defaults).chain(profile).chain(place.environment.iter().cloned());
    let mut environment: Environment =
        defaults.map(|(name, value)| (name.to_owned(), value.into())).collect();
    if let Some(path) = std::env::var_os("PATH") {
        environment.insert("PATH".into(), path);
    }
    environment
}

/// Exactly the environment that the command's container would have.
fn environment(scenario: &Scenario, place: &Place, healthy: Environment) -> Environment {
    let mut environment = healthy;
    environment.insert("CREDPROBE_TERMINATION_LOG".into(), place.own("termination-log").into());
    if place.targets.is_some() && !scenario.probe_has.env {
        // An ephemeral container gets nothing that the pod's specification or a webhook gives the application.
        environment.retain(|name, _| !name.starts_with("AWS_") && !name.starts_with("POD_"));
        // Replaces the public roots, which would vouch for the real STS.
        environment.insert("SSL_CERT_FILE".into(), place.own("ca.pem").into());
    }
    targets::change(&mut environment, &scenario.env);
    environment
}

fn start(listeners: Listeners, world: &Arc<World>, tls: Tls) -> Result<()> {
    let site =
        |kind, config: Arc<ServerConfig>| serve::Site { world: Arc::clone(world), tls: config.into(), kind };
    let serve = |listener, kind, config| -> Result<()> {
        tokio::spawn(serve::https(asynchronous(listener)?, site(kind, config)));
        Ok(())
    };
    for listener in listeners.sts.open() {
        serve(listener, Kind::Sts, Arc::clone(&tls.sts))?;
    }
    for listener in listeners.agent.open() {
        let agent = Arc::new(world.scenario.agent.clone().unwrap_or_default());
        tokio::spawn(serve::agent(asynchronous(listener)?, Arc::clone(world), agent));
    }
    for (listener, kind, config) in [
        (listeners.issuer, Kind::Issuer, tls.issuer),
        (listeners.api_server, Kind::ApiServer, tls.api_server),
    ] {
        for listener in listener.open() {
            serve(listener, kind, Arc::clone(&config))?;
        }
    }
    if let Some(Proxy { listener, addresses }) = listeners.proxy {
        tokio::spawn(serve::proxy(asynchronous(listener)?, Arc::clone(world), addresses));
    }
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

pub(crate) fn asynchronous(listener: TcpListener) -> Result<tokio::net::TcpListener> {
    let what = || "failed to hand a socket to the runtime".to_owned();
    listener.set_nonblocking(true).doing(what)?;
    tokio::net::TcpListener::from_std(listener).doing(what)
}

/// Waits for the command, and passes on the signals that are sent to the sandbox.
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
