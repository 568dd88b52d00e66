"""One question, one answer; nothing that a caller sends can do harm."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import trio

from p2pvalue.api.app import BODY_BYTES_MAX
from tests.api.conversation import ask
from tests.api.fake_node import FakeNode
from tests.patience import WAIT_S


def body(**fields: Any) -> bytes:
    return json.dumps(fields).encode()


async def test_a_message_posted_is_on_the_page(api: Path, node: FakeNode) -> None:
    await node.create_community("Garden")
    status, posted = await ask(api, "POST", "/messages", body(text="hello"))
    assert status == 200
    assert await ask(api, "GET", "/messages?limit=5") == (200, [posted])


async def test_the_only_community_needs_no_name(api: Path, node: FakeNode) -> None:
    await node.create_community("Garden")
    assert (await ask(api, "GET", "/community"))[1]["name"] == "Garden"
    await node.create_community("Workshop")
    status, failure = await ask(api, "GET", "/community")
    assert (status, failure["error"]) == (404, "not-found")
    assert "Garden, Workshop" in failure["message"]
    assert (await ask(api, "GET", "/community?community=Workshop"))[1]["name"] == "Workshop"


@pytest.mark.parametrize("name", ["null", "7", "a/b", "..", "ü?#%20", "edits", "true"])
async def test_every_title_can_be_named(api: Path, node: FakeNode, name: str) -> None:
    await node.create_community("Garden")
    await ask(api, "POST", "/documents", body(title=name, text="x"))
    path = "/documents/" + "".join(f"%{byte:02X}" for byte in name.encode())
    assert (await ask(api, "GET", path))[1]["title"] == name
    status, saved = await ask(
        api, "PUT", path, body(text="y", base_text="x", base_version=f"{1:032x}")
    )
    assert (status, saved["text"]) == (200, "y")


@pytest.mark.parametrize(
    ("method", "target", "sent", "named"),
    [
        ("POST", "/messages", body(text="a", chanel="b"), "chanel"),
        ("POST", "/messages", body(), "text"),
        ("POST", "/messages", body(text=5), "text"),
        ("GET", "/messages?limt=3", b"", "limt"),
        ("GET", "/messages?limit=0", b"", "limit"),
        ("GET", "/messages?limit=x", b"", "limit"),
        ("GET", "/messages?limit=1&limit=2", b"", "limit"),
        ("PUT", "/documents/a", body(text="a", document="b"), "document"),
        ("POST", "/needs", body(title="a", lines=[{"kind": "gold"}]), "lines[0]"),
        ("POST", "/messages", b"{", "JSON"),
        ("POST", "/messages", b"[1]", "object"),
        ("POST", "/messages", b'{"text": "\xff"}', "JSON"),
        ("POST", "/messages", b"[" * 100_000, "JSON"),
        ("POST", "/messages", b'{"text": "\\ud800"}', "JSON"),
    ],
)
async def test_a_bad_request_is_told_what_is_wrong(
    api: Path, node: FakeNode, method: str, target: str, sent: bytes, named: str
) -> None:
    await node.create_community("Garden")
    status, failure = await ask(api, method, target, sent)
    assert (status, failure["error"]) == (400, "bad-request")
    assert named in failure["message"]


async def test_a_request_over_one_mebibyte_is_refused(api: Path, node: FakeNode) -> None:
    garden = await node.create_community("Garden")
    status, failure = await ask(api, "POST", "/messages", b" " * BODY_BYTES_MAX + b"{}")
    assert (status, failure["error"]) == (413, "too-large")
    text = "x" * (BODY_BYTES_MAX - 100)
    assert (await ask(api, "POST", "/messages", body(text=text)))[0] == 200
    assert [m.text for m in garden.messages()] == [text]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize(
    "host", ["localhost", "evil.example", "127.0.0.1", "localhost.evil.example"]
)
@pytest.mark.parametrize(
    "header",
    [
        {},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Mode": "websocket", "Upgrade": "websocket", "Connection": "Upgrade"},
    ],
)
async def test_no_web_page_reaches_the_api(
    api: Path, node: FakeNode, method: str, host: str, header: dict[str, str]
) -> None:
    garden = await node.create_community("Garden")
    status, answer = await ask(api, method, "/messages", body(text="x"), host=host, headers=header)
    is_welcome = host == "localhost" and not header and method in ("GET", "POST")
    if is_welcome:
        assert status in (200, 400)
    else:
        assert status in (403, 405)
        assert answer["error"] in ("forbidden", "no-such-endpoint")
    assert len(garden.messages()) == (is_welcome and method == "POST")


@pytest.mark.parametrize(
    ("target", "sent", "status", "error"),
    [
        ("/messages", body(text=" "), 409, "not-possible"),
        ("/invites", body(rank="founder"), 403, "not-allowed"),
        ("/pledges", body(need="none", quantity=5), 404, "not-found"),
        ("/messages", body(text="crash"), 500, "internal"),
        ("/nothing", b"", 404, "no-such-endpoint"),
    ],
)
async def test_every_error_has_a_name_and_a_sentence(
    api: Path, node: FakeNode, target: str, sent: bytes, status: int, error: str
) -> None:
    await node.create_community("Garden")
    answered, failure = await ask(api, "POST", target, sent)
    assert (answered, failure["error"]) == (status, error)
    assert len(failure["message"]) > 20
    assert (await ask(api, "GET", "/status"))[0] == 200


async def test_a_need_gathers_pledges(api: Path, node: FakeNode) -> None:
    await node.create_community("Garden")
    line = {"kind": "hours", "unit": "minute", "minimum": 120}
    _, need = await ask(api, "POST", "/needs", body(title="Roof", lines=[line]))
    assert need["lines"][0]["optimum"] == 120
    _, pledge = await ask(api, "POST", "/pledges", body(need="Roof", quantity=120))
    assert (await ask(api, "GET", "/needs/Roof"))[1]["is_met"]
    target = f"/pledges/{pledge['pledge']}/withdraw"
    assert (await ask(api, "POST", target, body(reason="ill")))[1]["state"] == "withdrawn"
    assert (await ask(api, "GET", "/pledges?need=Roof"))[1][0]["reason"] == "ill"


async def test_a_caller_can_stop_the_daemon(api: Path, stopping: trio.Event) -> None:
    assert await ask(api, "POST", "/stop") == (200, {"done": True})
    with trio.fail_after(WAIT_S):
        await stopping.wait()
