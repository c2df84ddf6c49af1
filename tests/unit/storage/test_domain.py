"""Keys, limits and accepted types."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheaf_common.errors import InvalidInput, OutOfRange
from sheaf_storage.domain import ByteRange, PutOrder, check_key, check_prefix


@pytest.mark.parametrize(
    "key",
    [
        "documents/a",
        "documents/018f/original",
        "documents/018f/1-sheaf-group-x/result.json.zst",
        "documents/ünïcode name.pdf",
        "documents/..a/.hidden",
        "documents/" + "a" * 1014,
    ],
)
def test_a_good_key_is_accepted(key: str) -> None:
    """Whatever stays below the prefix and can be printed."""
    check_key(key)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "a",
        "/documents/a",
        "Documents/a",
        "documents",
        "documents/",
        "documents//a",
        "documents/a/",
        "documents/./a",
        "documents/../secrets",
        "documents/a/..",
        "documents/a\x00b",
        "documents/a\x7f",
        "documents/a\x85b",
        "documents/" + "a" * 1015,
        "documents/" + "é" * 508,
    ],
)
def test_a_bad_key_is_refused(key: str) -> None:
    """Each with the key as evidence."""
    with pytest.raises(InvalidInput) as refused:
        check_key(key)

    assert refused.value.reason == "KEY_INVALID"
    assert refused.value.evidence["key"] == key[:256]


@pytest.mark.parametrize("prefix", ["", "doc", "documents", "other/", "documents/\n"])
def test_a_prefix_shows_no_other_keys(prefix: str) -> None:
    """A listing begins below Sheaf's own prefix."""
    with pytest.raises(InvalidInput):
        check_prefix(prefix)


@pytest.mark.parametrize(
    ("accepted", "content_type", "fits"),
    [
        ((), "image/png", True),
        (("image/png",), "image/png", True),
        (("image/*",), "image/png", True),
        (("application/pdf", "text/*"), "text/csv", True),
        (("application/pdf", "text/*"), "image/png", False),
        (("image/pn",), "image/png", False),
        (("*/*",), "image/png", False),
    ],
)
def test_types_are_accepted_exactly_or_by_family(
    accepted: tuple[str, ...], content_type: str, *, fits: bool
) -> None:
    """An empty list accepts all."""
    order = PutOrder("documents/a", accepted_content_types=accepted)
    if fits:
        order.check_content_type(content_type)
    else:
        with pytest.raises(InvalidInput, match=content_type):
            order.check_content_type(content_type)


@pytest.mark.parametrize(("asked", "expected"), [(0, 100), (50, 50), (500, 100)])
def test_the_lower_limit_holds(asked: int, expected: int) -> None:
    """A caller may ask for less than the service allows, not for more."""
    assert PutOrder("documents/a", max_size_bytes=asked).limit_bytes(100) == expected


@given(size=st.integers(0, 50), offset=st.integers(-60, 60), length=st.integers(-2, 60))
def test_a_range_is_a_slice_of_the_object(size: int, offset: int, length: int) -> None:
    """Or refused, when it has no byte of it."""
    content = bytes(range(size))
    begin = offset if offset >= 0 else max(0, size + offset)
    expected = content[begin : begin + length] if length > 0 else content[begin:]
    try:
        start, stop = ByteRange(offset, length).resolve(size)
    except OutOfRange as refused:
        assert length < 0 or not expected
        assert refused.evidence == {"size_bytes": str(size)}  # noqa: PT017 - as above
    else:
        assert content[start:stop] == expected
