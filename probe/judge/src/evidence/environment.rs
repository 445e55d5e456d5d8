//! The subject's variables and profile, and what the user of the probe stated.
//! Only names on an allowlist. Credentials appear as `set`, URLs without user info, query and fragment.

use crate::options::Options;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The sources from which the subject's SDK would take its settings.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// The variables that matter, by name. An empty variable is kept as empty, because SDKs treat it differently.
    pub variables: BTreeMap<String, String>,
    /// Variables on the list whose bytes are not UTF-8. `variables` has them with U+FFFD.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_utf8: Vec<String>,
    /// The active profile. `None`: neither profile file can be read or has it.
    pub profile: Option<Profile>,
    /// The profile that `AWS_DEFAULT_PROFILE` names. It is the active one for SDKs that read that variable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_profile: Option<Profile>,
    /// Variables that name a profile which no profile file has. An empty name counts as such a name.
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
    /// What should be trusted in addition to or instead of the compiled-in roots, but adds nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trust_idle: Vec<TrustProblem>,
    /// Files that exist or might exist, and could not be observed for another reason than rights. The token file is not among them.
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

    /// The value of a variable, or else of the profile setting with the same meaning: `AWS_USE_FIPS_ENDPOINT`, `use_fips_endpoint`.
    #[must_use]
    pub fn said(&self, name: &str) -> Option<&str> {
        let setting = || {
            let key = name.strip_prefix("AWS_")?.to_ascii_lowercase();
            self.profile.as_ref()?.settings.get(&key).map(String::as_str).filter(|value| !value.is_empty())
        };
        self.get(name).or_else(setting)
    }

    /// Like [`Self::is_true`], for the variable or the profile setting.
    #[must_use]
    pub fn is_on(&self, name: &str) -> bool {
        self.said(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// Whether the value is `true` as the SDKs read it, in any case.
    #[must_use]
    pub fn is_true(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }
}

/// A file that was not opened because rights were missing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct UnreadableFile {
    /// The variable that names it, or its path if every process reads it.
    pub source: String,
    /// Its path.
    pub path: String,
    /// The operating system's name of the error. `EXDEV`: it is in `/proc`, which shows each reader itself.
    pub error: String,
    /// Only the probe lacks rights; the subject might have opened it.
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
    /// The operating system's name of the error, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errno: Option<String>,
}

/// Something that could not be observed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Unseen {
    /// A path, or variable and path: `SSL_CERT_FILE=/path`.
    pub what: String,
    /// The operating system's name of the error (`EIO`).
    pub error: String,
}

/// The part of the active profile that matters here.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// `default`, or the value of `AWS_PROFILE`.
    pub name: String,
    /// The settings that matter, by key. `endpoint_url_sts` is STS's `endpoint_url` in the `services` section that the profile names.
    pub settings: BTreeMap<String, String>,
    /// All other keys of the profile, without their values.
    pub other_keys: Vec<String>,
    /// The keys that are in the credentials file. Some SDKs read the config file only if a variable tells them to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_credentials: Vec<String>,
    /// The profile that `source_profile` names, whose credentials this one uses to assume its role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Box<Self>>,
}

impl Profile {
    /// The profile whose identity starts the chain.
    #[must_use]
    pub fn beginning(&self) -> &Self {
        self.source.as_deref().map_or(self, Self::beginning)
    }
}
