//! The logic of the STS server: one request in, one answer out, in STS's order and with STS's texts.
//! `serve` handles sockets, TLS and broken deliveries.

mod answer;
mod assume_role;
mod endpoint;
mod exchange;
mod identity;
mod query;
mod sigv4;

pub(crate) use answer::{Answer, Delivery, Refusal};
pub(crate) use endpoint::Endpoint;
pub(crate) use identity::signer;

use std::collections::BTreeMap;

use hyper::{HeaderMap, header};

use crate::{
    key::sha256_hex,
    record::StsRequest,
    scenario::{self, Fault},
    session::Session,
    world::{Obstacle, World},
};

/// A request as it came over the wire.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
}

/// The parameters of the Query protocol.
pub(crate) type Parameters = BTreeMap<String, String>;

impl Request<'_> {
    pub(crate) fn host(&self) -> &str {
        let host = self.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        host.rsplit_once(':').map_or(host, |(host, _)| host)
    }

    pub(crate) fn parameters(&self) -> Parameters {
        let body = if self.method == "POST" { self.body } else { b"" };
        let pairs = form_urlencoded::parse(self.query.as_bytes()).chain(form_urlencoded::parse(body));
        pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
    }
}

/// Answers a request and notes it in the record.
pub(crate) fn handle(world: &World, request: &Request<'_>) -> Answer {
    let parameters = request.parameters();
    let get = |name: &str| parameters.get(name).cloned();
    let action = get("Action");
    let id = world.request_id();
    let mut delivery = Delivery::Whole;
    let mut foreign = None;
    let verdict = match world.obstacle(action.as_deref()) {
        Some(Obstacle::Canned(canned @ scenario::Answer { body: Some(body), .. })) => {
            foreign = Some(Answer::foreign(canned, body));
            Ok(String::new())
        }
        Some(Obstacle::Canned(canned)) => {
            Err(Refusal::new(canned.status, &canned.code, canned.message.clone()))
        }
        Some(Obstacle::Fault(Fault::Throttled)) => Err(Refusal::new(400, "Throttling", "Rate exceeded")),
        Some(Obstacle::Fault(Fault::InternalFailure)) => {
            let text = "The request processing has failed because of an unknown error, exception or failure.";
            Err(Refusal::new(500, "InternalFailure", text))
        }
        Some(Obstacle::Fault(Fault::ServiceUnavailable)) => {
            let text = "The request has failed due to a temporary failure of the server.";
            Err(Refusal::new(503, "ServiceUnavailable", text))
        }
        obstacle => {
            if let Some(Obstacle::Fault(fault)) = obstacle {
                delivery = Delivery::under(fault);
            }
            // If another server answers, STS never sees the request.
            if delivery == Delivery::Html { Ok(String::new()) } else { perform(world, request, &parameters) }
        }
    };
    let (status, code) = match &verdict {
        _ if foreign.is_some() => (foreign.as_ref().map_or(0, |answer| answer.status), None),
        _ if delivery == Delivery::Html => (403, None),
        Ok(_) => (200, None),
        Err(refusal) => (refusal.status, Some(refusal.code.clone())),
    };
    world.record.edit().sts_requests.push(StsRequest {
        host: request.host().to_owned(),
        role_arn: get("RoleArn"),
        session_name: get("RoleSessionName"),
        duration_seconds: get("DurationSeconds"),
        policy: get("Policy"),
        token_sha256: get("WebIdentityToken").map(|token| sha256_hex(token.as_bytes())),
        user_agent: request
            .headers
            .get(header::USER_AGENT)
            .and_then(|agent| agent.to_str().ok())
            .map(str::to_owned),
        authorized: request.headers.contains_key(header::AUTHORIZATION),
        action: action.clone(),
        status,
        code,
    });
    if let Some(answer) = foreign {
        return answer;
    }
    match verdict {
        Ok(result) => Answer::success(id, action.as_deref().unwrap_or_default(), &result, delivery),
        Err(refusal) => Answer::refusal(id, &refusal, delivery),
    }
}

/// The session that signed a presigned GetCallerIdentity, for a caller that forwards it.
pub(crate) fn presigned(world: &World, request: &Request<'_>) -> Result<Session, Refusal> {
    identity::presigned(world, Endpoint::of(request.host()).as_ref(), request)
}

fn perform(world: &World, request: &Request<'_>, parameters: &Parameters) -> Result<String, Refusal> {
    let operation = query::operation(request, parameters)?;
    let endpoint = Endpoint::of(request.host());
    match operation {
        query::Operation::AssumeRoleWithWebIdentity => exchange::assume(world, endpoint.as_ref(), parameters),
        query::Operation::AssumeRole => assume_role::assume(world, endpoint.as_ref(), request, parameters),
        query::Operation::GetCallerIdentity => identity::caller(world, endpoint.as_ref(), request),
    }
}
