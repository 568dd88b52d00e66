"""The community by which authority is measured is one in which things happen."""

from __future__ import annotations

from random import Random

from tests.bench.authority import Village, judged, one_more


def test_the_measured_community_grows_and_loses_people(rng: Random) -> None:
    village = Village(rng, 600)
    opened = judged(village)
    view = opened.authority.view()
    devices = {event.device for event in village.events}
    assert len(devices) / 3 < len(view.live_devices()) < len(devices)
    assert any(opened.visibility.is_gone(device) for device in devices)
    assert {"one_Admit_ms", "one_AddDevice_ms", "one_slowest_ms"} <= set(one_more(village))
