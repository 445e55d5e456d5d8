//! Asks the API server of the stated cluster whether it accepts this identity: one SelfSubjectReview, then the stated access reviews.
//! The token is a secret. It goes only to the server that a flag names, over TLS that ends at the stated CA, through no proxy.

use super::ca_bundle::own;
use super::exchange::Credentials;
use crate::collect::subject::Subject;
use crate::process::clock;
use crate::transport::{self, AddressPolicy, Config, Proxies, ResolverConfig, RootStore, Wire};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign};
use aws_sigv4::sign::v4;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use credprobe_judge::cluster_access::{Ca, KUBECONFIG_LIMIT, Kubeconfig};
use credprobe_judge::evidence::{AccessReview, Cluster, KubernetesUser};
use credprobe_judge::options::Options;
use credprobe_judge::settings::Endpoint;
use credprobe_judge::text::redactor::Redactor;
use credprobe_judge::text::shown;
use http::Request;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::time::Instant;
use zeroize::Zeroizing;

/// Where the kubelet mounts the CA of its own cluster.
const OWN_CA: &str = "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt";
/// In bytes. A bundle of CAs has a few kilobytes.
const CA_LIMIT: u64 = 256 * 1024;
/// In bytes. A response has a few hundred bytes; `extra` of other authenticators may have more.
const ANSWER_LIMIT: usize = 64 * 1024;
/// What `aws eks get-token` asks for. EKS accepts 15 minutes whatever it says.
const EXPIRES: Duration = Duration::from_secs(60);
/// How many items of groups and of `extra` are kept.
const ITEMS: usize = 50;
/// The characters that RFC 3986 and the AWS CLI leave unescaped.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The one server that may receive the token.
struct Server {
    base: String,
    trust: RootStore,
}

/// Asks the stated cluster. `sts`: the host of the presigned GetCallerIdentity. `refused`: EKS would reject the token, so none is made.
pub async fn cluster(
    subject: &Subject,
    options: &Options,
    sts: &Endpoint,
    credentials: Credentials,
    refused: bool,
    wire: (Arc<ResolverConfig>, Instant),
    redactor: &mut Redactor,
) -> Cluster {
    let mut cluster = Cluster::default();
    if refused {
        cluster.source = "nothing was asked".to_owned();
        return cluster;
    }
    let server = match server(subject.own(), options, &mut cluster) {
        Ok(server) => server,
        Err(problem) => {
            cluster.problem = Some(problem);
            return cluster;
        }
    };
    cluster.endpoint = Some(shown::url(&server.base));
    let name = options.cluster.as_deref().unwrap_or_default();
    let token = token(name, sts, &credentials, clock::system());
    drop(credentials);
    let Some(token) = token else {
        cluster.problem = Some("the token cannot be signed".to_owned());
        return cluster;
    };
    redactor.add(token.as_bytes());
    cluster.token_bytes = Some(token.len());
    if token.len() > credprobe_judge::judge::gate::CLUSTER_TOKEN_LIMIT {
        return cluster;
    }
    let bearer = Zeroizing::new(format!("Bearer {}", *token));
    let Ok(mut authorization) = HeaderValue::from_str(&bearer) else {
        cluster.problem = Some("the token cannot stand in a header".to_owned());
        return cluster;
    };
    authorization.set_sensitive(true);
    let (resolver, deadline) = wire;
    let wire = Wire::new(Config {
        trust: server.trust,
        of_target: None,
        proxies: Proxies::none(),
        deadline,
        body_limit: ANSWER_LIMIT,
        resolver,
        allow_http: false,
        peers: AddressPolicy::DenyMetadata,
    });
    let asked = Asked { wire: &wire, base: &server.base, authorization, redactor };
    asked.who(&mut cluster).await;
    if matches!(cluster.status, Some(201 | 403 | 404)) {
        for access in &options.expect_kubernetes_access {
            let review = asked.may(access).await;
            let answered = review.status.is_some();
            cluster.reviews.push(review);
            if !answered {
                break;
            }
        }
    }
    cluster
}

