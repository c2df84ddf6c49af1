"""What the PDF extractor promises of forms."""

import io
from typing import Literal

import pikepdf
import pytest
from unit.orchestrator.extraction import forms, pdfs

from sheaf_orchestrator.extraction import Limits, Options, pdf
from sheaf_orchestrator.extraction.pdf.pdfium import Document
from sheaf_orchestrator.extraction.result import Extracted, FormField


def extract(content: bytes) -> Extracted:
    """What is in the document."""
    return pdf.extract(content, Options(), Limits())


def test_values_stand_where_they_are_seen() -> None:
    """A value comes after the label to its left and before what is right of it."""
    lines = extract(forms.application()).pages[0].text.split("\n")
    assert lines[:3] == ["Name: Ada (after Name)", "Town: London (after Town)", "Job: (after Job)"]
    assert lines[3] == "Large"
    assert lines[-1] == "The end"


def test_fields_are_listed() -> None:
    """Every field has its name, kind, value and page; what nobody filled in is null."""
    assert extract(forms.application()).fields == [
        FormField(name="Name", kind="text", value="Ada", page=1),
        FormField(name="Town", kind="text", value="London", page=1),
        FormField(name="Job", kind="text", value=None, page=1),
        FormField(name="Size", kind="choice", value="Large", page=1),
        FormField(name="Agreed", kind="checkbox", value="Yes", page=1),
        FormField(name="Refused", kind="checkbox", value=None, page=1),
        FormField(name="Pay", kind="radio", value="card", page=1),
    ]


@pytest.mark.parametrize("value", [b"(Ada)", b"<FEFF004100640061>"])
def test_a_value_that_nobody_drew_is_in_the_text(value: bytes) -> None:
    """Without an appearance stream the value itself is put where the field stands."""
    assert extract(forms.by_hand(value)).pages[0].text == "above\nAda\nbelow"


def test_a_drawing_that_is_out_of_date_gives_way() -> None:
    """When the form says that its drawings are stale, its values hold."""
    content = forms.by_hand(b"(new)", appearance=b"old", stale=True)
    assert extract(content).pages[0].text == "above\nnew\nbelow"
    content = forms.by_hand(b"(new)", appearance=b"old")
    assert extract(content).pages[0].text == "above\nold\nbelow"


@pytest.mark.parametrize(
    ("name", "encoding"), [("Małgorzata Żółć", "iso8859-2"), ("רחל 12", "cp1255")]
)
def test_letters_of_one_byte_encodings_are_right(name: str, encoding: str) -> None:
    """A drawing in an encoding that its font does not tell is read wrong: the value is right."""
    value = b"<FEFF" + name.encode("utf-16-be").hex().encode() + b">"
    content = forms.by_hand(value, appearance=name.encode(encoding))
    assert extract(content).pages[0].text == f"above\n{name}\nbelow"


def test_a_value_of_several_lines_stays_whole() -> None:
    """On a page that has to be put in order nothing comes between the lines of a value."""
    content = forms.by_hand(b"(first\\nsecond)", disorder=True)
    assert extract(content).pages[0].text == "above\nfirst\nsecond\nbeside\nbelow"


def test_the_cells_of_a_comb_are_one_value() -> None:
    """A number that is drawn letter by letter, with gaps, is a number all the same."""
    content = forms.by_hand(b"(123456)", appearance=b"1 2  3  4   5 6")
    assert extract(content).pages[0].text == "above\n123456\nbelow"


def test_values_that_touch_are_told_apart() -> None:
    """Two fields without a gap between them are two values."""
    text = extract(forms.side_by_side(b"41910", b"0", b"77")).pages[0].text
    assert text == "text\n41910 0 77"


def test_a_broken_form_costs_its_fields_only() -> None:
    """A field of nonsense ends in a warning; the page is read."""
    content = forms.by_hand(b"(x)").replace(b"/FT /Tx", b"/FT [(")
    assert extract(content).pages[0].text.startswith("above")


@pytest.mark.parametrize("revision", [4, 6])
def test_a_locked_form_opens_with_its_password(revision: Literal[4, 6]) -> None:
    """Old methods of encryption take the password in Latin-1, new ones in UTF-8."""
    locked = io.BytesIO()
    with pikepdf.open(io.BytesIO(forms.application())) as form:
        form.save(locked, encryption=pikepdf.Encryption(owner="o", user="sécret", R=revision))
    extracted = pdf.extract(locked.getvalue(), Options(password="sécret".encode()), Limits())
    assert len(extracted.fields) == 7
    assert extracted.warnings == []


def test_a_parent_that_is_its_own_child_ends() -> None:
    """Fields that name one another as parents are read to a bounded depth."""
    content = forms.by_hand(b"(x)").replace(b"/FT /Tx", b"/FT /Tx /Parent 6 0 R")
    assert [field.value for field in extract(content).fields] == ["x"]


def test_flattening_is_asked_for() -> None:
    """A page is as the file has it until it is flattened; then its values are part of it."""
    with Document(pdfs.form("Ada")) as document, document.page(0) as page:
        assert page.annotation_count == 1
        with page.layer() as layer:
            assert "Ada" not in layer.text(100)
        assert page.flatten()
        assert page.annotation_count == 0
        with page.layer() as layer:
            assert "Ada" in layer.text(100)
        assert not page.flatten()
