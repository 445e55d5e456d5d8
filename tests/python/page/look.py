"""Runs in the sandbox's pod: a `serve`, Chromium on its page, and /metrics unchanged. `look.py PROBE CHROMIUM FOLDER`

Writes light.png, dark.png, phone.png, page.html, metrics.txt and seen.json to the folder.
"""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from browser import Browser

PAGE, METRICS, READY = "http://127.0.0.1:9810/", "http://127.0.0.1:9809/metrics", "http://127.0.0.1:9809/readyz"
# In seconds.
LIMIT = 60
# The page reloads itself every 15 seconds; here it takes a tenth of that.
FASTER = "const slow = setInterval; window.setInterval = (work, pause) => slow(work, pause / 10)"
DESK, PHONE = 1100, 390


def main(probe: str, chromium: str, folder: Path) -> None:
    process = subprocess.Popen([probe, "serve", "--metrics=full"], stdout=subprocess.DEVNULL)
    try:
        wait_for_a_verdict()
        (folder / "metrics.txt").write_bytes(fetch(METRICS))
        browser = Browser(chromium, folder)
        try:
            seen = browse(browser, folder)
        finally:
            browser.close()
        (folder / "seen.json").write_text(json.dumps(seen))
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


def browse(browser: Browser, folder: Path) -> dict:
    browser.call("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
    browser.load(PAGE)
    (folder / "page.html").write_text(browser.value("document.documentElement.outerHTML"))
    seen = {"title": browser.value("document.title"), "text": browser.value("document.body.innerText")}
    for name, width, dark in (("dark", DESK, True), ("phone", PHONE, False), ("light", DESK, False)):
        browser.look(width, dark, folder / f"{name}.png")
        seen[f"wider than {name}"] = browser.value("document.documentElement.scrollWidth > innerWidth")
    seen["color"] = browser.value("getComputedStyle(document.querySelector('h1')).color")
    seen["commands"] = browser.value("[...document.querySelectorAll('header ~ .step pre')].map(it => it.textContent)")
    if seen["commands"]:
        browser.click(".run button")
        time.sleep(0.2)
        seen["button"] = browser.value("document.querySelector('.run button').textContent")
        seen["copied"] = browser.value("navigator.clipboard.readText()")
    # A script that somebody adds to the page must not run.
    browser.value("document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.planted = 1'}))")
    seen["planted"] = browser.value("window.planted || 0")
    (folder / "refused.txt").write_text("\n".join(browser.console))
    browser.console.clear()
    browser.call("Page.addScriptToEvaluateOnNewDocument", source=FASTER)
    browser.load(PAGE)
    browser.value("getSelection().selectAllChildren(document.querySelector('h1'))")
    seen["reloaded while text is selected"] = browser.loaded(4)
    seen["selected"] = browser.value("getSelection().toString()")
    seen["says that it waits"] = browser.value("!document.getElementById('paused').hidden")
    browser.value("getSelection().removeAllRanges()")
    seen["reloaded"] = browser.loaded(4)
    seen["console"] = browser.console
    return seen


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
