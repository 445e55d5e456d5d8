//! The same exchange in the issuer's region: whether the token is taken there tells a region that is not enabled
//! from a provider that is missing. Never across partitions, at most once; the answer is dropped unread.

use crate::collect::exchange::{Request, call};
use crate::transport::Wire;
use crate::transport::secret::Secret;
use credprobe_judge::evidence::OtherRegion;
use credprobe_judge::settings::Endpoint;

/// Asks `endpoint`, which is the issuer's region's.
pub async fn other_region(
    wire: &Wire,
    endpoint: &Endpoint,
    request: &Request<'_>,
    token: &Secret,
) -> OtherRegion {
    let request = Request { endpoint, ..*request };
    // Credentials that may be in it die with it.
    drop(call(wire, &request, token).send().await);
    OtherRegion {
        region: endpoint.signing_region.clone(),
        endpoint: endpoint.url.clone(),
        status: wire.last_response_head().map(|head| head.status),
    }
}
