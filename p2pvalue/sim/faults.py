"""What befalls machines and their network, line by line of the plan."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import count
from random import Random

from p2pvalue.sim.company import has_company
from p2pvalue.sim.disk import Disk
from p2pvalue.sim.ledger import Ledger
from p2pvalue.sim.member import Actor
from p2pvalue.sim.scenario import Event
from p2pvalue.sim.shell import Death, Shell


class FaultMaker:
    """Makes the faults of one world, and ends those that last."""

    def __init__(
        self, shell: Shell, ledger: Ledger, new_machine: Callable[[int], Actor], seed: int
    ) -> None:
        self._shell = shell
        self._ledger = ledger
        self._new_machine = new_machine
        self._seed = seed
        self._backups: dict[int, Disk] = {}
        self._numbers = count()
        self._ends: dict[int, Callable[[], object]] = {}  # of faults that last

    def make(self, event: Event) -> None:
        """Let one line of the plan happen, if its machine is there."""
        actor = self._shell.machines.get(event.machine)
        if actor is None:
            return
        rng = Random(f"{self._seed} {event.at_ms} {event.what} {event.machine}")
        is_made = True
        match event.what:
            case "cut":
                self._cut(event)
            case "break":
                self._shell.network.break_all(event.machine)
            case "crash" | "power":
                death = Death(event.amount, event.what == "power", event.for_ms)
                self._shell.doom(event.machine, death)
            case "full":
                actor.disk.fill(True)
                self._last(event.for_ms, lambda: actor.disk.fill(False))
            case "flip":
                is_made = has_company(self._shell, actor) and actor.disk.flip_bit(rng)
            case "clock":
                is_made = has_company(self._shell, actor)
                if is_made:
                    self._set_clock(actor, event)
            case "backup":
                is_made = self._back_up(actor)
            case "restore":
                is_made = self._restore(actor)
            case "clone":
                is_made = self._clone(actor, event)
            case _:
                raise AssertionError(f"{event.what} is nothing that befalls a machine")
        self._ledger.faults[event.what] += is_made

    def _back_up(self, actor: Actor) -> bool:
        """Copy the disk as the node does: signed, or it is no backup."""
        is_signed = self._shell.has_signed(actor)
        if is_signed:
            self._backups[actor.number] = actor.disk.copy()
        return is_signed

    def end_all(self) -> None:
        """Let disks have room and clocks be right again."""
        for number in sorted(self._ends):
            self._ends.pop(number)()

    def _last(self, for_ms: int, end: Callable[[], object]) -> None:
        number = next(self._numbers)
        self._ends[number] = end
        self._shell.timeline.after(for_ms, lambda: self._ends.pop(number, lambda: None)())

    def _cut(self, event: Event) -> None:
        some = set(event.others)
        rest = sorted(set(self._shell.machines) - some)
        ways = {(one, other) for one in some for other in rest}
        if event.amount == 2:
            ways |= {(other, one) for one, other in ways}
        number = self._shell.network.cut(ways)
        self._shell.timeline.after(event.for_ms, partial(self._shell.network.heal, number))

    def _set_clock(self, actor: Actor, event: Event) -> None:
        actor.skew_ms += event.amount

        def set_back() -> None:
            actor.skew_ms -= event.amount
            if actor.is_honest and self._shell.is_stuck_in_future(actor):
                self._shell.lose(actor)  # as `doctor` says: it goes on as a new device

        self._last(event.for_ms, set_back)

    def _restore(self, actor: Actor) -> bool:
        """The disk is gone; what was copied is read by a new device of the same person."""
        disk = self._backups.get(actor.number)
        if disk is None or not actor.is_member or not has_company(self._shell, actor):
            return False
        actor.disk = disk
        self._shell.replace(actor)
        if self._shell.is_stuck_in_future(actor):  # copied while the clock was wrong
            self._shell.lose(actor)
        return True

    def _clone(self, actor: Actor, event: Event) -> bool:
        """The data folder is copied, and both run: one key on two machines."""
        if not actor.is_member or not actor.is_up:
            return False
        copy = self._new_machine(event.other)
        copy.disk = actor.disk.copy()
        copy.device, copy.entropy = actor.device, actor.entropy
        copy.prekey, copy.prekey_private = actor.prekey, actor.prekey_private
        copy.is_known = copy.is_member = True
        copy.neighbours = [n for n in actor.neighbours if n != copy.number]
        self._ledger.given_up.add(actor.device.public)
        self._ledger.copied.add(actor.device.public)
        self._shell.start(copy, copy.lives)
        return True
