//! The table of classes: one row each, with every attribute that other code depends on. All lists of classes are made from it.
//! `columns` has the columns' types, `texts` the prose for people. `verdict` says which finding decides.

mod columns;
pub mod explain;
mod nearest;
#[cfg(test)]
mod tests;
pub(crate) mod texts;

use crate::evidence::StageName;
use crate::steps::template::Template;
use columns::row::{condition, owner, stage};
use serde::{Deserialize, Serialize};
use std::fmt;
use texts::{
    Texts, access, agent, cluster, environment, exchange, identity, network, outcome, token, token_file,
};

pub use columns::{Attribute, Condition, Owner, Readiness, Restart, Topic};
pub use nearest::nearest;

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
    /// Who repairs it, unless the evidence tells more. `None` only for `ready`.
    pub owner: Option<Owner>,
    /// The link of the chain that it concerns. `None`: it does not concern the chain.
    pub stage: Option<StageName>,
    /// How it affects a pod that was ready before.
    pub readiness: Readiness,
    /// Further attributes.
    pub attributes: &'static [Attribute],
    /// One sentence.
    pub meaning: &'static str,
    /// The classes that this one accounts for. They are reported as "also seen".
    pub explains: &'static [Explains],
    /// Why only a new pod heals it. Empty if that is not so.
    pub restart: &'static str,
    /// The usual causes, the most likely first.
    pub causes: &'static [&'static str],
    /// What to do, in this order.
    pub(crate) steps: &'static [&'static Template],
    /// Steps that help but affect more than this pod.
    pub(crate) beyond: &'static [&'static Template],
}

/// A class that another one explains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Explains {
    /// The class that becomes "also seen".
    pub class: Class,
    /// When it does.
    pub condition: Condition,
}

/// One row: code, class, id, owner, stage, readiness, attributes, texts, and then the classes that it explains, by condition.
macro_rules! classes {
    ($(
        $code:literal $class:ident $id:literal $owner:ident $stage:ident $readiness:ident [$($attribute:ident)*]
        $module:ident::$texts:ident $(explains $($condition:ident [$($explained:ident)*])+)?;
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
            // Container runtimes and signals use the higher codes.
            const _: () = assert!($code < 100);
            ClassInfo {
                class: Class::$class,
                id: $id,
                reason: stringify!($class),
                code: $code,
                owner: owner::$owner,
                stage: stage::$stage,
                readiness: Readiness::$readiness,
                attributes: &[$(Attribute::$attribute),*],
                meaning: TEXTS.meaning,
                explains: &[$($($(
                    Explains { class: Class::$explained, condition: condition::$condition },
                )*)+)?],
                restart: TEXTS.restart,
                causes: TEXTS.causes,
                steps: TEXTS.steps,
                beyond: TEXTS.beyond,
            }
        }),*];

        const ALL: &[Class] = &[$(Class::$class),*];
    };
}

