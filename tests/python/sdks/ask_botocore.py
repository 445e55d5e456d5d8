"""Asks botocore's default chain for credentials, and prints which provider gave them.

It runs where an application would, with nothing but the environment. Providers have the names of `credprobe chain`.
"""

import gc
import json

# The keys are the values of `Credentials.method` (botocore/credentials.py).
PROVIDERS = {
    "env": "keys",
    "assume-role": "profile-assume-role",
    "assume-role-with-web-identity": "web-identity",
    "shared-credentials-file": "profile-keys",
    "config-file": "profile-keys",
    "custom-process": "profile-process",
    "container-role": "container",
    "iam-role": "imds",
}


def ask() -> dict[str, str]:
    # Without garbage collection, loading takes a sixth less time.
    gc.disable()
    import botocore.session

    try:
        credentials = botocore.session.get_session().get_credentials()
        if credentials is None:
            return {"error": "NoCredentialsError: Unable to locate credentials"}
        credentials.get_frozen_credentials()
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}
    return {"provider": PROVIDERS.get(credentials.method, f"unknown: {credentials.method}")}


print(json.dumps(ask()))
