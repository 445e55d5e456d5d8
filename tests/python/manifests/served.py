"""Prints what `credprobe serve` serves at /metrics after an exchange. Runs in the sandbox's pod, as `served.py PROBE`."""

import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import defaultdict

SAMPLE = re.compile(r"^([a-z_]+)(?:\{(.*)\})? \S+", re.MULTILINE)
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
# The pod has its own network, so the ports are free.
LISTEN, ADMIN = "127.0.0.1:9809", "127.0.0.1:9810"
# In seconds.
LIMIT = 10


def samples(answer: str) -> dict[str, dict[str, set[str]]]:
    """Each sample's name with the values of its labels."""
    found: dict[str, dict[str, set[str]]] = {}
    for name, labels in SAMPLE.findall(answer):
        values = found.setdefault(name, defaultdict(set))
        for label, value in LABEL.findall(labels):
            values[label].add(value)
    return found


def fetched(probe: str) -> str:
    """Waits for the first success, because before it there are no samples of a token, phases or success."""
    command = [probe, "serve", f"--listen={LISTEN}", f"--admin-listen={ADMIN}"]
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        try:
            until = time.monotonic() + LIMIT
            while time.monotonic() < until and process.poll() is None:
                try:
                    text = opener.open(f"http://{LISTEN}/metrics", timeout=LIMIT).read().decode()
                    if "\ncredprobe_last_success_timestamp_seconds " in text:
                        return text
                except (urllib.error.URLError, ConnectionError):
                    pass
                time.sleep(0.1)
        finally:
            process.terminate()
            said = process.communicate(timeout=LIMIT)[1]
    raise SystemExit(f"no success at {LISTEN}/metrics within {LIMIT} s, ended with {process.returncode}: {said}")


if __name__ == "__main__":
    sys.stdout.write(fetched(sys.argv[1]))
