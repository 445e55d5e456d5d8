"""Runs the probe and boto3, on the machine or in the sandbox's pod, and keeps their output."""

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

# In seconds: longer than three attempts with their pauses, or 64 MiB, take on a busy machine.
BOTO3_LIMIT = 30
# The sandbox's own exit code, as in its command.rs.
SANDBOX_ERROR = 125
# In seconds: more than either program waits by itself.
LIMIT = 90
# `AccessDenied: …` says the same.
CLIENT_ERROR = re.compile(
    r"^\w+: An error occurred \((\w+)\) when calling the \w+ operation(?: \(reached max retries: \d+\))?: "
)
ASK_BOTO3 = Path(__file__).parents[1] / "peers" / "ask_boto3.py"


@dataclass(frozen=True)
class Ran:
    code: int
    stdout: str
    stderr: str

    def __str__(self) -> str:
        return f"exit code {self.code}\nstdout: {self.stdout}\nstderr: {self.stderr}"


def run(command: list[str], environment: dict[str, str] | None = None) -> Ran:
    """Asks the program to end before killing it, because the sandbox passes the signal on to its command."""
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=environment, **streams, text=True, errors="replace") as process:
        try:
            stdout, stderr = process.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            process.terminate()
            try:
                stdout, stderr = process.communicate(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()
                stdout, stderr = process.communicate()
            stderr += f"\nnot done within {LIMIT} s"
    return Ran(process.returncode, stdout, stderr)


def boto3_command(python: str) -> list[str]:
    """Passes the script as text, because the pod's user may not be able to read this folder."""
    return [python, "-I", "-B", "-c", ASK_BOTO3.read_text(), str(BOTO3_LIMIT)]


def report(ran: Ran) -> dict:
    """The report of `--output=json`, if it agrees with the exit code."""
    try:
        read = json.loads(ran.stdout)
    except ValueError as error:
        raise ValueError(f"the probe printed no report ({error})\n{ran}") from error
    if read["exit_code"] != ran.code:
        raise ValueError(f"the report says exit code {read['exit_code']}\n{ran}")
    return read


@dataclass(frozen=True)
class Boto3:
    """What boto3 got."""

    arn: str | None
    error: str | None

    @classmethod
    def of(cls, ran: Ran) -> "Boto3":
        try:
            answer = json.loads(ran.stdout)
        except ValueError as error:
            raise ValueError(f"ask_boto3.py printed no answer ({error})\n{ran}") from error
        return cls(answer.get("arn"), answer.get("error"))

    def is_session_of(self, role: str) -> bool:
        """Compares with the role as sessions name it: STS's ARNs have no path."""
        return self.arn is not None and self.arn.startswith(f"{role}/")

    def __str__(self) -> str:
        return self.arn or CLIENT_ERROR.sub(r"\1: ", str(self.error))
