"""A text that comes from a file or from standard input, as it is: to the byte, or refused."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from p2pvalue_cli.failures import Failed

STDIN = "-"
SOURCE = click.Path(exists=True, dir_okay=False, readable=True, allow_dash=True)


def text_from(source: str) -> str:
    """The text of a file, or of standard input for `-`; raises Failed."""
    if source == STDIN:
        stdin = sys.stdin.buffer
        if stdin.isatty():
            click.echo("Type it here; Ctrl-D on a line of its own ends it.", err=True)
        return _decoded(stdin.read(), "what came on standard input")
    try:
        return _decoded(Path(source).read_bytes(), source)
    except OSError as error:
        raise Failed(f"{source} cannot be read: {error.strerror}") from error


def _decoded(data: bytes, what: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Failed(f"{what} is not UTF-8 text: convert it first") from error
