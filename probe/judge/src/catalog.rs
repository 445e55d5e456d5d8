//! The classes: id, code, owner, flags and what each explains, declared once; everything that lists them reads this table.
//! The prose for people is in `texts`; which finding decides, `verdict` says.

pub mod explain;
mod nearest;
#[cfg(test)]
mod tests;
mod texts;

use serde::{Deserialize, Serialize};
use std::fmt;
use texts::{Texts, agent, environment, exchange, identity, network, outcome, token, token_file};

pub(crate) use nearest::nearest;
pub(crate) use texts::VARIABLES;

/// Who can repair the broken link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Owner {
    /// The pod's specification or its service account.
    Pod,
    /// Webhook, kubelet, API server, or the Pod Identity association.
    Cluster,
    /// DNS, routes, firewalls, proxies, VPC endpoints.
    Network,
    /// Roles, policies and identity providers of the account.
    Iam,
    /// AWS itself; waiting is all that is left.
    Aws,
    /// The probe or how it was called.
    Probe,
}

impl Owner {
    /// Every owner, in the order of the documentation.
    pub const ALL: [Self; 6] = [Self::Pod, Self::Cluster, Self::Network, Self::Iam, Self::Aws, Self::Probe];

    /// The name in JSON, flags and reports.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Pod => "pod",
            Self::Cluster => "cluster",
            Self::Network => "network",
            Self::Iam => "iam",
            Self::Aws => "aws",
            Self::Probe => "probe",
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}

/// What the table says about one class.
#[derive(Debug)]
pub struct ClassInfo {
    /// The class.
    pub class: Class,
    /// The stable name, kebab-case.
    pub id: &'static str,
    /// The id in CamelCase: the reason of a Kubernetes condition.
    pub reason: &'static str,
    /// The exit code.
    pub code: u8,
    /// Who repairs it, unless the evidence tells more; `None` for `ready` alone.
    pub owner: Option<Owner>,
    /// Waiting may heal it, unless a finding says why not.
    pub transient: bool,
    /// Restarting the container cannot heal it; a new pod can.
    pub recreate_pod: bool,
    /// A warning unless the evidence makes it an error.
    pub warning: bool,
    /// One sentence.
    pub meaning: &'static str,
    /// The classes that are no news of their own where this one is present.
    pub explains: &'static [Explains],
    /// What usually brings it about.
    pub causes: &'static [&'static str],
    /// Commands that show it; a line that starts with `# ` is a remark.
    pub confirm: &'static [&'static str],
    /// Commands that repair it; a line that starts with `# ` is a remark.
    pub repair: &'static [&'static str],
}

/// A class that another one explains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Explains {
    /// The class that becomes "also seen".
    pub class: Class,
    /// Only where its finding is about a date or a time.
    pub only_about_time: bool,
}

/// An attribute of a class, as a row of the table names it.
enum Flag {
    /// `T`
    Transient,
    /// `R`
    RecreatePod,
    /// `W`
    Warning,
}

impl Flag {
    const fn is_in(&self, flags: &[Self]) -> bool {
        let mut i = 0;
        while i < flags.len() {
            // A derived `==` cannot be called in a constant.
            if matches!(
                (self, &flags[i]),
                (Self::Transient, Self::Transient)
                    | (Self::RecreatePod, Self::RecreatePod)
                    | (Self::Warning, Self::Warning)
            ) {
                return true;
            }
            i += 1;
        }
        false
    }
}

const NOBODY: Option<Owner> = None;
const POD: Option<Owner> = Some(Owner::Pod);
const CLUSTER: Option<Owner> = Some(Owner::Cluster);
const NETWORK: Option<Owner> = Some(Owner::Network);
const IAM: Option<Owner> = Some(Owner::Iam);
const AWS: Option<Owner> = Some(Owner::Aws);
const PROBE: Option<Owner> = Some(Owner::Probe);

