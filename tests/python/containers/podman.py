"""Debian's podman with its own storage, and with the settings under which it works on this machine."""

import itertools
import json
import os
import resource
import shutil
import subprocess
import tarfile
from dataclasses import dataclass, field
from pathlib import Path

from lib.programs import Ran

# Under this name, whatever version is in the archive.
IMAGE = "localhost/credprobe:tested"
SANDBOX = "localhost/credprobe-sandbox:tested"
# Contains only busybox: it shows what a container sees, and takes the place of an application.
WITNESS = "localhost/credprobe-witness:1"
# In seconds. A container that hangs is killed together with podman.
LIMIT = 120
# podman raises the limit to this before it starts a runtime.
PROCESSES = 32768
# How the kubelet runs a container under Pod Security's restricted level.
RESTRICTED = ["--read-only", "--read-only-tmpfs=false", "--cap-drop=ALL", "--security-opt=no-new-privileges"]


class Unavailable(Exception):
    """No container can run here; the message says why."""


@dataclass
class Podman:
    folder: Path
    storage: str = "overlay"
    # Written to containers.conf, so that `kube play` uses them too.
    containers: dict = field(default_factory=dict)
    engine: dict = field(default_factory=dict)

    def run(self, *arguments: str | Path, inside: Path | None = None) -> Ran:
        """`inside` is a network namespace, which containers then see as the host's."""
        config = self.folder / "containers.conf"
        config.write_text(self.config())
        program = shutil.which("podman") or "podman"
        store = [f"--root={self.folder}/root", f"--runroot={self.folder}/run", f"--storage-driver={self.storage}"]
        # Ignore the machine's own proxies, settings and containers.
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "CONTAINERS_CONF": str(config)}
        environment |= {"TMPDIR": str(self.folder), "LC_ALL": "C"}
        enter = ["nsenter", f"--net={inside}", "--"] if inside else []
        try:
            done = subprocess.run(
                [*enter, program, *store, *arguments], env=environment, capture_output=True, errors="replace", timeout=LIMIT
            )
        except subprocess.TimeoutExpired:
            return Ran(-1, "", f"not done within {LIMIT} s")
        return Ran(done.returncode, done.stdout, done.stderr)

    def must(self, *arguments: str | Path) -> str:
        ran = self.run(*arguments)
        if ran.code != 0:
            raise Unavailable(f"podman {' '.join(map(str, arguments))}: {ran}")
        return ran.stdout.strip()

    def inspect(self, container: str) -> dict:
        (found,) = json.loads(self.must("container", "inspect", container))
        return found

    def config(self) -> str:
        # Separate from the machine's own podman, except for the locks, which it shares on purpose. Nobody reads the events.
        own = {"events_logger": "none", "pull_policy": "never", "tmp_dir": f"{self.folder}/tmp"}
        tables = {"containers": self.containers, "engine": {**own, **self.engine}}
        lines = []
        for name, values in tables.items():
            lines.append(f"[{name}]")
            lines += [f"{key} = {json.dumps(value)}" for key, value in values.items()]
        return "\n".join(lines) + "\n"

    def settings(self) -> str:
        said = [f"storage {self.storage}"]
        said += [f"{key} {value}" for key, value in {**self.containers, **self.engine}.items()]
        return ", ".join(said)


def prepare(folder: Path, image: Path, sandbox: Path) -> Podman:
    """The first settings under which the image prints its version in a closed container. The usual settings are tried first."""
    for program in ("podman", "busybox"):
        if not shutil.which(program):
            raise Unavailable(f"{program} is not installed (see .ci/run for Debian's packages)")
    if os.geteuid() != 0:
        raise Unavailable("files of several owners need root")
    problems = []
    # podman wants more open files than a process without CAP_SYS_RESOURCE may have.
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    limits = [{}, {"default_ulimits": [f"nofile={files}:{files}", f"nproc={PROCESSES}:{PROCESSES}"]}]
    runtimes = [{"runtime": name} for name in ("runc", "crun") if shutil.which(name)]
    managers = [{"cgroup_manager": "cgroupfs"}, {}]
    for storage in ("overlay", "vfs"):
        # podman does not accept a long path.
        home = folder / storage
        home.mkdir()
        for limit, runtime, manager in itertools.product(limits, runtimes, managers):
            for cgroups in ({}, {"cgroups": "disabled"}):
                podman = Podman(home, storage, {**limit, **cgroups}, {**runtime, **manager})
                problem = trial(podman, image)
                if not problem:
                    load(podman, sandbox, SANDBOX)
                    import_witness(podman)
                    return podman
                if problem not in problems:
                    problems.append(problem)
    raise Unavailable("podman starts no container here:\n" + "\n".join(problems))


def trial(podman: Podman, image: Path) -> str | None:
    try:
        if podman.run("image", "exists", IMAGE).code != 0:
            load(podman, image, IMAGE)
    except Unavailable as error:
        return str(error)
    ran = podman.run("run", "--rm", *RESTRICTED, "--network=none", IMAGE, "--version")
    return None if ran.code == 0 and ran.stdout.startswith("credprobe ") else ran.stderr.strip()


def load(podman: Podman, archive: Path, name: str) -> None:
    # The output is `Loaded image: NAME`.
    podman.must("tag", podman.must("load", "--quiet", "--input", archive).split()[-1], name)


def import_witness(podman: Podman) -> None:
    file = podman.folder / "witness.tar"
    with tarfile.open(file, "w") as tar:
        tar.add(shutil.which("busybox"), "busybox")
    podman.must("import", "--quiet", file, WITNESS)


def unmount(folder: Path) -> None:
    """Unmounts what podman mounts over itself for its storage, and leaves behind when it fails."""
    mounted = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for place in sorted((it for it in mounted if it.startswith(f"{folder}/")), reverse=True):
        subprocess.run(["umount", "--lazy", place], check=True)
