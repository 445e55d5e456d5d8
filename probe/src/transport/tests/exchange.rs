//! Tests whole and broken requests and responses.
//! `kept` tests connections that are kept between them.

use super::super::Config;
use super::support::{TOKEN, answering, config, fail, ok, read_request, send, server, within};
use credprobe_judge::evidence::{FailureKind, Phase};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::test]
async fn the_request_has_host_path_and_body_and_http_1_1() {
    let seen = Arc::new(Mutex::new(String::new()));
    let keep = Arc::clone(&seen);
    let address = server(move |mut stream, _| {
        let keep = Arc::clone(&keep);
        async move {
            *keep.lock().unwrap() = read_request(&mut stream).await;
            let _ = stream.write_all(ok("hi").as_bytes()).await;
        }
    })
    .await;
    let (network, answer) = send(config(), &format!("http://{address}/a/b?c=d")).await;
    assert_eq!(answer.unwrap().body(), "hi");
    assert_eq!(network.endpoint, format!("http://{address}"));
    let seen = seen.lock().unwrap().clone();
    assert!(seen.starts_with("POST /a/b?c=d HTTP/1.1\r\n"), "{seen}");
    assert!(seen.contains(&format!("host: {address}\r\n")) && seen.ends_with(TOKEN), "{seen}");
}

async fn answered_with(answer: &'static str, phase: Phase, kind: FailureKind) -> String {
    let address = answering(answer).await;
    let (_, failure) = fail(config(), &format!("http://{address}/")).await;
    assert_eq!((failure.phase, failure.kind, failure.peer), (phase, kind, Some(address)), "{failure:?}");
    failure.detail
}

#[tokio::test]
async fn garbage_is_not_http() {
    for garbage in
        ["<html>captive portal</html>\r\n\r\n", "SSH-2.0-x\r\n\r\n", "HTTP/2.0 200\r\n\r\n", "\0\0\0"]
    {
        let detail = answered_with(garbage, Phase::Processing, FailureKind::NotHttp).await;
        assert!(!detail.contains("captive"), "nothing of the answer is quoted: {detail}");
    }
}

#[tokio::test]
async fn a_body_cut_short_is_broken_in_transfer() {
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this";
    let detail = answered_with(cut, Phase::Transfer, FailureKind::Broken).await;
    assert!(detail.contains("9 bytes"), "{detail}");
    let cut = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";
    answered_with(cut, Phase::Transfer, FailureKind::Broken).await;
}

#[tokio::test]
async fn a_chunk_that_is_none_is_not_http() {
    let bad = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nhello\r\n";
    answered_with(bad, Phase::Transfer, FailureKind::NotHttp).await;
}

#[tokio::test]
async fn a_header_cut_short_is_broken() {
    let detail = answered_with("HTTP/1.1 200 OK\r\nDate: ", Phase::Processing, FailureKind::Broken).await;
    assert!(detail.contains("after 23 bytes"), "{detail}");
    answered_with("", Phase::Processing, FailureKind::Broken).await;
}

#[tokio::test]
async fn a_body_over_the_limit_is_too_long_announced_or_not() {
    let flood = |head: &'static str| async move {
        let address = server(move |mut stream, _| async move {
            read_request(&mut stream).await;
            let _ = stream.write_all(head.as_bytes()).await;
            while stream.write_all(&[b'x'; 4096]).await.is_ok() {}
        })
        .await;
        fail(config(), &format!("http://{address}/")).await.1
    };
    for head in ["HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 70000\r\n\r\n"] {
        let failure = flood(head).await;
        assert_eq!((failure.phase, failure.kind), (Phase::Transfer, FailureKind::TooLong));
        assert!(failure.detail.contains("65536"), "{failure:?}");
    }
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_is_read() {
    let address = answering("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello").await;
    assert!(send(Config { body_limit: 5, ..config() }, &format!("http://{address}/")).await.1.is_ok());
    let (_, failure) = fail(Config { body_limit: 4, ..config() }, &format!("http://{address}/")).await;
    assert_eq!(failure.kind, FailureKind::TooLong);
}

#[tokio::test]
async fn a_flood_of_headers_is_not_http() {
    for line in
        ["X: 1\r\n", "X: 0123456789012345678901234567890123456789012345678901234567890123456789\r\n", "X"]
    {
        let address = server(move |mut stream, _| async move {
            read_request(&mut stream).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n").await;
            while stream.write_all(line.repeat(64).as_bytes()).await.is_ok() {}
        })
        .await;
        let (_, failure) = fail(config(), &format!("http://{address}/")).await;
        assert_eq!((failure.phase, failure.kind), (Phase::Processing, FailureKind::NotHttp), "{failure:?}");
    }
}

