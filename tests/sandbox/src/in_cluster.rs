//! STS alone, for the pods of a real cluster: no command, no pod and no issuer. The cluster's API server signs the tokens,
//! and its keys are passed in. Anyone who can reach the control address can change the world.

use std::{fs, net::SocketAddr, path::PathBuf, sync::Arc};

use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    control::{self, Controlled},
    error::{Doing as _, Result},
    issuer::Issuer,
    key::Key,
    launch,
    registry::Registry,
    scenario::Scenario,
    serve::{self, Kind},
    tls::{Authority, Flaw, Resolver},
    world::World,
};

/// The first argument that selects this mode.
pub(crate) const STS: &str = "sts";

/// STS for the pods of a real cluster, until SIGTERM.
#[derive(Debug, Parser)]
#[command(name = "credprobe-sandbox sts")]
pub(crate) struct Flags {
    /// Where STS listens; every name that a client asks for has a certificate
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: SocketAddr,
    /// Plain HTTP: GET /ca (what clients have to trust), GET /record, POST /world (a scenario), POST /token-review
    #[arg(long, value_name = "ADDRESS:PORT")]
    control: SocketAddr,
    /// A scenario: accounts, providers, roles, the issuer's URL
    #[arg(long, value_name = "FILE")]
    world: PathBuf,
    /// The cluster's key set, as its API server has it at /openid/v1/jwks
    #[arg(long, value_name = "FILE")]
    keys: PathBuf,
}

pub(crate) fn run(flags: Flags) -> Result<()> {
    let scenario = Scenario::parse("world", &read(&flags.world)?)?;
    let registry = Registry::of(&scenario)?;
    let what = || format!("failed to read the keys in {}", flags.keys.display());
    let keys = serde_json::from_str(&read(&flags.keys)?).doing(what)?;
    let issuer = Issuer::new(Key::generate()?, None, scenario.issuer.clone()).with_keys(keys);
    let flaw = Flaw::under(scenario.fault);
    let world = Arc::new(World::new(scenario, registry, issuer));
    world.record.edit().mode = "cluster".into();

    let authority = Arc::new(Authority::new("credprobe sandbox CA")?);
    let ca = authority.pem().to_owned();
    let tls = Resolver::config(authority, flaw, "sts.eu-west-1.amazonaws.com")?;
    let sts = launch::listen(flags.listen.ip(), flags.listen.port())?;
    let control = launch::listen(flags.control.ip(), flags.control.port())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.doing(|| "failed to start the runtime".into())?.block_on(async {
        // Handle SIGTERM explicitly: the kernel does not let an unhandled signal end a container's first process.
        let mut end = signal(SignalKind::terminate()).doing(|| "failed to listen for signals".into())?;
        let site = serve::Site { world: Arc::clone(&world), tls: tls.into(), kind: Kind::Sts };
        tokio::spawn(serve::https(launch::asynchronous(sts)?, site));
        let controlled = Controlled { world, kubelet: None, ca };
        tokio::spawn(control::serve(launch::asynchronous(control)?, controlled));
        end.recv().await;
        Ok(())
    })
}

fn read(path: &PathBuf) -> Result<String> {
    fs::read_to_string(path).doing(|| format!("failed to read {}", path.display()))
}
