"""What a join waits for: the numbers as they come, and the words that a person reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

from p2pvalue.amounts import counted
from p2pvalue.types import JoinView

RETRY_S_FIRST: Final = 1.0
RETRY_S_MAX: Final = 60.0
ERRORS_TOLD_MAX: Final = 8

Stage = Literal[
    "off", "starting", "calling", "away", "asked", "refused", "welcomed", "admitted", "words"
]


@dataclass
class JoinWait:
    """How one join goes; times are seconds of any clock that does not jump."""

    stage: Stage = "starting"
    tries: int = 0
    addresses_tried: int = 0  # in the last try
    answer: str = ""  # what the last member that answered said
    is_final: bool = False  # asking again by this link will not help
    errors: list[str] = field(default_factory=list)  # of the last try, one per node
    members_asked: set[str] = field(default_factory=set)  # peer ids of those that answered
    last_try_s: float | None = None
    next_try_s: float | None = None
    retry_s: float = RETRY_S_FIRST

    def calls(self, addresses: int, now_s: float) -> None:
        """Take note that a try begins."""
        self.tries += 1
        self.addresses_tried = addresses
        self.errors.clear()
        self.last_try_s = now_s
        self.next_try_s = None
        if self.stage in ("off", "starting", "away", "welcomed", "words"):
            self.stage = "calling"

    def missed(self, error: str) -> None:
        """Take note that a node could not be reached."""
        if len(self.errors) < ERRORS_TOLD_MAX:
            self.errors.append(error)

    def needs_words(self, what: str) -> None:
        """Take note that nobody can be asked before the person typed in her words."""
        self.stage = "words"
        self.answer = what

    def answered(
        self, peer_id: str, stage: Stage, answer: str = "", *, is_final: bool = False
    ) -> None:
        """Take note of what a member said."""
        self.is_final = is_final
        self.members_asked.add(peer_id)
        self.stage = stage
        self.answer = answer

    def waits(self, now_s: float, random: Callable[[], float]) -> float:
        """Return how long to wait until the next try: twice as long each time, never in step."""
        if self.stage == "calling":
            self.stage = "away"
        wait_s = self.retry_s * (0.75 + 0.5 * random())
        self.retry_s = min(self.retry_s * 2, RETRY_S_MAX)
        self.next_try_s = now_s + wait_s
        return wait_s

    def hurries(self) -> None:
        """Forget how long it took so far: something has changed."""
        self.retry_s = RETRY_S_FIRST

    def view(self, now_s: float) -> JoinView:
        """Return the numbers for a caller."""
        return JoinView(
            stage=self.stage,
            tries=self.tries,
            addresses_tried=self.addresses_tried,
            members_asked=len(self.members_asked),
            answer=self.answer,
            is_final=self.is_final,
            errors=list(self.errors),
            last_try_ago_s=_rounded(self.last_try_s, -1, now_s),
            next_try_in_s=_rounded(self.next_try_s, 1, now_s),
        )


def _rounded(time_s: float | None, sign: int, now_s: float) -> float | None:
    return None if time_s is None else round(max(0.0, sign * (time_s - now_s)), 1)


def waiting_words(join: JoinView, community: str) -> str:
    """Return what a join waits for, to be read after "waiting for"; `community` is its name."""
    match join.stage:
        case "off":
            return "the network, which is switched off in config.toml"
        case "starting":
            return "the network to start"
        case "calling":
            return f"a member of {community} to answer: calling {_addresses(join)}"
        case "away":
            tried = f"{_addresses(join)} tried{_times(join)}"
            return f"a member of {community} to come online: {tried}"
        case "asked":
            return f"approval: asked {_members(join)} of {community}{_times(join)}"
        case "refused":
            return f"somebody to let you in: {join.answer}{_times(join)}"
        case "words":
            return join.answer
        case "welcomed":
            return "a member to admit this device"
        case "admitted":
            return f"the history of {community} to arrive"


def _addresses(join: JoinView) -> str:
    return counted(join.addresses_tried, "address", "addresses")


def _members(join: JoinView) -> str:
    return counted(join.members_asked, "member")


def _times(join: JoinView) -> str:
    last = "" if join.last_try_ago_s is None else f", last {join.last_try_ago_s:.0f} s ago"
    again = "" if join.next_try_in_s is None else f", next try in {join.next_try_in_s:.0f} s"
    return last + again
