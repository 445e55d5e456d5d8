//! The SDKs as data. Each row says what differs from the row that it starts from, and gives source and date of each fact.
//! If a run and a reading differ, the run counts. `make sdks` runs a dozen SDKs and compares (tests/python/sdks).

use super::Provider::{
    Container as FromContainer, Imds, Keys, Profile, ProfileAssumeRole, ProfileKeys, ProfileLogin,
    ProfileProcess, ProfileSso, WebIdentity,
};
use super::base::*;
use super::sdk::{
    AgentProxy, Container, Fact, Files, GlobalRegion, Half, Ipv6, Kind, Legacy, MetadataOff, MinVersion,
    OnError, Proxying, Quirks, Sdk, Sts, WithoutRegion,
};
use super::third_party;

/// The date of the latest run or reading.
pub(super) const AS_OF: &str = RUN;

/// Every SDK, in the order of the output.
pub const SDKS: &[Sdk] = &[
    BOTOCORE,
    Sdk {
        id: "aws-cli-v2",
        names: &["AWS CLI v2"],
        packages: &["awscli v2"],
        sts: Some(Sts { regions: BOTH, legacy: Legacy::Ignored, ..BOTO3_STS }),
        min_version: MinVersion { irsa: "any", pod_identity: "2.15.0" },
        note: Some(
            "carries its own copy of botocore; a profile of --profile removes keys and variables, AWS_PROFILE does not",
        ),
        facts: &[
            read("order", "aws/aws-cli awscli/botocore/credentials.py, the same copy"),
            ran("order, failures", FIRST_RUN, "2.9.19"),
            ran("STS, proxies, profiles, empty variables", SECOND_RUN, "2.23.6"),
        ],
        ..BOTOCORE
    },
    GO_V1,
    Sdk {
        id: "go-v2",
        names: &["Go v2"],
        packages: &["aws-sdk-go-v2", "github.com/aws/aws-sdk-go-v2*"],
        kind: Kind::Current,
        files: Files::Both,
        unread: &[&["AWS_ENDPOINT_URL", "endpoint_url"]],
        sts: Some(Sts { regions: BOTH, ..REGIONAL }),
        min_version: MinVersion { irsa: "any", pod_identity: "release-2023-11-14" },
        note: Some("AWS_ENDPOINT_URL is not for the exchange, AWS_ENDPOINT_URL_STS is"),
        facts: &[
            read("order", "aws/aws-sdk-go-v2 config/resolve_credentials.go"),
            ran("order, failures", FIRST_RUN, "1.17.1"),
            ran(
                "STS, proxies, profiles, empty variables",
                SECOND_RUN,
                "1.30.3, terraform 1.11.4, rclone 1.75.2, litestream 0.5.17",
            ),
        ],
        ..GO_V1
    },
    Sdk {
        id: "java-v1",
        names: &["Java v1"],
        packages: &["aws-java-sdk*"],
        kind: Kind::Superseded,
        container_excludes_imds: true,
        proxy: Proxying::Unknown,
        min_version: MinVersion { irsa: "1.11.704", pod_identity: "1.12.746" },
        note: Some("IRSA needs aws-java-sdk-sts on the class path"),
        facts: &[read("all", "aws/aws-sdk-java DefaultAWSCredentialsProviderChain.java"), OLD_NAMES_READ],
        ..JAVA
    },
    Sdk {
        id: "java-v2",
        names: &["Java v2"],
        packages: &["software.amazon.awssdk*"],
        unread: &[ENDPOINTS],
        sts: Some(Sts { regions: &["AWS_REGION"], without_region: WithoutRegion::Global, ..REGIONAL }),
        min_version: MinVersion { irsa: "2.10.11", pod_identity: "2.21.30" },
        note: Some(
            "IRSA needs the sts module on the class path; what answered first is kept, even the node's role; AWS_ENDPOINT_URL_STS is not for the exchange",
        ),
        facts: &[
            read("all", "aws/aws-sdk-java-v2 DefaultCredentialsProvider.java @0131c08"),
            read(
                "region of STS",
                "StsWebIdentityCredentialsProviderFactory.java @0a4f600, configureEndpoint",
            ),
            read("endpoint of STS", "aws/aws-sdk-java-v2#6252 and #6300, 2.31 and 2.32; not run"),
            OLD_NAMES_READ,
        ],
        ..JAVA
    },
    Sdk {
        id: "js-v2",
        names: &["JavaScript v2"],
        packages: &["aws-sdk (npm)", "aws-sdk"],
        kind: Kind::Superseded,
        order: &[Keys, ProfileSso, Profile, FromContainer, ProfileProcess, WebIdentity, Imds],
        on_error: OnError::GoesOn,
        container_excludes_imds: false,
        half: Half::GoesOn,
        quirks: JS_QUIRKS,
        files: Files::AllIfLoaded,
        unread: &[ENDPOINTS, BUNDLE],
        sts: Some(Sts {
            regions: &["AWS_REGION"],
            legacy: Legacy::Everywhere,
            global_region: GlobalRegion::Region("us-east-1"),
            ..REGIONAL
        }),
        proxy: Proxying::Never,
        container: Container { both_tokens: "env", ipv6: Ipv6::No, timeout: Some("1s x3"), ..BYPASSING },
        session_name: Some("^token-file-web-identity$"),
        min_version: MinVersion { irsa: "2.525.0", pod_identity: "2.1550.0" },
        note: Some(
            "the only one of AWS's in which Pod Identity beats IRSA; calls the global endpoint without AWS_STS_REGIONAL_ENDPOINTS=regional",
        ),
        facts: &[
            read("order", "aws/aws-sdk-js lib/node_loader.js L95-102 @657d6feb"),
            ran("all", RUN, "2.1693"),
        ],
        ..BASE
    },
    Sdk {
        id: "js-v3",
        names: &["JavaScript v3"],
        packages: &["@aws-sdk/*"],
        order: &[Keys, Profile, WebIdentity, FromContainer, Imds],
        half: Half::GoesOn,
        unread: &[BUNDLE],
        quirks: Quirks { profile_hides_keys: true, role_needs_source: true, ..JS_QUIRKS },
        sts: Some(Sts {
            regions: &["AWS_REGION"],
            without_region: WithoutRegion::Region("us-east-1"),
            ..REGIONAL
        }),
        proxy: Proxying::Never,
        container: Container { timeout: Some("1s x3"), drops_agent_body: true, ..BYPASSING },
        session_name: Some("^aws-sdk-js-session-[0-9]+$"),
        min_version: MinVersion { irsa: "3.27.0", pod_identity: "3.458.0" },
        note: Some(
            "a container that fails is reported as 'not a valid container metadata service hostname', whatever it said; without any region a client fails, its provider alone asks us-east-1",
        ),
        facts: &[
            read("order", "aws/aws-sdk-js-v3 credential-provider-node/src/defaultProvider.ts @84182557"),
            ran("session name", FIRST_RUN, "3.1169"),
            ran("all", RUN, "3.1174"),
        ],
        ..BASE
    },
    RUST,
    Sdk {
        id: "dotnet-v3",
        names: &[".NET v3"],
        packages: &["AWSSDK.Core 3.x"],
        kind: Kind::Superseded,
        order: &[WebIdentity, Profile, Keys, FromContainer, Imds],
        min_version: MinVersion { irsa: "3.3.659.1 + AWSSDK.SecurityToken", pod_identity: "3.7.734.0" },
        note: Some(
            "the only one in which IRSA beats keys in the environment; a profile beats them too. IRSA needs AWSSDK.SecurityToken",
        ),
        facts: &[read("all", "aws/aws-sdk-net FallbackCredentialsFactory @13bd83ed")],
        ..DOTNET_V4
    },
    DOTNET_V4,
    Sdk {
        id: "php",
        names: &["PHP"],
        packages: &["aws/aws-sdk-php"],
        order: &[Keys, WebIdentity, ProfileSso, ProfileProcess, ProfileKeys, FromContainer, Imds],
        on_error: OnError::GoesOn,
        quirks: Quirks { web_identity_of_profile: true, ..NO_QUIRKS },
        container: Container { both_uris: "unknown", timeout: Some("1s x3"), ..BYPASSING },
        min_version: MinVersion { irsa: "3.110.7", pod_identity: "3.287.1" },
        facts: &[
            read("order", "aws/aws-sdk-php src/Credentials/CredentialProvider.php @00b17f99"),
            read("web identity of the profile", "from memory"),
        ],
        ..BASE
    },
    Sdk {
        id: "ruby",
        names: &["Ruby"],
        packages: &["aws-sdk-core", "aws-sdk-*"],
        order: &[
            Keys,
            ProfileSso,
            WebIdentity,
            ProfileAssumeRole,
            ProfileKeys,
            ProfileProcess,
            FromContainer,
            Imds,
        ],
        unseen: IN_CODE,
        on_error: OnError::StopsButWarns,
        half: Half::GoesOn,
        quirks: Quirks {
            web_identity_of_profile: true,
            old_key_names: true,
            empty_profile_is_none: true,
            ..NO_QUIRKS
        },
        profile_variables: DEFAULT_LAST,
        sts: Some(Sts { legacy: Legacy::Ignored, ..REGIONAL }),
        proxy: Proxying::Ruby,
        container: Container { drops_agent_body: true, ..BYPASSING },
        session_name: Some("^[A-Za-z0-9+/_-]{22,48}={0,2}$"),
        min_version: MinVersion { irsa: "3.58.0", pod_identity: "3.188.0" },
        note: Some("AWS_PROFILE does not count as a profile named in code"),
        facts: &[
            read("order", "aws/aws-sdk-ruby lib/aws-sdk-core/credential_provider_chain.rb @bac3491f"),
            ran("session name", FIRST_RUN, "3.168.1"),
            ran("STS, proxies, profiles, empty variables", SECOND_RUN, "3.168, 3.212"),
        ],
        ..BASE
    },
    CPP,
    Sdk {
        id: "kotlin",
        names: &["Kotlin"],
        packages: &["aws.sdk.kotlin*"],
        quirks: NO_QUIRKS,
        container: Container { both_tokens: "file", ipv6: Ipv6::Yes, ..JAVA_CONTAINER },
        min_version: MinVersion { irsa: "any", pod_identity: "1.0.1" },
        facts: &[read("all", "awslabs/aws-sdk-kotlin DefaultChainCredentialsProvider.kt @05ea93b9")],
        ..JAVA
    },
    Sdk {
        id: "crt",
        names: &["CRT"],
        packages: &["aws-c-auth", "mountpoint-s3", "aws-crt-*", "awscrt"],
        order: &[Keys, ProfileKeys, ProfileProcess, WebIdentity, FromContainer, Imds],
        quirks: Quirks { metadata_off: MetadataOff::NotFalse, empty_profile_is_none: false, ..CPP.quirks },
        profile_variables: BASE.profile_variables,
        sts: Some(Sts { global_region: GlobalRegion::Literal, ..REGIONAL }),
        container: BYPASSING,
        session_name: Some("^[0-9a-f-]{36}$"),
        min_version: MinVersion { irsa: "unknown", pod_identity: "unknown" },
        facts: &[
            read("order", "awslabs/aws-c-auth source/credentials_provider_default_chain.c L281-320 @495329c"),
            ran("all", RUN, "awscrt 0.38.1"),
            ran("all", SECOND_RUN, "s3torchconnector 1.5.0"),
        ],
        ..CPP
    },
    third_party::DELTALAKE,
    third_party::OBJECT_STORE,
    third_party::MINIO_GO,
    third_party::MINIO_PY,
    third_party::REQSIGN,
    third_party::S3CMD,
    third_party::GDAL,
    third_party::HADOOP,
];

