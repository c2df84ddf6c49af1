"""Server-sent events as they are parsed."""

from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheaf_client import AnswerInvalid
from sheaf_client.sse import MAX_DATA_BYTES, MAX_LINE_BYTES, Message, SseParser

STREAM = (
    "\ufeff: hello\n\nretry: 1500\nid: 7\n\n"
    "event: document.queued\r\nid: 8\r\ndata: {\r\ndata:  1}\r\n\r\n"
    "data\rid: 9\r\r"
    "unknown: x\nretry: 1e9\nid: a\0b\ndata: ü\n\n"
    "event: left.out\n\n"
    "data: unfinished\n"
).encode()
MESSAGES = [
    Message("document.queued", "{\n 1}"),
    Message("message", ""),
    Message("message", "ü"),
]


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_a_stream_may_be_cut_anywhere(cuts: list[int]) -> None:
    """The messages are the same; the three ends of a line are, too."""
    parser = SseParser()
    found: list[Message] = []
    for first, last in zip([0, *sorted(cuts)], [*sorted(cuts), len(STREAM)], strict=True):
        found.extend(parser.feed(STREAM[first:last]))

    assert found == MESSAGES
    assert (parser.last_id, parser.retry_s) == ("9", 1.5)


def test_an_id_counts_once_its_message_is_whole() -> None:
    """Else a connection lost in between would skip it."""
    parser = SseParser()
    assert list(parser.feed(b"id: 1\ndata: x\n")) == []
    assert parser.last_id is None
    assert list(parser.feed(b"\n")) == [Message("message", "x")]
    assert parser.last_id == "1"


@pytest.mark.parametrize(
    "pieces",
    [[b"x" * 1000] * (MAX_LINE_BYTES // 1000 + 1), [b"data: " + b"x" * 1000 + b"\n"] * 263],
    ids=["line", "message"],
)
def test_what_never_ends_is_refused(pieces: list[bytes]) -> None:
    """Nothing is kept above the limits."""
    assert sum(map(len, pieces)) < MAX_DATA_BYTES * 1.1
    parser = SseParser()
    with pytest.raises(AnswerInvalid, match="over"):
        list(chain.from_iterable(map(parser.feed, pieces)))
