//! GetCallerIdentity: says who signed the request, to every caller with a valid signature; no policy can deny it.
//! `sigv4` verifies the signature.

use super::{Endpoint, Refusal, Request, answer::escape, sigv4};
use crate::{session::Session, world::World};

/// The region of a host that is newer than this list of endpoints.
fn region_of(host: &str) -> Option<&str> {
    let region = host.strip_prefix("sts.")?.strip_suffix(".amazonaws.com")?;
    (!region.contains('.')).then_some(region)
}

pub(super) fn caller(
    world: &World,
    endpoint: Option<&Endpoint>,
    request: &Request<'_>,
) -> Result<String, Refusal> {
    let region = endpoint.map_or_else(|| region_of(request.host()), |endpoint| Some(endpoint.region));
    let session = signer(world, request, "sts", region)?;
    Ok(format!(
        "    <Arn>{}</Arn>\n    <UserId>{}</UserId>\n    <Account>{}</Account>\n",
        escape(&session.arn),
        escape(&session.user_id),
        session.account,
    ))
}

/// The session that signed the request, if its credentials are still valid.
pub(crate) fn signer(
    world: &World,
    request: &Request<'_>,
    service: &str,
    region: Option<&str>,
) -> Result<Session, Refusal> {
    let now = world.clock.now();
    let session =
        sigv4::verify(request, service, region, now, |key_id| world.sessions().get(key_id).cloned())?;
    let presented = request.headers.get("x-amz-security-token").map(|token| token.as_bytes());
    if presented != Some(session.token.as_bytes()) {
        return Err(sigv4::unknown_key());
    }
    if now >= session.expiration {
        let text = "The security token included in the request is expired";
        return Err(Refusal::new(403, "ExpiredToken", text));
    }
    Ok(session)
}

/// The same for a request that was signed in its query and is sent by somebody else.
pub(super) fn presigned(
    world: &World,
    endpoint: Option<&Endpoint>,
    request: &Request<'_>,
) -> Result<Session, Refusal> {
    let region = endpoint.map(|endpoint| endpoint.region);
    let now = world.clock.now();
    let session = sigv4::verify_query(request, region, now, |key_id| world.sessions().get(key_id).cloned())?;
    let parameters = request.parameters();
    if parameters.get("X-Amz-Security-Token") != Some(&session.token) {
        return Err(sigv4::unknown_key());
    }
    if now >= session.expiration {
        return Err(Refusal::new(
            403,
            "ExpiredToken",
            "The security token included in the request is expired",
        ));
    }
    Ok(session)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_is_not_in_the_list_signs_for_its_own_region() {
        assert_eq!(region_of("sts.eu-north-7.amazonaws.com"), Some("eu-north-7"));
        for host in [
            "s3.storage.example",
            "localhost",
            "sts.amazonaws.com",
            "vpce-1.sts.eu-west-1.vpce.amazonaws.com",
        ] {
            assert_eq!(region_of(host), None, "{host}");
        }
    }
}