const OLD_NAMES_READ: Fact = Fact { about: "AWS_ACCESS_KEY", as_of: "2026-11", source: "its documentation" };

const JS_QUIRKS: Quirks =
    Quirks { true_in_lower_case: true, metadata_off: MetadataOff::NotFalse, ..NO_QUIRKS };

const BOTO3_STS: Sts = Sts {
    regions: &["AWS_DEFAULT_REGION"],
    without_region: WithoutRegion::Global,
    legacy: Legacy::Honoured,
    ..REGIONAL
};

const BOTOCORE: Sdk = Sdk {
    id: "botocore",
    names: &["boto3", "AWS CLI v1"],
    packages: &["botocore"],
    order: &[
        Keys,
        ProfileAssumeRole,
        WebIdentity,
        ProfileSso,
        ProfileKeys,
        ProfileLogin,
        ProfileProcess,
        FromContainer,
        Imds,
    ],
    container_excludes_imds: false,
    half: Half::Stops,
    quirks: Quirks { web_identity_of_profile: true, ..NO_QUIRKS },
    profile_variables: DEFAULT_FIRST,
    sts: Some(BOTO3_STS),
    proxy: Proxying::Python,
    container: Container { timeout: Some("2s x3"), ..BYPASSING },
    session_name: Some("^botocore-session-[0-9]+$"),
    min_version: MinVersion {
        irsa: "boto3 1.9.220, CLI 1.16.232",
        pod_identity: "boto3 1.34.41, CLI 1.30.0",
    },
    note: Some(
        "a profile with role_arn and no token file beats IRSA; the profile of --profile or of code removes keys and variables, AWS_PROFILE does not",
    ),
    facts: &[
        read("order", "boto/botocore botocore/credentials.py create_credential_resolver @0e6e2404"),
        ran("all", RUN, "boto3 1.44.8, awscli 1.46.3, s3fs 2026.9"),
    ],
    ..BASE
};

