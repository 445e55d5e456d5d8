//! Answers that break the rules: cut, endless, slow, contradictory. They are written byte by byte, because a library would keep
//! to the rules. The scenario says which server is hostile, and to which requests.

use std::{io, time::Duration};

use hyper::{
    HeaderMap,
    header::{HeaderName, HeaderValue},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
    time::{sleep, timeout},
};

use super::{BODY_LIMIT, PATIENCE, READ_TIMEOUT};
use crate::scenario::hostile::{Hostile, Misdeed};

/// The pause between two pieces is so short that no timeout between two reads ends the connection.
const DROP: Duration = Duration::from_millis(100);
const PIECE: usize = 16 * 1024;
const PAGE: &str = "<!DOCTYPE html>\n<html><body><h1>Blocked</h1></body></html>\n";
/// The address of the trap: a request there fails every test.
const ELSEWHERE: &str = "http://169.254.169.254/latest/meta-data/iam/security-credentials/";

/// What is sent, and how the connection ends.
struct Script {
    once: Vec<u8>,
    /// Sent again for ever, unless it is empty.
    again: Vec<u8>,
    /// The pause before each repetition.
    pause: Duration,
    end: End,
}

#[derive(Clone, Copy)]
enum End {
    /// The connection stays open, and nothing more is sent.
    Open,
    Closed,
    Reset,
}

/// The parts of a request that sound answers need.
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

/// Plays the misdeeds below TLS and HTTP; returns the stream if the misdeed is another one.
pub(super) async fn below(misdeed: Misdeed, mut stream: TcpStream) -> Option<TcpStream> {
    let script = match misdeed {
        Misdeed::BlackHole => Script::of("", End::Open),
        Misdeed::Reset => Script::of("", End::Reset),
        Misdeed::Close => Script::of("", End::Closed),
        Misdeed::PlainHttp => {
            Script::of("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", End::Closed)
        }
        // A handshake record of 16,384 bytes, with a ServerHello of that length in it.
        Misdeed::TlsDrip => Script::of([0x16, 3, 3, 0x40, 0, 2, 0, 0x3f, 0xfc], End::Open).again([3], DROP),
        // A ServerHello of 16 megabytes.
        Misdeed::TlsFlood => {
            let record =
                |first: &[u8]| [&[0x16, 3, 3, 0x40, 0], first, &vec![3; 0x4000 - first.len()]].concat();
            Script::of(record(&[2, 0xff, 0xff, 0xff]), End::Open).again(record(&[]), Duration::ZERO)
        }
        Misdeed::TlsEmptyRecords => {
            Script::of("", End::Open).again([0x16, 3, 3, 0, 0].repeat(1000), Duration::ZERO)
        }
        _ => return Some(stream),
    };
    let mut some = [0; 64];
    if !matches!(misdeed, Misdeed::BlackHole) {
        let _ = timeout(READ_TIMEOUT, stream.read(&mut some)).await;
    }
    if matches!(script.end, End::Reset) {
        let _ = stream.set_zero_linger();
        return None;
    }
    let _ = timeout(PATIENCE, script.play(&mut stream)).await;
    None
}

/// Reads requests. `sound` answers those that the misdeed does not affect.
pub(super) async fn answers<S>(hostile: &Hostile, mut stream: S, sound: impl Fn(&Request) -> Vec<u8>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    while let Ok(Ok(Some((request, text)))) = timeout(PATIENCE, read(&mut stream)).await {
        if hostile.on.is_empty() || text.contains(&hostile.on) {
            let script = echo(hostile.misdeed, &text).unwrap_or_else(|| script(hostile.misdeed));
            let _ = timeout(PATIENCE, script.play(&mut stream)).await;
            return;
        }
        if stream.write_all(&sound(&request)).await.is_err() || stream.flush().await.is_err() {
            return;
        }
    }
}