/// One row: code, class, id, owner, flags, texts; then what it explains, and what only where that is about time.
macro_rules! classes {
    ($(
        $code:literal $class:ident $id:literal $owner:ident [$($flag:ident)*] $module:ident::$texts:ident
        $(explains [$($explained:ident)*])? $(about_time [$($timed:ident)*])?;
    )*) => {
        /// Why the credentials cannot be had, or that they can. In the order of the table, whose first error decides.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Class {
            $(
                #[doc = concat!("`", $id, "`, exit code ", stringify!($code))]
                #[serde(rename = $id)]
                $class,
            )*
        }

        static TABLE: &[ClassInfo] = &[$({
            const TEXTS: Texts = $module::$texts;
            const FLAGS: &[Flag] = &[$(Flag::$flag),*];
            ClassInfo {
                class: Class::$class,
                id: $id,
                reason: stringify!($class),
                code: $code,
                owner: $owner,
                transient: Flag::Transient.is_in(FLAGS),
                recreate_pod: Flag::RecreatePod.is_in(FLAGS),
                warning: Flag::Warning.is_in(FLAGS),
                meaning: TEXTS.meaning,
                explains: &[
                    $($(Explains { class: Class::$explained, only_about_time: false },)*)?
                    $($(Explains { class: Class::$timed, only_about_time: true },)*)?
                ],
                causes: TEXTS.causes,
                confirm: TEXTS.confirm,
                repair: TEXTS.repair,
            }
        }),*];

        const ALL: &[Class] = &[$(Class::$class),*];
    };
}

