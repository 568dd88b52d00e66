"""Histories of devices that chance hardly finds: both readings of the rules say the same."""

from __future__ import annotations

from p2pvalue_protocol.acts import Give, Nothing, Remove, RemoveDevice
from tests.dags.builder import GENESIS, Builder
from tests.dags.families import FOUNDER, village
from tests.dags.judged import judged


def chain_of_devices() -> Builder:
    """An admin with a row of devices, each certified by the one before."""
    builder = village(1)
    for device, certifier in ((b"a2", b"a1"), (b"a3", b"a2")):
        builder.add_device(device, b"A", certifier, [*builder.known])
    return builder


def test_a_device_in_the_middle_of_a_row_takes_the_next() -> None:
    builder = chain_of_devices()
    taken = builder.write(b"a2", RemoveDevice(b"A", b"a3"), [*builder.known])
    state = judged(builder)
    assert taken in state.effective
    assert b"a3" not in state.devices


def test_a_device_as_near_to_the_root_keeps_nothing_that_the_root_takes() -> None:
    builder = village(1)
    builder.add_device(b"a0", b"A", knows=[*builder.known])
    certified = builder.add_device(b"a2", b"A", b"a1", [*builder.known])
    before = [*builder.known]
    builder.write(FOUNDER, RemoveDevice(b"A", b"a1", is_by_root=True, seen=(GENESIS,)), before)
    assert b"a2" not in judged(builder).devices, "the root did not know who certified it"
    keeps = builder.keep(certified)
    builder.write(b"a0", RemoveDevice(b"A", b"a1", keeps=keeps), before)
    assert b"a2" not in judged(builder).devices


def test_what_takes_another_device_keeps_nothing_of_this_one() -> None:
    builder = chain_of_devices()
    before = [*builder.known]
    written = builder.write(b"a2", Give(b"X", 3), before)
    taken = builder.write(b"a1", RemoveDevice(b"A", b"a2"), before)
    keeps = builder.keep(written)
    builder.write(b"a1", RemoveDevice(b"A", b"a3", keeps=keeps), [taken, written])
    assert judged(builder).standings[written] is None


def test_what_later_removals_keep_is_taken_where_only_the_first_is_known() -> None:
    builder = chain_of_devices()
    before = [*builder.known, builder.add_device(b"x1", b"X")]
    written = builder.write(b"a2", Give(b"X", 3), before)
    taken = builder.write(b"a1", RemoveDevice(b"A", b"a2"), before)
    said = builder.write(b"x1", Nothing(), [written, taken])
    keeps = builder.keep(written)
    for _ in range(2):
        taken = builder.write(b"a1", RemoveDevice(b"A", b"a2", keeps=keeps), [taken, written])
    state = judged(builder)
    assert state.standings_alone[said] is None
    assert state.standings[written] == (b"A", 1)


def test_who_was_put_out_and_let_in_meanwhile_has_no_device_back_that_she_took() -> None:
    builder = chain_of_devices()
    before = [*builder.known]
    put_out = builder.write(FOUNDER, Remove(b"A"), before)
    builder.write(FOUNDER, Give(b"A", 1), [put_out])
    taken = builder.write(b"a1", RemoveDevice(b"A", b"a2"), before)
    state = judged(builder)
    assert b"a2" not in state.devices
    assert state.devices[b"a1"].rank == 1
    assert taken in state.effective