/// A request and its text; `None` if there is no further one.
async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<(Request, String)>> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned();
            let mut request = Request::of(&head);
            let length = request.headers.get("content-length").and_then(|it| it.to_str().ok()?.parse().ok());
            while bytes.len() < end + 4 + length.unwrap_or(0) && bytes.len() < BODY_LIMIT {
                if stream.read_buf(&mut bytes).await? == 0 {
                    return Ok(None);
                }
            }
            request.body = bytes.split_off(end + 4);
            let text = format!("{head}\r\n\r\n{}", String::from_utf8_lossy(&request.body));
            return Ok(Some((request, text)));
        }
        if bytes.len() > BODY_LIMIT || stream.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
    }
}

impl Request {
    fn of(head: &str) -> Self {
        let mut lines = head.split("\r\n");
        let mut words = lines.next().unwrap_or_default().split(' ').map(str::to_owned);
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let headers = lines.filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((HeaderName::try_from(name).ok()?, HeaderValue::from_str(value.trim()).ok()?))
        });
        Self { method, path, headers: headers.collect(), body: Vec::new() }
    }
}

/// An answer in wire format. The connection is kept.
pub(super) fn whole(status: u16, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} -\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

impl Script {
    fn of(once: impl Into<Vec<u8>>, end: End) -> Self {
        Self { once: once.into(), again: Vec::new(), pause: Duration::ZERO, end }
    }

    fn again(mut self, again: impl Into<Vec<u8>>, pause: Duration) -> Self {
        (self.again, self.pause) = (again.into(), pause);
        self
    }

    fn flood(head: &str, piece: &str) -> Self {
        Self::of(head, End::Open).again(piece.repeat(PIECE.div_ceil(piece.len())), Duration::ZERO)
    }

    async fn play(self, stream: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        stream.write_all(&self.once).await?;
        stream.flush().await?;
        while !self.again.is_empty() {
            if !self.pause.is_zero() {
                sleep(self.pause).await;
            }
            stream.write_all(&self.again).await?;
            stream.flush().await?;
        }
        match self.end {
            End::Open => sleep(PATIENCE).await,
            End::Closed => stream.shutdown().await?,
            // Without TLS's close message the stream is cut short as well. A scenario that needs RST uses a misdeed below TLS.
            End::Reset => {}
        }
        Ok(())
    }
}

