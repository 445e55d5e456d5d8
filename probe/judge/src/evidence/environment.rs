//! The subject's variables and profile, and what the person who runs the probe stated.
//! An allowlist of names: credentials appear as `set`, URLs without user info, query and fragment.

use crate::options::Options;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where the SDK of the subject would take its settings from.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// The variables that decide, by name. An empty one is kept as empty: SDKs differ on it.
    pub variables: BTreeMap<String, String>,
    /// Variables on the list whose bytes are not UTF-8; `variables` has them with U+FFFD.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_utf8: Vec<String>,
    /// The active profile; `None`: neither profile file can be read or names it.
    pub profile: Option<Profile>,
    /// The profile that `AWS_DEFAULT_PROFILE` names: the active one of SDKs that read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_profile: Option<Profile>,
    /// Variables that name a profile which no profile file has; an empty name is one, too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub profile_missing: Vec<String>,
    /// Whether the directory in which the webhook mounts the IRSA token exists.
    pub irsa_mount: bool,
    /// Whether the directory in which the webhook mounts the Pod Identity token exists.
    pub pod_identity_mount: bool,
    /// Why the configured CA bundle cannot be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust_problem: Option<TrustProblem>,
    /// Files that settings or the C library name, and that the subject may not read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<UnreadableFile>,
    /// What was to be trusted beside or instead of the compiled-in roots, and adds nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trust_idle: Vec<TrustProblem>,
    /// Files that are there or might be, and could not be looked at for want of anything but rights; the token file apart.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unseen: Vec<Unseen>,
    /// Flags and their environment twins.
    #[serde(rename = "stated")]
    pub options: Options,
}

impl Environment {
    /// The value of a variable that is set and not empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The value of a variable, or else of the profile's setting that stands for it: `AWS_USE_FIPS_ENDPOINT`, `use_fips_endpoint`.
    #[must_use]
    pub fn said(&self, name: &str) -> Option<&str> {
        let setting = || {
            let key = name.strip_prefix("AWS_")?.to_ascii_lowercase();
            self.profile.as_ref()?.settings.get(&key).map(String::as_str).filter(|value| !value.is_empty())
        };
        self.get(name).or_else(setting)
    }

    /// As [`Self::is_true`], of the variable or the profile's setting.
    #[must_use]
    pub fn is_on(&self, name: &str) -> bool {
        self.said(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// `true` in the spelling of the SDKs (`true`, any case).
    #[must_use]
    pub fn is_true(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }
}

/// A file that was not opened because of somebody's rights.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct UnreadableFile {
    /// The variable that names it, or its path where everybody reads it.
    pub source: String,
    /// Where it lies.
    pub path: String,
    /// The operating system's name of the error; `EXDEV`: it lies in `/proc`, which shows each reader itself.
    pub error: String,
    /// The subject might have opened it.
    pub by_probe: bool,
}

/// A CA bundle that cannot be used.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TrustProblem {
    /// `AWS_CA_BUNDLE=/path`.
    pub source: String,
    /// Why it cannot be used.
    pub problem: String,
    /// The probe's own variable or flag names it, and another process is judged.
    #[serde(default, skip_serializing_if = "crate::options::is_false")]
    pub own: bool,
    /// The operating system's name of the error, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errno: Option<String>,
}

/// What could not be looked at.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Unseen {
    /// A path, or variable and path: `SSL_CERT_FILE=/path`.
    pub what: String,
    /// The operating system's name of the error (`EIO`).
    pub error: String,
}

/// What the active profile says, as far as it matters here.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// `default`, or the value of `AWS_PROFILE`.
    pub name: String,
    /// The settings that decide, by key; `endpoint_url_sts` is STS's `endpoint_url` in the `services` section that it names.
    pub settings: BTreeMap<String, String>,
    /// Every other key of the profile, its value left out.
    pub other_keys: Vec<String>,
    /// The keys that stand in the credentials file: some SDKs read the config file only when told to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_credentials: Vec<String>,
    /// The profile that `source_profile` names: whose credentials this one goes on from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Box<Self>>,
}

impl Profile {
    /// The profile whose identity begins the chain.
    #[must_use]
    pub fn beginning(&self) -> &Self {
        self.source.as_deref().map_or(self, Self::beginning)
    }
}
