//! The programs with their own code for finding credentials, as rows that differ from those of AWS's SDKs.
//! `aliases` has the programs that contain one of AWS's SDKs.

use super::Provider::{Container as FromContainer, Imds, Keys, Profile, ProfileKeys, WebIdentity};
use super::base::*;
use super::sdk::{
    AgentProxy, Container, Files, GlobalRegion, Half, Kind, Legacy, MetadataOff, MinVersion, OnError,
    Proxying, Quirks, Sdk, Sts, WithoutRegion,
};
use super::table::{JAVA, RUST, RUST_CONTAINER};

pub(super) const DELTALAKE: Sdk = Sdk {
    id: "deltalake",
    names: &["deltalake"],
    packages: &["deltalake (PyPI)", "delta-rs"],
    kind: Kind::ThirdParty,
    unread: &[&["AWS_ENDPOINT_URL", "endpoint_url", "endpoint_url_sts"], IGNORE, FIPS, BUNDLE],
    note: Some("aws-config with an STS client of its own, which knows neither FIPS nor dual stack"),
    facts: &[ran("all", RUN, "deltalake 1.6.6")],
    ..RUST
};

pub(super) const OBJECT_STORE: Sdk = Sdk {
    id: "rust-object-store",
    names: &["object_store"],
    packages: &["object_store (crates.io)", "object_store"],
    kind: Kind::ThirdParty,
    order: &[Keys, WebIdentity, FromContainer, Imds],
    container_excludes_imds: true,
    quirks: Quirks { full_uri_needs_file: true, metadata_off: MetadataOff::Never, ..NO_QUIRKS },
    files: Files::Neither,
    unread: &[&["AWS_ENDPOINT_URL"], IGNORE, FIPS, BUNDLE],
    sts: Some(Sts {
        without_region: WithoutRegion::Region("us-east-1"),
        global_region: GlobalRegion::Literal,
        suffix: Some("amazonaws.com"),
        ..REGIONAL
    }),
    container: Container { timeout: None, drops_agent_body: false, ..RUST_CONTAINER },
    session_name: Some("^WebIdentitySession$"),
    min_version: MinVersion { irsa: "any", pod_identity: "apache/arrow-rs-object-store#333" },
    note: Some(
        "knows no profiles and no partitions: in aws-cn it calls a host that does not exist; asks any http:// host of FULL_URI",
    ),
    facts: &[
        read("order, FULL_URI with the token file", "object_store 0.14.2 src/aws/builder.rs"),
        ran("all", RUN, "obstore 0.12.1 (object_store 0.14.2), polars 2.1.0"),
    ],
    ..RUST
};

pub(super) const MINIO_GO: Sdk = Sdk {
    id: "minio-go",
    names: &["minio-go"],
    packages: &["github.com/minio/minio-go*"],
    kind: Kind::ThirdParty,
    order: &[Keys, ProfileKeys, WebIdentity, FromContainer, Imds],
    half: Half::Stops,
    quirks: Quirks { old_key_names: true, metadata_off: MetadataOff::Never, ..NO_QUIRKS },
    files: Files::CredentialsOnly,
    unread: &[ENDPOINTS, FIPS, IGNORE],
    sts: Some(Sts {
        regions: &["AWS_REGION"],
        without_region: WithoutRegion::Global,
        global_region: GlobalRegion::Literal,
        ..REGIONAL
    }),
    proxy: Proxying::Go,
    container: Container { proxy: AgentProxy::Environment, ..BYPASSING },
    session_name: Some("^[0-9]{17,20}$"),
    note: Some(
        "as of restic 0.18; that of restic 0.14 knows no Pod Identity and goes on without credentials",
    ),
    facts: &[ran("all", SECOND_RUN, "restic 0.14, 0.18"), ran("IRSA, STS, profiles", RUN, "restic 0.14")],
    ..BASE
};

pub(super) const MINIO_PY: Sdk = Sdk {
    id: "minio-py",
    names: &["minio-py"],
    packages: &["minio (PyPI)"],
    proxy: Proxying::Never,
    container: BYPASSING,
    note: None,
    facts: &[ran("all", SECOND_RUN, "minio-py 7.2.20")],
    ..MINIO_GO
};

