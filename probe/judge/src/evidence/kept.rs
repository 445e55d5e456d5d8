//! Which variables of a container are evidence, and in which form: the same list inside and outside the pod.
//! Credentials are recorded as `set`. URLs lose user info, query and fragment.

use crate::text::shown;

/// Kept unchanged, except for what `shown::value` removes from every value.
pub const PLAIN: &[&str] = &[
    "AWS_CA_BUNDLE",
    "AWS_CONFIG_FILE",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_DEFAULT_REGION",
    "AWS_EC2_METADATA_DISABLED",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_MAX_ATTEMPTS",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_RETRY_MODE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_SDK_LOAD_CONFIG",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_STS_REGIONAL_ENDPOINTS",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "NO_PROXY",
    "SMITHY_CLIENT_SDK_CUSTOM_PARTITION",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "no_proxy",
];

/// Kept without user info, query and fragment.
pub const URLS: &[&str] = &[
    "ALL_PROXY",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_DYNAMODB",
    "AWS_ENDPOINT_URL_EC2",
    "AWS_ENDPOINT_URL_KMS",
    "AWS_ENDPOINT_URL_LAMBDA",
    "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT_URL_SQS",
    "AWS_ENDPOINT_URL_STS",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "all_proxy",
    "http_proxy",
    "https_proxy",
];

/// Recorded as `set` or `empty`, or as `unset` if the variable is missing.
pub const CREDENTIALS: &[&str] = &[
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SECRET_KEY",
    "AWS_SESSION_TOKEN",
];

/// The value in the form that evidence has. `None`: the variable is not on the list.
#[must_use]
pub fn kept(name: &str, value: &str) -> Option<String> {
    if CREDENTIALS.contains(&name) {
        return Some(if value.is_empty() { "empty" } else { "set" }.to_owned());
    }
    if URLS.contains(&name) {
        return Some(shown::url(value));
    }
    PLAIN.contains(&name).then(|| shown::value(value))
}

#[cfg(test)]
mod tests {
    use super::kept;

    #[test]
    fn a_credential_is_never_kept_and_a_url_loses_its_user() {
        assert_eq!(kept("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI").as_deref(), Some("set"));
        assert_eq!(kept("AWS_ACCESS_KEY_ID", "").as_deref(), Some("empty"));
        assert_eq!(kept("HTTPS_PROXY", "http://a:b@proxy:3128").as_deref(), Some("http://proxy:3128"));
        assert_eq!(kept("AWS_REGION", "eu-west-1").as_deref(), Some("eu-west-1"));
        assert_eq!(kept("DATABASE_PASSWORD", "x"), None);
    }
}
