"""Lists a bucket with a client that contains a compiled SDK, as an application would: `ask_native.py CLIENT URL-OF-S3`.

The client's default chain finds the credentials; only S3's address is given. Exit code and stderr show the result.
"""

import json
import sys
from urllib.parse import urlparse


def awscrt(_: str) -> None:
    from awscrt.auth import AwsCredentialsProvider

    # This client signs nothing by itself.
    credentials = AwsCredentialsProvider.new_default_chain().get_credentials().result()
    print(json.dumps({"key": credentials.access_key_id}))


def deltalake(url: str) -> None:
    from deltalake import DeltaTable

    DeltaTable("s3://bucket/table", storage_options={"aws_endpoint_url_s3": url, "aws_allow_http": "true"})


def duckdb(url: str) -> None:
    import duckdb
    from duckdb_extension_aws import __file__ as aws
    from duckdb_extension_httpfs import __file__ as httpfs

    database = duckdb.connect(config={"allow_unsigned_extensions": "false"})
    for package in (httpfs, aws):
        database.execute(f"LOAD '{extension(package)}'")
    host = urlparse(url).netloc
    database.execute(f"CREATE SECRET (TYPE s3, PROVIDER credential_chain, ENDPOINT '{host}', USE_SSL false, URL_STYLE 'path')")
    database.execute("SELECT * FROM read_csv('s3://bucket/object')")


def extension(package: str) -> str:
    from pathlib import Path

    return str(next(Path(package).parent.rglob("*.duckdb_extension")))


def obstore(url: str) -> None:
    from obstore.store import S3Store

    store = S3Store("bucket", endpoint=url, client_options={"allow_http": True}, retry_config={"max_retries": 1})
    store.list().collect()


def polars(url: str) -> None:
    import polars

    options = {"aws_endpoint_url": url, "aws_allow_http": "true", "max_retries": 1}
    polars.scan_parquet("s3://bucket/object.parquet", storage_options=options).collect()


def pyarrow(url: str) -> None:
    from pyarrow import fs

    fs.S3FileSystem(endpoint_override=urlparse(url).netloc, scheme="http").get_file_info(fs.FileSelector("bucket"))


def s3fs(url: str) -> None:
    import s3fs

    s3fs.S3FileSystem(endpoint_url=url).ls("bucket")


if __name__ == "__main__":
    globals()[sys.argv[1]](sys.argv[2])
