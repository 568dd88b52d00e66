"""The main job, on three real daemons: write together, be cut off, and end up equal.

    make demo

Ana, Ben and Cleo each run a daemon of their own. Ana founds a community and invites the others. Ana
and Ben type one document at the same time; in the middle third nobody can reach anybody. Chat and
pledges go on meanwhile. At the end the three texts and everything else must be equal: only then is
the exit code 0.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.demo.author import Author, EditingStream
from tests.demo.cable import Cable
from tests.demo.recording import Script, invented, recorded
from tests.patience import WAIT_S

TRACE = Path(__file__).resolve().parents[3] / "shared" / "data" / "friendsforever.json.gz"
BURST = 25
POLL_S = 0.2


class Person:
    """One person with a data folder, a daemon process and a network cable."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder
        self.cable = Cable()
        self.run("init", "--name", name, "--protect", "none")
        (folder / "config.toml").write_text(
            "[network]\n"
            f'listen = ["/ip4/127.0.0.1/tcp/{self.cable.target_port}"]\n'
            f'announce = ["/ip4/127.0.0.1/tcp/{self.cable.port}"]\n'
            "lan_discovery = false\n"
        )
        self._log = (folder / "daemon.log").open("w")
        self.process = subprocess.Popen(
            self._command("run"), stderr=self._log, stdin=subprocess.DEVNULL
        )

    def _command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "p2pvalue_cli", "--data-dir", str(self.folder), *words]

    def run(self, *words: str) -> Any:
        """Run one command as this person, and return what it says with --json."""
        done = subprocess.run(
            self._command("--json", *words), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{self.name}: {' '.join(words)}: {done.stderr}{done.stdout}")
        return json.loads(done.stdout or "null")

    def wait_until_up(self) -> None:
        """Return when the daemon's network listens."""
        _until(lambda: self._is_up(), f"{self.name}'s daemon to start")

    def _is_up(self) -> bool:
        with contextlib.suppress(RuntimeError):
            return bool(self.run("status")["network"] == "up")
        return False

    def posts(self, text: str) -> None:
        """Say something in the chat, and show it."""
        self.run("chat", "post", text)
        say(f"{self.name}: “{text}”")

    def text(self, document: str) -> str:
        return str(self.run("document", "show", document)["text"])

    def digest(self) -> str:
        """Return the hash of everything there is to see here."""
        connection = http.client.HTTPConnection("localhost")
        connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.sock.connect(str(self.folder / "api.sock"))
        with contextlib.closing(connection):
            connection.request("GET", "/digest")
            return str(json.loads(connection.getresponse().read())["digest"])

    def stop(self) -> None:
        self.cable.close()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(WAIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._log.close()


def _until(is_so: Any, what: str, seconds: float = WAIT_S) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end:
            raise RuntimeError(f"waited {seconds:.0f} s for {what}")
        time.sleep(POLL_S)


def say(text: str) -> None:
    print(f"{time.monotonic() - STARTED:6.1f} s  {text}", flush=True)


STARTED = time.monotonic()


@contextlib.contextmanager
def people(root: Path) -> Iterator[tuple[Person, Person, Person]]:
    """Start three daemons, and end them whatever happens."""
    started: list[Person] = []
    try:
        for name in ("Ana", "Ben", "Cleo"):
            started.append(Person(name, root / name.lower()))
        ana, ben, cleo = started
        yield ana, ben, cleo
    finally:
        for person in started:
            person.stop()


def type_third(authors: tuple[Author, Author], share: float) -> None:
    """Let both authors type a share of what they have left, at the same time."""
    failures: list[BaseException] = []

    def play(author: Author) -> None:
        try:
            author.play(int(author.intentions_left * share) + 1, BURST, lambda _: None)
        except BaseException as error:  # noqa: BLE001 - told by the main thread
            failures.append(error)

    threads = [threading.Thread(target=play, args=(author,)) for author in authors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def play(root: Path, edits_max: int) -> bool:
    """Play the whole story; return whether all three ended equal."""
    with people(root) as (ana, ben, cleo):
        everybody = (ana, ben, cleo)
        script = read_script(edits_max)
        for person in everybody:
            person.wait_until_up()
        say("three daemons run, each with its own folder and keys")
        ana.run("community", "create", "Tool library")
        for guest in (ben, cleo):
            link = ana.run("community", "invite")["link"]
            guest.run("community", "join", link)
            say(f"{guest.name} joined by invite")
        document = ana.run("document", "create", "Charter")["document"]
        _until(lambda: ben.run("document", "list"), "the document to reach Ben")
        authors = (
            Author(script, 0, EditingStream(ana.folder / "api.sock", document)),
            Author(script, 1, EditingStream(ben.folder / "api.sock", document)),
        )
        total = sum(author.intentions_left for author in authors)
        say(f"Ana and Ben type {total:,} edits into one document, both at once")
        type_third(authors, 1 / 3)
        cleo.posts("I can bring the ladder on Saturday.")
        need = ana.run("need", "add", "Build shelves", "--hours", "12h")["need"]
        say("Ana asks for 12 hours of work to build shelves")

        for person in everybody:
            person.cable.pull()
        say("the network is cut: nobody reaches anybody, and all go on")
        type_third(authors, 1 / 2)
        ben.posts("I am on the train and keep writing.")
        cleo.posts("Is anybody there?")
        texts = {person.text(document) for person in (ana, ben)}
        say(f"apart, Ana and Ben see {len(texts)} different texts")

        for person in everybody:
            person.cable.plug_in()
        say("the network is back")
        type_third(authors, 1.0)
        _until(lambda: cleo.run("need", "list"), "the need to reach Cleo")
        for helper in (ben, cleo):
            helper.run("pledge", "make", need, "6h")
            say(f"{helper.name} pledges 6 hours")
        for author in authors:
            author.close()
        return ends_equal(everybody, authors, document, need)


def read_script(edits_max: int) -> Script:
    """Return what Ana and Ben type: a recording where it is at hand, else texts of ours."""
    if TRACE.exists():
        say("reading a recording of two people who typed one text together")
        script = recorded(TRACE)
    else:
        say("the recording is not at hand: Ana and Ben type two texts of ours")
        script = invented()
    if not edits_max:
        return script
    ana, ben = script.authors
    return script._replace(authors=(ana[:edits_max], ben[:edits_max]))


def ends_equal(
    everybody: tuple[Person, ...], authors: tuple[Author, Author], document: str, need: str
) -> bool:
    """Wait until all hold the same, then compare texts, states and letters."""
    _until(lambda: len({p.digest() for p in everybody}) == 1, "all states to be equal")
    closed = everybody[0].run("need", "close", need)
    say(f"{everybody[0].name} closes the need: it is {closed['state']}, the pledges bind")
    _until(lambda: len({p.digest() for p in everybody}) == 1, "all states to be equal")
    texts = [person.text(document) for person in everybody]
    digests = [person.digest() for person in everybody]
    for person, text, digest in zip(everybody, texts, digests, strict=True):
        say(f"{person.name}: {len(text):,} characters, state {digest[:16]}")
    expected: Counter[str] = Counter()
    for author in authors:
        expected += Counter(author.typed)
        expected -= Counter(author.deleted)
    left_out = sum(author.left_out for author in authors)
    is_whole = Counter(texts[0]) == expected
    say(f"every letter typed and not deleted is there: {'yes' if is_whole else 'NO'}")
    if not is_whole:
        found = Counter(texts[0])
        say(f"missing {dict(expected - found)}, too many {dict(found - expected)}")
    if left_out:
        say(f"({left_out} deletions of each other's letters were left out of the play)")
    states = {person.run("need", "show", need)["state"] for person in everybody}
    messages = [len(person.run("chat", "list")) for person in everybody]
    say(f"the need is {' and '.join(sorted(states))}; messages seen: {messages}")
    is_equal = len(set(texts)) == 1 and len(set(digests)) == 1 and set(messages) == {3}
    say("EQUAL on all three" if is_equal else "NOT EQUAL")
    return is_equal and is_whole and states == {"triggered"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edits", type=int, default=0, help="type only so many edits each")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="p2pvalue-demo-") as root:
        Path(root).chmod(0o700)
        return 0 if play(Path(root), chosen.edits) else 1


if __name__ == "__main__":
    sys.exit(main())
