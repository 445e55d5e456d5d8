"""An interactive shell behind a pseudo-terminal, into which texts are pasted as a terminal does it."""

import os
import pty
import re
import select
import shutil
import signal
import time
from dataclasses import dataclass

from reports.standins import Bench

# In seconds, for one report.
LIMIT = 20
HANDLER = "%s() { printf '%%s\\n' \"$1\" >>\"$NOT_FOUND\"; return 127; }"


@dataclass(frozen=True)
class Shell:
    name: str
    words: tuple[str, ...]
    bracketed: bool
    # What the shell is told first: to record unknown words.
    begin: str

    def __str__(self) -> str:
        return f"{self.name}-{'bracketed' if self.bracketed else 'plain'}"


BASH, ZSH = HANDLER % "command_not_found_handle", HANDLER % "command_not_found_handler"
SHELLS = [
    Shell("bash", ("--norc", "--noprofile", "-i"), False, f"bind 'set enable-bracketed-paste off'; {BASH}"),
    Shell("bash", ("--norc", "--noprofile", "-i"), True, f"bind 'set enable-bracketed-paste on'; {BASH}"),
    # dash has no line editor, so no terminal uses bracketed paste there.
    Shell("dash", ("-i",), False, ":"),
    Shell("zsh", ("-f", "-i"), False, f"unset zle_bracketed_paste; {ZSH}"),
    Shell("zsh", ("-f", "-i"), True, ZSH),
]
# The message looks like `dash: 1: who: not found`.
NOT_FOUND_BY_DASH = re.compile(r"dash: \d+: (\S+): not found")


class Stuck(Exception):
    """The shell does not return to its prompt, because something that was pasted makes it wait."""


class Session:
    def __init__(self, shell: Shell, bench: Bench) -> None:
        self.shell, self.bench, self.count, self.said = shell, bench, 0, ""
        self.not_found = bench.work.parent / "not-found"
        environment = {**bench.environment, "TERM": "xterm", "PS1": "ready ", "PS2": "more ", "NOT_FOUND": str(self.not_found), "HISTFILE": "/dev/null"}
        program = shutil.which(shell.name)
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(bench.work)
            os.execve(program, [shell.name, *shell.words], environment)
        os.set_blocking(self.terminal, False)
        self.typed(shell.begin)

    def send(self, text: str) -> None:
        """Sends as fast as the shell accepts it, and reads its output meanwhile, or both sides would wait."""
        left, until = text.encode(), time.monotonic() + LIMIT
        while left:
            if time.monotonic() > until:
                raise Stuck(f"{self.shell} takes no more: {self.said[-2000:]}")
            readable, writable, _ = select.select([self.terminal], [self.terminal], [], 1)
            if readable:
                self.read()
            if writable:
                try:
                    left = left[os.write(self.terminal, left[:256]) :]
                except BlockingIOError:
                    continue

    def read(self) -> None:
        try:
            self.said += os.read(self.terminal, 65536).decode(errors="replace")
        except (BlockingIOError, OSError):
            pass

    def at_prompt(self) -> None:
        """Waits for a word that only a shell at its prompt can print, because the typed text does not contain it."""
        self.count += 1
        self.send(f"printf 'at-%s-prompt\\n' {self.count}\r")
        until = time.monotonic() + LIMIT
        while f"at-{self.count}-prompt" not in self.said:
            if time.monotonic() > until:
                raise Stuck(f"{self.shell} is not at its prompt: {self.said[-2000:]}")
            if select.select([self.terminal], [], [], 0.5)[0]:
                self.read()

    def typed(self, line: str) -> None:
        self.send(line + "\r")
        self.at_prompt()

    def paste(self, text: str) -> None:
        """A terminal sends a carriage return for each end of a line. With bracketed paste it waits for the Enter key."""
        self.said = ""
        sent = (text.rstrip("\n") + "\n").replace("\n", "\r")
        self.send(f"\x1b[200~{sent}\x1b[201~\r" if self.shell.bracketed else sent)
        self.at_prompt()

    def unknown_words(self) -> list[str]:
        if self.shell.name == "dash":
            return NOT_FOUND_BY_DASH.findall(self.said)
        words = self.not_found.read_text().split("\n") if self.not_found.exists() else []
        self.not_found.write_text("")
        return [word for word in words if word]

    def close(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.terminal)
