"""Checks every command with the parsers of the programs that would run it. See README.md."""

import json
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lib import given, packages
from reports import standins, texts
from reports.standins import Bench, Call

HERE = Path(__file__).resolve().parent
CLI = HERE.parent / "sdks" / "packages" / "cli.txt"
# kubectl prints this only after its own checks, when it asks the server.
REFUSED = ("was refused", "connection refused")
DEAD = ["--server=http://127.0.0.1:9", "--request-timeout=2s"]


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> dict[Call, str]:
    bench = Bench(tmp_path_factory.mktemp("calls"))
    return standins.all_calls(bench, [command for it in texts.everything() for command in it.commands])


def of(calls: dict[Call, str], program: str) -> list[Call]:
    found = [call for call in calls if call[0] == program]
    assert found
    return found


def aws_problems(calls: list[Call]) -> list[tuple[Call, str]]:
    try:
        python = packages.prepare(given.CACHE, CLI)
    except packages.Unavailable as error:
        given.not_run(error)
    command = [python, "-I", "-B", HERE / "aws_parser.py"]
    done = subprocess.run(command, input=standins.dumped(calls), capture_output=True, text=True, timeout=600, env=standins.clean_environment())
    assert done.returncode == 0, done
    return [(calls[int(number)], problem) for number, problem in json.loads(done.stdout).items()]


def kubectl_problems(calls: list[Call], folder: Path) -> list[tuple[Call, str]]:
    kubectl = given.kubectl()
    environment = {**standins.clean_environment(), "HOME": str(folder), "KUBECONFIG": "/dev/null"}

    for name in {name for call in calls for name in standins.FILE.findall(" ".join(call))}:
        (folder / name).write_text("{}")

    def problem(call: Call) -> str:
        arguments = [it for it in call[1:] if it != "--"]
        command = [kubectl, *call[1:2], *DEAD, *call[2:]]
        done = subprocess.run(command, input="{}", capture_output=True, text=True, timeout=120, env=environment, cwd=folder)
        passed = any(word in done.stderr for word in REFUSED) or done.returncode == 0
        return "" if passed and arguments else f"exit code {done.returncode}: {done.stderr.strip()}"

    with ThreadPoolExecutor(4) as pool:
        return [(call, said) for call, said in zip(calls, pool.map(problem, calls)) if said]


def jq_problems(calls: list[Call], folder: Path) -> list[tuple[Call, str]]:
    jq = given.program("jq")
    found = []
    for call in calls:
        done = subprocess.run([jq, *call[1:]], input="", capture_output=True, text=True, cwd=folder, timeout=60)
        # 2 is its usage, 3 a program that does not compile. A file that does not exist yet is neither.
        if done.returncode == 3 or (done.returncode == 2 and "Could not open" not in done.stderr and "Usage" in done.stderr):
            found.append((call, done.stderr))
    return found


def none(found: list[tuple[Call, str]], calls: dict[Call, str]) -> None:
    said = [f"{calls[call]}\n    {' '.join(call)}\n    {problem}" for call, problem in found]
    assert not said, f"{len(said)} problems:\n" + "\n".join(said)


def test_the_aws_cli_takes_every_command(calls: dict[Call, str]) -> None:
    none(aws_problems(of(calls, "aws")), calls)
    wrong = [("aws", "iam", "get-roles"), ("aws", "iam", "get-role"), ("aws", "iam", "get-role", "--role-name", "a", "--query", "Role.[")]
    right = [("aws", "iam", "get-role", "--role-name", "checkout-reader")]
    assert [call for call, _ in aws_problems(wrong + right)] == wrong


def test_kubectl_takes_every_command(calls: dict[Call, str], tmp_path: Path) -> None:
    none(kubectl_problems(of(calls, "kubectl"), tmp_path), calls)
    wrong = [("kubectl", "gett", "pods"), ("kubectl", "get", "pods", "--namespaces=a"), ("kubectl", "rollout", "restarts", "deployment/a")]
    right = [("kubectl", "get", "pods", "-n", "shop")]
    assert [call for call, _ in kubectl_problems(wrong + right, tmp_path)] == wrong


def test_jq_compiles_every_program(calls: dict[Call, str], tmp_path: Path) -> None:
    none(jq_problems(of(calls, "jq"), tmp_path), calls)
    assert jq_problems([("jq", "select(.a==")], tmp_path)


def test_what_is_not_recorded_would_not_be_looked_at(tmp_path: Path) -> None:
    """Guards are open, variables are set, and pipelines are recorded to their end."""
    bench = Bench(tmp_path)
    command = 'test "$(aws sts get-caller-identity)" = 1 && aws iam get-role --role-name "${role:?is not set}" | jq .Role'
    assert {call[:3] for call in bench.whole(command)} == {("aws", "sts", "get-caller-identity"), ("aws", "iam", "get-role"), ("jq", ".Role")}
    assert shutil.which("bash")
