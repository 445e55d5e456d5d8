//! Asks the default chain of the AWS SDK for Rust for credentials, and prints which provider gave them.
//! Runs where an application would, with nothing but the environment; providers as `credprobe chain` names them.

use aws_config::BehaviorVersion;
use aws_credential_types::provider::{ProvideCredentials as _, error::CredentialsError};
use aws_smithy_http_client::{Builder, tls};

/// As the SDK names them in what it prints of credentials.
const PROVIDERS: [(&str, &str); 7] = [
    ("EnvironmentVariable", "keys"),
    ("ProfileFile", "profile-keys"),
    ("CredentialProcess", "profile-process"),
    ("WebIdentityToken", "web-identity"),
    ("EcsContainer", "container"),
    ("HttpProvider", "container"),
    ("Ec2InstanceMetadata", "imds"),
];

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let tls = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
    // As an application loads it: with the settings of variables and files, FIPS and endpoints among them.
    let loader = aws_config::defaults(BehaviorVersion::latest());
    let settings = loader.http_client(Builder::new().tls_provider(tls).build_https()).load().await;
    let asked = match settings.credentials_provider() {
        Some(provider) => provider.provide_credentials().await,
        None => Err(CredentialsError::not_loaded("no provider")),
    };
    let answer = match asked {
        // Secrets are blanked in it.
        Ok(credentials) => provider(&format!("{credentials:?}")),
        Err(error) => format!(r#"{{"error":"{}"}}"#, said(&error).replace(['"', '\\', '\n'], " ")),
    };
    println!("{answer}");
}

fn provider(printed: &str) -> String {
    let named = printed.split("provider_name: \"").nth(1).and_then(|rest| rest.split('"').next());
    let named = named.unwrap_or_default();
    let known = PROVIDERS.iter().find(|(name, _)| *name == named).map(|(_, id)| (*id).to_owned());
    format!(r#"{{"provider":"{}"}}"#, known.unwrap_or_else(|| format!("unknown: {named}")))
}

fn said(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
