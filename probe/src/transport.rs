//! The connection below the AWS SDK: resolves, connects, verifies and exchanges, and records each phase as evidence.
//! Draws no conclusions. The caller passes settings, file contents and the deadline.
#![expect(clippy::disallowed_methods, reason = "the wire connects, and its phases are times")]

use bytes::Bytes;
use credprobe_judge::evidence::{Failure, Network, Phase};
use endpoint::{Endpoint, Host, plain_http_is_local};
use exchange::{Connection, prepare};
use fault::Fault;
use http::Uri;
use proxy::Proxy;
use record::Record;
use resolve::Found;
use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use stream::Duplex;
use tokio::{
    net::TcpStream,
    time::{Instant, timeout_at},
};

pub(crate) use endpoint::AddressPolicy;
pub(crate) use proxy::Proxies;
pub(crate) use resolver_config::ResolverConfig;
pub(crate) use root_store::{BundleProblem, RootStore, root_store};

#[cfg(fuzzing)]
pub(crate) mod canned;
mod certificate;
mod connect;
mod dns_message;
mod endpoint;
mod exchange;
mod fault;
mod proxy;
mod record;
mod resolve;
mod resolver_config;
mod root_store;
mod sdk;
pub(crate) mod secret;
mod stream;
mod tls;
mod tls_fault;
mod tunnel;

/// The settings of a wire. They are those of the subject, not of this process.
#[derive(Clone)]
pub struct Config {
    /// The roots that a peer's chain may end in.
    pub trust: RootStore,
    /// The roots of the judged process, if that is another process. The same chain is verified against them, only for the record.
    pub of_target: Option<RootStore>,
    /// Used for `https://` only.
    pub proxies: Proxies,
    /// The deadline of the whole attempt, however many requests it makes.
    pub deadline: Instant,
    /// How many bytes of a response body are read: [`BODY_LIMIT`], or more for documents.
    pub body_limit: usize,
    /// How names are resolved.
    pub resolver: Arc<ResolverConfig>,
    /// Allows plain HTTP to addresses other than loopback and the Pod Identity agent.
    pub allow_http: bool,
    /// The addresses that requests may go to.
    pub peers: AddressPolicy,
}

/// The body limit for STS and the agent, in bytes. Their responses have 1 to 4 KiB, error pages of proxies up to about 20 KiB.
pub(crate) const BODY_LIMIT: usize = 64 * 1024;

/// Reads a certificate. Only for the fuzzer.
#[cfg(fuzzing)]
pub(crate) fn certificate(der: &[u8]) -> credprobe_judge::evidence::Certificate {
    certificate::read(der)
}

/// Whether a nameserver's answer has addresses. Only for the fuzzer.
#[cfg(fuzzing)]
pub(crate) fn dns(bytes: &[u8]) -> bool {
    use dns_message::{DnsQuestion, Family, Reading};
    [Family::V4, Family::V6].into_iter().any(|family| {
        // Take the id from the message itself, so that every message is read to its end.
        let id = bytes.first_chunk().map_or(0, |id| u16::from_be_bytes(*id));
        let question = DnsQuestion::new("sts.eu-west-1.amazonaws.com", family, id);
        matches!(question.map(|question| question.read(bytes)), Some(Reading::Answer { addresses, .. }) if !addresses.is_empty())
    })
}

/// The connection of one attempt. Clones share the log and the one connection that is kept for the next request.
#[derive(Clone)]
pub struct Wire(Arc<Inner>);

struct Inner {
    config: Config,
    kept: Mutex<Option<Kept>>,
    log: Mutex<Vec<Record>>,
    head: Mutex<Option<Head>>,
}

/// Status and headers of a response.
#[derive(Clone)]
pub struct Head {
    /// As sent, 100 to 999.
    pub status: u16,
    /// At most 64.
    pub headers: http::HeaderMap,
}

struct Kept {
    route: String,
    connection: Connection,
}

impl fmt::Debug for Wire {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Print nothing else: the kept connection holds requests, and they hold the token.
        formatter.write_str("Wire")
    }
}

