"""A cluster with one node on this machine, for one command, which finds it through KUBECONFIG. See ../README.md.

    python3 run.py --cache=FOLDER --images=FOLDER [--] COMMAND …

It runs Debian's etcd and containerd, and Kubernetes from Debian's source (build.sh), all in separate namespaces: this machine's
network cannot reach it, it cannot reach out, and the kernel ends all of it when the command has ended.
"""

import argparse
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# Leave no bytecode among the sources.
sys.dont_write_bytecode = True

HERE = Path(__file__).parent
IMAGE = HERE.parents[2] / "image"
sys.path += [str(IMAGE), str(HERE.parents[1] / "python" / "lib")]

import buildah  # noqa: E402
import oci  # noqa: E402
import settings  # noqa: E402
import tools  # noqa: E402

INSIDE = "CREDPROBE_TRIAL_INSIDE"
PROGRAMS = {
    "etcd": "etcd-server",
    "containerd": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "skopeo": "skopeo",
    "openssl": "openssl",
    "ip": "iproute2",
    "unshare": "util-linux",
}
# The tests look for it here too.
KUBECTL = Path(f"/var/tmp/credprobe-tools-{os.geteuid()}")
# In seconds.
PATIENCE = 180


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cache", type=Path, required=True, help="what is built once")
    parser.add_argument("--images", type=Path, required=True, help="where `make image sandbox-image` left its archives")
    parser.add_argument("--logs", type=Path, help="keep the components' logs in this folder")
    parser.add_argument("command", nargs="+")
    chosen = parser.parse_args()
    # Exit with an exception, so that each `finally` ends what was started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    if os.environ.get(INSIDE) != "1":
        return outside(chosen.cache)
    with tempfile.TemporaryDirectory(prefix="credprobe-trial-", dir="/var/tmp") as folder:
        cluster = Cluster(Path(folder), chosen.cache.absolute())
        try:
            cluster.start(chosen.images.absolute())
            places = {"KUBECONFIG": cluster.kubeconfig(), "CREDPROBE_TOKEN_WEBHOOK": settings.TOKEN_WEBHOOK_PORT}
            environment = {**os.environ, **{name: str(place) for name, place in places.items()}}
            return subprocess.run(chosen.command, env=environment).returncode
        except NotStarted as error:
            print(f"NOT RUN: the trial cluster did not start: {error}", file=sys.stderr)
            return 1
        finally:
            cluster.stop()
            if chosen.logs:
                chosen.logs.mkdir(parents=True, exist_ok=True)
                for log in Path(folder).glob("*.log"):
                    shutil.copy(log, chosen.logs)


def outside(cache: Path) -> int:
    """Builds, then starts this program again in its own namespaces."""
    missing = [f"{name} (Debian's package {package})" for name, package in PROGRAMS.items() if not shutil.which(name)]
    if missing or os.geteuid() != 0:
        print(f"NOT RUN: {'not installed: ' + ', '.join(missing) if missing else 'needs root'}", file=sys.stderr)
        return 1
    subprocess.run(["sh", HERE / "build.sh", cache], check=True, stdout=sys.stderr)
    # Nothing can be fetched inside.
    tools.pinned("kubectl", KUBECTL)
    # What exists already belongs to others.
    before = cgroups()
    try:
        enter = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--"]
        return subprocess.run([*enter, sys.executable, *sys.argv], env={**os.environ, INSIDE: "1"}).returncode
    finally:
        remove(cgroups() - before)


def cgroups() -> set[Path]:
    """The cgroups that container runtimes make, at the top of each hierarchy."""
    names = ("k8s.io", "kubepods", "credprobe-trial")
    return {at for name in names for at in [*Path("/sys/fs/cgroup").glob(f"*/{name}"), *Path("/sys/fs/cgroup").glob(name)]}


def remove(tops: set[Path]) -> None:
    for top in tops:
        for folder in sorted((it for it in top.rglob("*") if it.is_dir()), reverse=True):
            folder.rmdir()
        top.rmdir()


class NotStarted(Exception):
    """A component did not start; the message says which, and its last lines."""


