"""Troubles that chance alone finds too rarely; who, how strongly and knowing what varies."""

from __future__ import annotations

from p2pvalue_protocol.acts import (
    OUT,
    AddDevice,
    Admit,
    Give,
    Nothing,
    OpenInvite,
    Remove,
    RemoveDevice,
    Vote,
    WithdrawInvite,
)
from tests.dags.builder import GENESIS
from tests.dags.village import KEYS, Scene, Village


def old_link(village: Village) -> None:
    """Somebody was removed, and comes back by an invitation from before."""
    rng, target = village.rng, village.somebody(3)
    inviter = village.some_device(village.somebody(2))
    invite = village.act(inviter, OpenInvite(KEYS[1], rng.choice([2, 3])), list(village.known))
    removal = village.act(village.some_device(village.somebody(1)), Remove(target), [invite])
    admit = Admit(target, village.some_device(target), KEYS[1], invite)
    knows = rng.choice([[removal], [invite]])
    village.act(rng.choice([inviter, village.some_device()]), admit, knows)
    village.talk(village.some_device(target))


def leaked_link(village: Village) -> None:
    """An invitation is withdrawn while somebody is admitted by it, and was admitted before."""
    rng = village.rng
    inviter = village.some_device(village.somebody(1))
    invite = village.act(inviter, OpenInvite(KEYS[1], rng.choice([2, 3])), list(village.known))
    withdrawer = village.some_device(village.somebody(rng.choice([0, 1, 3])))
    known = [invite]
    for root in rng.sample([b"X", b"Y"], rng.choice([1, 2])):
        device = village.new_device(root, knows=invite)
        village.ranks[root] = 3
        admit = Admit(root, device, KEYS[1], invite)
        known = [village.act(village.some_device(), admit, [invite, device_start(village, device)])]
        if rng.random() < 0.5:
            village.act(withdrawer, WithdrawInvite(KEYS[1]), rng.choice([known, [invite]]))
        village.talk(device)


def device_start(village: Village, device: bytes) -> bytes:
    return GENESIS if village.is_founding(device) else village.own(device)[0]


def dormant_removal(village: Village) -> None:
    """A peer removes a peer, which is nothing, until one of the two ranks changes."""
    target, peer = village.somebody(3), village.somebody(3)
    removal = village.act(village.some_device(peer), Remove(target), list(village.known))
    founder = village.some_device(village.somebody(0))
    change = village.one_of(Give(peer, 1), Remove(target, 2), Remove(target, 3), Give(target, 3))
    village.act(founder, change, [removal])
    village.talk(village.some_device(target))


def revived_removal(village: Village) -> None:
    """A removal is void because its author was removed, by somebody who was removed herself."""
    everything, target = list(village.known), village.somebody(3)
    remover, over = village.somebody(2), village.somebody(1)
    removal = village.act(village.some_device(remover), Remove(target), everything)
    voiding = village.act(village.some_device(over), Remove(remover), everything)
    village.say(village.some_device(target), [removal, voiding], op_id=village.new_id(b"c"))
    village.act(village.some_device(village.somebody(0)), Remove(over), everything)


def demoted_then_removed(village: Village) -> None:
    """Somebody is demoted and removed by who is her peer no longer; some of her acts are kept."""
    rng, target = village.rng, village.somebody(3)
    everything = list(village.known)
    hers = [
        village.act(village.some_device(target), Give(village.somebody(3), 3), everything)
        for _ in range(rng.randrange(3))
    ]
    village.talk(village.some_device(target))
    founder = village.some_device(village.somebody(0))
    demotion = Remove(target, rng.choice([2, 3]), village.some_keeps(target))
    demoted = village.act(founder, demotion, rng.choice([everything, everything + hers]))
    removal = Remove(target, OUT, village.some_keeps(target))
    village.act(village.some_device(village.somebody(2)), removal, [demoted])
    village.talk(village.some_device(target))


def given_again(village: Village) -> None:
    """Somebody is removed and let in again, with what she wrote meanwhile kept or not."""
    target, everything = village.somebody(3), list(village.known)
    device = village.some_device(target)
    village.talk(device)
    village.act(device, Nothing(), everything)
    remover = village.some_device(village.somebody(1))
    removal = village.act(remover, Remove(target, OUT, village.some_keeps(target)), everything)
    village.talk(device)
    again = Give(target, village.rng.choice([1, 2, 3]), village.some_keeps(target))
    village.act(village.some_device(village.somebody(1)), again, [removal])
    village.talk(device)


