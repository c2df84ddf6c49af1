"""What may be asked of a presigned request."""

import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheaf_common.errors import InvalidInput
from sheaf_storage.ports import PartRef, UploadRef
from sheaf_storage.service.presign_rules import (
    PARTS_MAX,
    Declaration,
    attachment,
    check_expiry,
    check_parts,
    check_upload,
    part_sizes,
)

KEY = "documents/1/original"
MIB = 2**20
SHA256 = b"x" * 32


@given(size=st.integers(1, 5 * 2**40), least_mib=st.integers(5, 512))
def test_parts_add_up_to_the_object(size: int, least_mib: int) -> None:
    """At most 1,024 of one size, within S3's bounds, and a smaller last one."""
    sizes = part_sizes(size, least_mib * MIB)

    assert sum(sizes) == size
    assert len(sizes) <= PARTS_MAX
    assert len(set(sizes[:-1])) <= 1
    assert all(5 * MIB <= part <= 5 * 2**30 for part in sizes[:-1])
    assert 0 < sizes[-1] <= sizes[0]


@pytest.mark.parametrize(
    ("reason", "declaration"),
    [
        ("KEY_INVALID", Declaration("documents/../a", "text/plain", 1, SHA256)),
        ("CONTENT_TYPE_INVALID", Declaration(KEY, "", 1, SHA256)),
        ("CONTENT_TYPE_INVALID", Declaration(KEY, "text", 1, SHA256)),
        ("CONTENT_TYPE_INVALID", Declaration(KEY, "text/plain\r\nx-amz-acl: p", 1, SHA256)),
        ("SHA256_INVALID", Declaration(KEY, "text/plain", 1, b"")),
        ("SHA256_INVALID", Declaration(KEY, "text/plain", 1, b"x" * 31)),
        ("OBJECT_EMPTY", Declaration(KEY, "text/plain", 0, SHA256)),
        ("OBJECT_EMPTY", Declaration(KEY, "text/plain", -1, SHA256)),
        ("OBJECT_TOO_LARGE", Declaration(KEY, "text/plain", 101, SHA256)),
    ],
)
def test_what_could_not_be_confirmed_is_not_signed(reason: str, declaration: Declaration) -> None:
    """Each by its reason."""
    with pytest.raises(InvalidInput) as refused:
        declaration.check(100)

    assert refused.value.reason == reason


@pytest.mark.parametrize("expires_in_s", [0, 0.9, -1, 60.5, 61, 9e18])
def test_a_life_out_of_bounds_is_refused(expires_in_s: float) -> None:
    """And the bound is told."""
    with pytest.raises(InvalidInput) as refused:
        check_expiry(expires_in_s, 60)

    assert (refused.value.reason, refused.value.evidence) == ("EXPIRY_INVALID", {"limit_s": "60"})


@pytest.mark.parametrize(("asked", "given_s"), [(1, 1), (1.9, 1), (60, 60)])
def test_a_life_is_of_whole_seconds(asked: float, given_s: int) -> None:
    """A fraction is dropped, so it never lives longer than asked for."""
    assert check_expiry(asked, 60) == given_s


@pytest.mark.parametrize(
    "upload_id",
    ["", ".", "..", "../documents", "a/b", "a b", "a\n", "a?x=1", "ä", "a" * 1025, "a%2Fb"],
)
def test_what_is_no_upload_id_is_refused(upload_id: str) -> None:
    """Most of all what names a place outside the uploads, in a store that keeps folders."""
    with pytest.raises(InvalidInput) as refused:
        check_upload(UploadRef(KEY, upload_id))

    assert refused.value.reason == "UPLOAD_ID_INVALID"


@pytest.mark.parametrize(
    "upload_id",
    [
        "9d4f9d8c05b76bdb87121a516a502585bb2bb6c7_a7827bd95805495eb69ec6e3f18d2c06",
        "VXBsb2FkIElEIGZvciA2aWWpbmcncyBteS1tb3ZpZS5tMnRzIHVwbG9hZA--",
        "2~Yjc0ZGQ1.a_b-c==",
    ],
)
def test_upload_ids_of_stores_are_accepted(upload_id: str) -> None:
    """SeaweedFS's, Amazon's and Ceph's."""
    check_upload(UploadRef(KEY, upload_id))


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [PartRef(0, "e")],
        [PartRef(2, "e")],
        [PartRef(1, "e"), PartRef(3, "e")],
        [PartRef(2, "e"), PartRef(1, "e")],
        [PartRef(1, "e"), PartRef(1, "e")],
        [PartRef(number, "e") for number in range(1, PARTS_MAX + 2)],
        [PartRef(1, "")],
        [PartRef(1, "e\n")],
        [PartRef(1, "ä")],
        [PartRef(1, "e" * 257)],
    ],
)
def test_a_list_that_no_upload_has_is_refused(parts: list[PartRef]) -> None:
    """A gap, a doubled or too many parts, an ETag that is none."""
    with pytest.raises(InvalidInput) as refused:
        check_parts(parts)

    assert refused.value.reason == "PARTS_INVALID"


def test_as_many_parts_as_are_signed_are_accepted() -> None:
    """One after the other, from 1."""
    check_parts([PartRef(number, '"e"') for number in range(1, PARTS_MAX + 1)])


@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        ("", "attachment"),
        ("tax 2025.pdf", "attachment; filename=\"tax 2025.pdf\"; filename*=UTF-8''tax%202025.pdf"),
        ('a"b\\c.pdf', "attachment; filename=\"a_b_c.pdf\"; filename*=UTF-8''a%22b_c.pdf"),
        ("Köln.pdf", "attachment; filename=\"K_ln.pdf\"; filename*=UTF-8''K%C3%B6ln.pdf"),
        ("../a", "attachment; filename=\".._a\"; filename*=UTF-8''.._a"),
        ("a\r\nX: 1", "attachment; filename=\"a__X_ 1\"; filename*=UTF-8''a__X%3A%201"),
        ("50%.txt", "attachment; filename=\"50_.txt\"; filename*=UTF-8''50%25.txt"),
    ],
)
def test_a_filename_cannot_be_misread(filename: str, expected: str) -> None:
    """No quote, escape, folder or line break leaves the name."""
    assert attachment(filename) == expected


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=300))
def test_any_filename_is_one_header(filename: str) -> None:
    """Printable ASCII, in the form of the RFCs, and bounded."""
    header = attachment(filename)
    form = re.fullmatch(
        r"attachment(?:; filename=\"([^\"\\]+)\"; filename\*=UTF-8''([A-Za-z0-9._~%-]+))?", header
    )

    assert form is not None
    assert header.isascii()
    assert header.isprintable()
    assert "/" not in unquote(form.group(2) or "")
    assert len(header) < 4096