/// The server of the flag or the kubeconfig, read from the probe's own files.
fn server(own_subject: &Subject, options: &Options, cluster: &mut Cluster) -> Result<Server, String> {
    let read =
        |path: &str, limit: u64| own(path, limit).map_err(|error| format!("{path} cannot be read ({error})"));
    let (base, label, ca) = if let Some(path) = &options.kubeconfig {
        cluster.source = format!("--kubeconfig={path}");
        let kubeconfig = Kubeconfig::parse(&read(path, KUBECONFIG_LIMIT + 1)?, options.context.as_deref())?;
        cluster.source = format!("--kubeconfig={path}, context {}", kubeconfig.context);
        cluster.exec_cluster = kubeconfig.exec_cluster;
        let ca = match kubeconfig.ca {
            Ca::Data(data) => STANDARD
                .decode(data.trim())
                .map_err(|_| "its certificate-authority-data is not base64".to_owned())?,
            Ca::File(file) => {
                let folder = Path::new(path).parent().unwrap_or(Path::new(""));
                read(&folder.join(file).to_string_lossy(), CA_LIMIT)?
            }
        };
        (kubeconfig.server, "the kubeconfig's CA".to_owned(), ca)
    } else if options.cluster_endpoint.as_deref() == Some("in-cluster") {
        cluster.source = "--cluster-endpoint=in-cluster".to_owned();
        let of_cluster = |name| own_subject.text(name).ok_or(format!("{name} is not set, is this a pod?"));
        let (host, port) = (of_cluster("KUBERNETES_SERVICE_HOST")?, of_cluster("KUBERNETES_SERVICE_PORT")?);
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        let path = options.cluster_ca.as_deref().unwrap_or(OWN_CA);
        (format!("https://{host}:{port}"), path.to_owned(), read(path, CA_LIMIT)?)
    } else {
        cluster.source = "--cluster-endpoint".to_owned();
        let path = options.cluster_ca.as_deref().unwrap_or_default();
        let base = options.cluster_endpoint.clone().unwrap_or_default();
        (base, format!("--cluster-ca={path}"), read(path, CA_LIMIT)?)
    };
    if !base.starts_with("https://") {
        return Err("its server is not an https URL, and the token is sent over TLS only".to_owned());
    }
    let trust = transport::root_store(Some((&label, &ca)), &[]).map_err(|problem| problem.to_string())?;
    Ok(Server { base: base.trim_end_matches('/').to_owned(), trust })
}

/// The token as `aws eks get-token` makes it: a presigned GetCallerIdentity with the cluster's name as a signed header.
/// The query has botocore's order, on which the signature does not depend.
fn token(
    cluster: &str,
    sts: &Endpoint,
    credentials: &Credentials,
    now: SystemTime,
) -> Option<Zeroizing<String>> {
    let identity = credentials.0.clone().into();
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(EXPIRES);
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(&sts.signing_region)
        .name("sts")
        .time(now)
        .settings(settings)
        .build()
        .ok()?
        .into();
    let base = format!("https://{}/?Action=GetCallerIdentity&Version=2011-06-15", sts.host);
    let headers = [("x-k8s-aws-id", cluster)].into_iter();
    let request = SignableRequest::new("GET", base.as_str(), headers, SignableBody::Bytes(b"")).ok()?;
    let (instructions, _) = sign(request, &params).ok()?.into_parts();
    let (_, query) = instructions.into_parts();
    let mut url = Zeroizing::new(base);
    for wanted in [
        "X-Amz-Algorithm",
        "X-Amz-Credential",
        "X-Amz-Date",
        "X-Amz-Expires",
        "X-Amz-SignedHeaders",
        "X-Amz-Security-Token",
        "X-Amz-Signature",
    ] {
        let (_, value) = query.iter().find(|(name, _)| *name == wanted)?;
        url.push('&');
        url.push_str(wanted);
        url.push('=');
        url.extend(utf8_percent_encode(value, UNRESERVED));
    }
    Some(Zeroizing::new(format!("k8s-aws-v1.{}", URL_SAFE_NO_PAD.encode(url.as_bytes()))))
}

struct Asked<'a> {
    wire: &'a Wire,
    base: &'a str,
    authorization: HeaderValue,
    redactor: &'a Redactor,
}