impl Wire {
    /// Makes a wire. Sends and resolves nothing yet.
    pub fn new(config: Config) -> Self {
        Self(Arc::new(Inner {
            config,
            kept: Mutex::default(),
            log: Mutex::default(),
            head: Mutex::default(),
        }))
    }

    /// Sends `request`, whose URI is absolute, and reads the whole response. Follows no redirects. Must run on a tokio runtime
    /// with I/O and time.
    ///
    /// If a kept connection returns not a single byte, because the server had closed it meanwhile, the request is sent once
    /// more over a new connection. RFC 9110 §9.2.2 allows that to a client that knows the request to be safe. These are:
    /// GetCallerIdentity and GETs change nothing, and the exchange is the first request on its connection.
    ///
    /// # Errors
    /// The record's `failure`, whenever no whole response arrived. An HTTP status is never an error.
    pub async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> (Network, Result<http::Response<Bytes>, Failure>) {
        let record = Record::new(shown(request.uri()));
        lock(&self.0.log).push(record.clone());
        *lock(&self.0.head) = None;
        // The record lives outside this future, so its observations survive when the deadline drops the future.
        let (network, response) =
            match timeout_at(self.0.config.deadline, self.exchange(request, &record)).await {
                Ok(Ok(response)) => (record.close(Ok(())), Some(response)),
                Ok(Err(fault)) => (record.close(Err(fault)), None),
                Err(_struck) => (record.expire(), None),
            };
        let outcome = match (response, network.failure.clone()) {
            (Some(response), _) => {
                *lock(&self.0.head) =
                    Some(Head { status: response.status().as_u16(), headers: response.headers().clone() });
                Ok(response)
            }
            (None, failure) => Err(failure.unwrap_or_else(|| Fault::unusable("").in_phase(Phase::Resolve))),
        };
        (network, outcome)
    }

    /// The records of all requests, also of those that the SDK sent, in the order in which they began.
    pub fn records(&self) -> Vec<Network> {
        lock(&self.0.log).iter().map(Record::snapshot).collect()
    }

    /// Only resolves `name`. The record ends with its resolve phase.
    pub async fn lookup(&self, name: &str) -> Network {
        let record = Record::new(name.to_owned());
        match timeout_at(self.0.config.deadline, resolve::resolve(&self.0.config.resolver, name, &record))
            .await
        {
            Ok(outcome) => record.close(outcome.map(drop)),
            Err(_struck) => record.expire(),
        }
    }

    /// Status and headers of the last response, which the SDK does not pass on. `None`: no whole response arrived.
    pub fn last_response_head(&self) -> Option<Head> {
        lock(&self.0.head).clone()
    }

    async fn exchange(
        &self,
        request: http::Request<Bytes>,
        record: &Record,
    ) -> Result<http::Response<Bytes>, Fault> {
        let config = &self.0.config;
        let endpoint = Endpoint::of(request.uri())?;
        let proxy = config.proxies.for_endpoint(&endpoint)?;
        let via = proxy.as_ref().map(Proxy::to_string);
        if let Some(via) = &via {
            record.proxy(via);
        }
        let request = prepare(request, &endpoint)?;
        // The route alone distinguishes connections, because all settings belong to the wire.
        let route = format!("{endpoint} {}", via.unwrap_or_default());
        if let Some(mut kept) = self.take_kept(&route).await {
            record.reuse(kept.peer);
            match kept.exchange(request.clone(), config.body_limit, record).await {
                Ok(response) => {
                    self.keep(route, kept);
                    return Ok(response);
                }
                Err(stopped) if stopped.unanswered => record.restart(),
                Err(stopped) => return Err(stopped.fault),
            }
        }
        let mut connection = self.connect(&endpoint, proxy.as_ref(), record).await?;
        let response =
            connection.exchange(request, config.body_limit, record).await.map_err(|stopped| stopped.fault)?;
        self.keep(route, connection);
        Ok(response)
    }

    async fn take_kept(&self, route: &str) -> Option<Connection> {
        let mut kept = lock(&self.0.kept).take_if(|kept| kept.route == route)?;
        kept.connection.is_alive().await.then_some(kept.connection)
    }

    fn keep(&self, route: String, connection: Connection) {
        *lock(&self.0.kept) = Some(Kept { route, connection });
    }

