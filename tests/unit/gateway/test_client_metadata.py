"""What clients write on their documents: taken as it is, or refused with its place."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheaf_common.errors import InvalidInput
from sheaf_gateway.client_metadata import MAX_BYTES, MAX_SENT_BYTES, compact_metadata

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
)
_VALUES = st.recursive(
    _LEAVES | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=8,
)
_TOKENS = ["\\u00", "\\ud800", "null", "tru", '"a"', '{"a":', *'{}[]"\\,:1-.e \n\0']
_PIECES = st.lists(st.sampled_from(_TOKENS), max_size=12).map("".join)


@given(members=st.dictionaries(_TEXT, _VALUES, max_size=5), indent=st.none() | st.integers(0, 3))
def test_any_object_is_kept_without_its_space(members: dict[str, Any], indent: int | None) -> None:
    """Members in their order, values as they were written, in either way of writing letters."""
    for ascii_only in (True, False):
        written = json.dumps(members, indent=indent, ensure_ascii=ascii_only)
        compact = compact_metadata(written.encode())
        assert compact == json.dumps(members, separators=(",", ":"), ensure_ascii=ascii_only)


@given(text=_PIECES | st.text(max_size=20))
def test_what_is_taken_is_json(text: str) -> None:
    """Whatever is sent: it is refused by name, or every reader of JSON understands it."""
    content = text.encode(errors="surrogatepass")
    try:
        compact = compact_metadata(content)
    except InvalidInput:
        return
    assert isinstance(json.loads(compact), dict)
    assert json.loads(compact) == json.loads(text)


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("", "an object must begin at character 1"),
        (" []", "an object must begin at character 2"),
        ('"a"', "an object must begin at character 1"),
        ("{} x", "nothing may follow the object at character 4"),
        ("{1:2}", "the name of a member must stand at character 2"),
        ('{"a":1,}', "the name of a member must stand at character 8"),
        ('{"a" 1}', "a colon must stand at character 6"),
        ('{"a":1 "b"}', "a comma or the object's end must stand at character 8"),
        ('{"a":[1 2]}', "a comma or the array's end must stand at character 9"),
        ('{"a":NaN}', "a value must stand at character 6"),
        ('{"a":Infinity}', "a value must stand at character 6"),
        ('{"a":01}', "a comma or the object's end must stand at character 7"),
        ('{"a":1e999}', "a number is too large at character 6"),
        ('{"a":"x}', "a string is not closed, or has what no string may have at character 6"),
        ('{"a":"\t"}', "a string is not closed, or has what no string may have at character 6"),
        ('{"a":"\\x"}', "a string is not closed, or has what no string may have at character 6"),
        ('{"a":"\\ud800"}', "a string has half of a surrogate pair at character 6"),
        ('{"a":1,"b":{"c":2,"c":3}}', "a name stands for the second time at character 19"),
        ('{"a":1,"\\u0061":2}', "a name stands for the second time at character 8"),
        ('{"a":' * 8 + "[" + "]" + "}" * 8, "it is nested more than 8 deep at character 41"),
        ("{" + ",".join(f'"{n:02}":0' for n in range(65)) + "}",
         "there are more than 64 members at character 450"),
        (b'{"a":"\xff"}', "byte 7 is not UTF-8"),
        ('{"a":"' + "x" * (MAX_BYTES - 7) + '"}', f"it has {MAX_BYTES + 1} bytes"),
        (" " * MAX_SENT_BYTES + "{", f"it is longer than {MAX_SENT_BYTES} bytes"),
        ('{"a":' + "[" * 16_000, "it is nested more than 8 deep at character 13"),
        ('{"a":"' + '\\"' * 5_000,
         "a string is not closed, or has what no string may have at character 6"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(written: str | bytes, problem: str) -> None:
    """At once, however it is built to take long."""
    with pytest.raises(InvalidInput) as refused:
        compact_metadata(written if isinstance(written, bytes) else written.encode())
    assert refused.value.message.endswith(f": {problem}")


@pytest.mark.parametrize(
    "written",
    [
        "{}",
        '{"a":' * 7 + "{}" + "}" * 7,
        "{" + ",".join(f'"{n:02}":0' for n in range(64)) + "}",
        '{"a":"' + "x" * (MAX_BYTES - 8) + '"}',
        '{"a":"' + "ü" * ((MAX_BYTES - 8) // 2) + '"}',
        '{"":-0.0e-99,"b":' + "9" * 300 + "}",
    ],
)
def test_what_is_within_the_bounds_is_taken(written: str) -> None:
    """To the last byte, member and level."""
    assert compact_metadata(written.encode()) == written
