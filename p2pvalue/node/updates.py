"""Which Yjs updates a plain document takes: a strict reader, before pycrdt sees a byte.

pycrdt panics on five bytes and hangs on seventeen if they are chosen well, and a struct that claims
another's clock makes two nodes differ for ever. What an honest editor of one Yjs `Text` named
"content" writes is a small subset of the format, and only that is taken. Whether an update is taken
follows from its bytes, its author and the updates of the same session before it, which stand before
it in one log: every node takes the same ones. What needs an operation's whole past (that it names
only what its author had seen) is not judged yet.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from p2pvalue_protocol.ids import tagged_hash

ROOT_NAME: Final = "content"
STRUCTS_MAX: Final = 4_096
RANGES_MAX: Final = 4_096
STRING_UNITS_MAX: Final = 16_384  # a longer block makes later loads slow: pasted text is split
WRITTEN_UNITS_MAX: Final = 65_536  # of one update, deleted at once or not: its size, about
CLOCK_MAX: Final = 2**31 - 1
CLIENT_MAX: Final = 2**53 - 1

_GC, _DELETED, _STRING = 0, 1, 4
_HAS_ORIGIN, _HAS_RIGHT_ORIGIN = 0x80, 0x40


class UpdateInvalid(Exception):
    """These bytes are no update that an honest editor of plain text writes."""


class Update(NamedTuple):
    """What an update says of itself. `first_clock` is -1 if it only deletes."""

    client: int
    first_clock: int
    end_clock: int  # the client's next clock
    named: dict[int, int]  # client -> least clock that must be there before


def client_of(device: bytes, document: bytes, session: int) -> int:
    """Return the Yjs client id of one editing session: 53 bits of a hash (spec: kinds/document)."""
    digest = tagged_hash("yid", device + document + session.to_bytes(4, "big"))
    return int.from_bytes(digest[:7], "big") >> 3


def read_update(data: bytes, client: int) -> Update:
    """Return what an update says; raises UpdateInvalid unless it is `client`'s own. ~6 µs."""
    reader = _Reader(data, client)
    try:
        first_clock, end_clock = reader.structs()
        reader.deletions(end_clock)
    except (IndexError, UnicodeDecodeError):
        raise UpdateInvalid("it is cut short, or text in it is no UTF-8") from None
    if reader.at != len(data):
        raise UpdateInvalid("bytes follow its end")
    return Update(client, first_clock, end_clock, reader.named)


class _Reader:
    def __init__(self, data: bytes, client: int) -> None:
        self.data = data
        self.at = 0
        self.client = client
        self.named: dict[int, int] = {}

    def number(self, most: int) -> int:
        """Read an unsigned number in its only, shortest form."""
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                break
            shift += 7
            if shift > 49:
                raise UpdateInvalid("a number is too long")
        if (byte == 0 and shift) or value > most:
            raise UpdateInvalid("a number is too large or not in its shortest form")
        return value

    def text(self) -> str:
        size = self.number(len(self.data))
        end = self.at + size
        if end > len(self.data):
            raise IndexError
        value = self.data[self.at : end].decode()
        self.at = end
        return value

    def structs(self) -> tuple[int, int]:
        """Read at most one section of structs, which is this client's."""
        if self.number(1) == 0:
            return -1, -1
        count = self.number(STRUCTS_MAX)
        if count == 0 or self.number(CLIENT_MAX) != self.client:
            raise UpdateInvalid("its section is empty, or speaks for another session")
        first_clock = clock = self.number(CLOCK_MAX)
        for _ in range(count):
            clock += self.struct(clock)
            if clock > CLOCK_MAX or clock - first_clock > WRITTEN_UNITS_MAX:
                raise UpdateInvalid("its clock runs over, or further than its size allows")
        return first_clock, clock

    def struct(self, clock: int) -> int:
        """Read one struct that begins at `clock`; return its length in UTF-16 units."""
        info = self.data[self.at]
        self.at += 1
        if info == _GC:
            return self.length()
        content = info & ~(_HAS_ORIGIN | _HAS_RIGHT_ORIGIN)
        if content not in (_DELETED, _STRING):
            raise UpdateInvalid("it holds something that is not plain text")
        origin = self.reference(clock) if info & _HAS_ORIGIN else None
        right_origin = self.reference(clock) if info & _HAS_RIGHT_ORIGIN else None
        if origin is None and right_origin is None:
            if self.number(1) != 1 or self.text() != ROOT_NAME:
                raise UpdateInvalid(f'it writes elsewhere than in "{ROOT_NAME}"')
        elif origin == right_origin:
            raise UpdateInvalid("a struct stands on both sides of another")
        if content == _DELETED:
            return self.length()
        text = self.text()
        units = len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2
        if not 0 < units <= STRING_UNITS_MAX:
            raise UpdateInvalid("a block of text is empty or too long")
        return units

    def reference(self, clock: int) -> tuple[int, int]:
        """Read the place of a character; one of this client's comes before `clock`."""
        client, at = self.number(CLIENT_MAX), self.number(CLOCK_MAX)
        if client == self.client and at >= clock:
            raise UpdateInvalid("a struct names itself or what comes after it")
        self.named[client] = max(self.named.get(client, 0), at + 1)
        return client, at

    def length(self) -> int:
        length = self.number(CLOCK_MAX)
        if length == 0:
            raise UpdateInvalid("a struct is empty")
        return length

    def deletions(self, end_clock: int) -> None:
        """Read the ranges deleted: of each client once, ascending, apart from each other."""
        ranges_left = RANGES_MAX
        clients: set[int] = set()
        for _ in range(self.number(RANGES_MAX)):
            client = self.number(CLIENT_MAX)
            count = self.number(ranges_left)
            if client in clients or count == 0:
                raise UpdateInvalid("a client's deletions are empty or given twice")
            clients.add(client)
            ranges_left -= count
            end = 0
            for _ in range(count):
                start = self.number(CLOCK_MAX)
                if start < end:
                    raise UpdateInvalid("deletions overlap or are not in order")
                end = start + self.length()
            if end > CLOCK_MAX or (client == self.client and 0 <= end_clock < end):
                raise UpdateInvalid("it deletes what its client has yet to write")
            self.named[client] = max(self.named.get(client, 0), end)
