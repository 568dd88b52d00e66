"""People with data folders and daemons in processes of their own, asked over the real API."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, TypeVar
from urllib.parse import urlencode

from p2pvalue.keystore import Keystore
from tests.demo.cable import Cable
from tests.patience import WAIT_S

_LOOK_EVERY_S = 0.02
_LATE_BY = 1 / 20
"""Of what was waited so far, until the next look: daemons have the cores while others wait."""

Seen = TypeVar("Seen")


class Refused(Exception):
    """The daemon answered that it cannot do this; `kind` is the kebab-case name."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Unreachable(Exception):
    """No daemon answers."""


def ask_daemon(folder: Path, method: str, path: str, fields: dict[str, Any]) -> Any:
    """Return what the daemon of a folder answers; raises Refused or Unreachable."""
    connection = http.client.HTTPConnection("localhost")
    connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.sock.settimeout(WAIT_S)
    with contextlib.closing(connection):
        try:
            connection.sock.connect(str(folder / "api.sock"))
            if method == "GET":
                connection.request("GET", f"{path}?{urlencode(fields)}" if fields else path)
            else:
                connection.request(method, path, body=json.dumps(fields))
            response = connection.getresponse()
            answer = json.loads(response.read())
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(f"{folder.name}: {error!r}") from error
    if response.status >= 400:
        raise Refused(answer["error"], answer["message"])
    return answer


