"""What a load test sends, and when."""

import io
import zipfile
from collections import Counter
from itertools import pairwise
from pathlib import Path
from random import Random

import pikepdf
import pytest
from PIL import Image

from sheaf_dev.bench.load.content import STAMP_BYTES, Content
from sheaf_dev.bench.load.documents import DIFFERENT, prepare
from sheaf_dev.bench.load.job import Findings, Job
from sheaf_dev.bench.load.plan import LoadPlan, Mix
from sheaf_dev.bench.load.schedule import Schedule, due_times
from sheaf_dev.errors import DevError

STAMP = b"0123456789abcdef" * 2


def test_a_seed_always_gives_the_same_times() -> None:
    """As many as the rate says, within the duration; another seed gives others."""
    plan = LoadPlan(status_reads=2)
    first, again, other = (Schedule.of(plan, 30.0, 10.0, seed) for seed in ("1", "1", "2"))

    assert first == again != other
    assert (len(first.uploads_s), len(first.reads_s)) == (300, 600)
    for times in (first.uploads_s, first.reads_s):
        assert list(times) == sorted(times)
        assert times[0] >= 0
        assert times[-1] <= 10.0


def test_arrivals_are_as_uneven_as_strangers_or_even() -> None:
    """Of a Poisson process the gaps are as wide as they scatter; even ones are all the same."""
    poisson = due_times(5000, 100.0, "poisson", Random(1))  # noqa: S311 # to be repeated
    gaps = [later - earlier for earlier, later in pairwise(poisson)]
    mean = sum(gaps) / len(gaps)
    variance = sum((gap - mean) ** 2 for gap in gaps) / len(gaps)

    assert variance**0.5 == pytest.approx(mean, rel=0.1)
    assert due_times(4, 2.0, "even", Random(1)) == [0.0, 0.5, 1.0, 1.5]  # noqa: S311


def test_text_pdfs_have_one_to_ten_pages_most_of_them_few() -> None:
    """About three in the mean; the same for the same seed, and made once."""
    documents = prepare(LoadPlan(seed=3), 100)
    pages = [len(pikepdf.open(io.BytesIO(document.before)).pages) for document in documents]

    assert 2.5 < sum(pages) / len(pages) < 3.8
    assert (min(pages), max(pages)) == (1, 10)
    assert prepare(LoadPlan(seed=3, duration_s=1.0), 100)[7] is documents[7]
    assert prepare(LoadPlan(seed=4), 1) != documents[:1]


def test_no_more_are_made_than_are_needed_or_bounded() -> None:
    """Uploads beyond them differ by their stamps."""
    plan = LoadPlan(mix=Mix(office=1.0))

    assert len(prepare(plan, 3)) == 3
    assert len(prepare(plan, 10**6)) == DIFFERENT


def test_a_mix_has_its_shares_and_stamps_that_no_reader_minds() -> None:
    """Office documents, pictures and scans are as readable with a stamp as without."""
    documents = prepare(LoadPlan(mix=Mix(office=0.7, images=0.1, scans=0.1)), 30)
    kinds = Counter(document.filename.rpartition(".")[2] for document in documents)
    names = Counter(document.filename.partition("-")[0] for document in documents)

    assert set(kinds) == {"docx", "xlsx", "pptx", "odt", "jpg", "pdf"}
    assert kinds["docx"] + kinds["xlsx"] + kinds["pptx"] + kinds["odt"] == pytest.approx(21, abs=6)
    assert min(names["text"], names["scan"], names["picture"]) >= 1
    for document in documents:
        content = document.bytes_with(STAMP)
        assert STAMP in content
        if document.filename.endswith(".pdf"):
            assert len(pikepdf.open(io.BytesIO(content)).pages) >= 1
        elif document.filename.endswith(".jpg"):
            with Image.open(io.BytesIO(content)) as picture:
                picture.load()
                assert picture.info["comment"] == STAMP
        else:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                assert (archive.testzip(), archive.comment) == (None, STAMP)


@pytest.mark.parametrize("mix", [Mix(office=-0.1), Mix(office=0.6, scans=0.5)])
def test_a_mix_that_cannot_be_is_refused(mix: Mix) -> None:
    """Shares are from 0 to 1, together too."""
    with pytest.raises(ValueError, match="shares of a mix"):
        prepare(LoadPlan(mix=mix), 1)


def test_files_of_a_corpus_are_sent_as_they_are(tmp_path: Path) -> None:
    """With all below the folder; an empty one is an error that names it."""
    (tmp_path / "deep").mkdir()
    with pytest.raises(DevError, match=str(tmp_path)):
        prepare(LoadPlan(corpus=tmp_path), 1)
    (tmp_path / "deep" / "a.txt").write_bytes(b"as it is")
    (document,) = prepare(LoadPlan(corpus=tmp_path), 5)

    assert (document.filename, document.bytes_with(STAMP)) == ("a.txt", b"as it is")


def test_a_stamp_has_its_length() -> None:
    """Another would break what counts its bytes."""
    with pytest.raises(ValueError, match=f"{STAMP_BYTES} bytes"):
        Content("a", b"", stamped=True).bytes_with(b"short")


def test_a_job_and_its_findings_are_read_as_they_were_written(tmp_path: Path) -> None:
    """The generator gets the very documents, and the bench what its clients saw."""
    plan = LoadPlan(mix=Mix(scans=0.5), corpus=tmp_path, files=3)
    contents = [Content("a.pdf", b"%PDF", b"end", stamped=True), Content("ü.txt", b"\0\xff")]
    job = Job("http://sheaf", "key", plan, 12.5, 77, contents)
    findings = Findings(offered=2, accept_ms=[1.5], errors={"http_429": 1}, cpu_s=0.5)
    job.write(tmp_path)
    findings.write(tmp_path)

    assert Job.read(tmp_path) == job
    assert Findings.read(tmp_path) == Findings(
        offered=2,
        accept_ms=[1.5],
        status_ms=[],
        result_ms=[],
        lag_ms=[],
        errors={"http_429": 1},
        cpu_s=0.5,
    )
