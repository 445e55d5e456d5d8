//! GetCallerIdentity: who signed this, for whoever has a valid signature; no policy can deny it.
//! The signature itself is `sigv4`'s.

use super::{Endpoint, Refusal, Request, answer::escape, sigv4};
use crate::world::World;

pub(super) fn caller(
    world: &World,
    endpoint: Option<&Endpoint>,
    request: &Request<'_>,
) -> Result<String, Refusal> {
    let region = endpoint.map(|endpoint| endpoint.region);
    let now = world.clock.now();
    let session = sigv4::verify(request, region, now, |key_id| world.sessions().get(key_id).cloned())?;
    let presented = request.headers.get("x-amz-security-token").map(|token| token.as_bytes());
    if presented != Some(session.token.as_bytes()) {
        return Err(sigv4::unknown_key());
    }
    if now >= session.expiration {
        let text = "The security token included in the request is expired";
        return Err(Refusal::new(403, "ExpiredToken", text));
    }
    Ok(format!(
        "    <Arn>{}</Arn>\n    <UserId>{}</UserId>\n    <Account>{}</Account>\n",
        escape(&session.arn),
        escape(&session.user_id),
        session.account,
    ))
}
