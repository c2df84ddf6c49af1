"""A registry whose extractors misbehave on purpose, one for each content type below.

Subprocesses under test are pointed at this module in place of the real registry. Where a
document has to tell the test something, it does so through the path that its bytes name.
"""

import ctypes
import os
import signal
import socket
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from sheaf_orchestrator.extraction.errors import ExtractionError
from sheaf_orchestrator.extraction.limits import MIB, Limits
from sheaf_orchestrator.extraction.options import Options
from sheaf_orchestrator.extraction.reasons import Reason
from sheaf_orchestrator.extraction.recognised import Recognised, RecognisedPage
from sheaf_orchestrator.extraction.registry import Extractor
from sheaf_orchestrator.extraction.result import (
    AttachedFile,
    Extracted,
    Metadata,
    Page,
    ResultWarning,
)

_kept: list[bytearray] = []


def _saying(text: str) -> Extracted:
    page = Page(number=1, width=None, height=None, rotation=0, text=text, characters=len(text))
    return Extracted(page_count=1, pages=[page], metadata=Metadata())


def echo(content: bytearray, options: Options, limits: Limits) -> Extracted:
    """Our pid, and how many bytes came."""
    return _saying(f"{os.getpid()} {len(content)}")


def report(content: bytearray, options: Options, limits: Limits) -> Extracted:
    """What the subprocess can see of the world."""
    try:
        socket.create_connection(("192.0.2.1", 9), timeout=0.2).close()
        network = "reached"
    except OSError as error:
        network = type(error).__name__
    Path("left-over").write_text("x")
    facts = {
        "environment": dict(os.environ),
        "folder": str(Path.cwd()),
        "mode": oct(Path.cwd().stat().st_mode),
        "temporary": tempfile.gettempdir(),
        "descriptors": sorted(int(path.name) for path in Path("/proc/self/fd").iterdir()),
        "interfaces": [name for _, name in socket.if_nameindex()],
        "network": network,
        "status": Path("/proc/self/status").read_text(),
        "limits": Path("/proc/self/limits").read_text(),
        "loaded": sorted(sys.modules),
    }
    return _saying(msgspec.json.encode(facts).decode())


def _note_own_pid(path: Path) -> None:
    """Whoever sees the file can read the whole of it."""
    unfinished = path.with_suffix(".new")
    unfinished.write_text(str(os.getpid()))
    unfinished.rename(path)


def hang(content: bytearray, options: Options, limits: Limits) -> Extracted:
    """Note our pid, start a child that notes its own, and never end."""
    notes = Path(bytes(content).decode())
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        _note_own_pid(notes / "grandchild")
        while True:
            time.sleep(60)
    _note_own_pid(notes / "child")
    while True:
        time.sleep(60)


def spin(content: bytearray, options: Options, limits: Limits) -> Extracted:
    """Use CPU for ever."""
    while True:
        pass


def burn(content: bytearray, options: Options, limits: Limits) -> Extracted:
    """Use 0.4 s of CPU."""
    end_s = time.thread_time() + 0.4
    while time.thread_time() < end_s:
        pass
    return _saying(str(os.getpid()))


def eat(content: bytearray, options: Options, limits: Limits) -> Extracted:
    """Ask for memory until there is none."""
    hoard = []
    while True:
        hoard.append(bytearray(32 * MIB))


def eat_slowly(content: bytearray, options: Options, limits: Limits) -> Extracted:
    """Use real memory until somebody notices."""
    hoard = []
    while True:
        hoard.append(b"\x01" * (4 * MIB))
        time.sleep(0.02)


def swell_and_abort(content: bytearray, options: Options, limits: Limits) -> Extracted:
    """Use much memory for a while, then end as C++ ends when it gets no more."""
    hoard = b"\x01" * (200 * MIB)
    time.sleep(0.5)
    os.abort()
    return _saying(str(len(hoard)))


def grow(content: bytearray, options: Options, limits: Limits) -> Extracted:
    """Keep memory beyond the document."""
    _kept.append(bytearray(b"\x01" * (64 * MIB)))
    return _saying(str(os.getpid()))


