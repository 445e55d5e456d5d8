//! EKS Auth's AssumeRoleForPodIdentity, really verified, as far as the agent shows it: the node's role, the token, the
//! association, the associated role's trust policy for `pods.eks.amazonaws.com`, and the target role's trust policy.

use serde_json::Value;

use crate::{
    access::policy::Policy,
    clock,
    jwt::{Jwt, Signature},
    policy::Caller,
    registry::{Account, Role, RoleArn},
    scenario::{
        ACCOUNT, CLUSTER, REGION,
        agent::{Agent, Association, TokenKind},
    },
    session::{self, Bounds, Session},
    world::World,
};

/// An error of the service's API model.
#[derive(Debug, PartialEq)]
pub(super) struct Exception {
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) message: String,
}

#[derive(Debug)]
pub(super) struct Issued {
    pub(super) access_key_id: String,
    pub(super) session: Session,
}

/// How long the issued credentials are valid.
const SIX_HOURS: i64 = 21_600;
const PRINCIPAL: &str = "pods.eks.amazonaws.com";

/// The URL to which the agent would send its request.
pub(super) fn url() -> String {
    format!("https://eks-auth.{REGION}.api.aws/clusters/{CLUSTER}/assume-role-for-pod-identity")
}

/// `is_ill`: the scenario's fault of EKS Auth itself still applies.
pub(super) fn assume_role_for_pod_identity(
    world: &World,
    agent: &Agent,
    is_ill: bool,
    token: &str,
) -> Result<Issued, Exception> {
    if let Some(exception) = illness(agent).filter(|_| is_ill) {
        return Err(exception);
    }
    let jwt = verify(world, token)?;
    let pod = Pod::of(&jwt).ok_or_else(invalid_token)?;
    let association = world
        .registry()
        .association(pod.namespace, pod.service_account)
        .ok_or_else(|| Exception::new(404, "ResourceNotFoundException", MODEL.not_found))?;
    let name = pod.session_name().map_err(failed)?;
    let (account, role) = role(world, association, &pod, &name).ok_or_else(|| {
        let text = "Unauthorized Exception! EKS does not have permissions to assume the associated role.";
        Exception::new(400, "AccessDeniedException", text)
    })?;
    let policy = association.policy.as_ref().map(Policy::parse).transpose().map_err(failed)?;
    let bounds = Bounds { policy, transitive_tags: !association.disable_session_tags };
    let opened = session::open(world, account, role, &name, SIX_HOURS, bounds);
    let (access_key_id, session) = opened.map_err(failed)?;
    Ok(Issued { access_key_id, session })
}

impl Exception {
    fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }
}

fn illness(agent: &Agent) -> Option<Exception> {
    let node_role = || {
        let cluster = format!("arn:aws:eks:{REGION}:{ACCOUNT}:cluster/{CLUSTER}");
        let text = format!(
            "User: arn:aws:sts::{ACCOUNT}:assumed-role/{CLUSTER}-node/i-0123456789abcdef0 is not authorized to perform: \
             eks-auth:AssumeRoleForPodIdentity on resource: {cluster} because no identity-based policy allows the \
             eks-auth:AssumeRoleForPodIdentity action"
        );
        Exception::new(400, "AccessDeniedException", text)
    };
    let plain = |status, code, text: &str| Exception::new(status, code, text);
    agent
        .throttled
        .then(|| plain(429, "ThrottlingException", MODEL.throttled))
        .or_else(|| agent.failing.then(|| plain(500, "InternalServerException", MODEL.internal)))
        .or_else(|| agent.unavailable.then(|| plain(503, "ServiceUnavailableException", MODEL.unavailable)))
        .or_else(|| agent.node_role_denied.then(node_role))
}

/// Sentences from the documentation of the service's API model. We have not seen what EKS Auth itself writes.
struct Model {
    not_found: &'static str,
    invalid_token: &'static str,
    internal: &'static str,
    throttled: &'static str,
    unavailable: &'static str,
}

const MODEL: Model = Model {
    not_found: "The specified resource could not be found.",
    invalid_token: "The specified Kubernetes service account token is invalid.",
    internal: "These errors are usually caused by a server-side issue.",
    throttled: "The request was denied because your request rate is too high. Reduce the frequency of requests.",
    unavailable: "The service is unavailable. Back off and retry the operation.",
};

fn invalid_token() -> Exception {
    Exception::new(400, "InvalidTokenException", MODEL.invalid_token)
}

fn failed<T>(_: T) -> Exception {
    Exception::new(500, "InternalServerException", MODEL.internal)
}

