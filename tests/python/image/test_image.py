"""Examines the image that was built. At night it is built again and compared. See image/README.md."""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest
import zlib
from datetime import datetime
from functools import cache
from io import BytesIO
from pathlib import Path

import build
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from lib import given

# In the binary, from panic messages: `/hyper-1.12.0/src/…`. Those below `/rust/deps` are from Rust's own library.
SOURCES = re.compile(rb"(?<!/rust/deps)/([A-Za-z0-9_-]+?)-(\d+\.\d+\.[A-Za-z0-9.+-]*)/src/")
# The line of `readelf` about the section that cargo-auditable writes: JSON, compressed with zlib.
AUDITABLE = re.compile(r" \.dep-v0 +PROGBITS +\S+ (\S+) (\S+) ")


@cache
def binaries() -> dict[str, Path]:
    """The binaries in the image, by Rust's name for the target."""
    said = os.environ.get("CREDPROBE_BINARIES") or given.not_run("CREDPROBE_BINARIES names none: make image-check")
    return {target: Path(file).absolute() for target, file in (it.split("=", 1) for it in said.split())}


def created() -> int:
    """The build time of the image, in seconds since the epoch."""
    sbom = json.loads((given.images() / "credprobe.cdx.json").read_text())
    return int(datetime.fromisoformat(sbom["metadata"]["timestamp"]).timestamp())


def built(folder: Path, **variables: str) -> Path:
    out, copies = folder / "again", folder / "binaries"
    # Another file time, and whatever else a second builder may have.
    copies.mkdir()
    command = [sys.executable, build.HERE / "build.py", f"--out={out}"]
    for target, file in binaries().items():
        shutil.copy(file, copies / target)
        command.append(f"--binary={target}={copies / target}")
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(created()), **variables}
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    return out


class Files(unittest.TestCase):
    def test_sums_are_those_of_the_files(self) -> None:
        named = sorted(line.split()[1] for line in (given.images() / "SHA256SUMS").read_text().splitlines())
        self.assertEqual(named, ["credprobe.cdx.json", "credprobe.licenses.txt", "credprobe.oci.tar"])
        sums = subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=given.images(), capture_output=True, text=True)
        self.assertEqual(sums.returncode, 0, sums)

    @pytest.mark.nightly
    def test_two_builds_are_the_same_bytes(self) -> None:
        old = os.umask(0o077)
        try:
            with tempfile.TemporaryDirectory(prefix="credprobe-image-", dir="/var/tmp") as folder:
                again = built(Path(folder), TZ="Asia/Kathmandu", LANG="tr_TR.UTF-8")
                for file in again.iterdir():
                    self.assertTrue(file.read_bytes() == (given.images() / file.name).read_bytes(), f"{file.name} differs")
        finally:
            os.umask(old)

    def test_the_binary_names_no_folder_of_its_builder(self) -> None:
        home = os.environ.get("HOME") or "/root"
        cargo = os.environ.get("CARGO_HOME") or f"{home}/.cargo"
        for target, file in binaries().items():
            content = file.read_bytes()
            # The paths that panic messages are known to contain are there, so this examines the right kind of file.
            self.assertTrue(SOURCES.search(content), target)
            named = [it for it in (cargo, home, build.HERE.parent, file.parents[2]) if f"{it}/".encode() in content]
            self.assertEqual(named, [], target)


class Image(unittest.TestCase):
    def setUp(self) -> None:
        with tarfile.open(given.images() / "credprobe.oci.tar") as tar:
            self.files = {it.name: tar.extractfile(it).read() for it in tar if it.isfile()}
        (described,) = json.loads(self.files["index.json"])["manifests"]
        self.index = self.json(described)

    def json(self, described: dict) -> dict:
        return json.loads(self.blob(described))

    def blob(self, described: dict) -> bytes:
        content = self.files["blobs/" + described["digest"].replace(":", "/")]
        self.assertEqual(len(content), described["size"])
        return content

    def test_there_is_one_for_each_architecture(self) -> None:
        platforms = [it["platform"] for it in self.index["manifests"]]
        expected = sorted(build.ARCHITECTURES[target.split("-")[0]] for target in binaries())
        self.assertEqual(platforms, [{"architecture": it, "os": "linux"} for it in expected])

    def test_the_binary_is_all_that_is_in_it(self) -> None:
        files = {build.ARCHITECTURES[target.split("-")[0]]: file for target, file in binaries().items()}
        for described in self.index["manifests"]:
            (layer,) = self.json(described)["layers"]
            with tarfile.open(fileobj=BytesIO(self.blob(layer))) as tar:
                (only,) = tar.getmembers()
                self.assertEqual((only.name, only.mode & 0o7777, only.uid, only.gid, only.mtime), ("credprobe", 0o755, 0, 0, created()))
                self.assertTrue(tar.extractfile(only).read() == files[described["platform"]["architecture"]].read_bytes())

    def test_it_starts_the_probe_as_a_user_by_number(self) -> None:
        for described in self.index["manifests"]:
            config = self.json(self.json(described)["config"])["config"]
            labels = config.pop("Labels")
            # buildah sets PATH; without it, runtimes set the same.
            self.assertEqual([it.split("=")[0] for it in config.pop("Env")], ["PATH"])
            self.assertEqual(config, {"User": "65532:65532", "Entrypoint": ["/credprobe"]})
            self.assertLessEqual({"title", "description", "licenses", "version"}, {it.rsplit(".", 1)[1] for it in labels})

    def test_a_tool_of_others_reads_it(self) -> None:
        skopeo = given.program("skopeo")
        for described in self.index["manifests"]:
            platform = [f"--override-arch={described['platform']['architecture']}", "--override-os=linux"]
            with tempfile.TemporaryDirectory() as folder:
                # skopeo verifies every digest when it copies.
                command = [skopeo, *platform, "--insecure-policy", "copy", f"oci-archive:{given.images()}/credprobe.oci.tar", f"dir:{folder}"]
                done = subprocess.run(command, capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, done)