/// Answers that repeat the request, and separately its end, as a proxy does that cuts what it quotes.
fn echo(misdeed: Misdeed, request: &str) -> Option<Script> {
    const XML: [&str; 3] = ["Code", "Message", "Type"];
    const SUCCESS: [&str; 9] = [
        "AccessKeyId",
        "SecretAccessKey",
        "SessionToken",
        "Expiration",
        "AssumedRoleId",
        "Arn",
        "SubjectFromWebIdentityToken",
        "Audience",
        "Provider",
    ];
    const JSON: [&str; 16] = [
        "AccessKeyId",
        "AccountId",
        "Code",
        "Expiration",
        "Message",
        "RoleArn",
        "SecretAccessKey",
        "Token",
        "__type",
        "code",
        "error",
        "issuer",
        "jwks_uri",
        "kind",
        "message",
        "reason",
    ];
    const HEADERS: [&str; 12] = [
        "Content-Type",
        "Date",
        "Link",
        "Proxy-Authenticate",
        "Proxy-Status",
        "Retry-After",
        "Server",
        "Set-Cookie",
        "Via",
        "WWW-Authenticate",
        "X-Amzn-RequestId",
        "X-Cache",
    ];
    let tail: String = request.chars().skip(request.chars().count().saturating_sub(200)).collect();
    let said = format!("{request} {tail}").replace(['\r', '\n'], " ");
    let fields =
        |names: &[&str]| names.iter().map(|name| format!("<{name}>{said}</{name}>")).collect::<String>();
    let json = || {
        let mut fields: serde_json::Map<_, _> =
            JSON.iter().map(|name| ((*name).to_owned(), said.clone().into())).collect();
        fields.insert("keys".into(), serde_json::json!([{"kid": said, "kty": said, "alg": said}]));
        serde_json::Value::Object(fields).to_string()
    };
    let of = |status, kind: &str, body: &str| whole(status, &format!("Content-Type: {kind}\r\n"), body);
    let answer = match misdeed {
        Misdeed::EchoStatus => format!("HTTP/1.1 {said}\r\nContent-Length: 0\r\n\r\n").into_bytes(),
        Misdeed::EchoReason => format!("HTTP/1.1 403 {said}\r\nContent-Length: 0\r\n\r\n").into_bytes(),
        Misdeed::EchoHeaders => {
            let headers: String = HEADERS.iter().map(|name| format!("{name}: {said}\r\n")).collect();
            whole(400, &headers, "")
        }
        Misdeed::EchoLocation => whole(302, &format!("Location: https://elsewhere.example/?{said}\r\n"), ""),
        Misdeed::EchoHtml => of(403, "text/html", &format!("<html><body>blocked: {said}</body></html>")),
        Misdeed::EchoText => of(502, "text/plain", &said),
        Misdeed::EchoXml => {
            let error = fields(&XML);
            let id = fields(&["RequestId"]);
            let head = "Content-Type: text/xml\r\nX-Amzn-RequestId: c0ffee00-0000-4000-8000-000000000001\r\n";
            whole(400, head, &format!("<ErrorResponse><Error>{error}</Error>{id}</ErrorResponse>"))
        }
        Misdeed::EchoXmlSuccess => {
            let all = fields(&SUCCESS);
            let body = format!(
                "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult>{all}<Credentials>{all}</Credentials>\
                 <AssumedRoleUser>{all}</AssumedRoleUser></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"
            );
            of(200, "text/xml", &body)
        }
        Misdeed::EchoJson => of(400, "application/json", &json()),
        Misdeed::EchoJsonSuccess => of(200, "application/json", &json()),
        _ => return None,
    };
    Some(Script::of(answer, End::Closed))
}

