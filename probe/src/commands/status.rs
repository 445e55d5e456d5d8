//! `credprobe status`: queries the `serve` of this pod over loopback and exits with its code.
//! Meant for exec probes in an image without a shell. If nothing listens, the class is `inconclusive`.

use super::Failure;
use crate::collect::observer;
use crate::process::clock;
use crate::process::output::print;
use crate::serve::EXIT_CODE;
use crate::transport::{self, AddressPolicy, Config, Proxies, ResolverConfig, Wire};
use bytes::Bytes;
use credprobe_judge::catalog::Class;
use credprobe_judge::text::shown::escaped;
use credprobe_judge::text::truncate;
use std::net::SocketAddr;
use std::time::Duration;

/// The kubelet gives an exec probe one second by default, including the start of the process.
const TIMEOUT: Duration = Duration::from_millis(800);
/// In bytes. The answer has three lines, and a termination message has at most a thousand bytes.
const LINE_LIMIT: usize = 4 * 1024;

pub(super) fn run(address: SocketAddr) -> Result<u8, Failure> {
    let runtime = observer::runtime().map_err(|why| Failure::cannot_look(&why))?;
    let (line, code) = runtime.block_on(ask(address));
    print(&line);
    Ok(code)
}

/// Returns the line to print and the exit code.
async fn ask(address: SocketAddr) -> (String, u8) {
    let nobody = |why: &str| {
        let class = Class::Inconclusive;
        let line = format!(
            "{} ({}): no credprobe serve answers at {address}: {why}; is it running in this pod, with this --admin-listen?",
            class.id(),
            class.code()
        );
        (line, class.code())
    };
    let Ok(trust) = transport::root_store(None, &[]) else {
        return nobody("the compiled-in roots cannot be used");
    };
    let wire = Wire::new(Config {
        trust,
        of_target: None,
        proxies: Proxies::none(),
        deadline: clock::deadline(TIMEOUT),
        body_limit: LINE_LIMIT,
        // The address is numeric, so nothing is resolved.
        resolver: ResolverConfig::parse(None, None).into(),
        allow_http: false,
        peers: AddressPolicy::default(),
    });
    let Ok(request) = http::Request::get(format!("http://{address}/status")).body(Bytes::new()) else {
        return nobody("its URL cannot be used");
    };
    let response = match wire.send(request).await {
        (_, Ok(response)) => response,
        (_, Err(failure)) => return nobody(&failure.detail),
    };
    let code = response.headers().get(EXIT_CODE).and_then(|code| code.to_str().ok()?.parse::<u8>().ok());
    // Accept only codes of classes: another server's number must not become our exit code.
    match code.filter(|code| Class::all().iter().any(|class| class.code() == *code)) {
        None => nobody(&format!("another server does, with status {}", response.status().as_u16())),
        Some(code) => {
            let said = String::from_utf8_lossy(response.body());
            let mut line = said.trim_end().lines().map(escaped).collect::<Vec<_>>().join("\n");
            truncate(&mut line, LINE_LIMIT);
            (line, code)
        }
    }
}
