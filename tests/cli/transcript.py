"""Runs the pages of `cli/examples/`: prose with blocks of typed commands and what they print.

    alice$ p2pvalue chat post 'hello'      typed by alice; each name has a data folder of its own
    posted                                 what must be printed, errors too
    bob$ p2pvalue chat list
    [..] alice: hello                      [..] stands for anything within a line
    p2pvalue:1#[link]                      [word] keeps what it stood for, for later commands
    alice$ p2pvalue run &                  a daemon, ended with its page
    alice$ p2pvalue need show Roof
    Error: [..]
    [code 4]                               the exit code, if it is not 0

All persons share one working folder. News needs a moment to travel, so a command that only reads is
typed again until it prints what the page says.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from p2pvalue.folder import holder
from tests.api.daemons import Daemon, started
from tests.patience import WAIT_S
from tests.ports import KeptPort

BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PROMPT = re.compile(r"(\w*)\$ (.*)")
READING = re.compile(
    r"p2pvalue (\S+ )?(list|show|status|members|doctor|whoami|rank|explain|board)\b"
)
TRIES_MAX = 60
CONFIG = '[network]\nlisten = ["/ip4/127.0.0.1/tcp/{port}"]\nlan_discovery = false\n'


@dataclass
class Step:
    """One command, who typed it, and what it must print."""

    person: str
    command: str
    line: int
    printed: list[str] = field(default_factory=list)


def steps(page: str) -> list[Step]:
    """The commands of a page in their order."""
    found: list[Step] = []
    for block in BLOCK.finditer(page):
        first = page.count("\n", 0, block.start(1)) + 1
        for number, line in enumerate(block.group(1).splitlines(), first):
            if prompt := PROMPT.fullmatch(line):
                found.append(Step(prompt[1] or "alice", prompt[2], number))
            elif found:
                found[-1].printed.append(line)
            else:
                raise AssertionError(f"line {number} is printed by no command: {line}")
    return found


class Transcript:
    """One run of one page; `home` is an empty folder for all that it makes."""

    program = "p2pvalue_cli"
    """The module that is `p2pvalue run` here."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.kept: dict[str, str] = {}
        self.daemons: dict[str, Daemon] = {}
        self._stack: ExitStack

    def run(self, page: str) -> None:
        """Type every command; raises AssertionError at the first that prints something else."""
        with ExitStack() as stack:
            self._stack = stack
            for step in steps(page):
                self.before(step)
                if step.command.endswith(" &"):
                    self._start(step, stack)
                else:
                    self._type(step)
            self.ended()
            for person, daemon in self.daemons.items():
                # One that a command has ended may still be on its way out: Ctrl-C would cut it off.
                has_ended = holder(self.home / person) is None
                code = daemon.wait() if has_ended else daemon.interrupt()
                assert (code, "Traceback" in daemon.log) == (0, False), f"{person}: {daemon.log}"

    def before(self, step: Step) -> None:
        """Called before each command is typed."""

    def ended(self) -> None:
        """Called after the last command, while daemons run."""

    def output(self, person: str, command: str) -> str:
        """What a command prints that somebody types, errors too, and its exit code if not 0."""
        ended = subprocess.run(
            ["bash", "-c", self._filled(command)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            cwd=self.home,
            env={**os.environ, **self.environment(person)},
            timeout=WAIT_S,
            text=True,
            check=False,
        )
        code = f"[code {ended.returncode}]\n" if ended.returncode else ""
        return ended.stdout + code

    def _start(self, step: Step, stack: ExitStack) -> None:
        words = self._filled(step.command.removesuffix(" &")).split()
        assert words[0] == "p2pvalue", step.command
        environment = self.environment(step.person)
        daemon = stack.enter_context(started("-m", self.program, *words[1:], **environment))
        daemon.wait_until_ready()
        self.daemons[step.person] = daemon

    def _type(self, step: Step) -> None:
        tries = TRIES_MAX if READING.match(step.command) else 1
        printed = ""
        for _ in range(tries):
            printed = self.output(step.person, step.command)
            if self._matches(step.printed, printed):
                return
        wanted = "\n".join(step.printed)
        raise AssertionError(
            f"line {step.line}, {step.person}$ {step.command}\n"
            f"--- the page says\n{wanted}\n--- it printed\n{printed}{self._logs()}"
        )

    def _matches(self, wanted: list[str], printed: str) -> bool:
        patterns = []
        names: list[str] = []
        for line in wanted:
            for part in re.split(r"(\[\.\.\]|\[[a-z]+\])", line):
                if part == "[..]":
                    patterns.append(".*")
                elif re.fullmatch(r"\[[a-z]+\]", part):
                    patterns.append(r"(\S+)")
                    names.append(part)
                else:
                    patterns.append(re.escape(part))
            patterns.append("\n")
        found = re.fullmatch("".join(patterns), printed)
        if found is not None:
            self.kept.update(zip(names, found.groups(), strict=True))
        return found is not None

    def _filled(self, command: str) -> str:
        for name, text in self.kept.items():
            command = command.replace(name, text)
        return command

    def environment(self, person: str) -> dict[str, str]:
        folder = self.home / person
        if not folder.exists():
            folder.mkdir(mode=0o700)
            text = CONFIG.format(port=self._stack.enter_context(KeptPort()).number)
            (folder / "config.toml").write_text(text, encoding="utf-8")
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        return {"P2PVALUE_DATA_DIR": str(folder), "PATH": path, "HOME": str(self.home)}

    def _logs(self) -> str:
        return "".join(f"\n--- log of {p}\n{d.log}" for p, d in self.daemons.items())
