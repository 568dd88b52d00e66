"""What every command shares: `--json` and `--data-dir` anywhere, an example, and late imports."""

from __future__ import annotations

import contextlib
import errno
import importlib
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from p2pvalue_cli.failures import Failed, Misused
from p2pvalue_protocol.errors import P2PValueError

_JSON = "p2pvalue.json"
_DATA_DIR = "p2pvalue.data_dir"
_ASKED = "p2pvalue.json_somewhere"
_TOO_MANY = "Got unexpected extra argument"  # as click begins to say it
SENTENCE_CHARS_MAX = 200  # of a command in the list of its group

F = TypeVar("F", bound=Callable[..., Any])


def as_json() -> bool:
    """True if the caller asked for JSON."""
    return bool(click.get_current_context().meta.get(_JSON))


def data_dir() -> Path:
    """The data folder that this call is about."""
    named = click.get_current_context().meta.get(_DATA_DIR)
    if named is not None:
        return cast("Path", named).absolute()
    from p2pvalue.config import default_data_dir

    return default_data_dir()


def run_hint(command: str) -> str:
    """A command line for the folder of this call, to be named in a message."""
    named = click.get_current_context().meta.get(_DATA_DIR)
    folder = f" --data-dir {shlex.quote(str(named))}" if named else ""
    return f"p2pvalue{folder} {command}"


def command_line(words: Sequence[str], community: str | None) -> str:
    """A command as `run_hint` names it, with its words quoted, for the community of this call."""
    where = [] if community is None else ["-c", community]
    return run_hint(shlex.join([*words, *where]))


@contextlib.contextmanager
def until_ctrl_c() -> Iterator[None]:
    """End a command that goes on until Ctrl-C without a word, and with code 0."""
    try:
        yield
    except KeyboardInterrupt:
        if sys.stderr.isatty():  # the terminal wrote ^C
            click.echo(err=True)
        raise click.exceptions.Exit(0) from None


def community_option(function: F) -> F:
    """Add `-c/--community`; who has one community, or chose one, never needs it."""
    return click.option(
        "-c",
        "--community",
        metavar="NAME",
        help="Which community: its name or the beginning of its id. Not needed when there is one,"
        " or one was chosen by `community use`.",
    )(function)


class Command(click.Command):
    """A command with an example in its help."""

    def __init__(self, *args: Any, example: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.example = example
        self.params += _shared_options()

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the words of the command; who wrote too many is told of quotes."""
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            if not error.message.startswith(_TOO_MANY):
                raise
            advice = "put words that belong together between quotes"
            raise click.UsageError(f"{error.message}: {advice}", ctx) from error

    def get_short_help_str(self, limit: int = 45) -> str:
        """Return the whole first sentence, whatever the limit: a list wraps it."""
        return super().get_short_help_str(limit=SENTENCE_CHARS_MAX)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the example, one command a line."""
        with formatter.section("Example"):
            formatter.write("".join(f"  {line}\n" for line in self.example.splitlines()))

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; every error a person can cause becomes one sentence and a code."""
        try:
            _refuse_what_is_no_text(ctx)
            return super().invoke(ctx)
        except Failed as failure:
            failure.as_json = as_json()
            raise
        except P2PValueError as error:
            raise _told(str(error)) from error
        except OSError as error:
            if error.errno == errno.EPIPE:  # who reads our output has seen enough
                raise
            raise _told(f"{error.filename or 'the system'}: {error.strerror}") from error


def _told(message: str) -> Failed:
    failure = Failed(message)
    failure.as_json = as_json()
    return failure


def _refuse_what_is_no_text(ctx: click.Context) -> None:
    # Python passes on bytes of the command line that are not UTF-8 as surrogates.
    for name, value in ctx.params.items():
        if isinstance(value, str) and not _is_text(value):
            raise click.UsageError(f"{name} is not UTF-8 text: type it again", ctx)


def _is_text(value: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in value)


@dataclass(frozen=True)
class Late:
    """A command that is imported when it is used; `short_help` is shown without importing it."""

    place: str
    short_help: str


class Group(click.Group):
    """A group whose commands are imported when they are used."""

    command_class = Command

    def __init__(self, *args: Any, late: dict[str, Late] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._late = late or {}
        self.params += _shared_options()

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*self._late, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._late:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = self._late[cmd_name].place.partition(":")
        return cast("click.Command", getattr(importlib.import_module(module), attribute))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing any."""
        if not self._late:
            super().format_commands(ctx, formatter)
            return
        with formatter.section("Commands"):
            formatter.write_dl([(name, late.short_help) for name, late in self._late.items()])


class Door(Group):
    """The group of all commands: tells programs in JSON, too, what they wrote wrongly."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the first words; remember whether JSON is asked for anywhere behind them."""
        own = args[: args.index("--")] if "--" in args else args
        ctx.meta[_ASKED] = "--json" in own
        with _usage_told(ctx):
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that is meant."""
        with _usage_told(ctx):
            return super().invoke(ctx)


@contextlib.contextmanager
def _usage_told(ctx: click.Context) -> Iterator[None]:
    """Turn a wrong usage into JSON if that was asked for; whoever asks for help gets help."""
    try:
        yield
    except click.exceptions.NoArgsIsHelpError:
        raise
    except click.UsageError as error:
        if not ctx.meta[_ASKED]:
            raise
        raise Misused(error.format_message()) from error


def _shared_options() -> list[click.Parameter]:
    def keep(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
        def callback(ctx: click.Context, _: click.Parameter, value: Any) -> None:
            if value:
                ctx.meta[name] = value

        return callback

    return [
        click.Option(
            ["--json"],
            is_flag=True,
            expose_value=False,
            callback=keep(_JSON),
            help="Answer in JSON, for programs.",
        ),
        click.Option(
            ["--data-dir"],
            type=click.Path(file_okay=False, path_type=Path),
            expose_value=False,
            callback=keep(_DATA_DIR),
            metavar="FOLDER",
            help="The data folder; also by P2PVALUE_DATA_DIR.",
        ),
    ]
