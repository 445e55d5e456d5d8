//! Ten thousand scrapes, and a thousand connections at once of which half send no whole request: memory is bounded, and kubelet
//! probes are answered.

use super::{
    Told, is_shipped, must, say,
    server::{PUBLIC, Server, connect, get, is_ready, until},
    world::exchanges,
};
use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

const SCRAPES: usize = 10_000;
const CONNECTIONS: usize = 1_000;
const LOOKS: usize = 40;
const SOON: Duration = Duration::from_millis(50);
/// In kilobytes.
const MEMORY: u64 = 10_000;

pub(super) fn comes(probe: &str) -> Told {
    let server = Server::start(probe, &["--interval=1s"])?;
    until("it is ready", is_ready)?;
    let idle = server.kilobytes("VmRSS")?;

    let mut scraper = connect(PUBLIC)?;
    for _ in 0..SCRAPES {
        scrape(&mut scraper)?;
    }
    let scraped = server.kilobytes("VmRSS")?;

    let mut slow = Vec::with_capacity(CONNECTIONS);
    let mut took: Vec<Duration> = Vec::with_capacity(LOOKS);
    for number in 0..CONNECTIONS {
        let mut stream = connect(PUBLIC)?;
        if number % 2 == 0 {
            // Half a header, and nothing after it.
            let _ = stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\nX-Slow: ");
        } else {
            scrape(&mut stream)?;
        }
        slow.push(stream);
        if number % (CONNECTIONS / LOOKS) == 0 {
            let asked = Instant::now();
            let answer = get(PUBLIC, "/livez")?;
            took.push(asked.elapsed());
            must(answer.status == 200, || answer.to_string())?;
        }
    }
    took.sort_unstable();
    let (median, slowest) = (took[took.len() / 2], took[took.len() - 1]);
    let peak = server.kilobytes("VmHWM")?;
    say(&format!(
        "measured: resident, idle {idle} kB, after {SCRAPES} scrapes {scraped} kB, peak with {CONNECTIONS} connections {peak} kB; \
         /livez: median {median:?}, slowest of {LOOKS} {slowest:?}"
    ));
    must(peak < MEMORY || !is_shipped(), || format!("it took {peak} kB"))?;
    // The slowest answer may be due to a busy machine.
    must(took[took.len() - 2] < SOON, || format!("/livez took {took:?}"))?;
    must(exchanges()? == 1, || format!("{:?} exchanges, where the start alone makes one", exchanges()))?;
    drop(slow);
    server.stop()
}

/// One peer sends a hundred requests at once over each of four hundred connections; all others must still be served.
pub(super) fn pipelines(probe: &str) -> Told {
    const AT_ONCE: usize = 100;
    const PEERS: usize = 400;
    let server = Server::start(probe, &["--interval=1s"])?;
    until("it is ready", is_ready)?;
    let over = Arc::new(AtomicBool::new(false));
    // One thread: a real crowd runs on other machines and does not use the server's processor.
    let crowd = {
        let over = Arc::clone(&over);
        std::thread::spawn(move || {
            let requests = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n".repeat(AT_ONCE);
            let mut streams: Vec<Option<TcpStream>> = (0..PEERS).map(|_| None).collect();
            let mut piece = [0; 65_536];
            while !over.load(Ordering::Relaxed) {
                for place in &mut streams {
                    if place.is_none() {
                        *place = connect(PUBLIC).ok();
                        if let Some(stream) = place {
                            let _ = stream.set_nonblocking(true);
                        }
                    }
                    let Some(stream) = place else { continue };
                    let lost = |error: std::io::Error| error.kind() != std::io::ErrorKind::WouldBlock;
                    let gone = stream.write(requests.as_bytes()).is_err_and(lost);
                    let closed = match stream.read(&mut piece) {
                        Ok(length) => length == 0,
                        Err(error) => lost(error),
                    };
                    if gone || closed {
                        *place = None;
                    }
                }
            }
        })
    };
    std::thread::sleep(Duration::from_millis(500));
    let mut took = Vec::new();
    for path in ["/livez", "/readyz"].repeat(10) {
        took.push(as_another_peer(path)?);
    }
    over.store(true, Ordering::Relaxed);
    let _ = crowd.join();
    say(&format!(
        "measured: /livez and /readyz beside {PEERS} connections of {AT_ONCE} requests each: {took:?}"
    ));
    must(took.iter().all(|took| *took < Duration::from_secs(1)), || format!("{took:?}"))?;
    let half_closed = half_closed()?;
    must(half_closed.starts_with("HTTP/1.1 200"), || format!("a half-closed client is told: {half_closed}"))?;
    server.stop()
}

/// Asks from another address of this machine, and checks the status.
fn as_another_peer(path: &str) -> Result<Duration, String> {
    let failed = |error: std::io::Error| format!("{path}: {error}");
    let asked = Instant::now();
    let socket = rustix::net::socket(rustix::net::AddressFamily::INET, rustix::net::SocketType::STREAM, None)
        .map_err(|error| error.to_string())?;
    let (from, to): (SocketAddr, SocketAddr) = (([127, 0, 0, 2], 0).into(), ([127, 0, 0, 1], 9809).into());
    rustix::net::bind(&socket, &from).map_err(|error| error.to_string())?;
    rustix::net::connect(&socket, &to).map_err(|error| error.to_string())?;
    let mut stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(Duration::from_secs(3))).map_err(failed)?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").map_err(failed)?;
    let mut answer = String::new();
    if let Err(error) = stream.read_to_string(&mut answer) {
        return Err(format!("{path} after {:?}: {error}: {answer:?}", asked.elapsed()));
    }
    must(answer.starts_with("HTTP/1.1 200"), || format!("{path}: {answer}"))?;
    Ok(asked.elapsed())
}

/// Some checkers close their half of the connection right after the request.
fn half_closed() -> Result<String, String> {
    let mut stream = connect(PUBLIC)?;
    stream.write_all(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n").map_err(|error| error.to_string())?;
    stream.shutdown(Shutdown::Write).map_err(|error| error.to_string())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(|error| error.to_string())?;
    Ok(answer)
}

/// Makes one more request over a kept connection.
fn scrape(stream: &mut TcpStream) -> Told {
    let failed = |error: std::io::Error| format!("a scrape: {error}");
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").map_err(failed)?;
    let (mut answer, mut piece) = (Vec::new(), [0; 16_384]);
    while !answer.ends_with(b"# EOF\n") {
        let length = stream.read(&mut piece).map_err(failed)?;
        must(length > 0, || "the connection ended in the middle of a scrape".to_owned())?;
        answer.extend_from_slice(&piece[..length]);
    }
    Ok(())
}
