"""Real SDKs beside `credprobe chain`: each situation in the sandbox's pod, and which provider gave the credentials.

boto3 comes from PyPI, the SDK for JavaScript v3 from the npm registry, the SDK for Rust from crates.io.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lib import given
from lib.programs import run

pytestmark = pytest.mark.nightly
HERE = Path(__file__).parent
SITUATIONS = json.loads((HERE / "situations.json").read_text())
STATIC = '{"Version": 1, "AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "SecretAccessKey": "x"}'
NONE = "none"


@pytest.fixture(scope="module", params=["botocore", "js-v3", "rust"])
def sdk(request: pytest.FixtureRequest) -> tuple[str, list[str]]:
    """Its name in `credprobe chain`, and the command that asks it."""
    match request.param:
        case "botocore":
            command = [sys.executable, "-I", "-B", "-c", (HERE / "ask.py").read_text()]
        case "js-v3":
            command = [given.program("node", "nodejs"), "--no-warnings", str(javascript() / "ask.mjs")]
        case _:
            command = [str(rust())]
    return request.param, command


@pytest.fixture(scope="module")
def pod() -> Iterator["Pod"]:
    with tempfile.TemporaryDirectory(prefix="credprobe-sdks-") as folder:
        os.chmod(folder, 0o755)
        yield Pod(Path(folder))


@pytest.mark.parametrize("name", SITUATIONS)
def test_credentials_come_from_where_chain_says(sdk: tuple[str, list[str]], name: str, pod: "Pod") -> None:
    (id, command), situation = sdk, SITUATIONS[name]
    said = json.loads(pod.asked(name, situation, [given.probe(), "chain", "--output=json"]))["sdks"]
    answer = json.loads(pod.asked(name, situation, command))
    assert (answer.get("provider") or NONE) == expected(next(it for it in said if it["id"] == id), situation), answer


def expected(sdk: dict, situation: dict) -> str:
    """The provider that the chain says comes out: the pick, or where its failure leads."""
    if situation.get("fails"):
        return (sdk["when_it_fails"] or {}).get("to") or NONE
    return sdk["picks"] or NONE


class Pod:
    def __init__(self, folder: Path):
        self.folder = folder
        (folder / "process.json").write_text(STATIC)

    def asked(self, name: str, situation: dict, command: list[str]) -> str:
        """What the command printed, as the application's process in that situation."""
        env = dict(situation.get("env", {}))
        for kind, variable in (("config", "AWS_CONFIG_FILE"), ("credentials", "AWS_SHARED_CREDENTIALS_FILE")):
            if kind in situation:
                path = self.folder / f"{name}-{kind}"
                path.write_text(situation[kind].replace("FOLDER", str(self.folder)))
                env[variable] = str(path)
        # Each SDK reads another variable for the sandbox's CA.
        trusted = 'NODE_EXTRA_CA_CERTS="$AWS_CA_BUNDLE" SSL_CERT_FILE="$AWS_CA_BUNDLE" exec "$@"'
        options = [f"--scenario={situation['scenario']}", "--pod=always", f"--keys={self.folder}"]
        changes = ["env", *(f"{variable}={value}" for variable, value in env.items())]
        ran = run([given.sandbox(), *options, "--", *changes, "sh", "-c", trusted, "sh", *command])
        assert ran.code == 0, ran
        return ran.stdout


def javascript() -> Path:
    """The folder with the npm registry's packages and what asks them."""
    files = [HERE / name for name in ("package.json", "package-lock.json", "ask.mjs")]
    npm = given.program("npm")
    return made("node", files, lambda folder: build([npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"], folder))


def rust() -> Path:
    files = [HERE / "rust" / name for name in ("Cargo.toml", "Cargo.lock", "src/main.rs")]
    command = ["cargo", "build", "--locked", "--quiet", "--target-dir", "target"]
    return made("rust", files, lambda folder: build(command, folder)) / "target" / "debug" / "ask-aws-config"


def made(name: str, files: list[Path], make: Callable[[Path], None]) -> Path:
    """A folder with the files, made once for each content of them: beside it and renamed, so that what exists is complete."""
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]
    folder = given.CACHE / f"{name}-{digest}"
    if folder.exists():
        return folder
    print(f"building {folder}", file=sys.stderr)
    part = folder.with_name(f"{folder.name}.{os.getpid()}")
    try:
        for path in files:
            copy = part / path.relative_to(HERE / "rust" if (HERE / "rust") in path.parents else HERE)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
        make(part)
        part.rename(folder)
    except OSError:
        # Another run was faster.
        if not folder.exists():
            raise
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder


def build(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, umask=0o022)
    if done.returncode != 0:
        given.not_run(f"{command[0]} failed:\n{done.stdout}{done.stderr}")