pub(super) const REQSIGN: Sdk = Sdk {
    id: "reqsign",
    names: &["OpenDAL"],
    packages: &["reqsign", "opendal"],
    order: &[Keys, Profile, WebIdentity, FromContainer, Imds],
    on_error: OnError::GoesOn,
    container_excludes_imds: false,
    half: Half::GoesOn,
    quirks: NO_QUIRKS,
    files: Files::Both,
    sts: Some(Sts {
        without_region: WithoutRegion::Global,
        legacy: Legacy::Everywhere,
        global_region: GlobalRegion::Literal,
        ..REGIONAL
    }),
    proxy: Proxying::Rust,
    session_name: Some("^reqsign$"),
    note: Some(
        "trims the token file; calls the global endpoint without AWS_STS_REGIONAL_ENDPOINTS=regional, in aws-cn one that does not exist",
    ),
    facts: &[ran("all", SECOND_RUN, "OpenDAL 0.47.12, sccache 0.16")],
    ..MINIO_GO
};

pub(super) const S3CMD: Sdk = Sdk {
    id: "s3cmd",
    names: &["s3cmd"],
    packages: &["s3cmd (PyPI)"],
    order: &[Keys, WebIdentity, Imds],
    half: Half::GoesOn,
    files: Files::Neither,
    unread: &[ENDPOINTS, FIPS, IGNORE, &["AWS_ROLE_SESSION_NAME"]],
    sts: Some(Sts {
        regions: BOTH,
        legacy: Legacy::Everywhere,
        global_region: GlobalRegion::Literal,
        suffix: Some("amazonaws.com"),
        ..REGIONAL
    }),
    proxy: Proxying::Never,
    container: BYPASSING,
    session_name: Some("^role-session-[0-9]+"),
    min_version: MinVersion { irsa: "2.2.0", pod_identity: "none" },
    note: Some("knows no Pod Identity, and takes the node's role beside it"),
    facts: &[ran("all", RUN, "s3cmd 2.4.0")],
    ..MINIO_GO
};

pub(super) const GDAL: Sdk = Sdk {
    id: "gdal",
    names: &["GDAL"],
    packages: &["GDAL", "rasterio"],
    order: &[Keys, ProfileKeys, WebIdentity, FromContainer, Imds],
    on_error: OnError::GoesOn,
    container_excludes_imds: false,
    half: Half::GoesOn,
    quirks: Quirks { metadata_off: MetadataOff::Never, ..NO_QUIRKS },
    profile_variables: DEFAULT_LAST,
    files: Files::Both,
    unread: &[ENDPOINTS, FIPS, IGNORE, &["AWS_ROLE_SESSION_NAME", "region"]],
    sts: Some(Sts {
        regions: &["AWS_REGION"],
        without_region: WithoutRegion::Region("us-east-1"),
        legacy: Legacy::Honoured,
        global_region: GlobalRegion::Literal,
        suffix: Some("amazonaws.com"),
    }),
    proxy: Proxying::Curl,
    container: BYPASSING,
    session_name: Some("^gdal$"),
    note: Some("trims the token file"),
    facts: &[ran("all", SECOND_RUN, "rasterio 1.5.2")],
    ..MINIO_GO
};

pub(super) const HADOOP: Sdk = Sdk {
    id: "hadoop-s3a",
    names: &["Hadoop S3A"],
    packages: &["hadoop-aws"],
    kind: Kind::ThirdParty,
    order: &[Keys, FromContainer, Imds],
    quirks: NO_QUIRKS,
    unseen: Some("fs.s3a.* of the Hadoop configuration"),
    files: Files::Neither,
    min_version: MinVersion { irsa: "by configuration", pod_identity: "3.4.0" },
    note: Some(
        "takes IRSA only where fs.s3a.aws.credentials.provider names a provider for web identity; its default list has none, and takes the node's role",
    ),
    facts: &[read(
        "all",
        "hadoop.apache.org, S3A: fs.s3a.aws.credentials.provider and IAMInstanceCredentialsProvider; not run",
    )],
    ..JAVA
};