#[tokio::test]
async fn sixty_four_fields_and_16_kib_of_header_are_read_and_no_more() {
    for (fields, value_length, read) in
        [(63, 10, true), (64, 10, false), (15, 1_000, true), (17, 1_000, false)]
    {
        let field = format!("X: {}\r\n", "x".repeat(value_length));
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n{}\r\n", field.repeat(fields));
        let address = server(move |mut stream, _| {
            let answer = answer.clone();
            async move {
                read_request(&mut stream).await;
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.read_to_end(&mut Vec::new()).await;
            }
        })
        .await;
        let (_, outcome) = send(config(), &format!("http://{address}/")).await;
        let kind = outcome.err().map(|failure| failure.kind);
        assert_eq!(kind, (!read).then_some(FailureKind::NotHttp), "{fields} x {value_length}");
    }
}

#[tokio::test]
async fn a_request_given_up_closes_its_connection() {
    let (closed, seen) = tokio::sync::oneshot::channel();
    let closed = Arc::new(Mutex::new(Some(closed)));
    let address = server(move |mut stream, _| {
        let closed = closed.lock().unwrap().take();
        async move {
            let _ = stream.read_to_end(&mut Vec::new()).await;
            let _ = closed.map(|closed| closed.send(()));
        }
    })
    .await;
    fail(within(40), &format!("http://{address}/")).await;
    let seen = tokio::time::timeout(std::time::Duration::from_secs(1), seen).await;
    assert!(seen.is_ok());
}

#[tokio::test]
async fn interim_answers_that_drip_are_ended_by_the_deadline() {
    let address = server(|mut stream, _| async move {
        read_request(&mut stream).await;
        while stream.write_all(b"HTTP/1.1 103 Early Hints\r\n\r\n").await.is_ok() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    })
    .await;
    let (_, failure) = fail(within(80), &format!("http://{address}/")).await;
    assert_eq!((failure.phase, failure.kind), (Phase::Processing, FailureKind::TimedOut));
}

#[tokio::test]
async fn silence_after_the_request_times_out_in_processing() {
    let address = server(|mut stream, _| async move {
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let (network, failure) = fail(within(60), &format!("http://{address}/")).await;
    assert_eq!(
        (failure.phase, failure.kind, failure.peer),
        (Phase::Processing, FailureKind::TimedOut, Some(address))
    );
    assert!(network.phases_ms.processing.unwrap() > 30.0 && network.phases_ms.transfer.is_none());
}

#[tokio::test]
async fn a_slow_drip_times_out_in_transfer_and_says_how_much_came() {
    let address = server(|mut stream, _| async move {
        read_request(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc").await;
        std::future::pending::<()>().await;
    })
    .await;
    let (_, failure) = fail(within(60), &format!("http://{address}/")).await;
    assert_eq!((failure.phase, failure.kind), (Phase::Transfer, FailureKind::TimedOut));
    assert!(failure.detail.contains("after 3 bytes"), "{failure:?}");
}

#[tokio::test]
async fn a_redirect_is_an_answer() {
    let address =
        answering("HTTP/1.1 302 Found\r\nLocation: http://elsewhere.test/\r\nContent-Length: 0\r\n\r\n")
            .await;
    assert_eq!(send(config(), &format!("http://{address}/")).await.1.unwrap().status(), 302);
}

#[tokio::test]
async fn interim_answers_without_end_are_cut_off() {
    let address = server(|mut stream, _| async move {
        let _ = read_request(&mut stream).await;
        let flood = "HTTP/1.1 100 Continue\r\n\r\n".repeat(1000);
        while stream.write_all(flood.as_bytes()).await.is_ok() {}
    })
    .await;
    let (_, failure) = fail(within(10_000), &format!("http://{address}/")).await;
    assert_eq!((failure.phase, failure.kind), (Phase::Processing, FailureKind::TooLong), "{failure:?}");
    assert!(failure.detail.contains("bytes came"), "{failure:?}");
}

#[tokio::test]
async fn some_interim_answers_are_passed_over() {
    let hints = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
    let answer = format!("HTTP/1.1 100 Continue\r\n\r\n{hints}{}", ok("hi"));
    let address = answering(answer.leak()).await;
    let (_, answer) = send(config(), &format!("http://{address}/")).await;
    assert_eq!(answer.unwrap().body(), "hi");
}

/// Six bytes for each byte of the body are within the allowance for framing.
#[tokio::test]
async fn a_whole_body_in_chunks_of_one_byte_is_read() {
    let config = Config { body_limit: 5000, ..config() };
    let answer = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{}0\r\n\r\n",
        "1\r\nx\r\n".repeat(5000)
    );
    let address = answering(answer.leak()).await;
    let (_, answer) = send(config, &format!("http://{address}/")).await;
    assert_eq!(answer.unwrap().body().len(), 5000);
}
