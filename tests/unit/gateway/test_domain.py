"""The rules of names and bounds."""

import pytest

from sheaf_common.errors import InvalidInput
from sheaf_gateway.domain.checking import checked_product, clean_filename
from sheaf_gateway.domain.uploads import concurrency_bound


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("a.pdf", "a.pdf"),
        ("dir/b.pdf", "b.pdf"),
        ("C:\\fakepath\\c.pdf", "c.pdf"),
        ("../../etc/passwd", "passwd"),
        ("  Übung 世界.txt ", "Übung 世界.txt"),
        ("x" * 255, "x" * 255),
    ],
)
def test_a_filename_is_its_last_component(raw: str, name: str) -> None:
    """Folders are a client's own business."""
    assert clean_filename(raw) == name


@pytest.mark.parametrize("raw", [None, "", "   ", "a/", "..", "a\x00b", "a\nb", "a\x7f", "x" * 256])
def test_a_name_that_is_none_is_refused(raw: str | None) -> None:
    """With a reason."""
    with pytest.raises(InvalidInput, match="FILENAME_"):
        clean_filename(raw)


@pytest.mark.parametrize("text", ["x" * 65, "a\nb", "\x00", "a b", "-a"])
def test_a_product_is_a_short_plain_label(text: str) -> None:
    """Anything else is refused."""
    with pytest.raises(InvalidInput, match="PRODUCT_INVALID"):
        checked_product(text)


@pytest.mark.parametrize(("files", "bound"), [(1, 2), (4, 8), (24, 48), (25, 50), (1000, 50)])
def test_the_bound_grows_with_the_files(files: int, bound: int) -> None:
    """min(files * 2, 50), or 8 when it is fixed."""
    assert concurrency_bound(files, 50, fixed=False) == bound
    assert concurrency_bound(files, 50, fixed=True) == 8