    async fn connect(
        &self,
        endpoint: &Endpoint,
        proxy: Option<&Proxy>,
        record: &Record,
    ) -> Result<Connection, Fault> {
        #[cfg(fuzzing)]
        if let Some(connection) = canned::connection(record).await {
            return connection;
        }
        let (stream, peer) = match proxy {
            None => self.reach(endpoint, record).await?,
            Some(proxy) => {
                let tunnel = self.reach_through(endpoint, proxy, record).await;
                tunnel.map_err(|fault| fault.at_proxy(&proxy.to_string()))?
            }
        };
        let stream: Box<dyn Duplex> = if endpoint.secure {
            record.enter(Phase::Tls);
            let stream = tls::handshake(stream, &endpoint.host, &self.0.config, record).await;
            Box::new(stream.map_err(|fault| fault.peer(Some(peer)))?)
        } else {
            Box::new(stream)
        };
        record.enter(Phase::Processing);
        Connection::over(stream, peer).await
    }

    async fn reach(&self, endpoint: &Endpoint, record: &Record) -> Result<(TcpStream, SocketAddr), Fault> {
        let Found { addresses, late } = self.addresses(&endpoint.host, record).await?;
        for address in &addresses {
            self.admit(endpoint, *address)?;
        }
        self.begin_connect(&endpoint.host, record);
        let admits = |address| self.admit(endpoint, address).is_ok();
        connect::connect(&addresses, late, admits, endpoint.port, record).await
    }

    async fn reach_through(
        &self,
        endpoint: &Endpoint,
        proxy: &Proxy,
        record: &Record,
    ) -> Result<(TcpStream, SocketAddr), Fault> {
        // A name is resolved by the proxy, but an address can be checked here.
        if let Host::Address(address) = endpoint.host {
            self.admit(endpoint, address)?;
        }
        let Found { addresses, late } = self.addresses(&proxy.host, record).await?;
        self.begin_connect(&proxy.host, record);
        let (mut stream, peer) = connect::connect(&addresses, late, |_| true, proxy.port, record).await?;
        tunnel::open(&mut stream, endpoint, proxy, record).await.map_err(|fault| fault.peer(Some(peer)))?;
        Ok((stream, peer))
    }

    async fn addresses(&self, host: &Host, record: &Record) -> Result<Found, Fault> {
        match host {
            Host::Address(address) => Ok(Found::known(vec![*address])),
            Host::Name(name) => resolve::resolve(&self.0.config.resolver, name, record).await,
        }
    }

    /// Whether a request for `endpoint` may go to `address`, literal or resolved. The address decides, because a name can
    /// lead anywhere.
    fn admit(&self, endpoint: &Endpoint, address: IpAddr) -> Result<(), Fault> {
        if let Some(what) = self.0.config.peers.refusal(address) {
            return Err(Fault::unusable(format!(
                "`{endpoint}` leads to {address}, {what}, which is not spoken to"
            )));
        }
        if !endpoint.secure && !self.0.config.allow_http && !plain_http_is_local(address) {
            let detail = format!(
                "`{endpoint}` leads to {address}: plain HTTP would show the credentials to everyone on the way; \
                 only loopback and the Pod Identity agent are spoken to so"
            );
            return Err(Fault::unusable(detail));
        }
        Ok(())
    }

    fn begin_connect(&self, host: &Host, record: &Record) {
        match host {
            // Nothing was resolved, so the record has no resolve phase.
            Host::Address(_) => record.begin_at(Phase::Connect),
            Host::Name(_) => record.enter(Phase::Connect),
        }
    }
}

/// `scheme://host[:port]` for the record, also for an unusable URL. Never shows user info, path or query.
fn shown(uri: &Uri) -> String {
    Endpoint::of(uri).map_or_else(
        |_| {
            let host = uri.host().unwrap_or_default();
            let port = uri.port().map(|port| format!(":{port}")).unwrap_or_default();
            format!("{}://{host}{port}", uri.scheme_str().unwrap_or_default())
        },
        |endpoint| endpoint.to_string(),
    )
}

/// Ignores poisoning: the guarded values are consistent after every statement.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
