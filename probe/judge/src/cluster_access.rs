//! Whether EKS maps an IAM principal to a Kubernetes user: aws-auth and access entries, read as aws-iam-authenticator does. Pure.
//! The report words the result. Source of the rules: aws-iam-authenticator 81b1daba (sources.md, “EKS's authenticator”).

pub(crate) mod aws_auth;
pub(crate) mod entries;
mod kubeconfig;
pub(crate) mod mapping;
pub(crate) mod near;
pub(crate) mod principal;

pub use aws_auth::AWS_AUTH_LIMIT;
pub use entries::ENTRIES_LIMIT;
pub use kubeconfig::{Ca, KUBECONFIG_LIMIT, Kubeconfig};
