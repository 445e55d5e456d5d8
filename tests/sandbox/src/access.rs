//! The AWS services that credprobe asks whether a role may do something: S3, SQS, DynamoDB, EC2, KMS and Lambda.
//! It verifies signatures, evaluates policies, and records as harm whatever a request would have read or written.

pub(crate) mod policy;
mod protocol;

use serde_json::{Value, json};

use crate::{
    record::AccessRequest,
    scenario::Fault,
    session::Session,
    sts::{self, Answer, Delivery, Endpoint, Refusal, Request},
    world::{Obstacle, World},
};
use policy::Denial;

/// A host of one of these services, and its region.
#[derive(Debug, PartialEq)]
pub(crate) struct Service {
    pub(crate) name: &'static str,
    pub(crate) region: String,
}

const NAMES: &[&str] = &["s3", "sqs", "dynamodb", "kms", "lambda", "ec2"];

impl Service {
    pub(crate) fn of(host: &str) -> Option<Self> {
        let (service, rest) = host.split_once('.')?;
        let name = NAMES.iter().find(|name| **name == service)?;
        // These services have a host wherever STS has a regional one.
        let endpoint = Endpoint::of(&format!("sts.{rest}")).filter(|_| rest != "amazonaws.com")?;
        Some(Self { name, region: endpoint.region.to_owned() })
    }
}

/// The action and the resource of a request, as policies see them, and the effect that the request would have.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) action: String,
    pub(super) resource: String,
    /// What the request would write or read; `None`: nothing.
    pub(super) harm: Option<String>,
    /// The answer for a caller that is allowed.
    pub(super) granted: Granted,
}

#[derive(Debug)]
pub(super) enum Granted {
    Body(u16, String),
    Refused(u16, &'static str, String),
    /// The S3 bucket is in this region.
    Elsewhere(String),
}

/// Answers a request and notes it in the record.
pub(crate) fn handle(world: &World, service: &Service, request: &Request<'_>) -> Answer {
    let asked = protocol::read(world, service, request);
    let id = world.request_id();
    let action = asked.as_ref().map(|asked| asked.action.clone()).unwrap_or_default();
    let mut harm = None;
    let signer = sts::signer(world, request, service.name, Some(&service.region));
    let narrowed = signer.as_ref().is_ok_and(|session| session.policy.is_some());
    let answer = match obstacle(world, &action) {
        Some(answer) => answer,
        None => match signer.and_then(|session| perform(world, service, &session, asked)) {
            Ok(asked) => {
                harm = asked.harm;
                protocol::granted(service, id, asked.granted)
            }
            Err(refusal) => protocol::refused(service, id, &refusal),
        },
    };
    let header = |name: &str| request.headers.get(name)?.to_str().ok().map(str::to_owned);
    world.record.edit().access_requests.push(AccessRequest {
        host: request.host().to_owned(),
        action,
        method: request.method.to_owned(),
        path: request.path.to_owned(),
        query: request.query.to_owned(),
        target: header("x-amz-target"),
        invocation_type: header("x-amz-invocation-type"),
        user_agent: header("user-agent"),
        body: String::from_utf8_lossy(request.body).into_owned(),
        status: answer.status,
        narrowed,
        harm,
    });
    answer
}

/// The answer that the scenario gives instead.
fn obstacle(world: &World, action: &str) -> Option<Answer> {
    world.scenario.fault_on.as_deref().filter(|on| *on == action)?;
    let (status, code, text) = match world.obstacle(Some(action))? {
        Obstacle::Fault(Fault::Throttled) => (400, "ThrottlingException", "Rate exceeded"),
        Obstacle::Fault(_) => (503, "ServiceUnavailable", "Please reduce your request rate."),
        Obstacle::Canned(canned) => {
            return Some(canned.body.as_ref().map_or_else(
                || plain(canned.status, &canned.code, &canned.message),
                |body| Answer::foreign(canned, body),
            ));
        }
    };
    Some(plain(status, code, text))
}

fn plain(status: u16, code: &str, message: &str) -> Answer {
    let body = json!({"__type": code, "message": message}).to_string();
    let headers = vec![
        ("x-amzn-requestid".into(), "c0ffee00-0000-4000-8000-00000000fa17".into()),
        ("content-type".into(), "application/x-amz-json-1.0".into()),
    ];
    Answer { status, headers, body, delivery: Delivery::Whole }
}

fn perform(
    world: &World,
    service: &Service,
    session: &Session,
    asked: Result<Asked, Refusal>,
) -> Result<Asked, Refusal> {
    let asked = asked?;
    decide(world, session, service.name, &asked.action, &asked.resource, false)
        .map_err(|denial| protocol::denied(service, &session.arn, &asked, &denial))?;
    Ok(asked)
}

/// Decides as IAM does: explicit denies come first, then every kind of policy that must allow.
pub(crate) fn decide(
    world: &World,
    session: &Session,
    service: &str,
    action: &str,
    resource: &str,
    resource_suffices: bool,
) -> Result<(), Denial> {
    let registry = world.registry();
    let account = registry.account(&session.partition, &session.account);
    let role = account.and_then(|account| account.role(&session.role_arn));
    let stated = world.scenario.resources.get(resource);
    // For STS the resource is the next role. STS checks that role's trust policy itself, so it has no other owner here.
    let owner = resource.split(':').nth(4).filter(|account| !account.is_empty() && service != "sts");
    let owner = owner.or(stated.and_then(|stated| stated.account.as_deref())).unwrap_or(&session.account);
    let policies = policy::Applying {
        service_control: account.map(|account| account.service_control.as_slice()).unwrap_or_default(),
        resource_control: account.map(|account| account.resource_control.as_slice()).unwrap_or_default(),
        identity: role.and_then(|role| role.access.as_ref()),
        boundary: role.and_then(|role| role.boundary.as_ref()),
        session: session.policy.as_ref(),
        vpc_endpoint: registry.endpoint_policy(service),
        resource: registry.resource_policy(resource),
    };
    let request = policy::Asking {
        action,
        resource,
        session: &session.arn,
        role: &session.role_arn,
        account: &session.account,
        owner,
        needs_resource_policy: service == "kms",
        resource_suffices,
    };
    policies.decide(&request)
}

/// The region that the scenario gives a resource.
pub(crate) fn region_of(world: &World, resource: &str) -> Option<String> {
    world.scenario.resources.get(resource)?.region.clone()
}

pub(super) fn value(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_default()
}

#[cfg(test)]
mod tests;
