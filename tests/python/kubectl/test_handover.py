"""What comes with the plugin: the manifest for krew, completion, help with examples."""

import hashlib
import json
import subprocess
import sys
import tarfile
from pathlib import Path

import jsonschema
import pytest
import yaml

from lib import given

WORDS = {"debug", "why", "fleet", "lint", "completion"}


def said(*arguments: str) -> str:
    return subprocess.run([given.kubectl_plugin(), *arguments], capture_output=True, text=True, check=True).stdout


def test_krews_manifest_fits_its_schema_and_the_archive(tmp_path) -> None:
    pack = [sys.executable, given.ROOT / "probe" / "kubectl" / "krew.py", f"--out={tmp_path}"]
    targets = ["x86_64-unknown-linux-gnu", "aarch64-apple-darwin", "x86_64-pc-windows-msvc"]
    binaries = [f"--binary={target}={given.kubectl_plugin()}" for target in targets]
    subprocess.run([*pack, *binaries], check=True)
    manifest = yaml.safe_load((tmp_path / "credprobe.yaml").read_text())
    jsonschema.validate(manifest, json.loads(Path(__file__).with_name("krew.schema.json").read_text()))
    assert len(manifest["spec"]["platforms"]) == len(targets)
    for platform in manifest["spec"]["platforms"]:
        archive = tmp_path / platform["uri"].rpartition("/")[2]
        assert hashlib.sha256(archive.read_bytes()).hexdigest() == platform["sha256"]
        with tarfile.open(archive) as tar:
            assert set(tar.getnames()) == {it["from"] for it in platform["files"]}
            assert tar.getmember(platform["bin"]).mode & 0o111


def test_help_has_examples_and_every_word() -> None:
    text = said("--help")
    assert all(f"\n  {word} " in text for word in WORDS)
    for word in WORDS - {"completion"}:
        assert "Examples" in said(word, "--help") or word == "debug"
        assert said("help", word) == said(word, "--help")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "kubectl"])
def test_completion_parses_and_completes(shell: str, tmp_path) -> None:
    script = tmp_path / "script"
    script.write_text(said("completion", shell))
    assert "--fail-on" in script.read_text() or shell == "fish"
    if shell == "bash":
        ask = f"source {script}; COMP_WORDS=(kubectl-credprobe fl); COMP_CWORD=1; _kubectl_credprobe; echo ${{COMPREPLY[@]}}"
        assert subprocess.run(["bash", "-c", ask], capture_output=True, text=True, check=True).stdout == "fleet\n"
    if shell == "zsh":
        ask = f"autoload -U compinit; compinit -u -D; source {script}; print -r -- $_comps[kubectl-credprobe]"
        done = subprocess.run([given.program("zsh"), "-f", "-c", ask], capture_output=True, text=True, check=True)
        assert "_kubectl_credprobe" in done.stdout and not done.stderr, done
    if shell == "fish":
        ask = f"source {script}; complete -C 'kubectl-credprobe fl'"
        done = subprocess.run([given.program("fish"), "--no-config", "-c", ask], capture_output=True, text=True, check=True)
        assert done.stdout.split() == ["fleet"] and not done.stderr, done
    if shell == "kubectl":
        done = subprocess.run(["sh", script, "fleet", ""], capture_output=True, text=True, check=True)
        assert "--all-namespaces" in done.stdout.split() and done.stdout.endswith(":4\n")
