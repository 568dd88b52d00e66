"""How much somebody holds of a text: the next clock of each client, as Yjs writes it."""

from __future__ import annotations

from typing import Final

from p2pvalue_protocol.documents.numbers import read_number, write_number
from p2pvalue_protocol.documents.update_form import CLOCK_MAX
from p2pvalue_protocol.documents.verdict import Malformed

CLIENTS_MAX: Final = 65_536


def read_state(data: bytes) -> dict[int, int]:
    """Return next clocks by client; raises UpdateInvalid. ~1 µs for each client."""
    state: dict[int, int] = {}
    try:
        count, at = read_number(data, 0)
        if count > CLIENTS_MAX:
            raise Malformed
        for _ in range(count):
            client, at = read_number(data, at)
            state[client], at = read_number(data, at)
    except IndexError:
        raise Malformed from None
    if at != len(data) or len(state) != count or any(c > CLOCK_MAX for c in state.values()):
        raise Malformed
    return state


def write_state(state: dict[int, int]) -> bytes:
    """Return the bytes of next clocks by client."""
    out = bytearray(write_number(len(state)))
    for client, clock in state.items():
        out += write_number(client) + write_number(clock)
    return bytes(out)
