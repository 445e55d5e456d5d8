//! The pod's service account, as tokens name it.
//! Only its form; the judges say whether it is the intended one.

/// Namespace and service account of the pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account<'a> {
    /// The namespace of the pod.
    pub namespace: &'a str,
    /// The name of the service account.
    pub name: &'a str,
}

impl<'a> Account<'a> {
    /// Parses `system:serviceaccount:NAMESPACE:NAME` (kubernetes `pkg/serviceaccount/util.go`).
    #[must_use]
    pub fn of_subject(subject: &'a str) -> Option<Self> {
        let (namespace, name) = subject.strip_prefix("system:serviceaccount:")?.split_once(':')?;
        Some(Self { namespace, name })
    }
}
