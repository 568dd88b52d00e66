"""Kind 48, EPOCH: a secret, sealed to the devices that may have it (spec: epochs, kinds/epoch).

It folds to nothing that people see, so it is no kind of the folding. The seals stand in the order
of the recipients, who follow from the operation's auth past: nobody need be named.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from p2pvalue_protocol.payload_form import PayloadForm, first_problem
from p2pvalue_protocol.sealing import SALT_BYTES, SEAL_BYTES

NUMBER: Final = 48
SEALS_PER_PART: Final = 640
PARTS_MAX: Final = 128
AUDIENCE_MAX: Final = 256
WRAPS_MAX: Final = 8
_WRAPPED_BYTES: Final = 48

Bytes32 = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]


class Wrap(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The secret of an older epoch, to be opened with the newer one's."""

    epoch: Bytes32
    salt: Annotated[bytes, msgspec.Meta(min_length=SALT_BYTES, max_length=SALT_BYTES)]
    wrapped: Annotated[bytes, msgspec.Meta(min_length=_WRAPPED_BYTES, max_length=_WRAPPED_BYTES)]


class Epoch(msgspec.Struct, frozen=True, omit_defaults=True):
    """One part of an epoch; audience and wraps stand in the first, part 0."""

    commitment: Bytes32
    seals: Annotated[
        bytes, msgspec.Meta(min_length=SEAL_BYTES, max_length=SEALS_PER_PART * SEAL_BYTES)
    ]
    part: Annotated[int, msgspec.Meta(ge=0, lt=PARTS_MAX)] = 0
    parts: Annotated[int, msgspec.Meta(ge=1, le=PARTS_MAX)] = 1
    audience: Annotated[tuple[Bytes32, ...], msgspec.Meta(max_length=AUDIENCE_MAX)] = ()
    wraps: Annotated[tuple[Wrap, ...], msgspec.Meta(max_length=WRAPS_MAX)] = ()

    @property
    def is_last(self) -> bool:
        """Whether this part completes its epoch."""
        return self.part == self.parts - 1


def _problem(epoch: Epoch) -> str | None:
    count, rest = divmod(len(epoch.seals), SEAL_BYTES)
    is_whole = rest == 0 and (count == SEALS_PER_PART or epoch.is_last)
    wrapped = [wrap.epoch for wrap in epoch.wraps]
    return first_problem(
        None if epoch.part < epoch.parts else "this part is after the last: number it below",
        None if is_whole else f"all parts but the last hold {SEALS_PER_PART} seals: fill them",
        None if not epoch.part or not (wrapped or epoch.audience) else "say that in part 0",
        None if list(epoch.audience) == sorted(set(epoch.audience)) else "sort the audience",
        None if wrapped == sorted(set(wrapped)) else "sort the wraps by their epochs",
    )


_form = PayloadForm(Epoch, _problem)

decode_epoch = _form.decode
"""Return what an EPOCH's payload says; raises PayloadInvalid. ~50 µs for 640 seals."""

encode_epoch = _form.encode
"""Return the payload of an EPOCH; raises LocalProtocolError."""
