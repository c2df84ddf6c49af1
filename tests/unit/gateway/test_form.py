"""A multipart body is read the same however it arrives."""

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheaf_common.errors import InvalidInput
from sheaf_gateway.form import FormParser, PartEnd, PartStart, boundary_of
from support.gateway import BOUNDARY, form

Part = tuple[str, str | None, bytes]

_CONTENT = st.one_of(
    st.binary(max_size=400),
    st.lists(
        st.sampled_from([b"\r\n", b"--", f"--{BOUNDARY}".encode()[:-1], b"\r", b"x", b"\n--b0"]),
        max_size=20,
    ).map(b"".join),
)
_NAME = st.text("abcdefghijklmnop", min_size=1, max_size=8)
_FILENAME = st.none() | st.text("abcéàÅ世🧾_ .", min_size=1, max_size=12)
_PARTS = st.lists(st.tuples(_NAME, _FILENAME, _CONTENT), min_size=1, max_size=6)


def parsed(chunks: Iterable[bytes]) -> list[Part]:
    """The parts of a body that arrives in `chunks`."""
    parser = FormParser(BOUNDARY)
    parts: list[Part] = []
    pieces: list[bytes] = []
    start: PartStart | None = None
    for chunk in chunks:
        for event in parser.feed(chunk):
            if isinstance(event, PartStart):
                start, pieces = event, []
            elif isinstance(event, PartEnd):
                assert start is not None
                parts.append((start.name, start.filename, b"".join(pieces)))
            else:
                pieces.append(event)
    parser.finish()
    return parts


def cut(body: bytes, places: Iterable[int]) -> list[bytes]:
    """The body, cut at the given places."""
    edges = sorted({0, len(body), *(place % len(body) for place in places)})
    return [body[first:last] for first, last in pairwise(edges)]


@given(parts=_PARTS, places=st.lists(st.integers(min_value=0, max_value=10**6), max_size=40))
def test_any_chunking_gives_the_same_parts(parts: list[Part], places: list[int]) -> None:
    """Names, file names and every byte."""
    delimiter = f"\r\n--{BOUNDARY}".encode()
    parts = [part for part in parts if delimiter not in b"\r\n" + part[2] + delimiter[:-1]]
    body = b"preamble\r\n" + form(*parts) + b"epilogue"

    assert parsed([body]) == parts
    assert parsed(cut(body, places)) == parts


def test_byte_by_byte_gives_the_same_parts() -> None:
    """The hardest chunking."""
    parts: list[Part] = [("file", "a.pdf", b"\r\n--b0undar\r\n--"), ("product", None, b"tax")]
    body = form(*parts)

    assert parsed(body[place : place + 1] for place in range(len(body))) == parts


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(form(("file", "a", b"x"))[:-8], id="cut off"),
        pytest.param(b"no boundary at all", id="no boundary"),
        pytest.param(f"--{BOUNDARY}\r\n\r\nx\r\n--{BOUNDARY}--".encode(), id="no disposition"),
        pytest.param(f"--{BOUNDARY}\r\n".encode() + b"X: " + b"y" * 9000, id="long header"),
        pytest.param(
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n'
            f"Content-Transfer-Encoding: base64\r\n\r\neA==\r\n--{BOUNDARY}--".encode(),
            id="encoded part",
        ),
        pytest.param(f"--{BOUNDARY}\r\nno colon\r\n\r\nx".encode(), id="bad header"),
    ],
)
def test_a_broken_body_is_named(body: bytes) -> None:
    """Whatever breaks it."""
    with pytest.raises(InvalidInput) as caught:
        parsed([body])
    assert caught.value.reason == "MULTIPART_INVALID"


@pytest.mark.parametrize(
    ("content_type", "reason"),
    [
        ("", "UNSUPPORTED_MEDIA_TYPE"),
        ("application/json", "UNSUPPORTED_MEDIA_TYPE"),
        ("multipart/mixed; boundary=x", "UNSUPPORTED_MEDIA_TYPE"),
        ("multipart/form-data", "BOUNDARY_MISSING"),
        ("multipart/form-data; boundary=", "BOUNDARY_MISSING"),
        ("multipart/form-data; boundary=" + "x" * 300, "BOUNDARY_MISSING"),
    ],
)
def test_a_body_that_is_no_form_is_refused(content_type: str, reason: str) -> None:
    """Before a byte of it is read."""
    with pytest.raises(InvalidInput) as caught:
        boundary_of(content_type)
    assert caught.value.reason == reason


def test_a_quoted_boundary_is_unquoted() -> None:
    """As RFC 2046 allows."""
    assert boundary_of('Multipart/Form-Data; boundary="a b"') == "a b"


def test_an_extended_filename_is_understood() -> None:
    """Some clients send only filename*, though RFC 7578 forbids it."""
    head = "form-data; name=\"file\"; filename*=utf-8''b%C3%A4r%20.pdf"
    body = f"--{BOUNDARY}\r\nContent-Disposition: {head}\r\n\r\nx\r\n--{BOUNDARY}--".encode()

    assert parsed([body]) == [("file", "bär .pdf", b"x")]


@pytest.mark.parametrize("named", [b'filename="caf\xe9.txt"', b"filename*=utf-8''caf%E9.txt"])
def test_a_name_that_is_no_utf_8_is_marked_and_the_parts_go_on(named: bytes) -> None:
    """Its bytes are lone surrogates, which no name may have."""
    head = b"Content-Disposition: form-data; name="
    body = b'--%b\r\n%b"file"; %b\r\n\r\nx\r\n' % (BOUNDARY.encode(), head, named)
    body += form(("file", "b.txt", b"y"))

    assert parsed([body]) == [("file", "caf\udce9.txt", b"x"), ("file", "b.txt", b"y")]