const GO_V1: Sdk = Sdk {
    id: "go-v1",
    names: &["Go v1"],
    packages: &["aws-sdk-go", "github.com/aws/aws-sdk-go"],
    kind: Kind::Superseded,
    unseen: IN_CODE,
    half: Half::Stops,
    quirks: Quirks { old_key_names: true, ..NO_QUIRKS },
    profile_variables: DEFAULT_LAST,
    files: Files::ConfigIfLoaded,
    unread: &[ENDPOINTS],
    sts: Some(Sts { legacy: Legacy::ByDefault, ..REGIONAL }),
    proxy: Proxying::Go,
    container: Container { both_uris: "full", proxy: AgentProxy::Environment, ..BYPASSING },
    session_name: Some("^[0-9]{17,20}$"),
    min_version: MinVersion { irsa: "1.23.13", pod_identity: "1.47.11" },
    note: Some(
        "code that builds the older defaults.CredChain by hand knows no web identity; calls the global endpoint without AWS_STS_REGIONAL_ENDPOINTS=regional",
    ),
    facts: &[
        read("order", "aws/aws-sdk-go aws/session/credentials.go, aws/defaults/defaults.go @8d203ccf"),
        ran("all", SECOND_RUN, "1.44.133 (rclone 1.60), 1.44.298 (s5cmd 2.3.0)"),
    ],
    ..BASE
};

