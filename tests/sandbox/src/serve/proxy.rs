//! The company's HTTP proxy: a tunnel for clients that ask with CONNECT, or what a scenario makes it answer instead.
//! It resolves names itself, as a proxy does, so the pod's DNS faults do not affect it.

use std::{io, net::SocketAddr, sync::Arc};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
    time::timeout,
};

use super::{PATIENCE, READ_TIMEOUT, hostile};
use crate::{
    dns,
    record::ProxyRequest,
    scenario::{Proxy, hostile::Peer},
    world::World,
};

/// How much of a request's head it accepts. No client that we know sends more.
const HEAD_LIMIT: usize = 8 * 1024;

pub(crate) async fn proxy(listener: TcpListener, world: Arc<World>, addresses: dns::Addresses) {
    while let Ok((stream, _)) = listener.accept().await {
        let world = Arc::clone(&world);
        // A mishap of the client is not a failure of the proxy.
        tokio::spawn(async move { connection(stream, &world, addresses).await });
    }
}

async fn connection(mut client: TcpStream, world: &World, addresses: dns::Addresses) -> io::Result<()> {
    if let Some(hostile) = world.scenario.hostile.as_ref().filter(|hostile| hostile.peer == Peer::Proxy) {
        hostile::answers(hostile, client, |_| Vec::new()).await;
        return Ok(());
    }
    let head = timeout(READ_TIMEOUT, head(&mut client)).await??;
    let head = Head::parse(&head).ok_or(io::ErrorKind::InvalidData)?;
    let answer = match world.scenario.proxy {
        Some(Proxy::Hang) => Answer::Silence,
        Some(Proxy::Refuse403) => Answer::Refusal("403 Forbidden"),
        Some(Proxy::RequireAuth407) if !head.authorized => {
            Answer::Refusal("407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"corp\"")
        }
        _ if head.method != "CONNECT" => Answer::Refusal("405 Method Not Allowed"),
        _ => connect(world, addresses, &head.target).await,
    };
    world.record.edit().proxy_requests.push(ProxyRequest {
        method: head.method,
        target: head.target,
        authorized: head.authorized,
        status: answer.status(),
    });
    match answer {
        Answer::Silence => tokio::time::sleep(PATIENCE).await,
        Answer::Refusal(line) => {
            let text = format!(
                "HTTP/1.1 {line}\r\nServer: squid/6.6\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
            client.write_all(text.as_bytes()).await?;
        }
        Answer::Tunnel(mut server) => {
            client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
            copy_bidirectional(&mut client, &mut server).await?;
        }
    }
    Ok(())
}

enum Answer {
    Tunnel(TcpStream),
    Refusal(&'static str),
    Silence,
}

impl Answer {
    fn status(&self) -> u16 {
        match self {
            Self::Tunnel(_) => 200,
            Self::Refusal(line) => line.get(..3).and_then(|code| code.parse().ok()).unwrap_or_default(),
            Self::Silence => 0,
        }
    }
}

async fn connect(world: &World, addresses: dns::Addresses, target: &str) -> Answer {
    let Some((host, port)) =
        target.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?)))
    else {
        return Answer::Refusal("400 Bad Request");
    };
    let literal = host.trim_matches(['[', ']']).parse().ok().map(|address| vec![address]);
    for address in literal.or_else(|| dns::lookup(world, addresses, host)).unwrap_or_default() {
        if let Ok(stream) = TcpStream::connect(SocketAddr::new(address, port)).await {
            return Answer::Tunnel(stream);
        }
    }
    Answer::Refusal("503 Service Unavailable")
}

/// Reads up to the empty line and not one byte more, because the bytes after it belong to the tunnel.
async fn head(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() == HEAD_LIMIT {
            return Err(io::ErrorKind::InvalidData.into());
        }
        head.push(stream.read_u8().await?);
    }
    Ok(head)
}

