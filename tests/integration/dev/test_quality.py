"""Claims about `quality`: run as a person runs it, on a folder of our own making."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sheaf_dev.samples import demo_samples

SAMPLES = {sample.filename: sample for sample in demo_samples()}
FILES = {
    "forms/accident.pdf": "form-accident-report.pdf",
    "letters/decision.pdf": "letter-claim-decision.pdf",
    "pdf-encrypted/payslip.pdf": "payslip-locked.pdf",
    "letters/damaged.pdf": "payslip-damaged.pdf",
}


def quality(*arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of `./sheaf quality`."""
    done = subprocess.run(
        [sys.executable, "-m", "sheaf_dev", "quality", *arguments],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A labelled folder; the text of one file stands beside it, with a word that is not in it."""
    for name, sample in FILES.items():
        path = tmp_path / "labelled" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(SAMPLES[sample].content)
    phrases = SAMPLES["letter-claim-decision.pdf"].expected_phrases
    (tmp_path / "labelled/letters/decision.txt").write_text(" ".join([*phrases, "unheard"]))
    return tmp_path / "labelled"


def test_a_labelled_folder_is_measured(folder: Path, tmp_path: Path) -> None:
    """Words, form values, CPU and ends, as tables and as JSON; one file ends as it should not."""
    written_to = tmp_path / "quality.json"
    code, output, errors = quality(str(folder), "--no-ocr", "--json", str(written_to))
    assert (code, errors) == (0, "")
    written: dict[str, Any] = json.loads(written_to.read_text())
    documents = {each["file"]: each for each in written["documents"]}

    assert list(documents) == sorted(FILES)
    assert written["unexpected"] == ["letters/damaged.pdf"]
    assert written["reasons"] == {"DAMAGED": 1, "ENCRYPTED": 1}
    letter = documents["letters/decision.pdf"]["tokens"]
    assert letter["expected"] * (1 - letter["recall"]) == pytest.approx(1, abs=0.01)
    assert written["form_values"]["total"] > 5
    assert written["form_values"]["recall"] == 1
    assert 0 < written["pdf_cpu"]["ms_per_page"] < 200
    assert all(part in output for part in ("tenth percentile", "ENCRYPTED", "slowest files"))


@pytest.mark.parametrize("name", ["not-there", "empty"])
def test_a_folder_that_cannot_be_run_is_one_line(tmp_path: Path, name: str) -> None:
    """With exit code 1."""
    (tmp_path / "empty").mkdir()
    code, output, errors = quality(str(tmp_path / name))

    assert (code, output) == (1, "")
    assert name in errors
    assert len(errors.splitlines()) == 1
