//! Compares IAM trust policies with a token's claims, element by element, and finds the mistakes that people usually make. Pure.
//! The report words the result.

pub(crate) mod common_mistakes;
pub(crate) mod condition;
pub(crate) mod context;
pub(crate) mod evaluate;
pub(crate) mod fix;
pub(crate) mod one_or_many;
pub mod outside;
pub(crate) mod pattern;
pub(crate) mod pod_identity;
pub(crate) mod policy;
pub(crate) mod statement;

pub use condition::Truth;
pub use context::{Context, Value};
pub use evaluate::{Evaluation, Verdict, evaluate};
pub use policy::{POLICY_LIMIT, Policy};