def crash(content: bytearray, options: Options, limits: Limits) -> Extracted:
    """Leave a last word and fall."""
    sys.stderr.write("about to fall\n")
    sys.stderr.flush()
    ctypes.string_at(0)
    raise AssertionError


def crash_once(content: bytearray, options: Options, limits: Limits) -> Extracted:
    """Crash the first time that the note is not there."""
    note = Path(bytes(content).decode())
    if not note.exists():
        note.write_text("been here")
        ctypes.string_at(0)
    return _saying("survived")


def chatter(content: bytearray, options: Options, limits: Limits) -> Extracted:
    """Print to where the frames travel."""
    sys.stdout.write("x" * 1_000_000)
    sys.stdout.flush()
    os.write(1, b"y" * 1_000_000)
    return _saying("chattered")


def fail(content: bytearray, options: Options, limits: Limits) -> Extracted:
    """Give a reason."""
    raise ExtractionError(Reason.DAMAGED, "Broken in a known way.")


def raise_bug(content: bytearray, options: Options, limits: Limits) -> Extracted:
    """Fail in a way that nobody foresaw."""
    raise ZeroDivisionError("secret detail")


def recurse(content: bytearray, options: Options, limits: Limits) -> Extracted:
    """Go too deep."""
    return recurse(content, options, limits)


def wait(content: bytearray, options: Options, limits: Limits) -> Extracted:
    """Note that we began, then wait for the file ``go``."""
    notes = Path(bytes(content).decode())
    (notes / f"began-{os.getpid()}").touch()
    while not (notes / "go").exists():
        time.sleep(0.002)
    return _saying(str(os.getpid()))


def attach(content: bytearray, options: Options, limits: Limits) -> Extracted:
    """Hold three files, one of them empty, and three scanned pages."""
    scanned = _saying("a mail")
    scanned.attachments = [
        AttachedFile(filename="one.txt", content=b"first"),
        AttachedFile(filename="nothing.bin", content=b""),
        AttachedFile(filename="n" * 300, content=b"second", content_type="text/plain"),
    ]
    scanned.ocr_pages = [1, 3]
    return scanned


_EXTRACTORS: dict[str, Extractor] = {
    f"test/{extractor.__name__.replace('_', '-')}": extractor
    for extractor in (
        attach,
        burn,
        chatter,
        crash,
        crash_once,
        eat,
        eat_slowly,
        echo,
        fail,
        grow,
        hang,
        raise_bug,
        recurse,
        report,
        spin,
        swell_and_abort,
        wait,
    )
}
find_extractor = _EXTRACTORS.get


def prepare(limits: Limits) -> None:
    """Nothing is loaded ahead."""


def warm(limits: Limits) -> None:
    """Nor afterwards."""


def detect(content: bytearray, declared: str) -> str:
    """What was declared: the type names the misdeed."""
    return declared


def finish(extracted: Extracted, limits: Limits) -> Extracted:
    """One more remark on everything."""
    extracted.warnings = [ResultWarning(code="FINISHED", message="Seen to the end.")]
    return extracted


def recognise(
    content: bytearray,
    content_type: str,
    page_numbers: tuple[int, ...],
    options: Options,
    limits: Limits,
) -> Recognised:
    """Read the misdeed of each page from the content's line of that number."""
    lines = bytes(content).decode().splitlines()
    pages = []
    for number in page_numbers:
        misdeed = lines[number - 1]
        if misdeed == "crash":
            ctypes.string_at(0)
        if misdeed.startswith("wait "):
            wait(bytearray(misdeed[5:].encode()), options, limits)
        if misdeed == "fail":
            raise ExtractionError(Reason.PAGE_NOT_FOUND, "No such page.")
        pages.append(RecognisedPage(number=number, width=1, height=1, text=misdeed, confidence=0.5))
    return Recognised(engine="misbehaving 1", pages=pages)


def thumbnail(
    content: bytearray, content_type: str, page_number: int, width_px: int, limits: Limits
) -> bytes:
    """No picture, but the numbers that it would be drawn by."""
    if content_type == "test/crash":
        ctypes.string_at(0)
    return f"page {page_number} at {width_px}".encode()


def library_versions() -> dict[str, str]:
    """As the real registry."""
    return {"misbehaving": "1"}
