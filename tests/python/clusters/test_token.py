"""The token for a cluster, byte by byte: what `aws eks get-token` prints for the credentials and the time of the probe's own test.

The probe's unit test compares its token with a constant. Here the AWS CLI makes the token that must equal the constant.
"""

import re
import subprocess

from lib import given, packages
from lib.given import ROOT

SOURCE = ROOT / "probe" / "src" / "collect" / "cluster.rs"
# The clock of botocore's signer is fixed; everything else is the CLI's own code.
MAKES = """
import base64, datetime, sys
import awscli.customizations.eks.get_token
try:
    # The CLI has a botocore of its own.
    import awscli.botocore as botocore, awscli.botocore.auth, awscli.botocore.session
except ImportError:
    import botocore, botocore.auth, botocore.session
from awscli.customizations.eks.get_token import STSClientFactory, TokenGenerator
at = datetime.datetime.fromtimestamp(int(sys.argv[1]), datetime.timezone.utc)
session = botocore.session.Session()
session.get_available_services()
for signer in [it for name, it in list(sys.modules.items()) if name.endswith("botocore.auth")]:
    signer.get_current_datetime = lambda remove_tzinfo=True: at.replace(tzinfo=None) if remove_tzinfo else at
session.set_credentials(*sys.argv[2:5])
client = STSClientFactory(session).get_sts_client(region_name=sys.argv[5])
kind, token = TokenGenerator(client).get_token(sys.argv[6]).split(".", 1)
print(kind, base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode(), token.rstrip("=") == token)
"""


def test_the_constant_of_the_unit_test_is_what_the_cli_makes() -> None:
    source = SOURCE.read_text()
    (constant,) = re.findall(r'const OF_THE_CLI: &str =\s*"(https://[^"]+)"', source)
    key, secret, session = re.search(r'Credentials::new\(\s*"([^"]+)",\s*"([^"]+)",\s*Some\("([^"]+)"', source).groups()
    (time,) = re.findall(r"from_secs\((\d_\d{3}_\d{3}_\d{3})\)", source)
    try:
        python = packages.prepare(given.CACHE, ROOT / "tests" / "python" / "sdks" / "packages" / "cli.txt")
    except packages.Unavailable as error:
        given.not_run(str(error))
    command = [str(python), "-I", "-B", "-c", MAKES, time.replace("_", ""), key, secret, session, "eu-west-1", "shop"]
    made = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60, env={}).stdout
    assert made.split() == ["k8s-aws-v1", constant, "True"]
