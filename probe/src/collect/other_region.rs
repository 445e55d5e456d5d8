//! Repeats the exchange in the issuer's region. If that region accepts the token, the first one is not enabled; else the OIDC provider
//! is missing. Never crosses partitions and runs at most once. The response is dropped unread.

use crate::collect::exchange::{Request, call};
use crate::transport::Wire;
use crate::transport::secret::Secret;
use credprobe_judge::evidence::OtherRegion;
use credprobe_judge::settings::Endpoint;

/// Asks `endpoint`, the STS of the issuer's region.
pub async fn other_region(
    wire: &Wire,
    endpoint: &Endpoint,
    request: &Request<'_>,
    token: &Secret,
) -> OtherRegion {
    let request = Request { endpoint, ..*request };
    // Drops any credentials in the response.
    drop(call(wire, &request, token).send().await);
    OtherRegion {
        region: endpoint.signing_region.clone(),
        endpoint: endpoint.url.clone(),
        status: wire.last_response_head().map(|head| head.status),
    }
}
