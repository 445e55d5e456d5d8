"""Drives Chromium through its pipe: JSON messages of the DevTools protocol, each ended by a zero byte."""

import base64
import json
import os
import select
import subprocess
import time
from pathlib import Path

# No output, and nothing that looks for hosts elsewhere, because the pod has none.
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--remote-debugging-pipe",
]
# In seconds.
LIMIT = 60


class Browser:
    """Controls one page."""

    def __init__(self, chromium: str, folder: Path) -> None:
        asked, self.ask = os.pipe()
        self.answers, answered = os.pipe()
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
        # It reads from descriptor 3 and writes to 4.
        shell = ["sh", "-c", f'exec "$@" 3<&{asked} 4>&{answered}', "sh", chromium, *FLAGS, f"--user-data-dir={folder / 'profile'}", "about:blank"]
        self.process = subprocess.Popen(shell, env=environment, pass_fds=(asked, answered), stderr=subprocess.DEVNULL)
        os.close(asked)
        os.close(answered)
        self.left, self.number, self.session = b"", 0, None
        # What the page printed on the console, and what its policy refused.
        self.console: list[str] = []
        targets = self.call("Target.getTargets")["targetInfos"]
        (page,) = [it["targetId"] for it in targets if it["type"] == "page"]
        self.session = self.call("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(LIMIT)

    def call(self, method: str, **parameters: object) -> dict:
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session and not method.startswith(("Target.", "Browser.")):
            message["sessionId"] = self.session
        os.write(self.ask, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.next(LIMIT)
            if answer is None:
                raise TimeoutError(method)
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]

    def next(self, limit: float) -> dict | None:
        """The next message. Output on the console is kept."""
        until = time.monotonic() + limit
        while b"\0" not in self.left:
            if not select.select([self.answers], [], [], max(0, until - time.monotonic()))[0]:
                return None
            if not (read := os.read(self.answers, 1 << 20)):
                raise EOFError("Chromium has ended")
            self.left += read
        message, _, self.left = self.left.partition(b"\0")
        told = json.loads(message)
        if told.get("method") in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"):
            self.console.append(json.dumps(told["params"]))
        return told

    def loaded(self, limit: float = LIMIT) -> bool:
        """Whether a page loads within this time."""
        until = time.monotonic() + limit
        while (left := until - time.monotonic()) > 0:
            told = self.next(left)
            if told and told.get("method") == "Page.loadEventFired":
                return True
        return False

    def load(self, url: str) -> None:
        self.call("Page.navigate", url=url)
        assert self.loaded(), url

    def value(self, script: str) -> object:
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True, userGesture=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{script}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def click(self, selector: str) -> None:
        """Clicks with the mouse in the middle of the first match."""
        found = f"document.querySelector({json.dumps(selector)})"
        x, y = self.value(f"{found}.scrollIntoView({{block: 'center'}}); (r => [r.x + r.width / 2, r.y + r.height / 2])({found}.getBoundingClientRect())")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def look(self, width: int, dark: bool, picture: Path) -> None:
        """Takes a picture of the whole page at this width."""
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        phone = width < 600
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=phone)
        self.value("scrollTo(0, 0)")
        height = self.value("Math.ceil(document.documentElement.getBoundingClientRect().height)")
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        picture.write_bytes(base64.b64decode(shot["data"]))
