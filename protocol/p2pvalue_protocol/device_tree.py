"""Which devices are a member's, and who takes them away (spec: membership, "Devices").

The root certifies devices, they certify others: a tree, in which whoever stands nearer to the root
may take away what stands further down. How far a device is from the root is counted along the
chain of certificates that is looked at, so that a question about one link leads only to questions
about shorter chains.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from p2pvalue_protocol import limits
from p2pvalue_protocol.auth_record import Giving, Record
from p2pvalue_protocol.bit_sets import bits_of
from p2pvalue_protocol.ids import Reference
from p2pvalue_protocol.settled import Settled
from p2pvalue_protocol.takings import Takings

WEAKEST = 3

Demotions = tuple[int, int, int]
"""By level: the set of the demotions acting on a case, by stronger ones, to what is weaker."""

UNDEMOTED: Demotions = (0, 0, 0)


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
    takings: Takings
    mask: int | None
    held: int
    settled: Settled

    def case_of(self, index: int) -> Case: ...
    def acting(self, among: int, level: int) -> int: ...
    def strong(
        self, among: int, giving: Giving, demotions: Demotions, level: int = ...
    ) -> Iterator[tuple[int, int]]: ...
    def is_spared(
        self, place: Reference | None, giving: Giving, demotions: Demotions, level: int
    ) -> bool: ...


class DeviceTree:
    """The verdicts of one view about devices."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._record = judge.record
        self._takings = judge.takings

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
        if device not in self._takings.certified_by_devices:
            links_max = min(links_max, 1)
        at, place, excluded = case.at, case.place, case.excluded
        for links in range(1, links_max + 1):
            if self._reaches(
                giving, device, links, case, demotions, reached
            ) and not self._is_removed(giving, device, links, at, place, demotions, excluded):
                return True
        return False

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
        found = self._takings.of_device(device, giving.root)
        if found:
            found &= self._judge.held & ~excluded
            if index >= 0:
                found &= self._takings.meeting(index)
        if not found:
            return False
        own = self.removing_as_member(found, giving, links)
        if own and not self._are_let_stand(own, giving, device, links, index, place):
            return True
        others = self.removing_as_others(found & ~own, giving.root)
        return any(
            strong and not self._judge.is_spared(place, giving, demotions, level)
            for level, strong in self._judge.strong(others, giving, demotions)
        )

    def removing_as_member(self, among: int, giving: Giving, links: int) -> int:
        """Return those of some removals by a root, or a device nearer to it than `links`."""
        by_root = among & self._takings.by_root
        by_devices = self._takings.by_member(among & ~by_root, giving.root)
        if not by_devices:
            return by_root
        known = self._judge.settled.of[giving.root].revoking[giving.rank, links]
        return by_root | known.among(by_devices, lambda index: self._revokes(giving, index, links))

    def _revokes(self, giving: Giving, index: int, links: int) -> bool:
        author = self._record.events[index].device
        case = self._judge.case_of(index)
        return self.has_chain(giving, author, case, UNDEMOTED, links - 1)

    def removing_as_others(self, among: int, root: bytes) -> int:
        """Return those of some removals that are not by a root or its devices."""
        among &= ~self._takings.by_root
        return among & ~self._takings.by_member(among, root)

    def _are_let_stand(
        self,
        removals: int,
        giving: Giving,
        device: bytes,
        links: int,
        index: int,
        place: Reference | None,
    ) -> bool:
        """Return whether each of a member's own removals of a device leaves what is at a place.

        Because such a removal keeps it, or somebody stronger, or because somebody stronger had seen
        it and put the member out before she could take it back.
        """
        base = giving.rank - 1
        if place is not None and (
            self._judge.is_spared(place, giving, UNDEMOTED, base)
            or self._is_kept_by_member(giving, device, links, place)
        ):
            return True
        if index < 0:
            return False
        takings = self._takings
        put_out = takings.put_out(giving.root) & self._judge.held
        put_out &= ~takings.meeting(index)  # what is left had seen it
        for revoke in bits_of(self._judge.acting(put_out, base)):
            removals &= self._record.past(revoke)
        return not removals

    def _is_kept_by_member(
        self, giving: Giving, device: bytes, links: int, place: Reference
    ) -> bool:
        keeping = self._takings.of_device(device, giving.root) & self._judge.held
        keeping = self.removing_as_member(keeping & self._takings.with_keeps, giving, links)
        keeps, mask = self._record.keeps, self._judge.mask
        return any(keeps(index, place, mask) for index in bits_of(keeping))