class Cluster:
    def __init__(self, folder: Path, cache: Path):
        self.folder, self.cache, self.kubectl = folder, cache, tools.pinned("kubectl", KUBECTL)
        self.running: list[subprocess.Popen] = []

    def kubeconfig(self, user: str = "admin") -> Path:
        return self.folder / f"{user}.kubeconfig"

    def start(self, images: Path) -> None:
        self.stand_alone()
        settings.write(self.folder)
        # Containers inherit this limit; their defaults must not exceed it here.
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
        at = self.folder
        self.run("etcd", "etcd", *settings.etcd(at))
        self.run("containerd", "containerd", f"--config={at}/containerd.toml")
        self.run("kube-apiserver", self.built("kube-apiserver"), *settings.api_server(at))
        self.until("the API server", lambda: self.ask("get", "--raw=/readyz") == "ok")
        self.run("kube-controller-manager", self.built("kube-controller-manager"), *settings.controller_manager(at))
        self.run("kube-scheduler", self.built("kube-scheduler"), *settings.scheduler(at))
        self.until("containerd", lambda: self.ctr("version") is not None)
        self.load(images)
        self.run("kubelet", self.built("kubelet"), *settings.kubelet(at))
        ready = '-o=jsonpath={.status.conditions[?(@.type=="Ready")].status}'
        self.until("the node", lambda: self.ask("get", "node", settings.NODE, ready) == "True")
        self.until("the service account", lambda: self.ask("get", "serviceaccount", "default", "-o=name") is not None)

    def stand_alone(self) -> None:
        """Sets up a network that contains nothing else, and separate places for what runtimes store."""
        for command in settings.NETWORK:
            subprocess.run(["ip", *command.split()], check=True)
        Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
        for place in ("/run", "/var/log", "/var/lib/cni", "/opt"):
            Path(place).mkdir(parents=True, exist_ok=True)
            subprocess.run(["mount", "-t", "tmpfs", "tmpfs", place], check=True)

    def built(self, name: str) -> str:
        return str(self.cache / "bin" / name)

    def run(self, name: str, *command: str) -> None:
        with (self.folder / f"{name}.log").open("w") as log:
            self.running.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder))

    def ask(self, *arguments: str) -> str | None:
        command = [self.kubectl, f"--kubeconfig={self.kubeconfig()}", *arguments]
        done = subprocess.run(command, capture_output=True, text=True)
        return done.stdout if done.returncode == 0 else None

    def ctr(self, *arguments: str | Path) -> str | None:
        command = ["ctr", f"--address={self.folder}/containerd.sock", "--namespace=k8s.io", *arguments]
        done = subprocess.run(command, capture_output=True, text=True)
        return done.stdout if done.returncode == 0 else None

    def until(self, what: str, done) -> None:
        end = time.monotonic() + PATIENCE
        while not done():
            for process in self.running:
                if process.poll() is not None:
                    raise NotStarted(f"{process.args[0]} ended with {process.returncode}\n{self.last_words(process)}")
            if time.monotonic() > end:
                raise NotStarted(f"{what} was not ready within {PATIENCE} s\n{self.last_words(self.running[-1])}")
            time.sleep(0.5)

    def last_words(self, process: subprocess.Popen) -> str:
        log = self.folder / f"{Path(process.args[0]).name}.log"
        return "\n".join(log.read_text(errors="replace").splitlines()[-15:])

    def load(self, images: Path) -> None:
        """Loads the images under the names that pods use. containerd's ctr would invent names for the content of an OCI archive."""
        self.pause(self.folder / "pause.oci.tar")
        archives = {
            images / "credprobe.oci.tar": "docker.io/library/credprobe:tested",
            images / "credprobe-sandbox.oci.tar": "docker.io/library/credprobe-sandbox:tested",
            self.folder / "pause.oci.tar": settings.PAUSE,
        }
        for archive, name in archives.items():
            converted = self.folder / "image.tar"
            policy = ["--insecure-policy", "--tmpdir", str(self.folder)]
            copy = ["skopeo", *policy, "copy", "--quiet", f"oci-archive:{archive}", f"docker-archive:{converted}:{name}"]
            done = subprocess.run(copy, capture_output=True, text=True)
            if done.returncode != 0 or self.ctr("images", "import", converted) is None:
                raise NotStarted(f"{archive} cannot be loaded: {done.stderr}")
            converted.unlink()

    def pause(self, archive: Path) -> None:
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            context = Path(folder)
            shutil.copy(self.cache / "bin" / "pause", context / "pause")
            (context / "Containerfile").write_text('FROM scratch\nCOPY pause /\nENTRYPOINT ["/pause"]\n')
            packed = oci.Archive(level=1)
            with buildah.built(context / "Containerfile", context, "amd64", {}, 0) as layout:
                packed.add(layout)
        packed.write(archive, "pause:trial", 0)

    def stop(self) -> None:
        for process in reversed(self.running):
            process.send_signal(signal.SIGTERM)
        for process in reversed(self.running):
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
        self.running.clear()
        # Mounts of the kubelet and containerd below the folder would prevent its removal.
        places = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
        for place in sorted((it for it in places if it.startswith(f"{self.folder}/")), reverse=True):
            subprocess.run(["umount", "--lazy", place], check=False)


if __name__ == "__main__":
    sys.exit(main())
