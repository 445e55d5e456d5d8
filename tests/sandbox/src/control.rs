//! Changes the world while the command runs: plain HTTP on loopback, for tests that watch a `serve`.
//! `world` and `token_file` carry out the changes.

use std::{io, net::TcpListener, path::PathBuf, sync::Arc};

use http_body_util::{BodyExt as _, Limited};
use hyper::{Method, Response, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use time::OffsetDateTime;

use crate::{
    eks,
    error::{Error, Result},
    registry::Registry,
    scenario::{Scenario, Token, TokenFile, agent::TokenKind},
    serve::{Body, finish},
    token_file::{self, Owner, Volume},
    world::World,
};

const BODY_LIMIT: usize = 64 * 1024;

/// The volume whose token can be rotated.
#[derive(Clone, Debug)]
pub(crate) struct Kubelet {
    /// A path at which the volume is writable.
    pub(crate) directory: PathBuf,
    pub(crate) owner: Option<Owner>,
    pub(crate) kind: TokenKind,
}

/// What the kubelet writes next.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Rotation {
    token: Token,
    token_file: TokenFile,
}

/// What the control server can read and change.
#[derive(Debug)]
pub(crate) struct Controlled {
    pub(crate) world: Arc<World>,
    /// `None` where a real cluster's kubelet writes the tokens.
    pub(crate) kubelet: Option<Kubelet>,
    /// The CA that clients of STS have to trust, in PEM.
    pub(crate) ca: String,
}

pub(crate) async fn serve(listener: tokio::net::TcpListener, controlled: Controlled) {
    let controlled = Arc::new(controlled);
    while let Ok((stream, _)) = listener.accept().await {
        let controlled = Arc::clone(&controlled);
        let service = service_fn(move |request| respond(Arc::clone(&controlled), request));
        tokio::spawn(async move {
            let http = hyper::server::conn::http1::Builder::new();
            let _ = http.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// Listens on a port that the command finds in `CREDPROBE_SANDBOX_CONTROL`.
pub(crate) fn listen() -> Result<TcpListener> {
    crate::launch::listen(std::net::Ipv4Addr::LOCALHOST.into(), 0)
}

async fn respond(
    controlled: Arc<Controlled>,
    request: hyper::Request<Incoming>,
) -> io::Result<Response<Body>> {
    let world = &controlled.world;
    let (head, body) = request.into_parts();
    let body = Limited::new(body, BODY_LIMIT).collect().await.map_err(io::Error::other)?.to_bytes();
    let text = String::from_utf8_lossy(&body);
    let done = match (&head.method, head.uri.path(), &controlled.kubelet) {
        (&Method::GET, "/ca", _) => Ok(controlled.ca.clone()),
        (&Method::GET, "/record", _) => world.record.json(),
        (&Method::DELETE, "/condition", _) => {
            world.record.edit().condition = None;
            Ok(String::new())
        }
        (&Method::POST, "/world", _) => turn(world, &text),
        (&Method::POST, "/token-review", _) => review(world, &text),
        (&Method::POST, "/token", Some(kubelet)) => rotate(world, kubelet, &text),
        _ => Err(Error::new(
            "there are GET /ca and /record, DELETE /condition, POST /world, /token-review and, in a pod of ours, /token",
        )),
    };
    match done {
        Ok(text) => finish(Response::builder(), text),
        Err(error) => finish(Response::builder().status(400), error.line()),
    }
}

fn turn(world: &World, text: &str) -> Result<String> {
    let scenario = Scenario::parse("control", text)?;
    let registry = Registry::of(&scenario)?;
    world.turn_to(&scenario, registry);
    Ok(String::new())
}

/// EKS's authenticator, for the API server of a real cluster.
fn review(world: &World, text: &str) -> Result<String> {
    let asked = serde_json::from_str(text).map_err(|error| Error::new(format!("a TokenReview: {error}")))?;
    let eks = world.api_server().and_then(|api_server| api_server.eks.as_ref());
    let eks = eks.ok_or_else(|| Error::new("this world has no cluster: api_server.eks"))?;
    Ok(eks::review(world, eks, &asked).to_string())
}

fn rotate(world: &World, kubelet: &Kubelet, text: &str) -> Result<String> {
    let Rotation { token, token_file } =
        serde_json::from_str(text).map_err(|error| Error::new(format!("a rotation: {error}")))?;
    let spec = token.meant_for(kubelet.kind.audience());
    let now = OffsetDateTime::now_utc();
    let minted = world.issuer.mint(&spec, now)?;
    world.record.secret(&minted.jwt);
    world.record.secret(minted.jwt.rsplit('.').next().unwrap_or_default());
    let volume = Volume { directory: &kubelet.directory, written_at: now, owner: kubelet.owner };
    let content = token_file::content(&spec, minted.jwt);
    volume.swap(kubelet.kind.file(), &token_file, content.as_bytes())?;
    Ok(String::new())
}
