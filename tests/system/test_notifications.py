"""What concerns a person reaches her own command once each, though her daemon is killed between."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.system.person import Person, gathered, people

APPENDS = "import sys; open(sys.argv[1], 'a').write(sys.argv[2] + chr(10))"


def asked_and_pledged(ana: Person, ben: Person, title: str) -> None:
    """Ana asks for something, and Ben pledges an hour to it."""
    line = {"kind": "hours", "unit": "minute", "minimum": 60}
    ana.ask("POST", "/needs", title=title, lines=[line])
    ben.until(lambda: title in {n["title"] for n in ben.ask("GET", "/needs")}, "the need")
    ben.ask("POST", "/pledges", need=title, quantity=60)


def until_told(ana: Person, told: Path, wanted: str) -> None:
    ana.until(lambda: told.exists() and wanted in told.read_text(), wanted)


def test_a_killed_daemon_tells_each_thing_once(tmp_path: Path) -> None:
    told = tmp_path / "told"
    hook = [sys.executable, "-c", APPENDS, str(told), "{text}"]
    with people(tmp_path, "Ana", "Ben") as (ana, ben):
        gathered(ana, ben)
        ana.ask("PUT", "/notifications/rules", kind="need-pledged", rule="now")
        assert ana.stop() == 0, ana.log
        with (ana.folder / "config.toml").open("a") as settings:
            settings.write(f"[notify]\nhook = {json.dumps(hook)}\n")
        ana.start()
        ana.until_answering()
        for title in ("Roof", "Fence"):
            asked_and_pledged(ana, ben, title)
            until_told(ana, told, f"Ben pledged 1h to “{title}”")
            ana.kill()
            ana.start()
            ana.until_answering()
        listed = [n["text"] for n in ana.ask("GET", "/notifications")]
        assert listed == told.read_text().splitlines()
        assert len(listed) == 2
        assert ana.stop() == ben.stop() == 0, ana.log + ben.log
