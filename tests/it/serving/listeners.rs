//! Who sees what: class and code in public, the report on loopback, and nothing for a web page.

use super::{
    Told, must, say,
    server::{ADMIN, Answer, PUBLIC, Server, ask, get, is_ready, until, until_code},
    world::{fresh, revoke},
};
use std::process::Command;

/// Text that names the pod, its account or its cluster.
const NAMES: &[&str] =
    &["814203749616", "checkout", "shop", "arn:", "oidc", "eks", "EXAMPLE", "system:serviceaccount", "10.0."];

pub(super) fn tell(probe: &str) -> Told {
    let server = Server::start(probe, &["--interval=50ms", "--metrics=full"])?;
    until("it is ready", is_ready)?;
    revoke()?;
    fresh()?;
    until_code(53)?;
    for path in ["/livez", "/readyz", "/metrics", "/", "/report", "/status", "/nonsense", "//", "/livez/"] {
        let answer = get(PUBLIC, path)?;
        let told = NAMES.iter().find(|name| answer.to_string().contains(**name));
        must(told.is_none(), || format!("{path} names {told:?}\n{answer}"))?;
        let known = ["/livez", "/readyz", "/metrics"].contains(&path);
        must((answer.status == 200) == known, || format!("{path}: {answer}"))?;
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "CONNECT", "TRACE", "NONSENSE"] {
        for at in [PUBLIC, ADMIN] {
            let target = if method == "CONNECT" { at } else { "/" };
            let answer = ask(
                at,
                &format!(
                    "{method} {target} HTTP/1.1\r\nHost: {at}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                ),
            )?;
            must(answer.status == 405 && answer.head.contains("allow: GET, HEAD"), || {
                format!("{method}: {answer}")
            })?;
            guarded(&answer)?;
        }
    }
    let head = ask(PUBLIC, "HEAD /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")?;
    must(head.status == 200 && head.body.is_empty(), || head.to_string())?;
    let long = "a".repeat(64 * 1024);
    let answer = ask(PUBLIC, &format!("GET /livez HTTP/1.1\r\nHost: x\r\nX-Long: {long}\r\n\r\n"))?;
    must(answer.status == 431, || answer.to_string())?;
    for path in ["/", "/report", "/status", "/nonsense"] {
        guarded(&get(ADMIN, path)?)?;
    }
    guarded(&ask(ADMIN, "GET / HTTP/1.1\r\nHost: attacker.example\r\nConnection: close\r\n\r\n")?)?;
    hosts()?;
    page(&get(ADMIN, "/")?)?;
    let report: serde_json::Value =
        serde_json::from_str(&get(ADMIN, "/report")?.body).map_err(|error| error.to_string())?;
    must(report["verdict"]["class"] == "access-denied", || report.to_string())?;
    status(probe, 0, "access-denied 53: ", 3)?;
    server.stop()?;
    status(probe, 3, "inconclusive (3): no credprobe serve answers at 127.0.0.1:9810", 1)
}

/// A public name that leads to loopback is refused, however it is written.
fn hosts() -> Told {
    let asked = |line: &str, hosts: &[&str]| {
        let hosts: String = hosts.iter().map(|host| format!("Host: {host}\r\n")).collect();
        ask(ADMIN, &format!("GET {line} HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n"))
    };
    for host in ["localhost", "LOCALHOST:9810", "127.0.0.1", "127.0.0.1:1234", "[::1]", "[::1]:9810"] {
        let answer = asked("/report", &[host])?;
        must(answer.status == 200, || format!("{host}: {answer}"))?;
    }
    for hosts in [
        &["attacker.example"][..],
        &["attacker.example:9810"],
        &["localhost.attacker.example"],
        &["127.0.0.1.attacker.example"],
        &["localhost@attacker.example"],
        &["attacker.example@localhost"],
        &["127.0.0.2"],
        &["10.0.3.17:9810"],
        &[""],
        &["localhost", "attacker.example"],
        &[],
    ] {
        let answer = asked("/report", hosts)?;
        let refused = answer.status == 421 || hosts.is_empty() && answer.status == 400;
        must(refused && !answer.body.contains("814203749616"), || format!("{hosts:?}: {answer}"))?;
    }
    let answer = asked("http://attacker.example/report", &["localhost"])?;
    must(answer.status == 421, || answer.to_string())
}

/// No page of another origin can frame, sniff or load it.
fn guarded(answer: &Answer) -> Told {
    for header in [
        "content-security-policy: default-src 'none'",
        "frame-ancestors 'none'",
        "x-content-type-options: nosniff",
        "cross-origin-resource-policy: same-origin",
    ] {
        must(answer.head.contains(header), || format!("{header} is missing: {answer}"))?;
    }
    Ok(())
}

fn page(page: &Answer) -> Told {
    for part in [
        "access-denied 53: ",
        "814203749616",
        "aws iam update-assume-role-policy",
        "system:serviceaccount:shop:checkout",
        "token expires in",
    ] {
        must(page.body.contains(part), || format!("the page lacks {part}: {page}"))?;
    }
    must(page.head.contains("content-security-policy: default-src 'none'"), || page.head.clone())?;
    // One script, allowed by its hash: anything else that gets into the page does not run.
    let policy =
        page.head.lines().find(|line| line.starts_with("content-security-policy: ")).unwrap_or_default();
    let one_by_hash = policy.matches("script-src 'sha256-").count() == 1 && !policy.contains("unsafe");
    must(one_by_hash && page.body.matches("<script").count() == 1, || page.head.clone())
}

fn status(probe: &str, code: i32, line: &str, lines: usize) -> Told {
    let output = Command::new(probe).arg("status").output().map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    say(&said);
    must(
        output.status.code() == Some(code) && said.starts_with(line) && said.lines().count() == lines,
        || format!("status: {} {said}", output.status),
    )
}