/// What is sent after a request.
fn script(misdeed: Misdeed) -> Script {
    const OK: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n";
    let chunked = format!("{OK}Transfer-Encoding: chunked\r\n\r\n");
    let length = |length: &str| format!("{OK}Content-Length: {length}\r\n\r\n");
    let body = |status: u16, kind: &str, body: &str| {
        Script::of(whole(status, &format!("Content-Type: {kind}\r\n"), body), End::Open)
    };
    let blanks = " ".repeat(PIECE);
    match misdeed {
        Misdeed::ResetAfterRequest => Script::of("", End::Reset),
        Misdeed::CloseAfterRequest => Script::of("", End::Closed),
        Misdeed::HeaderDrip => Script::of(format!("{OK}X-Filler: "), End::Open).again("x", DROP),
        Misdeed::HeaderCut => Script::of(OK, End::Closed),
        Misdeed::HeaderFlood => Script::flood(OK, "X-Filler: some\r\n"),
        Misdeed::HeaderEndless => Script::flood(&format!("{OK}X-Filler: "), "x"),
        Misdeed::StatusLineEndless => Script::flood("HTTP/1.1 200 ", "O"),
        Misdeed::InterimFlood => Script::flood("", "HTTP/1.1 100 Continue\r\n\r\n"),
        Misdeed::EarlyHintsFlood => Script::flood("", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"),
        Misdeed::InterimDrip => Script::of("", End::Open).again("HTTP/1.1 100 Continue\r\n\r\n", DROP),
        Misdeed::BodyDrip => Script::of(length("1000"), End::Open).again("x", DROP),
        Misdeed::BodyCut => Script::of(length("1000") + "<ErrorResponse>", End::Closed),
        Misdeed::BodyEndless => Script::flood(&chunked, &format!("{PIECE:x}\r\n{blanks}\r\n")),
        Misdeed::BodyUntilClose => Script::flood(&format!("{OK}Connection: close\r\n\r\n"), " "),
        Misdeed::BodyHuge => Script::flood(&length("1073741824"), " "),
        Misdeed::ChunkHuge => Script::flood(&(chunked + "fffffffffffffff0\r\n"), " "),
        Misdeed::ChunkOverflow => Script::flood(&(chunked + "fffffffffffffffff0\r\n"), " "),
        Misdeed::ChunkExtensionEndless => Script::flood(&(chunked + "1;x="), "x"),
        Misdeed::TrailerFlood => Script::flood(&(chunked + "0\r\n"), "X-Filler: some\r\n"),
        Misdeed::NotHttp => Script::of("SSH-2.0-OpenSSH_9.9\r\n", End::Open),
        Misdeed::Http2 => Script::of([0, 0, 0, 4, 0, 0, 0, 0, 0], End::Open),
        Misdeed::LengthTwice => {
            Script::of(format!("{OK}Content-Length: 3\r\nContent-Length: 5\r\n\r\nabcde"), End::Open)
        }
        Misdeed::LengthNegative => Script::of(length("-1"), End::Open),
        Misdeed::GzipBomb | Misdeed::GzipPassedOn => {
            let bomb = gzip_bomb();
            let id = match misdeed {
                Misdeed::GzipPassedOn => "x-amzn-RequestId: c0ffee00-0000-4000-8000-000000000001\r\n",
                _ => "",
            };
            let head = format!("{OK}{id}Content-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", bomb.len());
            Script::of([head.into_bytes(), bomb].concat(), End::Open)
        }
        Misdeed::DeepXml => body(200, "text/xml", &"<a>".repeat(20_000)),
        Misdeed::DeepJson => body(200, "application/json", &"[".repeat(60_000)),
        Misdeed::XmlEntities => body(400, "text/xml", ENTITIES),
        Misdeed::Html200 => body(200, "text/html", PAGE),
        Misdeed::Html403 => body(403, "text/html", PAGE),
        Misdeed::Html502 => body(502, "text/html", PAGE),
        Misdeed::Status429 => body(429, "text/plain", "slow down"),
        Misdeed::Status500 => body(500, "text/plain", "oops"),
        Misdeed::Status503 => body(503, "text/plain", "try again"),
        Misdeed::Redirect302 => Script::of(whole(302, &format!("Location: {ELSEWHERE}\r\n"), ""), End::Open),
        Misdeed::Redirect307 => Script::of(whole(307, &format!("Location: {ELSEWHERE}\r\n"), ""), End::Open),
        // Misdeeds of ports, of certificates and below TLS never reach this function.
        _ => Script::of("", End::Open),
    }
}

const ENTITIES: &str = r#"<!DOCTYPE x [<!ENTITY a "aaaaaaaaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;"><!ENTITY e "&d;&d;&d;&d;&d;&d;&d;&d;"><!ENTITY f "&e;&e;&e;&e;&e;&e;&e;&e;"><!ENTITY g "&f;&f;&f;&f;&f;&f;&f;&f;"><!ENTITY h "&g;&g;&g;&g;&g;&g;&g;&g;">]>
<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Code>&h;</Code><Message>&h;</Message></Error></ErrorResponse>"#;

/// One byte, and then that byte again 258 times, as often as fits: fixed codes of RFC 1951, 13 bits each time.
fn gzip_bomb() -> Vec<u8> {
    const TIMES: usize = 38_000;
    let mut bits: Vec<u8> = vec![1, 1, 0];
    let code = |bits: &mut Vec<u8>, code: u16, length: u16| {
        bits.extend((0..length).rev().map(|at| u8::from(code >> at & 1 == 1)));
    };
    code(&mut bits, 0x30 + u16::from(b' '), 8);
    for _ in 0..TIMES {
        // Length 258 is symbol 285; distance 1 is five bits of 0.
        code(&mut bits, 0b1100_0101, 8);
        code(&mut bits, 0, 5);
    }
    code(&mut bits, 0, 7);
    let packed = bits.chunks(8).map(|eight| eight.iter().rev().fold(0, |byte, bit| byte << 1 | bit));
    let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    bytes.extend(packed);
    bytes
}
