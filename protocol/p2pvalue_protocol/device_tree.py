"""Which devices are a member's, and who takes them away (spec: membership, "Devices").

The root certifies devices, they certify others: a tree, in which whoever stands nearer to the root
may take away what stands further down. How far a device is from the root is counted along the
chain of certificates that is looked at, so that a question about one link leads only to questions
about shorter chains.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from p2pvalue_protocol import limits
from p2pvalue_protocol.auth_record import DeviceRemoval, Giving, Record
from p2pvalue_protocol.ids import Reference

WEAKEST = 3

Demotions = tuple[tuple[int, int, int], ...]
"""(index, rank demoted to, strength of its author) of the demotions that act on a case."""


class Case(NamedTuple):
    """Something done by a device after `before`."""

    device: bytes
    before: int
    at: int = -1  # index of the auth operation; -1 if it is none
    place: Reference | None = None  # where keeps can name it
    certificates: int = -1  # those that it knows or is; -1: the same as `before`
    excluded: int = 0  # removals that have no effect on it
    is_leaveless: bool = False
    votes: int = -1  # those of the author's equals that are looked at; -1: all
    votes_rank: int = -1  # the rank of those equals

    @property
    def known_certificates(self) -> int:
        return self.before if self.certificates < 0 else self.certificates


class Judge(Protocol):
    """What the tree asks about the strength of others."""

    record: Record
    mask: int | None

    def holds(self, index: int) -> bool: ...
    def case_of(self, index: int) -> Case: ...
    def at_most(self, index: int, level: int) -> bool: ...
    def strength_for(
        self, index: int, giving: Giving, demotions: Demotions, level: int
    ) -> int | None: ...
    def is_spared(
        self, place: Reference | None, giving: Giving, demotions: Demotions, level: int
    ) -> bool: ...


class DeviceTree:
    """The verdicts of one view about devices."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._record = judge.record
        self._revokers: dict[tuple[Giving, int, int], bool] = {}

    def has_chain(
        self,
        giving: Giving,
        device: bytes,
        case: Case,
        demotions: Demotions,
        links_max: int = limits.CERTIFICATE_DEPTH_MAX,
    ) -> bool:
        """Return whether certificates that a case knows lead from a device to a giving's root.

        Of at most `links_max` links, none of them taken away for what it certifies, and the device
        itself not for the case. Cost grows with the links and the removals of their devices.
        """
        reached: dict[tuple[bytes, int], bool] = {}
        return any(
            self._reaches(giving, device, links, case, demotions, reached)
            and not self._is_removed(
                giving, device, links, case.at, case.place, demotions, case.excluded
            )
            for links in range(1, links_max + 1)
        )

    def _reaches(
        self,
        giving: Giving,
        device: bytes,
        links: int,
        case: Case,
        demotions: Demotions,
        reached: dict[tuple[bytes, int], bool],
    ) -> bool:
        """Return whether so many links lead from the root to a device, none of them broken."""
        known = reached.get((device, links))
        if known is not None:
            return known
        found = False
        for certificate in self._record.certificates.get(device, ()):
            if certificate.root != giving.root:
                continue
            if not case.known_certificates >> certificate.at & 1:
                continue
            if not certificate.certifier or links == 1:
                found = not certificate.certifier and links == 1
            else:
                found = self._reaches(
                    giving, certificate.certifier, links - 1, case, demotions, reached
                ) and not self._is_removed(
                    giving,
                    certificate.certifier,
                    links - 1,
                    certificate.at,
                    self._record.place(certificate.at),
                    demotions,
                    case.excluded,
                )
            if found:
                break
        reached[device, links] = found
        return found

    def _is_removed(
        self,
        giving: Giving,
        device: bytes,
        links: int,
        index: int,
        place: Reference | None,
        demotions: Demotions,
        excluded: int,
    ) -> bool:
        """Return whether a device so many links from its root is removed for what stands there."""
        for removal in self._record.device_removals.get(device, ()):
            if not self._judge.holds(removal.at) or excluded >> removal.at & 1:
                continue
            if removal.root not in (None, giving.root):
                continue
            if index >= 0 and removal.known >> index & 1:
                continue
            if self.removes_as_member(removal, giving, links):
                if not self._is_let_stand(removal, giving, device, links, index, place):
                    return True
                continue
            level = self.strength_of(removal, giving, demotions)
            if level is not None and not self._judge.is_spared(place, giving, demotions, level):
                return True
        return False

    def removes_as_member(self, removal: DeviceRemoval, giving: Giving, links: int) -> bool:
        """Return whether a root, or a device nearer to it, takes away one `links` from it."""
        if removal.is_by_root:
            return True
        if (giving, removal.at, links) not in self._revokers:
            self._settle_revokers(giving, links)
        return self._revokers.get((giving, removal.at, links), False)  # False: of no member's

    def _settle_revokers(self, giving: Giving, links_max: int) -> None:
        """Judge the authors of a member's own removals, the nearest to the root first."""
        own = [
            removal.at
            for device in self._record.devices_of.get(giving.root, ())
            for removal in self._record.device_removals.get(device, ())
            if not removal.is_by_root and removal.root in (None, giving.root)
        ]
        for links in range(1, links_max + 1):
            for index in own:
                if (giving, index, links) in self._revokers:
                    continue
                author = self._record.events[index].device
                self._revokers[giving, index, links] = self._record.is_of(
                    author, giving.root, index
                ) and self.has_chain(giving, author, self._judge.case_of(index), (), links - 1)

    def _is_let_stand(
        self,
        removal: DeviceRemoval,
        giving: Giving,
        device: bytes,
        links: int,
        index: int,
        place: Reference | None,
    ) -> bool:
        """Return whether a member's own removal of a device leaves what stands at a place.

        Because such a removal keeps it, or somebody stronger, or because somebody stronger had seen
        it and put the member out before she could take it back.
        """
        base = giving.rank - 1
        if place is not None and (
            self._judge.is_spared(place, giving, (), base)
            or self._is_kept_by_member(giving, device, links, place)
        ):
            return True
        return index >= 0 and any(
            self._judge.holds(revoke)
            and revoke not in self._record.leaves
            and self._record.precedes(index, revoke)
            and not self._record.precedes(removal.at, revoke)
            and self._record.puts_out(revoke)
            and self._judge.at_most(revoke, base)
            for revoke in self._record.removals.get(giving.root, ())
        )

    def strength_of(
        self, removal: DeviceRemoval, giving: Giving, demotions: Demotions
    ) -> int | None:
        """Return the level at which somebody stronger than a member takes her device, or None."""
        if removal.is_by_root:
            return None
        author = self._record.events[removal.at].device
        if self._record.is_of(author, giving.root, removal.at):
            return None
        return self._judge.strength_for(removal.at, giving, demotions, WEAKEST - 1)

    def _is_kept_by_member(
        self, giving: Giving, device: bytes, links: int, place: Reference
    ) -> bool:
        return any(
            bool(removal.keeps)
            and removal.root in (None, giving.root)
            and self._judge.holds(removal.at)
            and self._record.keeps(removal.at, place, self._judge.mask)
            and self.removes_as_member(removal, giving, links)
            for removal in self._record.device_removals.get(device, ())
        )
