//! Wrong spellings of an issuer, in a provider's ARN and before `:sub` and `:aud`.
//! EKS always writes `iss` as `https://oidc.eks.REGION.amazonaws.com/id/ID` (sources.md, “The issuer of a cluster”).

use super::Slip;

/// What is wrong with `written`, and whether it was meant to be `issuer`.
pub(crate) fn slip(written: &str, issuer: &str) -> (Slip, bool) {
    let bare = without_scheme(written);
    let meant = |id, text: &str| (Slip::new(id, format!("{text}; this token's issuer is {issuer}")), true);
    let other = |id, text: String| (Slip::new(id, text), false);
    if is_template(written, issuer) {
        return meant("placeholder", "a placeholder was not filled in");
    }
    if bare.len() < written.len() && same(bare.trim_end_matches('/'), issuer) {
        return meant("https-in-issuer", "IAM writes an issuer without https://");
    }
    if bare.ends_with('/') && same(bare.trim_end_matches('/'), issuer) {
        return meant("trailing-slash", "a slash too many at the end of the issuer");
    }
    if same(bare, issuer) {
        return meant("issuer-case", "capital and small letters count here");
    }
    if host_in_order(bare).is_some_and(|right| same(right.trim_end_matches('/'), issuer)) {
        return meant("host-order", "the host is oidc.eks.REGION, not oidc.REGION.eks");
    }
    if bare.starts_with("oidc-eks.") && cluster_id(bare).is_some() && cluster_id(bare) == cluster_id(issuer) {
        return meant(
            "dual-stack-host",
            "oidc-eks.…api.aws is an address for the network only; tokens carry the other form",
        );
    }
    if !bare.is_empty() && issuer.starts_with(bare) {
        return meant(
            "issuer-truncated",
            "the issuer is cut off: its path with the cluster's id belongs to it",
        );
    }
    match (cluster_id(bare), cluster_id(issuer)) {
        (Some(written), Some(ours)) if written.eq_ignore_ascii_case(ours) => {
            meant("issuer-host", "the cluster's id is right and the host in front of it is not")
        }
        (Some(written), Some(ours)) => other(
            "another-cluster",
            format!(
                "this is another cluster's issuer ({written}); the token is of cluster {ours}: each new cluster, and each made anew, has an id of its own"
            ),
        ),
        _ => other("another-issuer", format!("this is another issuer; this token's issuer is {issuer}")),
    }
}

/// Whether `written` is this issuer in some spelling.
pub(crate) fn is_meant(written: &str, issuer: &str) -> bool {
    written == issuer || slip(written, issuer).1
}

fn without_scheme(text: &str) -> &str {
    text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or(text)
}

fn same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

/// Corrects the order in `oidc.REGION.eks.SUFFIX`, which the webhook's own README has wrong.
fn host_in_order(bare: &str) -> Option<String> {
    let (region, rest) = bare.strip_prefix("oidc.")?.split_once(".eks.")?;
    Some(format!("oidc.eks.{region}.{rest}"))
}

fn cluster_id(bare: &str) -> Option<&str> {
    let (_, id) = bare.split_once("/id/")?;
    Some(id.trim_end_matches('/')).filter(|id| !id.is_empty())
}

/// Whether the text has marks of a template or the example id of the EKS user guide. A mark in the token's own issuer does not count.
pub(crate) fn is_template(text: &str, issuer: &str) -> bool {
    let marks = ["<", "${", "{{", "$(", "OIDC_ID", "CLUSTER_ID", "EXAMPLED539D4633E53DE1B71EXAMPLE", "XXXX"];
    marks.iter().any(|mark| text.contains(mark) && !issuer.contains(mark))
        || text.to_lowercase().contains("/id/xxx")
}
