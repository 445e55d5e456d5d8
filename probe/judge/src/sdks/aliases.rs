//! Programs by name, the SDK that each of them contains, and what is special about one of them. Data only.
//! Versions are those that were examined. Without a version, every version has that SDK.

use serde::Serialize;

/// A program's name that `--sdk` accepts for an SDK.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Alias {
    pub(super) name: &'static str,
    #[serde(skip)]
    pub(super) sdk: &'static str,
    /// Versions, and the differences from the SDK's row.
    pub(super) note: &'static str,
}

const fn alias(name: &'static str, sdk: &'static str, note: &'static str) -> Alias {
    Alias { name, sdk, note }
}

pub(super) const ALIASES: &[Alias] = &[
    alias("aiobotocore", "botocore", ""),
    alias("python", "botocore", ""),
    alias("s3fs", "botocore", "2026.9, by aiobotocore; stops at an AWS_CA_BUNDLE that is missing"),
    alias("dvc", "botocore", "by s3fs"),
    alias("pandas", "botocore", "by s3fs"),
    alias("ansible", "botocore", "amazon.aws"),
    alias("airflow", "botocore", ""),
    alias("aws", "aws-cli-v2", "the AWS CLI v1 is boto3's"),
    alias("awscli", "aws-cli-v2", "the package on PyPI is v1, which is boto3's"),
    alias("s5cmd", "go-v1", "2.3.0 has Go 1.44.298: older than Pod Identity"),
    alias(
        "terraform",
        "go-v2",
        "1.11, S3 backend: needs a region variable, ignores AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    ),
    alias("tofu", "go-v2", "not run"),
    alias(
        "rclone",
        "go-v2",
        "1.75; 1.60 has Go 1.44, older than Pod Identity, which also stops at any AWS_CA_BUNDLE; of variables for the region it reads none",
    ),
    alias(
        "litestream",
        "go-v2",
        "0.5.17; stops at any AWS_CA_BUNDLE; asks STS a second time for a region of its own",
    ),
    alias("docker-credential-ecr-login", "go-v2", "0.6.0; the region is that of the registry's name"),
    alias("argocd", "go-v2", "not run"),
    alias("velero", "go-v2", "velero-plugin-for-aws; that of 2023 is older than Pod Identity; not run"),
    alias(
        "cert-manager",
        "go-v2",
        "since 1.16 at the latest; 1.14 has Go 1.48, and older ones know no Pod Identity; not run",
    ),
    alias("loki", "go-v2", "since 3.6, before that Go v1; minio-go with use_thanos_objstore; not run"),
    alias("thanos", "minio-go", "Go v2 with aws_sdk_auth; not run"),
    alias("mimir", "minio-go", "not run"),
    alias("tempo", "minio-go", "not run"),
    alias("crossplane", "go-v2", "provider-upjet-aws; not run"),
    alias("ack", "go-v2", "its controllers of 2026, before that Go v1; not run"),
    alias("aws-ebs-csi-driver", "go-v2", "not run"),
    alias("vector", "rust", "not run"),
    alias("fluentd", "ruby", "not run"),
    alias("external-secrets", "go-v2", "not run"),
    alias("external-dns", "go-v2", "not run"),
    alias("karpenter", "go-v2", "not run"),
    alias("cluster-autoscaler", "go-v2", "not run"),
    alias("aws-load-balancer-controller", "go-v2", "not run"),
    alias("node", "js-v3", "aws-sdk is js-v2"),
    alias(
        "pyarrow",
        "cpp",
        "26.0.1; dies of a profile with web_identity_token_file; does not read AWS_DEFAULT_PROFILE",
    ),
    alias("duckdb", "cpp", "1.5.5; refuses an IPv6 agent; reads no keys in the config file"),
    alias("tiledb", "cpp", "0.36; an older one, which ignores AWS_ENDPOINT_URL"),
    alias("s3torchconnector", "crt", "1.5.0"),
    alias("mount-s3", "crt", ""),
    alias("obstore", "rust-object-store", "0.12.1"),
    alias(
        "polars",
        "rust-object-store",
        "2.1.0; beside it reads the keys of ~/.aws itself, even another profile's",
    ),
    alias("datafusion", "rust-object-store", "not run"),
    alias("delta-rs", "deltalake", ""),
    alias("restic", "minio-go", "0.18; 0.14 knows no Pod Identity"),
    alias("minio", "minio-go", ""),
    alias("mc", "minio-go", "not run"),
    alias("opendal", "reqsign", "0.47.12"),
    alias("sccache", "reqsign", "0.16"),
    alias("rasterio", "gdal", "1.5.2"),
    alias("geopandas", "gdal", "by GDAL; not run"),
    alias("spark", "hadoop-s3a", "not run"),
    alias("flink", "hadoop-s3a", "flink-s3-fs-hadoop; not run"),
    alias("trino", "java-v2", "its native S3 file system; not run"),
];
