"""Runs the AWS CLI's own parser on each argument list of stdin, in one process. `aws_parser.py < JSON`, in the CLI's environment.

Nothing listens at the target, so a list that ends with a failed connection has passed. It prints the others as a JSON object.
"""

import contextlib
import io
import json
import os
import sys
import tempfile

PASSED = "Could not connect to the endpoint URL"
SETTINGS = {
    "AWS_ACCESS_KEY_ID": "example", "AWS_SECRET_ACCESS_KEY": "example", "AWS_DEFAULT_REGION": "eu-west-1", "AWS_MAX_ATTEMPTS": "1",
    "AWS_EC2_METADATA_DISABLED": "true", "AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_PAGER": "",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "NO_PROXY": "*",
}


def said(arguments: list[str]) -> str:
    from awscli.clidriver import create_clidriver

    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        try:
            code = create_clidriver().main(arguments)
        except SystemExit as error:
            code = error.code
    return "" if code == 0 or PASSED in out.getvalue() else f"exit code {code}: {out.getvalue().strip()}"


def main() -> None:
    os.environ.update(SETTINGS)
    # For documents that a pipeline would write.
    with tempfile.TemporaryFile("w+") as document, tempfile.NamedTemporaryFile("w") as config:
        document.write("{}")
        asked = json.load(sys.stdin)
        # `--profile` names a profile of the pod; here the profile only has to exist.
        profiles = {arguments[at + 1] for arguments in asked for at, it in enumerate(arguments[:-1]) if it == "--profile"}
        keys = "aws_access_key_id = example\naws_secret_access_key = example\n"
        config.write("".join(f"[profile {name}]\n{keys}" for name in sorted(profiles)))
        config.flush()
        os.environ["AWS_CONFIG_FILE"] = config.name
        found = {}
        for number, arguments in enumerate(asked):
            document.seek(0)
            os.dup2(document.fileno(), 0)
            if problem := said(arguments):
                found[number] = problem
    print(json.dumps(found))


if __name__ == "__main__":
    main()
