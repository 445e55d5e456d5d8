//! Makes one AssumeRoleWithWebIdentity over TLS with blocking calls, and says whether a role came back. It is the lower bound:
//! no SDK, no verdict, no second call.

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::Arc,
};

#[path = "../../../../probe/src/process/guard/left_out.rs"]
mod left_out;

fn main() -> Result<(), Box<dyn Error>> {
    let host = format!("sts.{}.amazonaws.com", env::var("AWS_REGION")?);
    let token = fs::read(env::var("AWS_WEB_IDENTITY_TOKEN_FILE")?)?;
    let role = env::var("AWS_ROLE_ARN")?;
    let mut body =
        "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleSessionName=floor&DurationSeconds=900"
            .to_owned();
    for (name, value) in [("RoleArn", role.as_bytes()), ("WebIdentityToken", &token)] {
        write!(body, "&{name}=")?;
        for &byte in value {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' => body.push(byte.into()),
                _ => write!(body, "%{byte:02X}")?,
            }
        }
    }

    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(env::var("AWS_CA_BUNDLE")?)? {
        roots.add(certificate?)?;
    }
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let connection = ClientConnection::new(Arc::new(config), ServerName::try_from(host.clone())?)?;
    let mut stream = StreamOwned::new(connection, TcpStream::connect((host.as_str(), 443))?);
    write!(
        stream,
        "POST / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    if !answer.starts_with("HTTP/1.1 200") || !answer.contains("<AssumedRoleUser>") {
        return Err("no role".into());
    }
    println!("assumed");
    Ok(())
}