#[derive(Debug, PartialEq)]
struct Head {
    method: String,
    target: String,
    authorized: bool,
}

impl Head {
    fn parse(head: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(head).ok()?;
        let mut lines = text.split("\r\n");
        let mut words = lines.next()?.split(' ');
        let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
        let authorized = lines.any(|line| {
            line.split_once(':').is_some_and(|(name, _)| name.eq_ignore_ascii_case("proxy-authorization"))
        });
        Some(Self { method, target, authorized })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{issuer::Issuer, key::Key, registry::Registry, scenario::Scenario};

    const ADDRESSES: dns::Addresses = dns::Addresses {
        sts: std::net::Ipv4Addr::LOCALHOST,
        sts_ipv6: std::net::Ipv6Addr::LOCALHOST,
        issuer: std::net::Ipv4Addr::LOCALHOST,
        api_server: std::net::Ipv4Addr::LOCALHOST,
        proxy: std::net::Ipv4Addr::LOCALHOST,
    };

    /// Starts such a proxy in front of a server that says `hello`. Returns what a client reads, and the record.
    async fn ask(temper: &str, authority: &str, headers: &str) -> (String, Vec<ProxyRequest>) {
        let scenario = Scenario::parse("test", &format!(r#"{{"proxy": "{temper}"}}"#)).unwrap();
        let registry = Registry::of(&scenario).unwrap();
        let issuer = Issuer::new(Key::generate().unwrap(), None, scenario.issuer.clone());
        let world = Arc::new(World::new(scenario, registry, issuer));
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = format!("{authority}:{}", server.local_addr().unwrap().port());
        tokio::spawn(async move {
            let (mut stream, _) = server.accept().await.unwrap();
            stream.write_all(b"hello").await.unwrap();
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        tokio::spawn(proxy(listener, Arc::clone(&world), ADDRESSES));
        let request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{headers}\r\n");
        client.write_all(request.as_bytes()).await.unwrap();
        let mut text = String::new();
        let patience = std::time::Duration::from_millis(500);
        let _ = timeout(patience, client.read_to_string(&mut text)).await;
        let requests = std::mem::take(&mut world.record.edit().proxy_requests);
        (text, requests)
    }

    #[tokio::test]
    async fn a_tunnel_leads_to_the_server_by_name_and_by_address() {
        for authority in ["127.0.0.1", "sts.eu-west-1.amazonaws.com"] {
            let (text, requests) = ask("works", authority, "").await;
            assert!(text.starts_with("HTTP/1.1 200 ") && text.ends_with("\r\n\r\nhello"), "{text}");
            assert_eq!((requests[0].status, requests[0].authorized), (200, false));
            assert!(requests[0].target.starts_with(authority));
        }
    }

    #[tokio::test]
    async fn credentials_open_it_and_are_not_recorded() {
        let (text, _) = ask("require-auth-407", "127.0.0.1", "").await;
        assert!(text.starts_with("HTTP/1.1 407 "), "{text}");
        let (text, requests) =
            ask("require-auth-407", "127.0.0.1", "proxy-Authorization: Basic c2VjcmV0\r\n").await;
        assert!(text.starts_with("HTTP/1.1 200 "), "{text}");
        assert!(requests[0].authorized && !format!("{requests:?}").contains("c2VjcmV0"));
    }

    #[tokio::test]
    async fn it_refuses_or_is_silent_as_it_is_told() {
        let (text, requests) = ask("refuse-403", "127.0.0.1", "").await;
        assert!(text.starts_with("HTTP/1.1 403 "), "{text}");
        assert_eq!(requests[0].status, 403);
        let (text, requests) = ask("hang", "127.0.0.1", "").await;
        assert_eq!((text.as_str(), requests[0].status), ("", 0));
        let (text, _) = ask("works", "no-such-name.example", "").await;
        assert!(text.starts_with("HTTP/1.1 503 "), "{text}");
    }
}
