"""Real SDKs beside `credprobe chain`: each situation in the sandbox's pod, and which provider gave the credentials.

    CREDPROBE_BIN=… CREDPROBE_SANDBOX_BIN=… python3 run.py [--cache=FOLDER]

boto3 comes from PyPI, the SDK for JavaScript v3 from the npm registry, the SDK for Rust from crates.io.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# Nothing is left among the sources.
sys.dont_write_bytecode = True
HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "peers"))

import packages
import programs
from packages import Unavailable

# In the table's order; as `credprobe chain` names them.
SDKS = ("botocore", "js-v3", "rust")
STATIC = '{"Version": 1, "AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "SecretAccessKey": "x"}'
AT_ONCE = 4
NONE = "none"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    cache = HERE.parents[1] / "target" / "peers"
    parser.add_argument("--cache", type=Path, default=cache, help="where SDKs are kept (default: %(default)s)")
    chosen = parser.parse_args()
    probe, sandbox = programs.programs()
    try:
        commands = {
            "botocore": [str(packages.prepare(chosen.cache)), "-I", "-B", "-c", (HERE / "ask.py").read_text()],
            "js-v3": ["node", "--no-warnings", str(javascript(chosen.cache) / "ask.mjs")],
            "rust": [str(rust(chosen.cache))],
        }
    except Unavailable as error:
        print(f"\nNOT RUN: {error}")
        return 1 if os.environ.get("CI") else 0
    situations = json.loads((HERE / "situations.json").read_text())
    with tempfile.TemporaryDirectory(prefix="credprobe-sdks-") as folder:
        os.chmod(folder, 0o755)
        pod = Pod(sandbox, Path(folder))
        pod.asked("irsa", situations["irsa"], ["true"])  # Makes the keys, before many ask for them at once.
        with ThreadPoolExecutor(AT_ONCE) as pool:
            rows = list(pool.map(lambda it: row(pod, probe, commands, *it), situations.items()))
    return show(rows)


def row(pod: "Pod", probe: str, commands: dict[str, list[str]], name: str, situation: dict) -> list[tuple]:
    """(situation, SDK, what the chain says, what the SDK did), one for each SDK."""
    said = {sdk["id"]: sdk for sdk in json.loads(pod.asked(name, situation, [probe, "chain", "--output=json"]))["sdks"]}
    answers = {sdk: json.loads(pod.asked(name, situation, commands[sdk])) for sdk in SDKS}
    return [(name, sdk, expected(said[sdk], situation), seen(answers[sdk])) for sdk in SDKS]


def expected(sdk: dict, situation: dict) -> str:
    """The provider that the chain says comes out: the pick, or where its failure leads."""
    if situation.get("fails"):
        return (sdk["when_it_fails"] or {}).get("to") or NONE
    return sdk["picks"] or NONE


def seen(answer: dict) -> str:
    return answer.get("provider") or f"{NONE}: {answer['error']}"


def agree(said: str, seen: str) -> bool:
    return seen.split(":")[0] == said


def show(rows: list[list[tuple]]) -> int:
    table = [cells for situation in rows for cells in situation]
    failed = [cells for cells in table if not agree(*cells[2:])]
    widths = [max(len(cells[column]) for cells in table) for column in range(3)]
    for cells in table:
        line = "  ".join(cell.ljust(width) for cell, width in zip(cells, widths))
        print(f"{line}  {' '.join(cells[3].split())[:90]}{'' if agree(*cells[2:]) else '  FAILED'}")
    print(f"\n{len(table) - len(failed)} agree, {len(failed)} differ")
    return 1 if failed or not table else 0


class Pod:
    def __init__(self, sandbox: str, folder: Path):
        self.sandbox, self.folder = sandbox, folder
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
        ran = programs.run([self.sandbox, *options, "--", *changes, "sh", "-c", trusted, "sh", *command])
        if ran.code != 0:
            raise SystemExit(f"{name}: {command[0]} did not answer\n{ran}")
        return ran.stdout


def javascript(cache: Path) -> Path:
    """The folder with the npm registry's packages and what asks them."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        raise Unavailable("Node.js with npm is not installed")
    files = [HERE / name for name in ("package.json", "package-lock.json", "ask.mjs")]
    return made(cache, "node", files, lambda folder: build(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], folder))


def rust(cache: Path) -> Path:
    files = [HERE / "rust" / name for name in ("Cargo.toml", "Cargo.lock", "src/main.rs")]
    command = ["cargo", "build", "--locked", "--quiet", "--target-dir", "target"]
    return made(cache, "rust", files, lambda folder: build(command, folder)) / "target" / "debug" / "ask-aws-config"


def made(cache: Path, name: str, files: list[Path], make) -> Path:
    """A folder with the files, made once for each content of them: beside it and renamed, so that what exists is complete."""
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]
    folder = cache.absolute() / f"{name}-{digest}"
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
        raise Unavailable(f"{command[0]} failed:\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    sys.exit(main())