class Papers(unittest.TestCase):
    def setUp(self) -> None:
        self.bom = json.loads((given.images() / "credprobe.cdx.json").read_text())
        ours = self.bom["metadata"]["component"]
        self.listed = [(it["name"], it["version"]) for it in [ours, *self.bom["components"]]]

    def test_sbom_has_the_crates_of_cargo_tree_and_no_others(self) -> None:
        tree = set()
        for target in binaries():
            command = f"cargo tree --locked -p credprobe -e normal --target {target} --prefix none"
            done = subprocess.run(command.split(), cwd=build.HERE.parent, capture_output=True, text=True, check=True)
            tree |= {(line.split()[0], line.split()[1].lstrip("v")) for line in done.stdout.splitlines() if line}
        self.assertEqual(sorted(self.listed), sorted(tree))

    def test_sbom_has_every_crate_that_the_binary_names(self) -> None:
        for target, file in binaries().items():
            named = {(name.decode(), version.decode()) for name, version in SOURCES.findall(file.read_bytes())}
            self.assertGreater(len(named), 10, target)
            self.assertEqual(sorted(named - set(self.listed)), [])

    def test_the_binary_lists_every_crate_of_the_sbom(self) -> None:
        for target, file in binaries().items():
            sections = subprocess.run(["readelf", "-SW", file], capture_output=True, text=True, check=True).stdout
            offset, size = (int(it, 16) for it in AUDITABLE.search(sections).groups())
            packages = json.loads(zlib.decompress(file.read_bytes()[offset : offset + size]))["packages"]
            inside = {(it["name"], it["version"]) for it in packages}
            self.assertEqual(sorted(set(self.listed) - inside), [], target)
            # Packages of the workspace's other features: https://github.com/rust-secure-code/cargo-auditable/issues/66.
            runtime = {(it["name"], it["version"]) for it in packages if it.get("kind", "runtime") == "runtime"}
            self.assertLess(len(runtime - set(self.listed)), 20, target)

    def test_sbom_has_sums_licences_and_no_loose_ends(self) -> None:
        references = [it["bom-ref"] for it in [self.bom["metadata"]["component"], *self.bom["components"]]]
        self.assertEqual(sorted(references), sorted(set(references)))
        self.assertEqual(sorted(references), sorted(it["ref"] for it in self.bom["dependencies"]))
        self.assertLessEqual({need for it in self.bom["dependencies"] for need in it["dependsOn"]}, set(references))
        for it in self.bom["components"]:
            self.assertTrue(it.get("licenses"), it)
        # The second package of this repository. No registry has it, so there is no checksum.
        self.assertEqual([it["name"] for it in self.bom["components"] if not it.get("hashes")], ["credprobe-judge"])

    def test_sbom_is_cyclonedx_by_its_makers_schema(self) -> None:
        text = (given.images() / "credprobe.cdx.json").read_text()
        self.assertIsNone(JsonStrictValidator(SchemaVersion.V1_5).validate_str(text))

    def test_list_of_licences_has_every_crate(self) -> None:
        text = (given.images() / "credprobe.licenses.txt").read_text()
        rows = re.findall(r"^(\S+) (\d\S*): (.+)$", text.split("\nBesides")[0], re.MULTILINE)
        self.assertEqual(sorted((name, version) for name, version, _ in rows), sorted(self.listed))
        self.assertNotIn("None", [licence for *_, licence in rows])
        self.assertGreater(text.count("\n" + "=" * 100), 20)
