"""How a command ends when it cannot do what was asked: a message with the next step, a code."""

from __future__ import annotations

from typing import IO, Any

import click

# Documented in docs/reference/cli.md; scripts rely on them.
FAILED = 1
USAGE = 2
NO_DAEMON = 3
NOT_FOUND = 4
NOT_ALLOWED = 5
LOCKED = 6
NOT_WHOLE = 7

MEANINGS = {
    0: "done",
    FAILED: "failed; the message says why and what to do",
    USAGE: "the command was not written as it should be; nothing was done",
    NO_DAEMON: "no daemon is running on this data folder",
    NOT_FOUND: "what was named is not here",
    NOT_ALLOWED: "not allowed: by the community's rules, by this system, or a wrong passphrase",
    LOCKED: "the daemon is locked: its keys wait for `p2pvalue unlock`",
    NOT_WHOLE: "a proof holds, and does not show all that it points to",
}


class Failed(click.ClickException):
    """Ends a command with code 1; `name` is the API's kebab-case name of the error."""

    exit_code = FAILED

    def __init__(self, message: str, *, name: str = "failed") -> None:
        super().__init__(message)
        self.name = name
        self.as_json = False

    def show(self, file: IO[Any] | None = None) -> None:
        """Write the message to standard error: a sentence, or JSON if that was asked for.

        It may name a member, by the name that she gave herself.
        """
        from p2pvalue_cli.output import harmless, json_text

        if self.as_json:
            text = json_text({"error": self.name, "message": self.message})
            click.echo(text, file=file, err=file is None)
        else:
            click.echo(f"Error: {harmless(self.format_message())}", file=file, err=file is None)


class Misused(Failed):
    """The command was not written as it should be, and a program wants to read that."""

    exit_code = USAGE

    def __init__(self, message: str) -> None:
        super().__init__(message, name="usage")
        self.as_json = True


class NoDaemon(Failed):
    """Nobody answers on this data folder."""

    exit_code = NO_DAEMON


class NotHere(Failed):
    """What was named is not here."""

    exit_code = NOT_FOUND


class Forbidden(Failed):
    """Not allowed, by a community's rules or by the system."""

    exit_code = NOT_ALLOWED


class Locked(Failed):
    """The keys are under a passphrase that nobody has given yet."""

    exit_code = LOCKED


class NotWhole(Failed):
    """What was checked holds, and leaves something out."""

    exit_code = NOT_WHOLE


_BY_NAME = {
    "locked": Locked,
    "wrong-passphrase": Forbidden,
    "no-daemon": NoDaemon,
    "not-found": NotHere,
    "not-allowed": Forbidden,
    "forbidden": Forbidden,
}


def failed(name: str, message: str) -> Failed:
    """The error with the exit code that belongs to its name."""
    return _BY_NAME.get(name, Failed)(message, name=name)