const JAVA_CONTAINER: Container =
    Container { both_tokens: "env", ipv6: Ipv6::WithMode, proxy: AgentProxy::Unknown, ..BYPASSING };

pub(super) const JAVA: Sdk = Sdk {
    unseen: Some("JVM system properties (-Daws.accessKeyId)"),
    on_error: OnError::GoesOn,
    container_excludes_imds: false,
    quirks: Quirks { old_key_names: true, ..NO_QUIRKS },
    proxy: Proxying::Reads,
    container: JAVA_CONTAINER,
    ..BASE
};

pub(super) const RUST_CONTAINER: Container = Container {
    proxy: AgentProxy::Environment,
    timeout: Some("connect 2s read 5s"),
    drops_agent_body: true,
    ..BYPASSING
};

pub(super) const RUST: Sdk = Sdk {
    id: "rust",
    names: &["Rust"],
    packages: &["aws-config"],
    order: &[Keys, Profile, WebIdentity, FromContainer, Imds],
    container_excludes_imds: false,
    half: Half::GoesOn,
    quirks: Quirks { empty_profile_is_none: true, ..NO_QUIRKS },
    unread: &[IGNORE, BUNDLE],
    sts: Some(REGIONAL),
    proxy: Proxying::Rust,
    container: RUST_CONTAINER,
    session_name: Some("^web-identity-token-"),
    min_version: MinVersion { irsa: "any", pod_identity: "release-2024-03-13" },
    note: Some(
        "half of a pair counts as not configured; a profile that AWS_PROFILE names and that is missing, too",
    ),
    facts: &[
        read(
            "order",
            "smithy-lang/smithy-rs aws-config/src/default_provider/credentials.rs L183-193 @56ee88c5",
        ),
        ran("all", RUN, "aws-config 1.13.0, sts 1.124"),
    ],
    ..BASE
};

const DOTNET_V4: Sdk = Sdk {
    id: "dotnet-v4",
    names: &[".NET v4"],
    packages: &["AWSSDK.Core 4.x", "AWSSDK*"],
    unseen: Some("the application's app.config"),
    facts: &[read("all", "aws/aws-sdk-net DefaultAWSCredentialsIdentityResolver")],
    ..BASE
};

const CPP: Sdk = Sdk {
    id: "cpp",
    names: &["C++"],
    packages: &["aws-sdk-cpp"],
    order: &[Keys, ProfileKeys, ProfileProcess, WebIdentity, ProfileSso, FromContainer, Imds],
    on_error: OnError::GoesOn,
    half: Half::GoesOn,
    quirks: Quirks { web_identity_of_profile: true, empty_profile_is_none: true, ..NO_QUIRKS },
    profile_variables: DEFAULT_FIRST,
    unread: &[ENDPOINTS, IGNORE, FIPS, BUNDLE],
    sts: Some(Sts {
        regions: &["AWS_DEFAULT_REGION", "AWS_REGION"],
        global_region: GlobalRegion::Literal,
        ..REGIONAL
    }),
    proxy: Proxying::Never,
    container: Container { ipv6: Ipv6::Unknown, ..BYPASSING },
    session_name: Some("^[0-9A-F-]{36}$"),
    min_version: MinVersion { irsa: "1.7.174", pod_identity: "1.11.263" },
    note: Some(
        "assumes no role of a profile; duckdb reads no keys in the config file, pyarrow 26 dies of a profile's web identity",
    ),
    facts: &[
        read("order", "aws/aws-sdk-cpp AWSCredentialsProviderChain.cpp @5f028bf3"),
        ran("all", RUN, "pyarrow 26.0.1, duckdb 1.5.5"),
    ],
    ..BASE
};