impl Asked<'_> {
    fn request(&self, path: &str, body: &Value) -> http::Result<Request<Bytes>> {
        Request::post(format!("{}{path}", self.base))
            .header(AUTHORIZATION, self.authorization.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "application/json")
            .body(Bytes::from(body.to_string()))
    }

    fn quote(&self, text: &str) -> String {
        self.redactor.redact_and_truncate(text.as_bytes())
    }

    fn said(&self, body: &[u8]) -> Option<String> {
        let status: Value = serde_json::from_slice(body).ok()?;
        status.get("message").and_then(Value::as_str).map(|text| self.quote(text))
    }

    async fn who(&self, cluster: &mut Cluster) {
        let body = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
        let Ok(request) = self.request("/apis/authentication.k8s.io/v1/selfsubjectreviews", &body) else {
            cluster.problem = Some("the endpoint cannot be used as a URL".to_owned());
            return;
        };
        let (network, response) = self.wire.send(request).await;
        cluster.network = Some(network);
        let Ok(response) = response else { return };
        let status = response.status().as_u16();
        cluster.status = Some(status);
        if status != 201 {
            cluster.message = self.said(response.body());
            // A 403 or 404 of another server says nothing about this identity.
            if matches!(status, 403 | 404) && !is_of_kubernetes(response.body()) {
                cluster.problem = Some(format!("what answers there is no API server: it answers {status}"));
            }
            return;
        }
        let answer: Value = serde_json::from_slice(response.body()).unwrap_or_default();
        match answer["status"]["userInfo"].as_object() {
            Some(user) => cluster.user = Some(self.user(user)),
            None => {
                cluster.problem = Some(
                    "what answers there is no API server: it answers 201 and says nobody’s name".to_owned(),
                )
            }
        }
    }

    fn user(&self, user: &serde_json::Map<String, Value>) -> KubernetesUser {
        let texts = |value: &Value| -> Vec<String> {
            let values = value.as_array().into_iter().flatten().take(ITEMS);
            values.filter_map(Value::as_str).map(|text| self.quote(text)).collect()
        };
        let extra = user.get("extra").and_then(Value::as_object).into_iter().flatten();
        let is_key = |name: &str| name.to_ascii_lowercase().contains("accesskeyid");
        KubernetesUser {
            username: user
                .get("username")
                .and_then(Value::as_str)
                .map(|name| self.quote(name))
                .unwrap_or_default(),
            groups: user.get("groups").map(texts).unwrap_or_default(),
            extra: extra
                .filter(|(name, _)| !is_key(name))
                .take(ITEMS)
                .map(|(name, values)| (self.quote(name), texts(values)))
                .collect(),
        }
    }

    /// Asks for one access. `asked` is `VERB:RESOURCE[.GROUP][/SUBRESOURCE][:NAMESPACE]`.
    async fn may(&self, asked: &str) -> AccessReview {
        let mut review = AccessReview { asked: asked.to_owned(), ..AccessReview::default() };
        let mut parts = asked.splitn(3, ':');
        let (verb, resource) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
        let (resource, group) = resource.split_once('.').unwrap_or((resource, ""));
        let attributes = json!({
            "verb": verb, "resource": resource, "group": group, "subresource": subresource,
            "namespace": parts.next().unwrap_or_default(),
        });
        let body = json!({
            "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        });
        let Ok(request) = self.request("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", &body)
        else {
            return review;
        };
        match self.wire.send(request).await {
            (_, Ok(response)) => {
                review.status = Some(response.status().as_u16());
                let answer: Value = serde_json::from_slice(response.body()).unwrap_or_default();
                review.allowed = answer["status"]["allowed"].as_bool();
                let reason = answer["status"]["reason"].as_str().filter(|reason| !reason.is_empty());
                review.reason =
                    reason.map(|reason| self.quote(reason)).or_else(|| self.said(response.body()));
            }
            (_, Err(failure)) => review.reason = Some(failure.detail),
        }
        review
    }
}

fn is_of_kubernetes(body: &[u8]) -> bool {
    let status: Value = serde_json::from_slice(body).unwrap_or_default();
    status["kind"] == "Status"
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the AWS CLI 2 prints for these credentials at this time. tests/python/clusters/test_token.py compares it with the CLI.
    #[test]
    fn the_token_is_the_one_that_the_aws_cli_makes() {
        let credentials = aws_credential_types::Credentials::new(
            "AKIAIOSFODNN7EXAMPLE",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            Some("a+b/c=".to_owned()),
            None,
            "test",
        );
        let sts = Endpoint {
            url: "https://sts.eu-west-1.amazonaws.com".to_owned(),
            host: "sts.eu-west-1.amazonaws.com".to_owned(),
            signing_region: "eu-west-1".to_owned(),
            configured_by: None,
            global: false,
        };
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_764_000_000);
        let token = token("shop", &sts, &Credentials(credentials), now).unwrap();
        let url = URL_SAFE_NO_PAD.decode(token.strip_prefix("k8s-aws-v1.").unwrap()).unwrap();
        assert_eq!(String::from_utf8(url).unwrap(), OF_THE_CLI);
    }

    const OF_THE_CLI: &str = "https://sts.eu-west-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20251124%2Feu-west-1%2Fsts%2Faws4_request&X-Amz-Date=20251124T160000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host%3Bx-k8s-aws-id&X-Amz-Security-Token=a%2Bb%2Fc%3D&X-Amz-Signature=5f36f6f0e695f177c2e8c660b77dd8d250f83d93cfd2a521b912016288b4dd08";
}
