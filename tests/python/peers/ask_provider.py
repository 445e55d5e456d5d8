"""Asks boto3's default chain for credentials, and prints {"key": …} or {"error": …}, and the STS host that it would call.

The key identifies the provider, because each provider of test_chains.py has its own.
"""

import json
from urllib.parse import urlparse


def ask() -> dict[str, str | None]:
    import boto3

    try:
        credentials = boto3.Session().get_credentials()
        return {"key": credentials.get_frozen_credentials().access_key if credentials else None}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


def sts_host() -> str | None:
    import boto3

    try:
        return urlparse(boto3.client("sts", aws_access_key_id="x", aws_secret_access_key="x").meta.endpoint_url).hostname
    except Exception:
        return None


if __name__ == "__main__":
    print(json.dumps({**ask(), "host": sts_host()}))