class Owner:
    """Somebody with a data folder and a daemon, which listens at `listen` and tells `announce`."""

    def __init__(
        self,
        name: str,
        folder: Path,
        *,
        listen: str,
        announce: str,
        entropy: bytes | Literal["new"] | None = "new",
        **settings: str,
    ) -> None:
        self.name = name
        self.folder = folder
        self.settings = settings
        self.process: subprocess.Popen[bytes] | None = None
        self.program = "p2pvalue_cli"
        self.listen = listen
        self.announce = announce
        Keystore.create(folder, name, entropy=entropy)
        self.configure()

    def configure(self) -> None:
        """Write the settings that hold from the next start on."""
        network = {"listen": f'["{self.listen}"]', "announce": f'["{self.announce}"]'}
        network["lan_discovery"] = "false"
        network |= {name: value for name, value in self.settings.items() if name == "gossip"}
        text = "[network]\n" + "".join(f"{key} = {value}\n" for key, value in network.items())
        text += f'[store]\ndurability = "{self.settings.get("durability", "power-cut")}"\n'
        (self.folder / "config.toml").write_text(text)

    # --- the process

    def start(self) -> None:
        """Start the daemon; `until_up` waits for it."""
        assert self.process is None or self.process.poll() is not None
        (self.folder / "api.sock").unlink(missing_ok=True)
        with (self.folder / "daemon.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", self.program, "--data-dir", str(self.folder), "run"],
                stderr=log,
                stdin=subprocess.DEVNULL,
            )

    def kill(self) -> None:
        """End the daemon by signal 9."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stop(self) -> int:
        """End the daemon as a person would; return its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(WAIT_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def close(self) -> None:
        """End everything, whatever state it is in."""
        self.kill()

    @property
    def log(self) -> str:
        """What the daemon told so far, over all its lives."""
        return (self.folder / "daemon.log").read_text()

    @property
    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    # --- asking

    def ask(self, method: str, path: str, **fields: Any) -> Any:
        """Return the daemon's answer; raises Refused or Unreachable."""
        return ask_daemon(self.folder, method, path, fields)

    def lines(self, path: str, **fields: Any) -> Iterator[Any]:
        """Yield the lines that a long task answers; raises Refused or Unreachable."""
        connection = http.client.HTTPConnection("localhost")
        connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.sock.settimeout(WAIT_S)
        with contextlib.closing(connection):
            try:
                connection.sock.connect(str(self.folder / "api.sock"))
                connection.request("POST", path, body=json.dumps(fields))
                for line in connection.getresponse():
                    answer = json.loads(line)
                    if "error" in answer:
                        raise Refused(answer["error"], answer["message"])
                    yield answer
            except (OSError, http.client.HTTPException) as error:
                raise Unreachable(f"{self.name}: {error!r}") from error

    def until(
        self,
        look: Callable[[], Seen],
        what: str,
        seconds: float = WAIT_S,
        every_s: float = _LOOK_EVERY_S,
    ) -> Seen:
        """Return what `look` finds once that is true; fails when the daemon ends first."""
        assert self.process is not None
        began_s = time.monotonic()
        while True:
            with contextlib.suppress(Unreachable):
                if found := look():
                    return found
            waited_s = time.monotonic() - began_s
            if waited_s > seconds:
                raise AssertionError(f"{self.name} waited {seconds} s for {what}\n{self.log}")
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = self.process.wait(max(every_s, waited_s * _LATE_BY))
                raise AssertionError(f"{self.name}'s daemon ended with {code}\n{self.log}")

    def until_up(self) -> None:
        """Return when the daemon answers and its network listens."""
        self.until(lambda: self.status()["network"] == "up", "the network")

    def until_answering(self) -> None:
        """Return when the API answers; the network may still be on its way."""
        self.until(self.status, "the API")

    def status(self) -> Any:
        return self.ask("GET", "/status")

    def rss_bytes(self) -> int:
        return int(self.status()["rss_bytes"])

    # --- what people do

    def found(self, name: str, read: str = "members", join: str = "invite") -> str:
        """Return the id of a new community."""
        answer = self.ask("POST", "/communities", name=name, read=read, join=join)
        return str(answer["community"])

    def invite(self, uses: int = 1000, **fields: Any) -> str:
        return str(self.ask("POST", "/invites", uses=uses, **fields)["link"])

    def join(self, link: str) -> None:
        """Ask to be let in; `until_member` waits for it."""
        self.ask("POST", "/communities/join", link=link)

    def until_member(self) -> None:
        self.until(lambda: self.ask("GET", "/community")["state"] == "active", "being a member")

    def post(self, text: str) -> None:
        self.ask("POST", "/messages", text=text)

    def texts(self, limit: int = 1000) -> list[str]:
        """The newest chat messages, oldest first."""
        return [m["text"] for m in self.ask("GET", "/messages", limit=limit)]

    def until_reads(self, *texts: str, seconds: float = WAIT_S) -> None:
        """Return when all these messages are to be seen here."""
        self.until(lambda: set(texts) <= set(self.texts()), f"the messages {texts}", seconds)

    def digest(self) -> str:
        """The hash of everything to be seen in the one community."""
        return str(self.ask("GET", "/digest")["digest"])

    def peers_in_touch(self) -> list[str]:
        return list(self.ask("GET", "/community")["peers"])

    def checks(self) -> dict[str, Any]:
        """What doctor says, by name."""
        return {check["check"]: check for check in self.ask("GET", "/doctor")}

    @property
    def peer_id(self) -> str:
        return str(self.status()["peer"])

    @property
    def address(self) -> str:
        """Where the daemon really listens."""
        return f"{self.listen}/p2p/{self.peer_id}"


class Person(Owner):
    """One person; her daemon listens on loopback only, behind a cable that can be pulled."""

    def __init__(
        self,
        name: str,
        folder: Path,
        *,
        entropy: bytes | Literal["new"] | None = "new",
        **settings: str,
    ) -> None:
        self.cable = Cable()
        listen, announce = self._around_the_cable()
        super().__init__(
            name, folder, listen=listen, announce=announce, entropy=entropy, **settings
        )

    def _around_the_cable(self) -> tuple[str, str]:
        ports = (self.cable.target_port, self.cable.port)
        listen, announce = (f"/ip4/127.0.0.1/tcp/{port}" for port in ports)
        return listen, announce

    def move(self) -> None:
        """Listen at another port from the next start on, with a new cable in front of it."""
        self.cable.close()
        self.cable = Cable()
        self.listen, self.announce = self._around_the_cable()
        self.configure()

    def close(self) -> None:
        super().close()
        self.cable.close()


def until_equal(*people: Owner, seconds: float = WAIT_S) -> None:
    """Return when everybody sees the same; fails when that takes too long."""

    def are_equal() -> bool:
        return len({person.digest() for person in people}) == 1

    people[0].until(are_equal, "all to be equal", seconds)


@contextlib.contextmanager
def people(root: Path, *names: str, **settings: str) -> Iterator[list[Person]]:
    """Start a daemon for each name, wait until they are up, and end them whatever happens."""
    started: list[Person] = []
    try:
        for name in names:
            started.append(Person(name, root / name.lower(), entropy="new", **settings))
            started[-1].start()
        for person in started:
            person.until_up()
        yield started
    finally:
        for person in started:
            person.close()


def gathered(founder: Owner, *others: Owner, read: str = "members", join: str = "invite") -> str:
    """Return the id of a community that the first founds and all others are members of."""
    community = founder.found("Garden", read, join)
    link = founder.invite()
    for other in others:
        other.join(link)
    for other in others:
        other.until_member()
    return community


def is_root() -> bool:
    return os.geteuid() == 0