classes! {
    0  Ready                 "ready"                   NOBODY  NONE        Keeps     []
        outcome::READY;
    1  InternalError         "internal-error"          PROBE   NONE        Keeps     []
        outcome::INTERNAL_ERROR;
    2  UsageError            "usage-error"             PROBE   NONE        Keeps     []
        outcome::USAGE_ERROR;
    3  Inconclusive          "inconclusive"            PROBE   ENVIRONMENT Keeps     []
        outcome::INCONCLUSIVE;

    10 NotInjected           "not-injected"            POD     ENVIRONMENT Keeps     [RecreatePod Certain NewPodMayHeal]
        environment::NOT_INJECTED;
    11 PartlyInjected        "partly-injected"         POD     ENVIRONMENT Keeps     [RecreatePod Certain NewPodMayHeal]
        environment::PARTLY_INJECTED
        explains ALWAYS [TokenFileMissing];
    12 RoleArnMalformed      "role-arn-malformed"      POD     ENVIRONMENT Keeps     [RecreatePod Certain]
        environment::ROLE_ARN_MALFORMED;
    13 RegionMissing         "region-missing"          POD     ENVIRONMENT Keeps     [RecreatePod Warning Certain]
        environment::REGION_MISSING
        explains AS_ERROR [DnsFailed NameNotFound]
            BY_GLOBAL_ENDPOINT [ProviderMissing TokenRejected RegionDisabled CredentialsRejected];
    14 PartitionMismatch     "partition-mismatch"      POD     ENVIRONMENT Keeps     [RecreatePod Certain]
        environment::PARTITION_MISMATCH
        explains ALWAYS [DnsFailed NameNotFound ProviderMissing TokenRejected CredentialsRejected];
    15 SettingsInvalid       "settings-invalid"        POD     ENVIRONMENT Keeps     [RecreatePod Certain]
        environment::SETTINGS_INVALID
        explains BY_HOST [DnsFailed NameNotFound] BY_CA_BUNDLE [TlsFailed];
    16 Shadowed              "shadowed"                POD     ENVIRONMENT Keeps     [Warning]
        environment::SHADOWED;
    17 RoleUnexpected        "role-unexpected"         POD     ENVIRONMENT Keeps     [RecreatePod Certain]
        environment::ROLE_UNEXPECTED;
    18 EndpointDiffers       "endpoint-differs"        POD     ENVIRONMENT Keeps     [Warning]
        environment::ENDPOINT_DIFFERS;
    19 ProxyCaptures         "proxy-captures"          POD     ENVIRONMENT Keeps     [Warning]
        environment::PROXY_CAPTURES
        explains BY_OWN_PROXY [ConnectTimeout ProxyFailed];

    20 TokenFileMissing      "token-file-missing"      POD     TOKEN_FILE  AtOnce    [RecreatePod Certain]
        token_file::MISSING;
    21 TokenFileUnreadable   "token-file-unreadable"   POD     TOKEN_FILE  AtOnce    [RecreatePod Certain]
        token_file::UNREADABLE;
    22 TokenFileEmpty        "token-file-empty"        CLUSTER TOKEN_FILE  AtOnce    [Transient Certain]
        token_file::EMPTY;
    23 TokenFileFrozen       "token-file-frozen"       POD     TOKEN_FILE  Keeps     [RecreatePod Warning NotRotated]
        token_file::FROZEN
        explains ALWAYS [TokenExpired TokenExpiredAtSts];
    24 TokenFileStale        "token-file-stale"        CLUSTER TOKEN_FILE  Keeps     [Warning NotRotated NewPodMayHeal]
        token_file::STALE;
    25 TokenFilePerturbed    "token-file-perturbed"    POD     TOKEN_FILE  Keeps     [Warning]
        token_file::PERTURBED
        explains ALWAYS [TokenFileUnreadable];
    26 TokenFileInvalid      "token-file-invalid"      POD     TOKEN_FILE  AtOnce    [RecreatePod Certain]
        token_file::INVALID;

    30 TokenMalformed        "token-malformed"         POD     TOKEN       AtOnce    [RecreatePod Certain]
        token::MALFORMED
        explains COMPATIBLE [AccessDenied] BY_WHITE_SPACE [TokenRejected];
    36 TokenKindWrong        "token-kind-wrong"        POD     TOKEN       Keeps     [RecreatePod Certain]
        token::KIND_WRONG
        explains ALWAYS [TokenMalformed TokenExpired IssuerMismatch AudienceMismatch SubjectMismatch TokenForeign];
    37 TokenForeign          "token-foreign"           POD     TOKEN       Keeps     [RecreatePod Warning NotRotated]
        token::FOREIGN
        explains ALWAYS [IssuerMismatch SubjectMismatch];
    31 TokenExpired          "token-expired"           CLUSTER TOKEN       AtOnce    [NewPodMayHeal]
        token::EXPIRED
        explains ALWAYS [TokenFileStale TokenExpiredAtSts] COMPATIBLE [AccessDenied];
    32 TokenNotYetValid      "token-not-yet-valid"     CLUSTER TOKEN       Keeps     [Transient]
        token::NOT_YET_VALID
        explains ALWAYS [TokenRejected] COMPATIBLE [AccessDenied];
    33 IssuerMismatch        "issuer-mismatch"         POD     TOKEN       Keeps     [RecreatePod CertainIfStated]
        token::ISSUER_MISMATCH;
    34 AudienceMismatch      "audience-mismatch"       POD     TOKEN       Keeps     [RecreatePod CertainIfStated]
        token::AUDIENCE_MISMATCH
        explains ALWAYS [AudienceNotRegistered TokenRejected AgentTokenRejected];
    35 SubjectMismatch       "subject-mismatch"        POD     TOKEN       Keeps     [RecreatePod CertainIfStated]
        token::SUBJECT_MISMATCH;
    38 SignatureInvalid      "signature-invalid"       CLUSTER TOKEN       Keeps     [AsksIssuer]
        token::SIGNATURE_INVALID
        explains ALWAYS [TokenRejected IssuerUnavailable];
    39 IssuerUnusable        "issuer-unusable"         CLUSTER TOKEN       Keeps     [AsksIssuer]
        token::ISSUER_UNUSABLE
        explains ALWAYS [ProviderMissing AudienceNotRegistered TokenRejected IssuerUnavailable];
    72 ClockSkew             "clock-skew"              CLUSTER IDENTITY    IfItLasts [Warning StandsOnceIssued NewPodMayHeal]
        identity::CLOCK_SKEW
        explains ALWAYS [TokenFileStale TokenExpired TokenNotYetValid TokenExpiredAtSts]
            ABOUT_TIME [TlsFailed AgentTokenRejected ClusterUnauthorized] COMPATIBLE [AccessDenied];

    40 DnsFailed             "dns-failed"              NETWORK NETWORK     Keeps     [Transient]
        network::DNS_FAILED;
    48 NameNotFound          "name-not-found"          NETWORK NETWORK     Keeps     []
        network::NAME_NOT_FOUND;
    41 ConnectRefused        "connect-refused"         NETWORK NETWORK     Keeps     [Transient]
        network::CONNECT_REFUSED;
    42 ConnectTimeout        "connect-timeout"         NETWORK NETWORK     Keeps     [Transient]
        network::CONNECT_TIMEOUT;
    43 Unreachable           "unreachable"             NETWORK NETWORK     Keeps     [Transient]
        network::UNREACHABLE;
    44 TlsFailed             "tls-failed"              NETWORK NETWORK     Keeps     []
        network::TLS_FAILED;
    45 ProxyFailed           "proxy-failed"            NETWORK NETWORK     Keeps     [Transient]
        network::PROXY_FAILED;
    46 ResponseTimeout       "response-timeout"        NETWORK NETWORK     Keeps     [Transient]
        network::RESPONSE_TIMEOUT;
    49 ConnectionBroken      "connection-broken"       NETWORK NETWORK     Keeps     [Transient]
        network::CONNECTION_BROKEN;
    47 NotSts                "not-sts"                 NETWORK NETWORK     Keeps     [NewPodMayHeal]
        network::NOT_STS;

    50 ProviderMissing       "provider-missing"        IAM     EXCHANGE    IfItLasts [EventuallyConsistent OfSts AsksOtherRegion]
        exchange::PROVIDER_MISSING;
    51 AudienceNotRegistered "audience-not-registered" IAM     EXCHANGE    IfItLasts [EventuallyConsistent OfSts]
        exchange::AUDIENCE_NOT_REGISTERED;
    52 ThumbprintMismatch    "thumbprint-mismatch"     IAM     EXCHANGE    IfItLasts [EventuallyConsistent OfSts AsksIssuer]
        exchange::THUMBPRINT_MISMATCH;
    53 AccessDenied          "access-denied"           IAM     EXCHANGE    IfItLasts [EventuallyConsistent OfSts]
        exchange::ACCESS_DENIED;
    54 RoleArnRejected       "role-arn-rejected"       POD     EXCHANGE    IfItLasts [RecreatePod OfSts]
        exchange::ROLE_ARN_REJECTED;
    55 TokenRejected         "token-rejected"          IAM     EXCHANGE    IfItLasts [EventuallyConsistent OfSts AsksIssuer AsksOtherRegion]
        exchange::TOKEN_REJECTED;
    56 TokenExpiredAtSts     "token-expired-at-sts"    CLUSTER EXCHANGE    IfItLasts [OfSts NewPodMayHeal]
        exchange::TOKEN_EXPIRED_AT_STS;
    57 IssuerUnavailable     "issuer-unavailable"      AWS     EXCHANGE    IfItLasts [Transient OfSts AsksIssuer]
        exchange::ISSUER_UNAVAILABLE;
    58 ClaimRejected         "claim-rejected"          IAM     EXCHANGE    IfItLasts [OfSts]
        exchange::CLAIM_REJECTED;
    59 RegionDisabled        "region-disabled"         IAM     EXCHANGE    IfItLasts [EventuallyConsistent OfSts]
        exchange::REGION_DISABLED
        explains ALWAYS [ProviderMissing TokenRejected];
    60 Throttled             "throttled"               AWS     EXCHANGE    IfItLasts [Transient OfSts]
        exchange::THROTTLED;
    61 StsUnavailable        "sts-unavailable"         AWS     EXCHANGE    IfItLasts [Transient OfSts]
        exchange::STS_UNAVAILABLE;
    62 RequestRejected       "request-rejected"        POD     EXCHANGE    IfItLasts [OfSts]
        exchange::REQUEST_REJECTED;
    63 StsUnrecognized       "sts-unrecognized"        AWS     EXCHANGE    IfItLasts [OfSts]
        exchange::STS_UNRECOGNIZED;
    64 PermissionMissing     "permission-missing"      IAM     ACCESS      IfItLasts [EventuallyConsistent]
        access::PERMISSION_MISSING;
    65 PermissionBlocked     "permission-blocked"      IAM     ACCESS      IfItLasts [EventuallyConsistent]
        access::PERMISSION_BLOCKED;
    66 RoleChainDenied       "role-chain-denied"       IAM     ACCESS      IfItLasts [EventuallyConsistent]
        access::ROLE_CHAIN_DENIED;
    67 AccessUnproved        "access-unproved"         PROBE   ACCESS      Keeps     [Warning]
        access::UNPROVED;

    70 IdentityMismatch      "identity-mismatch"       IAM     IDENTITY    IfItLasts [StandsOnceIssued]
        identity::MISMATCH;
    71 CredentialsRejected   "credentials-rejected"    IAM     IDENTITY    IfItLasts [StandsOnceIssued]
        identity::CREDENTIALS_REJECTED;
    73 IdentityUnconfirmed   "identity-unconfirmed"    NETWORK IDENTITY    IfItLasts [Warning]
        identity::UNCONFIRMED;

    80 AgentUnreachable      "agent-unreachable"       CLUSTER NETWORK     IfItLasts [Transient]
        agent::UNREACHABLE;
    88 AgentUnsupported      "agent-unsupported"       CLUSTER NETWORK     IfItLasts [RecreatePod NewPodMayHeal]
        agent::UNSUPPORTED
        explains ALWAYS [AgentUnreachable];
    81 AgentNotAgent         "agent-not-agent"         NETWORK NETWORK     IfItLasts []
        agent::NOT_AGENT;
    82 AgentUriRefused       "agent-uri-refused"       POD     ENVIRONMENT IfItLasts [RecreatePod Certain]
        agent::URI_REFUSED;
    83 AgentTokenRejected    "agent-token-rejected"    POD     EXCHANGE    IfItLasts []
        agent::TOKEN_REJECTED;
    84 AssociationMissing    "association-missing"     CLUSTER EXCHANGE    IfItLasts [EventuallyConsistent]
        agent::ASSOCIATION_MISSING;
    85 AgentAccessDenied     "agent-access-denied"     IAM     EXCHANGE    IfItLasts [EventuallyConsistent]
        agent::ACCESS_DENIED;
    86 AgentThrottled        "agent-throttled"         AWS     EXCHANGE    IfItLasts [Transient]
        agent::THROTTLED;
    87 AgentFailed           "agent-failed"            AWS     EXCHANGE    IfItLasts [Transient]
        agent::FAILED;

    90 ClusterUnauthorized   "cluster-unauthorized"    CLUSTER CLUSTER     Keeps     [EventuallyConsistent]
        cluster::UNAUTHORIZED;
    91 ClusterTokenRefused   "cluster-token-refused"   POD     CLUSTER     Keeps     []
        cluster::TOKEN_REFUSED;
    92 ClusterForbidden      "cluster-forbidden"       CLUSTER CLUSTER     Keeps     []
        cluster::FORBIDDEN;
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

    /// Whether the row has this attribute.
    #[must_use]
    pub fn has(self, attribute: Attribute) -> bool {
        self.info().attributes.contains(&attribute)
    }

    /// What must be restarted before a repair of this class has an effect, unless a finding knows better.
    #[must_use]
    pub fn restart(self) -> Restart {
        if self.has(Attribute::RecreatePod) { Restart::Pod } else { Restart::None }
    }

    /// Whether this class accounts for `other`, and under which condition.
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

/// Lists only the ids. The derived schema would repeat each of them with its doc comment.
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
