//! IAM trust policies against the claims of a token, element by element, and the mistakes that people usually make. Pure.
//! What is said of the result, the report says.

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
