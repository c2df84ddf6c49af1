"""Claims about log files."""

from pathlib import Path

from sheaf_dev import logfiles


def test_the_tail_is_the_last_lines(tmp_path: Path) -> None:
    """As many as asked for, oldest first."""
    log = tmp_path / "storage.log"
    log.write_text("".join(f"line {n}\n" for n in range(100_000)))
    assert logfiles.tail(log, 2) == ("line 99998", "line 99999")


def test_the_tail_of_no_file_is_empty(tmp_path: Path) -> None:
    """A process that never started said nothing."""
    assert logfiles.tail(tmp_path / "none.log") == ()


def test_bytes_that_are_no_text_do_not_hide_the_rest(tmp_path: Path) -> None:
    """They are replaced."""
    log = tmp_path / "storage.log"
    log.write_bytes(b"\xff\xfe broken\nfine\n")
    assert logfiles.tail(log)[-1] == "fine"


def test_the_run_before_is_kept(tmp_path: Path) -> None:
    """Beside the new log, as `.1`; older ones go."""
    log = tmp_path / "storage.log"
    for text in ("first", "second"):
        log.write_text(text)
        logfiles.begin(log)
    assert not log.exists()
    assert (tmp_path / "storage.log.1").read_text() == "second"


def test_of_a_long_run_only_the_end_is_kept(tmp_path: Path) -> None:
    """So logs stay bounded."""
    log = tmp_path / "storage.log"
    log.write_text("a" * 100 + "end")
    logfiles.begin(log, max_kept_bytes=10)
    assert (tmp_path / "storage.log.1").read_text() == "aaaaaaaend"