classes! {
    0  Ready                 "ready"                   NOBODY  []                    outcome::READY;
    1  InternalError         "internal-error"          PROBE   []                    outcome::INTERNAL_ERROR;
    2  UsageError            "usage-error"             PROBE   []                    outcome::USAGE_ERROR;
    3  Inconclusive          "inconclusive"            PROBE   []                    outcome::INCONCLUSIVE;

    10 NotInjected           "not-injected"            POD     [RecreatePod]         environment::NOT_INJECTED;
    11 PartlyInjected        "partly-injected"         POD     [RecreatePod]         environment::PARTLY_INJECTED
        explains [TokenFileMissing];
    12 RoleArnMalformed      "role-arn-malformed"      POD     [RecreatePod]         environment::ROLE_ARN_MALFORMED;
    13 RegionMissing         "region-missing"          POD     [RecreatePod Warning] environment::REGION_MISSING
        explains [DnsFailed NameNotFound ProviderMissing TokenRejected RegionDisabled CredentialsRejected];
    14 PartitionMismatch     "partition-mismatch"      POD     [RecreatePod]         environment::PARTITION_MISMATCH
        explains [DnsFailed NameNotFound ProviderMissing TokenRejected CredentialsRejected];
    15 SettingsInvalid       "settings-invalid"        POD     [RecreatePod]         environment::SETTINGS_INVALID
        explains [DnsFailed TlsFailed NameNotFound];
    16 Shadowed              "shadowed"                POD     [Warning]             environment::SHADOWED;
    17 RoleUnexpected        "role-unexpected"         POD     [RecreatePod]         environment::ROLE_UNEXPECTED;
    18 EndpointDiffers       "endpoint-differs"        POD     [Warning]             environment::ENDPOINT_DIFFERS;
    19 ProxyCaptures         "proxy-captures"          POD     [Warning]             environment::PROXY_CAPTURES
        explains [ConnectTimeout ProxyFailed AgentUnreachable AgentNotAgent];

    20 TokenFileMissing      "token-file-missing"      POD     [RecreatePod]         token_file::MISSING;
    21 TokenFileUnreadable   "token-file-unreadable"   POD     [RecreatePod]         token_file::UNREADABLE;
    22 TokenFileEmpty        "token-file-empty"        CLUSTER [Transient]           token_file::EMPTY;
    23 TokenFileFrozen       "token-file-frozen"       POD     [RecreatePod Warning] token_file::FROZEN
        explains [TokenExpired TokenExpiredAtSts];
    24 TokenFileStale        "token-file-stale"        CLUSTER [Warning]             token_file::STALE
        explains [TokenExpired TokenExpiredAtSts];
    25 TokenFilePerturbed    "token-file-perturbed"    POD     [Warning]             token_file::PERTURBED
        explains [TokenFileUnreadable];
    26 TokenFileInvalid      "token-file-invalid"      POD     [RecreatePod]         token_file::INVALID;

    30 TokenMalformed        "token-malformed"         POD     [RecreatePod]         token::MALFORMED;
    36 TokenKindWrong        "token-kind-wrong"        POD     [RecreatePod]         token::KIND_WRONG
        explains [TokenMalformed TokenExpired IssuerMismatch AudienceMismatch SubjectMismatch TokenForeign];
    37 TokenForeign          "token-foreign"           POD     [RecreatePod Warning] token::FOREIGN
        explains [IssuerMismatch SubjectMismatch];
    31 TokenExpired          "token-expired"           CLUSTER []                    token::EXPIRED
        explains [TokenExpiredAtSts];
    32 TokenNotYetValid      "token-not-yet-valid"     CLUSTER [Transient]           token::NOT_YET_VALID;
    33 IssuerMismatch        "issuer-mismatch"         POD     [RecreatePod]         token::ISSUER_MISMATCH;
    34 AudienceMismatch      "audience-mismatch"       POD     [RecreatePod]         token::AUDIENCE_MISMATCH
        explains [AudienceNotRegistered TokenRejected AgentTokenRejected];
    35 SubjectMismatch       "subject-mismatch"        POD     [RecreatePod]         token::SUBJECT_MISMATCH;
    38 SignatureInvalid      "signature-invalid"       CLUSTER []                    token::SIGNATURE_INVALID
        explains [TokenRejected IssuerUnavailable];
    39 IssuerUnusable        "issuer-unusable"         CLUSTER []                    token::ISSUER_UNUSABLE
        explains [TokenRejected IssuerUnavailable];
    72 ClockSkew             "clock-skew"              CLUSTER [Warning]             identity::CLOCK_SKEW
        explains [TokenFileStale TokenExpired TokenNotYetValid TokenExpiredAtSts]
        about_time [TlsFailed AgentTokenRejected];

    40 DnsFailed             "dns-failed"              NETWORK [Transient]           network::DNS_FAILED;
    48 NameNotFound          "name-not-found"          NETWORK []                    network::NAME_NOT_FOUND;
    41 ConnectRefused        "connect-refused"         NETWORK [Transient]           network::CONNECT_REFUSED;
    42 ConnectTimeout        "connect-timeout"         NETWORK [Transient]           network::CONNECT_TIMEOUT;
    43 Unreachable           "unreachable"             NETWORK [Transient]           network::UNREACHABLE;
    44 TlsFailed             "tls-failed"              NETWORK []                    network::TLS_FAILED;
    45 ProxyFailed           "proxy-failed"            NETWORK [Transient]           network::PROXY_FAILED;
    46 ResponseTimeout       "response-timeout"        NETWORK [Transient]           network::RESPONSE_TIMEOUT;
    49 ConnectionBroken      "connection-broken"       NETWORK [Transient]           network::CONNECTION_BROKEN;
    47 NotSts                "not-sts"                 NETWORK []                    network::NOT_STS;

    50 ProviderMissing       "provider-missing"        IAM     []                    exchange::PROVIDER_MISSING;
    51 AudienceNotRegistered "audience-not-registered" IAM     []                    exchange::AUDIENCE_NOT_REGISTERED;
    52 ThumbprintMismatch    "thumbprint-mismatch"     IAM     []                    exchange::THUMBPRINT_MISMATCH;
    53 AccessDenied          "access-denied"           IAM     []                    exchange::ACCESS_DENIED;
    54 RoleArnRejected       "role-arn-rejected"       POD     [RecreatePod]         exchange::ROLE_ARN_REJECTED;
    55 TokenRejected         "token-rejected"          IAM     []                    exchange::TOKEN_REJECTED;
    56 TokenExpiredAtSts     "token-expired-at-sts"    CLUSTER []                    exchange::TOKEN_EXPIRED_AT_STS;
    57 IssuerUnavailable     "issuer-unavailable"      AWS     [Transient]           exchange::ISSUER_UNAVAILABLE;
    58 ClaimRejected         "claim-rejected"          IAM     []                    exchange::CLAIM_REJECTED;
    59 RegionDisabled        "region-disabled"         IAM     []                    exchange::REGION_DISABLED
        explains [ProviderMissing TokenRejected];
    60 Throttled             "throttled"               AWS     [Transient]           exchange::THROTTLED;
    61 StsUnavailable        "sts-unavailable"         AWS     [Transient]           exchange::STS_UNAVAILABLE;
    62 RequestRejected       "request-rejected"        POD     []                    exchange::REQUEST_REJECTED;
    63 StsUnrecognized       "sts-unrecognized"        AWS     []                    exchange::STS_UNRECOGNIZED;

    70 IdentityMismatch      "identity-mismatch"       IAM     []                    identity::MISMATCH;
    71 CredentialsRejected   "credentials-rejected"    IAM     []                    identity::CREDENTIALS_REJECTED;
    73 IdentityUnconfirmed   "identity-unconfirmed"    NETWORK [Warning]             identity::UNCONFIRMED;

    80 AgentUnreachable      "agent-unreachable"       CLUSTER [Transient]           agent::UNREACHABLE;
    88 AgentUnsupported      "agent-unsupported"       CLUSTER [RecreatePod]         agent::UNSUPPORTED
        explains [AgentUnreachable];
    81 AgentNotAgent         "agent-not-agent"         NETWORK []                    agent::NOT_AGENT;
    82 AgentUriRefused       "agent-uri-refused"       POD     [RecreatePod]         agent::URI_REFUSED;
    83 AgentTokenRejected    "agent-token-rejected"    POD     []                    agent::TOKEN_REJECTED;
    84 AssociationMissing    "association-missing"     CLUSTER []                    agent::ASSOCIATION_MISSING;
    85 AgentAccessDenied     "agent-access-denied"     IAM     []                    agent::ACCESS_DENIED;
    86 AgentThrottled        "agent-throttled"         AWS     [Transient]           agent::THROTTLED;
    87 AgentFailed           "agent-failed"            AWS     [Transient]           agent::FAILED;
}

