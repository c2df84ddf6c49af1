"""Which files `quality` measures, what it compares them with, and how they should end."""

from pathlib import Path
from typing import Any

import pikepdf
import pytest

from sheaf_dev.errors import DevError
from sheaf_dev.quality.expectations import expected_ends
from sheaf_dev.quality.form_values import filled_values
from sheaf_dev.quality.references import NOT_INSTALLED, reference_of
from sheaf_dev.quality.walking import LabelledFile, labelled_files
from sheaf_dev.samples import demo_samples
from sheaf_dev.samples.generator import text_pdf


def tree(root: Path, **contents: str) -> None:
    """Files under a folder; `__` in a name is a folder's end."""
    for name, text in contents.items():
        path = root / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def labelled(path: Path, folder: str = "any") -> LabelledFile:
    """A file under a label."""
    return LabelledFile(path, path.name, folder)


def test_files_are_walked_in_order_with_their_labels(tmp_path: Path) -> None:
    """The first folder is the label; hidden files and the list of sources are left out."""
    tree(tmp_path, b__z_pdf="", b__a_pdf="", a__deep__x_pdf="", top_pdf="", b___hidden="")
    (tmp_path / "SOURCES.tsv").write_text("file")
    found = [(file.name, file.folder) for file in labelled_files(tmp_path)]

    assert found == [
        ("top.pdf", tmp_path.name), ("a/deep/x.pdf", "a"), ("b/a.pdf", "b"), ("b/z.pdf", "b"),
    ]  # fmt: skip


def test_a_limit_holds_for_each_folder(tmp_path: Path) -> None:
    """The first ones of each."""
    tree(tmp_path, a__1_pdf="", a__2_pdf="", b__1_pdf="", b__2_pdf="")
    assert [file.name for file in labelled_files(tmp_path, 1)] == ["a/1.pdf", "b/1.pdf"]


def test_a_text_beside_a_file_is_its_truth_and_no_document(tmp_path: Path) -> None:
    """By either name, or in the folder of truths; a text with no such neighbour is a document."""
    tree(tmp_path, a__1_png="", a__1_png_txt="x", a__2_png="", a__2_txt="x", a__3_txt="x")
    tree(tmp_path, a__4_png="")
    truths = tmp_path / "ground-truth"
    truths.mkdir()
    (truths / "a__4.png.txt").write_text("four")
    truth = {file.name: file.truth and file.truth.name for file in labelled_files(tmp_path)}

    assert truth == {
        "a/1.png": "1.png.txt", "a/2.png": "2.txt", "a/3.txt": None, "a/4.png": "a__4.png.txt",
    }  # fmt: skip
    assert labelled_files(tmp_path / "a")[-1].truth == truths / "a__4.png.txt"


@pytest.mark.parametrize("name", ["not-there", "empty"])
def test_a_folder_without_documents_is_one_clear_error(tmp_path: Path, name: str) -> None:
    """It is named."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(DevError, match=name):
        labelled_files(tmp_path / name)


async def test_without_pdftotext_a_pdf_has_no_reference(tmp_path: Path) -> None:
    """Unless somebody wrote its text down; then its pages are parted by form feeds."""
    written = tmp_path / "a.txt"
    written.write_text("one\ftwo")
    file = LabelledFile(tmp_path / "a.pdf", "a.pdf", "any", written)

    assert (await reference_of(labelled(tmp_path / "a.pdf"), None)).missing == NOT_INSTALLED
    assert (await reference_of(file, None)).pages == ("one", "two")


def test_how_a_file_should_end_follows_from_its_label_and_kind(tmp_path: Path) -> None:
    """A lock that needs no key is none; what Sheaf does not read is refused."""
    samples = {sample.filename: sample.content for sample in demo_samples()}
    for name in ("payslip-locked.pdf", "letter-claim-decision.pdf"):
        (tmp_path / name).write_bytes(samples[name])
    ends = [
        expected_ends(labelled(tmp_path / "payslip-locked.pdf", "pdf-encrypted")),
        expected_ends(labelled(tmp_path / "letter-claim-decision.pdf", "pdf-encrypted")),
        expected_ends(labelled(tmp_path / "a.heic")),
        expected_ends(labelled(tmp_path / "a_protected.xlsx")),
        expected_ends(labelled(tmp_path / "a.docx")),
    ]

    assert [sorted(end) for end in ends] == [
        ["ENCRYPTED"], ["completed"], ["UNSUPPORTED_FORMAT"], ["ENCRYPTED"], ["completed"],
    ]  # fmt: skip
    broken = expected_ends(labelled(tmp_path / "x.pdf", "pdf-broken-or-malicious"))
    assert {"DAMAGED", "completed"} <= broken
    assert not {"CRASHED", "TIME_LIMIT", "EXTRACTOR_ERROR"} & broken


def test_filled_values_are_those_that_a_person_sees(tmp_path: Path) -> None:
    """Inherited ones once; hidden fields, buttons and passwords are none."""
    path = tmp_path / "form.pdf"
    with pikepdf.open(_written(tmp_path / "plain.pdf")) as pdf:
        shared = pdf.make_indirect(field(T="Name", FT="/Tx", V="Ada"))
        fields = [
            field(Parent=shared),
            field(Parent=shared),
            field(T="Town", FT="/Ch", V="Alderport"),
            field(T="Secret", FT="/Tx", V="hidden", F=2),
            field(T="Key", FT="/Tx", V="password", Ff=1 << 13),
            field(T="Box", FT="/Btn", V="Yes"),
            field(T="Empty", FT="/Tx", V=""),
        ]
        widgets = pikepdf.Array([pdf.make_indirect(each) for each in fields])
        pdf.pages[0].Annots = widgets
        pdf.Root.AcroForm = pikepdf.Dictionary(Fields=widgets)
        pdf.save(path)

    found = [(each.field, each.value) for each in filled_values(path)]
    assert found == [("Name", "Ada"), ("Town", "Alderport")]
    (tmp_path / "no.pdf").write_bytes(b"%PDF-1.7 and no more")
    assert filled_values(tmp_path / "no.pdf") == []


def field(**entries: object) -> pikepdf.Dictionary:
    """A widget; names begin with a slash."""
    values: dict[str, Any] = {f"/{key}": _entry(value) for key, value in entries.items()}
    return pikepdf.Dictionary({"/Subtype": pikepdf.Name.Widget, **values})


def _entry(value: Any) -> Any:
    is_name = isinstance(value, str) and value.startswith("/")
    return pikepdf.Name(value) if is_name else value


def _written(path: Path) -> Path:
    path.write_bytes(text_pdf(1, 1))
    return path
