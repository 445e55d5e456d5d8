//! Runs the same servers on 127.0.0.1 instead of in a pod, for machines that grant no namespaces.
//! Names, addresses, owners and DNS are the machine's own; a scenario that changes those is refused.

use std::net::{IpAddr, Ipv4Addr};

use nix::unistd::{getegid, geteuid};

use crate::{
    error::{Doing as _, Error, Result},
    launch::{self, Listeners, Order, Place, PlacedToken, Port, Queue},
    pod::enter::Entry,
    scenario::{Fault, agent::TokenKind},
};

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Runs the order as the user who started the sandbox.
pub(crate) fn run(order: Order) -> Result<i32> {
    let scenario = &order.scenario;
    if let Some(need) = scenario.needs_root(geteuid().as_raw(), getegid().as_raw()) {
        return Err(Error::new(format!("scenario {} needs root and pod mode: {need}", order.name)));
    }
    if let Some(need) = scenario.needs_pod() {
        return Err(Error::new(format!("scenario {} needs pod mode: {need}", order.name)));
    }
    let folder = tempfile::Builder::new().prefix("credprobe-sandbox-").tempdir();
    let folder = folder.doing(|| "failed to make a temporary folder".into())?;
    let own = folder.path().to_owned();
    let token_directory = own.join("secrets");
    if !scenario.token_file.missing {
        std::fs::create_dir(&token_directory)
            .doing(|| format!("failed to make {}", token_directory.display()))?;
    }
    let listener = launch::listen(LOCALHOST, 0)?;
    let port = listener.local_addr().doing(|| "failed to look at a listener".into())?.port();
    let sts = match scenario.fault {
        Fault::Refuse => {
            // The port stays free during the run, unless another process takes it.
            drop(listener);
            Port::Nobody
        }
        Fault::Drop => {
            drop(listener);
            Port::Full { _queues: vec![Queue::full(LOCALHOST, port)?] }
        }
        _ => Port::Serve(vec![listener]),
    };
    let issuer = match scenario.issuer.refuse {
        true => Port::Nobody,
        false => Port::serve(&[LOCALHOST], 0)?,
    };
    let place = Place {
        mode: "loopback",
        // The agent cannot run here, so its token is not placed.
        tokens: vec![PlacedToken {
            kind: TokenKind::WebIdentity,
            file: token_directory.join("token").display().to_string(),
            directory: token_directory,
        }],
        owner: None,
        seal: None,
        program: order.program.clone(),
        entry: Entry::default(),
        targets: None,
        environment: vec![("AWS_ENDPOINT_URL_STS", format!("https://localhost:{port}"))],
        service_account: None,
        listeners: Listeners {
            sts,
            issuer,
            api_server: Port::Nobody,
            agent: Port::Nobody,
            proxy: None,
            metadata: None,
            dns: None,
        },
        own,
    };
    let code = launch::run(order, place);
    // Close it explicitly, because a folder with a token must not remain.
    folder.close().doing(|| "failed to remove the temporary folder".into())?;
    code
}