def backdated(village: Village) -> None:
    """Who was removed writes on as if she had not heard of it."""
    rng, target, everything = village.rng, village.somebody(3), list(village.known)
    village.act(village.some_device(village.somebody(1)), Remove(target), everything)
    device, other = village.some_device(target), village.somebody(3)
    village.act(device, village.one_of(Remove(other), Vote(other), Give(other, 2)), everything)
    village.act(device, Remove(target, rng.choice([OUT, 3])), everything)
    village.talk(device)


def outlived(village: Village) -> None:
    """Somebody lets others in, is removed by who knows of it, and would undo it afterwards."""
    rng = village.rng
    giver = village.somebody(rng.choice([1, 2]))
    device = village.some_device(giver)
    village.new_device(b"X")
    village.ranks[b"X"] = 3
    given = village.act(device, Give(b"X", rng.choice([2, 3])), list(village.known))
    founder = village.some_device(village.somebody(0))
    removal = village.act(founder, Remove(giver, OUT, village.some_keeps(giver)), [given])
    undoing = RemoveDevice(giver, device, rng.random() < 0.7, (), village.some_keeps(giver))
    village.act(
        rng.choice([device, village.some_device()]), undoing, [rng.choice([given, removal])]
    )
    village.talk(village.some_device(b"X"))


def coup(village: Village) -> None:
    """Peers vote each other out, all at once or one after the other."""
    rng, rank = village.rng, village.rng.choice([0, 1, 1])
    founder = village.some_device(village.somebody(0))
    for root in (b"A", b"B") if rank else ():
        if root in village.ranks:
            village.act(founder, Give(root, 1), list(village.known))
            village.ranks[root] = 1
    peers = [root for root, held in village.ranks.items() if held == rank]
    everything = list(village.known)
    for _ in range(rng.choice([2, 3, 4])):
        voter, target = rng.choice(peers or [village.somebody()]), village.somebody(rank)
        knows = rng.choice([everything, list(village.known)])
        village.act(village.some_device(voter), Vote(target, village.some_keeps(target)), knows)


def sleeping_certificate(village: Village) -> None:
    """A device is removed, and one that it had certified in silence wakes up."""
    rng, root, everything = village.rng, village.somebody(3), list(village.known)
    first = village.some_device(root)
    second = village.new_device(root, rng.choice([b"", first]))
    remover = rng.choice([first, second, village.some_device()])
    taken = RemoveDevice(root, rng.choice([first, second]), rng.random() < 0.4)
    village.act(remover, taken, everything)
    third = village.new_device(root, second)
    target = village.somebody(3)
    knows = [device_start(village, name) for name in (first, second, third)]
    village.act(third, village.one_of(Give(target, 3), Remove(target)), [*everything, *knows])
    village.act(third, RemoveDevice(root, rng.choice([first, second])), [*everything, *knows])
    village.talk(third)


def begun_twice(village: Village) -> None:
    """A device begins its log twice: for another root, or with another certifier."""
    rng = village.rng
    device, root = village.some_device(), village.somebody(3)
    if village.is_founding(device):
        device = village.new_device(root)
    certificate = AddDevice(root, rng.choice([b"", *village.devices_of(root)]))
    twin = village.write(device, certificate, [GENESIS], village.new_id(b"d"))
    target = village.somebody(3)
    everything = set(village.known) - set(village.own(device))
    for _ in range(2):
        act = village.one_of(Give(target, 3), Remove(target), Vote(target), Give(target, 2))
        twin = village.write(device, act, [*everything, twin], village.new_id(b"o"))
    village.prove_fork(village.some_device())


def rivals(village: Village) -> None:
    """Two devices of one person remove each other or each other's certifier, or leave for both."""
    rng, root, everything = village.rng, village.somebody(3), list(village.known)
    devices = [village.some_device(root)]
    for _ in range(rng.choice([1, 2])):
        devices.append(village.new_device(root, rng.choice([b"", *devices])))
    everything += [device_start(village, device) for device in devices]
    for device in rng.sample(devices, 2):
        other = rng.choice(devices)
        act = village.one_of(RemoveDevice(root, other), Remove(root, rng.choice([OUT, 3])))
        done = village.act(device, act, everything)
        if rng.random() < 0.5:
            taken = RemoveDevice(root, rng.choice(devices), keeps=village.some_keeps(root))
            village.act(village.some_device(village.somebody(2)), taken, [*everything, done])
    village.talk(rng.choice(devices))


SCENES: tuple[Scene, ...] = (
    old_link,
    leaked_link,
    dormant_removal,
    revived_removal,
    demoted_then_removed,
    given_again,
    backdated,
    outlived,
    coup,
    sleeping_certificate,
    begun_twice,
    rivals,
)
