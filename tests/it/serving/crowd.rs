//! Ten thousand scrapes, and a thousand connections at once of which half say nothing: bounded, and probes get through.

use super::{
    Told, is_shipped, must, say,
    server::{PUBLIC, Server, connect, get, is_ready, until},
    world::exchanges,
};
use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

const SCRAPES: usize = 10_000;
const CONNECTIONS: usize = 1_000;
const LOOKS: usize = 40;
const SOON: Duration = Duration::from_millis(50);
/// Kilobytes.
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
            // Half a header, and then nothing for ever.
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
    // One look may meet a busy machine.
    must(took[took.len() - 2] < SOON, || format!("/livez took {took:?}"))?;
    must(exchanges()? == 1, || format!("{:?} exchanges, where the start alone makes one", exchanges()))?;
    drop(slow);
    server.stop()
}

/// One more request over a connection that is kept.
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
