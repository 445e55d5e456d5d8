"""In the sandbox's pod: a `serve`, Chromium on its page, and /metrics as it is. `look.py PROBE CHROMIUM FOLDER`

Leaves light.png, dark.png, page.html, metrics.txt and console.txt in the folder.
"""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

PAGE, METRICS, READY = "http://127.0.0.1:9810/", "http://127.0.0.1:9809/metrics", "http://127.0.0.1:9809/readyz"
# In seconds.
LIMIT = 60
# Quiet, and nothing that looks for hosts elsewhere: the pod has none.
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
    "--enable-logging=stderr", "--window-size=1100,1400", "--virtual-time-budget=2000",
]


def main(probe: str, chromium: str, folder: Path) -> None:
    process = subprocess.Popen([probe, "serve", "--metrics=full"], stdout=subprocess.DEVNULL)
    try:
        wait_for_a_verdict()
        (folder / "metrics.txt").write_bytes(fetch(METRICS))
        said = browse(chromium, folder, "--dump-dom", stdout=folder / "page.html")
        for scheme, setting in (("dark", "0"), ("light", "1")):
            # The number is Blink's enumeration of preferred colour schemes.
            scheme_flag = f"--blink-settings=preferredColorScheme={setting}"
            said += browse(chromium, folder, scheme_flag, f"--screenshot={folder / scheme}.png")
        # What Chromium says of pages of its own is not about ours.
        ours = (line for line in said if "CONSOLE" in line and "source: chrome://" not in line)
        (folder / "console.txt").write_text("".join(ours))
    finally:
        process.terminate()
        process.wait(LIMIT)


def fetch(url: str) -> bytes:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        return opener.open(url, timeout=LIMIT).read()
    except urllib.error.HTTPError as error:
        return error.read()


def wait_for_a_verdict() -> None:
    until = time.monotonic() + LIMIT
    while time.monotonic() < until:
        try:
            if b"no verdict" not in fetch(READY):
                return
        except (urllib.error.URLError, ConnectionError):
            pass
        time.sleep(0.05)
    raise SystemExit("there is no verdict")


def browse(chromium: str, folder: Path, *flags: str, stdout: Path | None = None) -> list[str]:
    profile = folder / f"profile-{time.monotonic_ns()}"
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    command = [chromium, *FLAGS, f"--user-data-dir={profile}", *flags, PAGE]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LIMIT)
    if done.returncode != 0:
        raise SystemExit(f"Chromium ended with {done.returncode}: {done.stderr}")
    if stdout:
        stdout.write_text(done.stdout)
    return done.stderr.splitlines(keepends=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