impl Class {
    /// The row of the table.
    #[must_use]
    pub fn info(self) -> &'static ClassInfo {
        // Variants and rows come from the same macro, in the same order.
        &TABLE[self as usize]
    }

    /// The stable name, kebab-case.
    #[must_use]
    pub fn id(self) -> &'static str {
        self.info().id
    }

    /// The id in CamelCase: the reason of a Kubernetes condition.
    #[must_use]
    pub fn reason(self) -> &'static str {
        self.info().reason
    }

    /// The exit code.
    #[must_use]
    pub fn code(self) -> u8 {
        self.info().code
    }

    /// Every class, in table order.
    #[must_use]
    pub const fn all() -> &'static [Self] {
        ALL
    }

    /// The class of a stable name.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        ALL.iter().copied().find(|class| class.id() == id)
    }

    /// The class of an exit code.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        ALL.iter().copied().find(|class| class.code() == code)
    }

    /// Whether `other` is no news of its own where this class is present, and under which condition.
    #[must_use]
    pub fn explains(self, other: Self) -> Option<&'static Explains> {
        self.info().explains.iter().find(|it| it.class == other)
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}

/// A plain enumeration of the ids: the derived schema would repeat each with its doc comment.
#[cfg(test)]
impl schemars::JsonSchema for Class {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Class".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let ids: Vec<&str> = ALL.iter().map(|class| class.id()).collect();
        schemars::json_schema!({ "type": "string", "enum": ids })
    }
}
