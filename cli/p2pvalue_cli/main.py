"""The door of the command line: `p2pvalue`, and where each command is found."""

from __future__ import annotations

import click

from p2pvalue_cli.command import Door, Late

_HERE = "p2pvalue_cli.commands"


def _say_version(ctx: click.Context, _: click.Parameter, is_asked: bool) -> None:
    if is_asked:
        from p2pvalue import __version__

        click.echo(f"p2pvalue {__version__}")
        ctx.exit()


cli = Door(
    name="p2pvalue",
    help="Chat, write, and get things done together, without a server.",
    epilog="Start with: p2pvalue init, then p2pvalue run. Each command has an example: --help.",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    params=[
        click.Option(
            ["--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_say_version,
            help="Print the version, as the command does.",
        )
    ],
    late={
        "init": Late(f"{_HERE}.daemon:init", "Make the data folder: your keys and settings."),
        "run": Late(f"{_HERE}.daemon:run", "Run the daemon until Ctrl-C."),
        "status": Late(f"{_HERE}.node:status", "How the daemon is."),
        "stop": Late(f"{_HERE}.daemon:stop", "Stop the daemon."),
        "lock": Late(f"{_HERE}.secrets:lock", "Close the keys; the daemon waits for unlock."),
        "unlock": Late(f"{_HERE}.secrets:unlock", "Open the keys of a locked daemon."),
        "passphrase": Late(f"{_HERE}.secrets:passphrase", "What closes your keys here."),
        "words": Late(f"{_HERE}.secrets:words", "The 24 words that stand for you."),
        "whoami": Late(f"{_HERE}.node:whoami", "Who writes here."),
        "profile": Late(f"{_HERE}.node:profile", "What others see of you."),
        "community": Late(f"{_HERE}.community:community", "Found, join and look at communities."),
        "member": Late(f"{_HERE}.member:member", "Who is in, putting out, letting back in."),
        "invite": Late(f"{_HERE}.invite:invite", "Links that let people in."),
        "request": Late(f"{_HERE}.request:request", "Who asks to be let in, and the answer."),
        "device": Late(f"{_HERE}.device:device", "Be one person on several devices."),
        "chat": Late(f"{_HERE}.chat:chat", "Post and read messages."),
        "document": Late(f"{_HERE}.document:document", "Write texts together."),
        "blob": Late(f"{_HERE}.blob:blob", "Share files, and get those of others."),
        "project": Late(f"{_HERE}.project:project", "What several needs belong to."),
        "need": Late(f"{_HERE}.need:need", "What a community needs."),
        "pledge": Late(f"{_HERE}.pledge:pledge", "Promise to help with a need."),
        "ranking": Late(f"{_HERE}.ranking:ranking", "By what a community puts its needs in order."),
        "contribution": Late(f"{_HERE}.contribution:contribution", "What was done, and by whom."),
        "thanks": Late(f"{_HERE}.thanks:thanks", "Words of thanks to each other."),
        "notify": Late(f"{_HERE}.notify:notify", "What concerns you, and how much is told."),
        "peer": Late(f"{_HERE}.node:peer", "Other nodes and their addresses."),
        "doctor": Late(f"{_HERE}.node:doctor", "Look for what commonly goes wrong."),
        "export": Late(f"{_HERE}.export:export", "All that you can read, as files."),
        "backup": Late(f"{_HERE}.data:backup", "Copy everything but the keys, encrypted."),
        "restore": Late(f"{_HERE}.data:restore", "Make a new data folder from a backup."),
        "verify": Late(f"{_HERE}.data:verify", "Check every stored operation."),
        "rebuild": Late(f"{_HERE}.data:rebuild", "Derive all views again from the operations."),
        "wipe": Late(f"{_HERE}.secrets:wipe", "Make all on this machine unreadable."),
        "service": Late(f"{_HERE}.system:service", "A systemd unit that keeps the daemon running."),
        "completion": Late(f"{_HERE}.system:completion", "Completion by the Tab key."),
        "sim": Late(f"{_HERE}.sim:sim", "Simulated worlds that try to break this software."),
        "version": Late(f"{_HERE}.system:version", "Which version this is."),
    },
)
