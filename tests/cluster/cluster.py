"""kubectl on the cluster that KUBECONFIG names, and what that cluster supports. That is found out by trying, not by its version."""

import functools
import json
import os
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

# In seconds: for one kubectl command, and for what a cluster does by itself.
LIMIT = 60
PATIENCE = 120


class Refused(Exception):
    """The API server refused a request; the message is its own."""


class Unavailable(Exception):
    """The cluster lacks a feature; the message says which."""


class Overdue(Exception):
    """Something did not happen in time; the message says what, and what happened instead."""


class Cluster:
    def __init__(self, kubectl: Path):
        self.kubectl = str(kubectl)

    def run(self, *arguments: str, given: str | None = None, limit: float = LIMIT, path: str | None = None) -> subprocess.CompletedProcess:
        environment = {**os.environ, "PATH": f"{Path(self.kubectl).parent}:{os.environ['PATH']}"}
        command = [path or self.kubectl, *arguments]
        if given is None:
            return subprocess.run(command, stdin=subprocess.DEVNULL, env=environment, capture_output=True, text=True, timeout=limit)
        return subprocess.run(command, input=given, env=environment, capture_output=True, text=True, timeout=limit)

    def must(self, *arguments: str, given: str | None = None) -> str:
        done = self.run(*arguments, given=given)
        if done.returncode != 0:
            raise Refused(done.stderr.strip() or done.stdout.strip())
        return done.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self.must(*arguments))

    def get(self, kind: str, name: str, namespace: str) -> dict:
        return self.json("get", kind, name, f"--namespace={namespace}", "--output=json")

    def create(self, what: dict, *flags: str) -> tuple[dict, str]:
        """The object as the server now has it, and the server's warnings. As with any old client, fields that it does not know
        are dropped."""
        done = self.run("create", "--validate=false", "--output=json", "--filename=-", *flags, given=json.dumps(what))
        if done.returncode != 0:
            raise Refused(done.stderr.strip())
        return json.loads(done.stdout), done.stderr

    def tried(self, what: dict) -> tuple[dict, str]:
        return self.create(what, "--dry-run=server")

    def read(self, manifest: Path) -> list[dict]:
        """The objects of a manifest. kubectl reads YAML, but only kinds that the server has."""
        done = self.run("create", "--dry-run=client", "--validate=false", "--output=json", f"--filename={manifest}")
        if done.returncode != 0:
            unknown = re.search(r'no matches for kind "(\w+)" in version "([\w./]+)"', done.stderr)
            if not unknown:
                raise Refused(done.stderr.strip())
            since = re.match(r"# kubernetes: (\S+)", manifest.read_text())
            raise Unavailable(f"{self.version} serves no {unknown[1]} in {unknown[2]}" + (f" ({since[1]})" if since else ""))
        found, text, decoder = [], done.stdout.strip(), json.JSONDecoder()
        while text:
            one, end = decoder.raw_decode(text)
            found += one["items"] if one["kind"] == "List" else [one]
            text = text[end:].strip()
        return found

    @functools.cached_property
    def version(self) -> str:
        return f"Kubernetes {self.json('get', '--raw=/version')['gitVersion']}"

    @property
    def minor(self) -> int:
        return int(re.match(r"Kubernetes v1\.(\d+)", self.version)[1])

    @functools.cached_property
    def issuer(self) -> str:
        return self.json("get", "--raw=/.well-known/openid-configuration")["issuer"]

    def serves(self, resource: str) -> dict | None:
        """The description of a resource of the core group; `None` if there is none."""
        found = self.json("get", "--raw=/api/v1")["resources"]
        return next((it for it in found if it["name"] == resource), None)

    def until(self, what: str, look: Callable[[], Any], seconds: float = PATIENCE) -> Any:
        """The first answer that is not empty. `look` may be refused for a while."""
        end = time.monotonic() + seconds
        last: object = None
        while time.monotonic() < end:
            try:
                if found := look():
                    return found
            except Refused as error:
                last = error
            time.sleep(1)
        raise Overdue(f"not within {seconds:.0f} s: {what}" + (f" ({last})" if last else ""))
