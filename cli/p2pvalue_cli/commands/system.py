"""The system around us: a systemd unit, the shell's completion, our version."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import click

from p2pvalue_cli.command import Command, data_dir
from p2pvalue_cli.output import say, show

UNIT_NAME = "p2pvalue.service"
UNIT = """\
[Unit]
Description=p2pvalue: chat, documents, needs and pledges without a server
Documentation=man:systemd.service(5)

[Service]
ExecStart={program} --data-dir {data_dir} run
Restart=on-failure
RestartSec=5
TimeoutStopSec=5
NoNewPrivileges=yes

[Install]
WantedBy=default.target
"""


@click.command(cls=Command, example="p2pvalue service --install")
@click.option("--install", is_flag=True, help="Write the unit to ~/.config/systemd/user.")
def service(install: bool) -> None:
    """Print a systemd user unit that keeps the daemon running, or install it."""
    unit = UNIT.format(program=_quoted(_program()), data_dir=_quoted(str(data_dir())))
    if not install:
        show({"unit": unit}, lambda _: click.echo(unit, nl=False))
        return
    path = Path(click.get_app_dir("systemd", force_posix=False)) / "user" / UNIT_NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(unit, encoding="utf-8")
    show({"unit": unit, "path": str(path)}, lambda _: _say_installed(path))


@click.command(cls=Command, example="p2pvalue completion bash >> ~/.bashrc")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print what makes the Tab key complete p2pvalue's commands in a SHELL."""
    from click.shell_completion import get_completion_class

    from p2pvalue_cli.main import cli

    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(cli, {}, "p2pvalue", "_P2PVALUE_COMPLETE").source())


@click.command(cls=Command, example="p2pvalue version")
def version() -> None:
    """Print the version."""
    from p2pvalue import __version__

    show({"version": __version__}, lambda _: click.echo(f"p2pvalue {__version__}"))


def _program() -> str:
    return shutil.which("p2pvalue") or str(Path(sys.argv[0]).absolute())


def _quoted(word: str) -> str:
    """A word of ExecStart (systemd.service(5), command lines): quoted, with % and $ doubled."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"'


def _say_installed(path: Path) -> None:
    from p2pvalue.keystore import protection_of

    say(f"written to {path}. Start it now and at every login with:")
    say(f"  systemctl --user enable --now {UNIT_NAME}")
    if protection_of(data_dir()) == "passphrase":
        say("Your keys are under a passphrase, so after each start: p2pvalue unlock")
    say("To let it run while you are logged out, too: loginctl enable-linger")
