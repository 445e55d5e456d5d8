"""Runs in the sandbox's pod: measures the contenders in turns, then `serve` under scrapes, and prints everything as JSON.

    python3 measure.py FOLDER PYTHON TURNS SCRAPES
"""

import json
import os
import subprocess
import sys
import time

import contenders
import scrape

# The peaks of two runs differ by a page or two.
PEAKS = 5


def main() -> None:
    folder, python, turns, scrapes = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    taking_part = list(contenders.contenders(folder, python))
    for contender in taking_part:
        prove(contender)
    measured = {it.name: {"does": it.does, "wall": [], "cpu": [], "peak": []} for it in taking_part}
    nowhere = os.open(os.devnull, os.O_WRONLY)
    silent = [(os.POSIX_SPAWN_DUP2, nowhere, 1)]
    load = [os.getloadavg()[0]]
    for turn in range(turns):
        # Each turn starts with another contender, so that a slow phase of the machine affects all of them.
        for position in range(len(taking_part)):
            contender = taking_part[(turn + position) % len(taking_part)]
            if turn % contender.every == 0:
                wall, cpu = timed(contender.command, silent)
                measured[contender.name]["wall"].append(wall)
                measured[contender.name]["cpu"].append(cpu)
    for contender in taking_part:
        measured[contender.name]["peak"] = [peak(folder, contender.command) for _ in range(PEAKS)]
    served = scrape.served(f"{folder}/credprobe", scrapes)
    load.append(os.getloadavg()[0])
    json.dump({"contenders": measured, "serve": served, "load": load, "turns": turns}, sys.stdout)


def prove(contender: contenders.Contender) -> None:
    """Checks that it works at all, and brings its file into the cache."""
    done = subprocess.run(contender.command, capture_output=True, text=True)
    if done.returncode != 0 or contender.says not in done.stdout:
        sys.exit(f"{contender.name} did not do its work, exit code {done.returncode}:\n{done.stdout}{done.stderr}")


def timed(command: list[str], actions: list) -> tuple[float, float]:
    """Milliseconds from start to exit, in wall time and in processor time."""
    start = time.perf_counter_ns()
    pid = os.posix_spawn(command[0], command, os.environ, file_actions=actions)
    _, status, usage = os.wait4(pid, 0)
    took = time.perf_counter_ns() - start
    if status != 0:
        sys.exit(f"{command} ended with {os.waitstatus_to_exitcode(status)} in the middle of the run")
    return took / 1e6, (usage.ru_utime + usage.ru_stime) * 1e3


def peak(folder: str, command: list[str]) -> int:
    """In bytes. A smaller parent measures it, because the kernel counts what a child had of its parent as the child's."""
    done = subprocess.run([f"{folder}/peak", *command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    words = done.stderr.split()
    if done.returncode != 0 or words[-6:-3:2] != ["peak", "KiB"]:
        sys.exit(f"no peak of {command}: {done.stderr}")
    return int(words[-5]) * 1024


if __name__ == "__main__":
    main()
