"""One world: a community of machines founded, joined, written to, struck, healed, and judged.

A world is busy for a while: its people write and do what the plan says, and what it says befalls
them. Then everything heals, and all who are to be members must come to hold and see the same within
`SETTLE_MS_MAX`. What must hold at any time is judged on the way (`checks`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from random import Random

import msgspec

from p2pvalue.sim.checks import Checks
from p2pvalue.sim.damage import ask
from p2pvalue.sim.disk import Disk, MemoryDisk
from p2pvalue.sim.faults import FaultMaker
from p2pvalue.sim.hostile import HostileNode, behaviour_named
from p2pvalue.sim.hostile.casting import surround
from p2pvalue.sim.ledger import Ledger
from p2pvalue.sim.member import Actor, Node
from p2pvalue.sim.network import Network, Timeline, peer_name
from p2pvalue.sim.people import People
from p2pvalue.sim.plan import COMING
from p2pvalue.sim.scenario import Event, Plan
from p2pvalue.sim.sharing import signatures_checked_once
from p2pvalue.sim.shell import START_MS, Shell
from p2pvalue.sim.virtual_disk import SqliteDisk
from p2pvalue.sim.words import Words
from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol.inputs import (
    DeviceKeys,
    Input,
    JoinAsked,
    JoinStarted,
    LinkAsked,
    LinkStarted,
    PeerJoined,
    PersonHere,
    RecoveryAsked,
    RecoveryStarted,
)

SETTLE_MS_MAX = 60_000
FILES_MS_MAX = 120_000  # from then on: peers that had a chunk not are asked again in a minute
FIRST_KEY_MS_MAX = 1_000_000  # until there is another where the first was lost with a disk
HOSTILE_AFTER_HEAL_MS = 10_000  # how long the hostile go on to act after everything healed
DIAL_EVERY_MS = 1_500
ACT_EVERY_MS = 2_000
LOOK_EVERY_MS = 4_000
TRY_AGAIN_MS = 1_500
WRITE_AGAIN_MS = 2_000
LAST_WORDS = 0.97  # of the time while it is busy: then is written what is missing
NEIGHBOURS_MAX = 3
READER_NEIGHBOURS = 2


class Report(msgspec.Struct, frozen=True):
    """What became of a world; it went well if `failures` is empty."""

    seed: int
    scenario: str
    machines: int  # that ever ran
    hostile: tuple[str, ...]
    operations: int
    members: int
    settled_ms: int | None  # from the heal until all were equal; None if they never were
    files_ms: int | None  # from then on until all had all files that any of them has
    chunks: int  # of these files
    inputs: int
    frames: int
    frame_bytes: int
    hints: int
    hints_lost: int
    faults: dict[str, int]
    deeds: dict[str, int]
    blamed: dict[str, int]  # hostile machines by honest ones, by reason
    failures: tuple[str, ...]
    trace: str  # equal in every process that runs the same seed


class World:
    """One run; `run` may be called once."""

    def __init__(self, plan: Plan, name: str = "") -> None:
        self._plan = plan
        self._name = name
        self._rng = Random(f"world {plan.seed}")
        self._timeline = Timeline()
        weather = plan.scenario.weather
        rng = Random(f"network {plan.seed}")
        self._network = Network(self._timeline, rng, weather, self._hand)
        self._ledger = Ledger()
        self.shell = Shell(self._timeline, self._network, self._ledger, Random(f"{plan.seed}"))
        self._shell = self.shell
        self._shell.is_sealed = not plan.is_public
        self._busy_ms = plan.scenario.busy_s * 1_000
        rng, words = Random(f"people {plan.seed}"), Words(START_MS, self._busy_ms)
        self._people = People(self._shell, rng, plan.seed, self._enter, words)
        self._checks = Checks(self._shell, self._ledger, Random(f"checks {plan.seed}"))
        self._network.on_frame = self._checks.look_at_frame
        self._faults = FaultMaker(self._shell, self._ledger, self._enter, plan.seed)
        self._end_ms = self._busy_ms + SETTLE_MS_MAX
        self._files_ms: int | None = None
        self._left = 0
        self._settle_people()

    def _settle_people(self) -> None:
        """Make the first machines, and say who calls whom."""
        late = {event.machine for event in self._plan.events if event.what in COMING}
        asking = {event.machine for event in self._plan.events if event.what == "ask"}
        for number in range(self._plan.machines):
            actor = self._enter(number)
            if actor.is_honest and number not in late:
                self._ledger.wanted.add(number)
        first = [self._shell.machines[number] for number in range(self._plan.machines)]
        # Who leaves, or is put out, carries nothing on: she is no part of the honest path.
        going = {event.machine for event in self._plan.events if event.what == "leave"}
        going |= {event.other for event in self._plan.events if event.what == "remove"}
        # Nor is who waits for a person's word.
        honest = [a.number for a in first if a.is_honest and a.number not in going | asking]
        for actor in first:
            others = [number for number in range(len(first)) if number != actor.number]
            chosen = set(self._rng.sample(others, min(NEIGHBOURS_MAX - 1, len(others))))
            # A ring of the honest: whatever the others do, there is one path between any two.
            following = [number for number in honest if number > actor.number] or honest
            if actor.number in asking:
                chosen.add(0)  # who may let people in by a word of hers
            actor.neighbours = sorted({following[0], *chosen} - {actor.number})
        surround([actor for actor in first if actor.number not in going | asking])
        read = auth.READ_MEMBERS if self._shell.is_sealed else auth.READ_PUBLIC
        join = auth.JOIN_REQUEST if asking else auth.JOIN_INVITE
        self._people.found(self._shell.machines[0], read, join)
        for number in range(len(first), len(first) + self._plan.scenario.readers):
            self._enter_reader(number)

    def _enter_reader(self, number: int) -> None:
        """Let a machine run that is nobody's member; it calls members: readers do not serve."""
        reader = self._enter(number)
        assert isinstance(reader, Node), "only the first machines may be hostile"
        reader.is_reader = reader.is_known = reader.is_member = True
        reader.neighbours = sorted(self._rng.sample(range(self._plan.machines), READER_NEIGHBOURS))
        reader.restart([self._shell.community])
        self._ledger.wanted.add(number)

    def _enter(self, number: int) -> Actor:
        """Make a machine and let it run."""
        plan = self._plan
        seed = Random(f"machine {plan.seed} {number}").getrandbits(64)
        skew_max = plan.scenario.weather.clock_skew_ms_max
        skew_ms = Random(f"clock {plan.seed} {number}").randint(-skew_max, skew_max)
        actor: Actor
        if number in plan.hostile:
            actor = HostileNode(number, seed, skew_ms, behaviour_named(plan.hostile[number]))
        else:
            actor = Node(number, seed, skew_ms, self._new_disk())
        self._shell.add(actor)
        self._often(DIAL_EVERY_MS, self._end_ms, partial(self._dial, actor))
        return actor

    def _new_disk(self) -> Disk:
        return SqliteDisk() if self._plan.on_sqlite else MemoryDisk()

    def _hand(self, number: int, given: Input) -> None:
        self._shell.handle(number, given)

    # --- running

    def run(self) -> Report:
        """Let it all happen, and judge it."""
        with signatures_checked_once():
            return self._run()

    def close(self) -> None:
        """End all processes: a database that nobody closes keeps its memory for ever."""
        for actor in self._shell.machines.values():
            if isinstance(actor, Node):
                actor.disk.kill()

    def _run(self) -> Report:
        for event in self._plan.events:
            self._timeline.after(event.at_ms, partial(self._happen, event))
        acting_ms = self._busy_ms + HOSTILE_AFTER_HEAL_MS
        for number in sorted(self._plan.hostile):
            if number in self._shell.machines:
                self._often(ACT_EVERY_MS, acting_ms, partial(self._shell.act, number))
        self._often(LOOK_EVERY_MS, self._end_ms, self._checks.look)
        self._often(LOOK_EVERY_MS, self._end_ms, self._people.look_at_status)
        self._often(LOOK_EVERY_MS, self._end_ms, self._people.count_votes)
        self._often(LOOK_EVERY_MS, self._end_ms + FILES_MS_MAX, self._people.files.look)
        self._timeline.after(int(LAST_WORDS * self._busy_ms), self._write_rest)
        self._timeline.run_until(self._busy_ms)
        self._network.heal()
        self._faults.end_all()
        founder = self._shell.machines[0]
        self._often(5_000, self._end_ms, partial(self._people.set_right, founder))
        settled_ms = self._settle()
        self._checks.look_at_end()
        return self._report(settled_ms)

    def _often(self, every_ms: int, until_ms: int, action: Callable[[], object]) -> None:
        def again() -> None:
            if self._timeline.now_ms < until_ms:
                action()
                self._timeline.after(self._rng.randint(1, 2 * every_ms), again)

        self._timeline.after(self._rng.randrange(every_ms), again)

    def _happen(self, event: Event) -> None:
        if not self._people.is_doing(event.what):
            self._faults.make(event)
            return
        until_ms = self._end_ms if event.what == "recover" else self._busy_ms - TRY_AGAIN_MS
        if not self._people.do(event) and self._timeline.now_ms < until_ms:
            again = self._people.next_try(event)
            self._timeline.after(TRY_AGAIN_MS, partial(self._happen, again))

    # --- who calls whom

    def _dial(self, actor: Actor) -> None:
        if not actor.is_up:
            return
        is_wanted = actor.number in self._ledger.wanted or not actor.is_honest
        # Who asks to be let in tries one after the other: the first may be out herself.
        places = self._places_known_to(actor)
        for number in self._rng.sample(places, len(places)):
            other = self._shell.machines.get(number)
            if other is None or not other.is_up or not self._network.is_open(actor.number, number):
                continue
            if actor.is_member:
                if not actor.has_session(peer_name(number), self._shell.community):
                    self._call(actor, other)
            elif is_wanted and other.is_member and self._ask_in(actor, other):
                return

    def _places_known_to(self, actor: Actor) -> list[int]:
        """Return whom an actor can call; who comes back remembers who called her before, too."""
        if actor.is_member:
            return actor.neighbours
        if not actor.is_recovering:
            in_vain = self._people.asked_in_vain(actor)
            return [number for number in actor.neighbours if number not in in_vain]
        machines = self._shell.machines
        callers = (n for n, other in machines.items() if actor.number in other.neighbours)
        return sorted({*actor.neighbours, *callers})

    def _call(self, actor: Actor, other: Actor) -> None:
        link = self._network.connect(actor.number, other.number)
        caller, called = link.sessions
        us, them = peer_name(actor.number), peer_name(other.number)
        self._shell.handle(other.number, PeerJoined(called, us, False, None))
        joined = PeerJoined(caller, them, True, self._shell.community)
        self._shell.handle(actor.number, joined)

    def _ask_in(self, actor: Actor, other: Actor) -> bool:
        """Join, come back, or be linked by another machine of the same person."""
        if actor.links_from not in (None, other.number):
            return False
        link = self._network.connect(actor.number, other.number)
        caller, called = link.sessions
        us, them = peer_name(actor.number), peer_name(other.number)
        community = self._shell.community
        if actor.is_recovering:
            self._shell.handle(other.number, RecoveryAsked(called, us))
            keys = DeviceKeys(community, actor.device, actor.prekey_private)
            started = RecoveryStarted(caller, them, keys, actor.entropy)
            self._shell.handle(actor.number, started)
        elif actor.links_from is not None:
            secret = self._people.secret
            self._shell.handle(actor.number, LinkAsked(caller, them, secret))
            person = PersonHere("somebody", "the older", b"", b"")
            self._shell.handle(other.number, LinkStarted(called, us, secret, person))
        else:
            self._people.asks(actor, other)
            self._shell.handle(other.number, JoinAsked(called, us))
            joining = JoinStarted(
                caller,
                them,
                community,
                self._people.secret if actor.has_invite else b"",
                actor.device,
                actor.prekey,
                actor.entropy,
            )
            self._shell.handle(actor.number, joining)
        return True

    # --- what became of it

    def _settle(self) -> int | None:
        """Wait until all are equal, the last words among it, and then until all have all files."""
        settled_ms = self._wait(self._checks.difference, SETTLE_MS_MAX, "not equal after the heal")
        settled = self._checks.settled()
        if settled_ms is not None and self._missing(settled[:1]) > 0:
            self._left = self._missing(settled[:1])
            self._wait(self._write_left, FIRST_KEY_MS_MAX, "not all is written", WRITE_AGAIN_MS)
            self._wait(self._checks.difference, SETTLE_MS_MAX, "not equal again")
            if self._missing(settled[:1]) > 0:
                self._ledger.fail(f"nobody wrote the last {self._missing(settled[:1])} operations")
        all_files = partial(self._people.files.difference, settled)
        self._files_ms = self._wait(all_files, FILES_MS_MAX, "files are not everywhere")
        self._wait(self._checks.difference, SETTLE_MS_MAX, "not equal in the end")  # somebody wrote
        return settled_ms

    def _write_rest(self) -> None:
        machines = self._shell.machines.items()
        wanted = [actor for number, actor in sorted(machines) if number in self._ledger.wanted]
        self._people.write_what_is_missing(self._missing(wanted))

    def _write_left(self) -> str:
        """Let who can write what is left to be written; return how much still is, empty if none."""
        self._left = self._people.write_what_is_missing(self._left)
        return f"{self._left} operations" if self._left > 0 else ""

    def _missing(self, actors: Iterable[Actor]) -> int:
        """Return how much less than a world is to hold the fullest of some machines holds."""
        held = (ask(self._shell, actor, _operations_of) for actor in actors if actor.is_up)
        return self._plan.scenario.operations_min - max((h or 0 for h in held), default=0)

    def _wait(
        self, difference: Callable[[], str], ms_max: int, what: str, every_ms: int = 250
    ) -> int | None:
        """Let time pass until there is no difference; return how long it took, None if too long."""
        start_ms = self._timeline.now_ms
        while self._timeline.now_ms < start_ms + ms_max:
            if not difference():
                return self._timeline.now_ms - start_ms
            self._timeline.run_until(self._timeline.now_ms + every_ms)
        self._ledger.fail(f"{what} {ms_max} ms later: {difference()}")
        return None

    def broken_off(self, why: str) -> Report:
        """Return what had become of a world that could not be run to its end."""
        self._ledger.fail(why)
        return self._report(None)

    def _report(self, settled_ms: int | None) -> Report:
        held = (a for a in self._checks.settled() if self._shell.holds_copy(a))
        first = next(held, self._shell.machines[0])
        members = len(self._shell.replica(first).membership.members())
        return Report(
            seed=self._plan.seed,
            scenario=self._name,
            machines=len(self._shell.machines),
            hostile=tuple(name for _, name in sorted(self._plan.hostile.items())),
            operations=ask(self._shell, first, _operations_of) or 0,
            members=members,
            settled_ms=settled_ms,
            files_ms=self._files_ms,
            chunks=ask(self._shell, first, self._people.files.count) or 0,
            inputs=self._shell.inputs,
            frames=self._network.frames,
            frame_bytes=self._network.frame_bytes,
            hints=self._network.hints,
            hints_lost=self._network.hints_lost,
            faults=dict(sorted(self._ledger.faults.items())),
            deeds=dict(sorted(self._ledger.deeds.items())),
            blamed=dict(sorted(self._ledger.blamed.items())),
            failures=tuple(self._ledger.failures),
            trace=self._shell.trace,
        )


def _operations_of(actor: Actor) -> int:
    return actor.store.figures().operations
