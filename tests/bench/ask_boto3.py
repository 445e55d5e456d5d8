"""Makes the exchange with boto3, as a script would: one POST, without the work that a session's credentials would add."""

import os

import boto3
from botocore import UNSIGNED
from botocore.config import Config

with open(os.environ["AWS_WEB_IDENTITY_TOKEN_FILE"]) as file:
    token = file.read()
sts = boto3.client("sts", config=Config(signature_version=UNSIGNED))
role = {"RoleArn": os.environ["AWS_ROLE_ARN"], "RoleSessionName": "boto3", "DurationSeconds": 900}
answer = sts.assume_role_with_web_identity(**role, WebIdentityToken=token)
print(answer["AssumedRoleUser"]["Arn"])