/// EKS runs the issuer and knows its keys, so it does not matter here what the issuer publishes or fails to publish.
fn verify<'a>(world: &World, token: &'a str) -> Result<Jwt<'a>, Exception> {
    let jwt = Jwt::parse(token).ok_or_else(invalid_token)?;
    let is_ours = jwt.text("iss") == Some(world.issuer.url())
        && jwt.verify(&world.issuer.keys()) == Signature::Valid
        && jwt.audiences().contains(&TokenKind::PodIdentity.audience());
    let now = world.clock.now();
    let exp = jwt.number("exp").filter(|_| is_ours).ok_or_else(invalid_token)?;
    if now.unix_timestamp() >= exp {
        let exp = time::OffsetDateTime::from_unix_timestamp(exp).unwrap_or(now);
        let text = format!(
            "The token included in the request is expired: current date/time {} must be before the expiration date/time {}.",
            clock::iso(now),
            clock::iso(exp),
        );
        return Err(Exception::new(400, "ExpiredTokenException", text));
    }
    if jwt.number("nbf").is_some_and(|nbf| nbf > now.unix_timestamp()) {
        return Err(invalid_token());
    }
    Ok(jwt)
}

/// The pod that the token names.
struct Pod<'a> {
    namespace: &'a str,
    service_account: &'a str,
    name: &'a str,
    uid: &'a str,
}

impl<'a> Pod<'a> {
    fn of(jwt: &'a Jwt<'_>) -> Option<Self> {
        let subject = jwt.text("sub")?.strip_prefix("system:serviceaccount:")?;
        let (namespace, service_account) = subject.split_once(':')?;
        let pod = jwt.claims.get("kubernetes.io")?.get("pod")?;
        let text = |name: &str| pod.get(name).and_then(Value::as_str);
        Some(Self { namespace, service_account, name: text("name")?, uid: text("uid")? })
    }

    /// `eks-CLUSTER-POD-UUID`; cluster and pod are cut to ten characters each, as in AWS's example.
    fn session_name(&self) -> Result<String, ring::error::Unspecified> {
        let cut = |text: &str| text.chars().take(10).collect::<String>();
        Ok(format!("eks-{}-{}-{}", cut(CLUSTER), cut(self.name), session::uuid()?))
    }
}

/// The role that the pod gets. It is the associated role, if that exists and trusts EKS with this session's name and tags,
/// or the target of that role. Both refusals are one answer, because we have seen no AWS text that tells them apart.
fn role<'a>(
    world: &'a World,
    association: &Association,
    pod: &Pod<'_>,
    session_name: &str,
) -> Option<(&'a Account, &'a Role)> {
    let (account, source) = known(world, &association.role_arn)?;
    let cluster = format!("arn:{}:eks:{REGION}:{}:cluster/{CLUSTER}", account.partition, account.id);
    let tags = [
        ("eks-cluster-arn", cluster.as_str()),
        ("eks-cluster-name", CLUSTER),
        ("kubernetes-namespace", pod.namespace),
        ("kubernetes-service-account", pod.service_account),
        ("kubernetes-pod-name", pod.name),
        ("kubernetes-pod-uid", pod.uid),
    ];
    let tags = if association.disable_session_tags { &[][..] } else { &tags[..] };
    let has_tags = !tags.is_empty();
    let eks = Caller::service(PRINCIPAL, has_tags)
        .with("aws:SourceArn", [cluster.as_str()])
        .with("aws:SourceAccount", [account.id.as_str()]);
    if !source.trust_policy.allows(&tagged(eks, tags, session_name)) {
        return None;
    }
    let Some(target_arn) = &association.target_role_arn else { return Some((account, source)) };
    let (target_account, target) = known(world, target_arn)?;
    let caller = Caller::role(&source.arn, has_tags)
        .with("aws:PrincipalAccount", [account.id.as_str()])
        .with("sts:ExternalId", [association.external_id.as_str()]);
    // The tags are transitive, so they are tags of the caller and of its request.
    let caller = tags
        .iter()
        .fold(caller, |caller, (name, value)| caller.with(&format!("aws:PrincipalTag/{name}"), [*value]));
    let caller = tagged(caller, tags, session_name);
    // Within one account a trust policy is sufficient. Across accounts the source role's own policy must allow the call too.
    let may = source.policy.as_ref().is_none_or(|policy| match account.id == target_account.id {
        true => !policy.denies(&caller, target_arn),
        false => policy.allows(&caller, target_arn),
    });
    (may && target.trust_policy.allows(&caller)).then_some((target_account, target))
}

fn known<'a>(world: &'a World, role_arn: &str) -> Option<(&'a Account, &'a Role)> {
    let arn = RoleArn::parse(role_arn)?;
    let account = world.registry().account(arn.partition, arn.account)?;
    Some((account, account.role(role_arn)?))
}

fn tagged(caller: Caller, tags: &[(&str, &str)], session_name: &str) -> Caller {
    let caller = caller.with("sts:RoleSessionName", [session_name]);
    let caller = caller.with("aws:TagKeys", tags.iter().map(|(name, _)| *name));
    let caller = caller.with("sts:TransitiveTagKeys", tags.iter().map(|(name, _)| *name));
    let request_tag = |name: &str| format!("aws:RequestTag/{name}");
    tags.iter().fold(caller, |caller, (name, value)| caller.with(&request_tag(name), [*value]))
}
