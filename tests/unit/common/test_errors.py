"""Errors: one table, and nothing of an error is lost on the wire."""

import grpc
import pytest
from grpc.aio import AioRpcError, Metadata

from sheaf_common.errors import (
    ERROR_BY_KIND,
    INTERNAL_MESSAGE,
    KINDS,
    ErrorKind,
    InternalError,
    InvalidInput,
    OverCapacity,
    SheafError,
    Unavailable,
)
from sheaf_common.grpc.errors import STATUS_DETAILS_KEY, decode, encode_details, status_code


def _over_the_wire(error: SheafError) -> SheafError:
    trailing = Metadata((STATUS_DETAILS_KEY, encode_details(error)))
    return decode(
        AioRpcError(status_code(error), Metadata(), trailing, details=error.message), "peer"
    )


@pytest.mark.parametrize("kind", ErrorKind)
def test_every_kind_is_mapped(kind: ErrorKind) -> None:
    """Each kind has a gRPC code that exists and an HTTP error status."""
    assert KINDS[kind].grpc_code in grpc.StatusCode.__members__
    assert 400 <= KINDS[kind].http_status <= 599


def test_no_two_kinds_share_a_code() -> None:
    """A code names one kind, so that decoding is unambiguous."""
    assert len({mapping.grpc_code for mapping in KINDS.values()}) == len(ErrorKind)


@pytest.mark.parametrize("error_class", ERROR_BY_KIND.values())
def test_an_error_crosses_the_wire_whole(error_class: type[SheafError]) -> None:
    """Kind, reason, message, evidence and retry delay arrive as they were sent."""
    sent = error_class("SOME_REASON", "what happened", evidence={"a": "1"}, retry_after_s=1.5)

    arrived = _over_the_wire(sent)

    assert type(arrived) is error_class
    assert (arrived.reason, arrived.message) == ("SOME_REASON", "what happened")
    assert (dict(arrived.evidence), arrived.retry_after_s) == ({"a": "1"}, 1.5)


def test_a_bug_tells_only_its_request_id() -> None:
    """An internal error has a fixed text, also after a hop."""
    arrived = _over_the_wire(InternalError("req-1"))

    assert isinstance(arrived, InternalError)
    assert arrived.message == INTERNAL_MESSAGE
    assert dict(arrived.evidence) == {"request_id": "req-1"}


def test_a_peer_that_is_down_is_unavailable() -> None:
    """A status that gRPC made itself becomes the kind that it means."""
    down = AioRpcError(grpc.StatusCode.UNAVAILABLE, Metadata(), Metadata(), details="refused")

    arrived = decode(down, "storage")

    assert isinstance(arrived, Unavailable)
    assert arrived.reason == "PEER_UNAVAILABLE"
    assert "storage" in arrived.message


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        ("OBJECT_TOO_LARGE", 413),
        ("UNSUPPORTED_MEDIA_TYPE", 415),
        ("UNSUPPORTED_FORMAT", 415),
        ("FILE_EMPTY", 422),
        ("X", 400),
    ],
)
def test_the_reason_of_invalid_input_picks_its_status(reason: str, status: int) -> None:
    """Invalid input is 400 unless its reason says more."""
    assert InvalidInput(reason, "").http_status == status


def test_only_invalid_input_is_refined_by_reason() -> None:
    """The same reason under another kind keeps that kind's status."""
    assert OverCapacity("BODY_TOO_LARGE", "").http_status == 429
