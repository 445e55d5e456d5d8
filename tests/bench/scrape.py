"""`serve` under continuous scrapes, as from Prometheus: wall and processor time of each scrape, memory before and after."""

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

HOST, PORT = "127.0.0.1", 9809
PATIENCE = 20
REQUEST = f"GET /metrics HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
# The last line of OpenMetrics.
END = b"# EOF\n"


def served(probe: str, scrapes: int) -> dict:
    process = subprocess.Popen([probe, "serve"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until_ready(process)
        idle, busy = memory(process.pid, "VmRSS"), on_processor(process.pid)
        with socket.create_connection((HOST, PORT)) as connection:
            took = [scrape(connection) for _ in range(scrapes)]
        busy = on_processor(process.pid) - busy
        after, peak = memory(process.pid, "VmRSS"), memory(process.pid, "VmHWM")
        own = memory(process.pid, "RssAnon")
        return {"scrapes": scrapes, "wall": took, "cpu": busy / scrapes, "idle": idle, "after": after, "own": own, "peak": peak}
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)


def until_ready(process: subprocess.Popen) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://{HOST}:{PORT}/readyz"):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.02)
    raise SystemExit(f"`serve` was not ready within {PATIENCE} s (exit code {process.poll()})")


def scrape(connection: socket.socket) -> float:
    """Milliseconds of one scrape, over a kept connection."""
    start = time.perf_counter_ns()
    connection.sendall(REQUEST)
    answer = bytearray()
    while not answer.endswith(END):
        piece = connection.recv(65_536)
        if not piece:
            raise SystemExit("the connection ended in the middle of a scrape")
        answer += piece
    took = time.perf_counter_ns() - start
    if not answer.startswith(b"HTTP/1.1 200") or b"\ncredprobe_ready 1\n" not in answer:
        raise SystemExit(f"that is no scrape of a ready pod: {bytes(answer[:200])}")
    return took / 1e6


def memory(pid: int, line: str) -> int:
    with open(f"/proc/{pid}/status") as file:
        return next(int(it.split()[1]) * 1024 for it in file if it.startswith(f"{line}:"))


def on_processor(pid: int) -> float:
    """The milliseconds that all threads have used so far."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/schedstat") as file:
            total += int(file.read().split()[0])
    return total / 1e6
