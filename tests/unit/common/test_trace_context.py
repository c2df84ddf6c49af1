"""W3C trace contexts: what is taken over from strangers, and how one lies in a row."""

import pytest

from sheaf_common.telemetry.trace_context import PACKED_BYTES, TraceContext

_TRACE, _SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.mark.parametrize(
    ("traceparent", "sampled"),
    [
        (f"00-{_TRACE}-{_SPAN}-01", True),
        (f"00-{_TRACE}-{_SPAN}-00", False),
        (f"00-{_TRACE}-{_SPAN}-03", True),
        (f"01-{_TRACE}-{_SPAN}-01-what-is-to-come", True),
    ],
)
def test_a_traceparent_is_read(traceparent: str, sampled: bool) -> None:  # noqa: FBT001 - a table
    """Of this version, and what is known of later ones."""
    context = TraceContext.parse(traceparent)
    assert context == TraceContext(int(_TRACE, 16), int(_SPAN, 16), sampled)


@pytest.mark.parametrize(
    "traceparent",
    [
        "",
        "nonsense",
        f"00-{_TRACE}-{_SPAN}",
        f"00-{_TRACE.upper()}-{_SPAN}-01",
        f"00-{'0' * 32}-{_SPAN}-01",
        f"00-{_TRACE}-{'0' * 16}-01",
        f"00-{_TRACE[1:]}-{_SPAN}-01",
        f"00-{_TRACE}-{_SPAN}-01-more",
        f"ff-{_TRACE}-{_SPAN}-01",
        f"00-{_TRACE}-{_SPAN}-01\n",
        f"01-{_TRACE}-{_SPAN}-01-{'x' * 10_000}",
    ],
)
def test_what_is_none_is_ignored(traceparent: str) -> None:
    """As the specification has it: as if it were not there."""
    assert TraceContext.parse(traceparent) is None


def test_it_is_written_as_it_was_read() -> None:
    """For the next hop, and for a row in 24 bytes."""
    context = TraceContext.parse(f"00-{_TRACE}-{_SPAN}-01")
    assert context is not None
    assert str(context) == f"00-{_TRACE}-{_SPAN}-01"
    assert len(context.packed) == PACKED_BYTES
    assert TraceContext.unpack(context.packed) == context
    with pytest.raises(ValueError, match="24 bytes"):
        TraceContext.unpack(context.packed[1:])


def test_what_is_not_sampled_is_carried_no_further() -> None:
    """Neither to a peer nor into a row."""
    assert TraceContext.sampled_or_none(f"00-{_TRACE}-{_SPAN}-00") is None
    assert TraceContext.sampled_or_none("") is None
