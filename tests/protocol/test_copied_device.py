"""A device whose keys are used twice learns of it, though by then nobody lists its log."""

from __future__ import annotations

from copy import deepcopy

from p2pvalue_protocol import inputs as i
from tests.protocol.desk import NOW_MS, Computer, join, sync

LATER_MS = NOW_MS + 40_000


def copy_of(computer: Computer, community: bytes) -> Computer:
    """Another computer with the same keys and all that was stored."""
    twin = Computer(computer.name, computer.name)
    twin.store.commit(deepcopy(computer.committed))
    keys = twin.keys(community)
    twin.machine.add_replica(community, keys.signer, keys.prekey_private)
    return twin


def test_both_copies_are_shown_the_proof() -> None:
    ana, ben = Computer("ana", "ana"), Computer("ben", "ben")
    garden = ana.found("garden")
    ana.invite(garden)
    join(ben, ana, garden, 1)
    sync(ben, ana, garden, 2)
    ben.say(garden, "before")
    twin = copy_of(ben, garden)
    ben.say(garden, "by the first")
    twin.say(garden, "by the copy")
    sync(ben, ana, garden, 3)
    sync(twin, ana, garden, 4)
    assert ana.machine.replica(garden).branches.forked_devices() == [ben.device(garden)]
    ana.handle(i.Wakeup(), LATER_MS)
    assert ana.membership(garden).is_gone(ben.device(garden))
    for session, copy in ((5, ben), (6, twin)):
        sync(copy, ana, garden, session)
        assert copy.machine.replica(garden).branches.forked_devices() == [copy.device(garden)]
        assert copy.membership(garden).is_gone(copy.device(garden))
