"""The clients under test: the name of each in `credprobe chain`, and the command that asks it, with its packages prepared."""

import functools
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lib import given, packages

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Client:
    name: str
    # Its id in `credprobe chain`.
    sdk: str
    # It contains placeholders that inside.py fills.
    command: Callable[[], list[str]]
    # Tested on every change, and not only at night.
    quick: bool = False
    # It trusts only AWS_CA_BUNDLE. The others do not get the sandbox's variable, because some stop at it although it is valid.
    by_bundle: bool = False


def botocore() -> list[str]:
    return [sys.executable, "-I", "-B", "-c", (HERE / "ask_botocore.py").read_text()]


def aws_cli() -> list[str]:
    program = str(python("cli").with_name("aws"))
    return [str(python("cli")), "-I", "-B", program, "s3api", "list-buckets", "--endpoint-url={S3}"]


def native(name: str, requirements: str = "native") -> Callable[[], list[str]]:
    return lambda: [str(python(requirements)), "-I", "-B", "-c", (HERE / "ask_native.py").read_text(), name, "{S3}"]


def javascript(file: str) -> Callable[[], list[str]]:
    return lambda: [given.program("node", "nodejs"), "--no-warnings", str(npm() / file)]


def rclone() -> list[str]:
    # It asks AWS's own S3, which does not exist in the pod: with another endpoint it would ask STS there too. Its log contains the
    # key. It does not read the variables for the region, so its users write the region a second time.
    options = ["--config=/dev/null", "--retries=1", "--low-level-retries=1", "--dump=auth", "--log-level=DEBUG"]
    return [debian("rclone"), "lsd", *options, ":s3,provider=AWS,env_auth=true,region='{REGION}':"]


def restic() -> list[str]:
    # restic asks for no password before it has found the repository.
    return [debian("restic"), "--no-cache", "--password-command=echo x", "--repo=s3:{S3}/bucket", "snapshots"]


def s3cmd() -> list[str]:
    program, host = str(python("native").with_name("s3cmd")), "{S3_HOST}"
    settings = ["--config=/dev/null", f"--host={host}", f"--host-bucket={host}", "--no-ssl", "--max-retries=1"]
    return [str(python("native")), "-I", "-B", program, *settings, "ls"]


CLIENTS = {
    it.name: it
    for it in [
        Client("boto3", "botocore", botocore, quick=True, by_bundle=True),
        Client("aws-cli-v1", "botocore", aws_cli, by_bundle=True),
        Client("s3fs", "botocore", native("s3fs", "s3fs"), by_bundle=True),
        Client("js-v3", "js-v3", javascript("ask_js_v3.mjs"), quick=True),
        Client("js-v2", "js-v2", javascript("ask_js_v2.cjs")),
        Client("rust", "rust", lambda: [str(rust())]),
        Client("deltalake", "deltalake", native("deltalake")),
        Client("obstore", "rust-object-store", native("obstore")),
        Client("polars", "rust-object-store", native("polars")),
        Client("pyarrow", "cpp", native("pyarrow")),
        Client("duckdb", "cpp", native("duckdb")),
        Client("awscrt", "crt", native("awscrt")),
        Client("rclone", "go-v1", rclone),
        Client("restic", "minio-go", restic),
        Client("s3cmd", "s3cmd", s3cmd),
    ]
}


@functools.cache
def python(requirements: str) -> Path:
    """An interpreter with the packages of one of the files in `packages`."""
    try:
        return packages.prepare(given.CACHE, HERE / "packages" / f"{requirements}.txt")
    except packages.Unavailable as error:
        given.not_run(error)


@functools.cache
def npm() -> Path:
    """The folder with the npm registry's packages, and the scripts that use them."""
    files = [HERE / name for name in ("package.json", "package-lock.json", "ask_js_v3.mjs", "ask_js_v2.cjs")]
    program = given.program("npm")
    return made("node", files, lambda folder: build([program, "ci", "--no-audit", "--no-fund", "--ignore-scripts"], folder))


@functools.cache
def rust() -> Path:
    files = [HERE / "rust" / name for name in ("Cargo.toml", "Cargo.lock", "src/main.rs")]
    command = ["cargo", "build", "--locked", "--quiet", "--target-dir", "target"]
    return made("rust", files, lambda folder: build(command, folder)) / "target" / "debug" / "ask-aws-config"


@functools.cache
def debian(name: str) -> str:
    """A program from the Debian package of its name, which is unpacked and not installed."""
    listed = HERE / "debian.json"
    package = json.loads(listed.read_text())[name]

    def unpack(folder: Path) -> None:
        build([given.program("apt-get", "apt"), "download", "--quiet", f"{name}={package['version']}"], folder)
        archive = next(folder.glob("*.deb"))
        found = hashlib.sha256(archive.read_bytes()).hexdigest()
        if found != package["sha256"]:
            given.not_run(f"{archive.name} has the sha256 {found}, and {listed.name} another")
        build([given.program("dpkg-deb", "dpkg"), "-x", archive.name, "root"], folder)

    return str(made(f"debian-{name}", [listed], unpack) / "root" / "usr" / "bin" / name)


def made(name: str, files: list[Path], make: Callable[[Path], None]) -> Path:
    """A folder with the files, made once for each content of them. It is made beside its place and renamed, so an existing one
    is complete."""
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
        part.chmod(0o755)
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
