"""Claims about what a supervisor writes down."""

import os
from pathlib import Path

import psutil
import pytest

from sheaf_dev import state
from sheaf_dev.state import ProcessRecord, ProcessRef, State

ME = ProcessRef(os.getpid(), psutil.Process().create_time())
RECORD = ProcessRecord(
    name="storage",
    kind="storage",
    ref=ME,
    ports={"STORAGE_PORT": 50051},
    command=("python", "-m", "sheaf_storage"),
    log="storage.log",
    ready=True,
    grace_s=5.0,
)


def test_a_state_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Nothing is lost on the way."""
    written = State("up", ME, None, (RECORD,), {"gateway": 8000}, {"api": "http://127.0.0.1"})
    state.write(tmp_path / "state.json", written)
    assert state.read(tmp_path / "state.json") == written


@pytest.mark.parametrize("text", ["", "{", '{"phase": "up"}', "[]", '{"processes": 1}', "null"])
def test_a_damaged_state_is_no_state(tmp_path: Path, text: str) -> None:
    """Half a file, or somebody else's, is as good as none."""
    (tmp_path / "state.json").write_text(text)
    assert state.read(tmp_path / "state.json") is None


def test_a_state_is_replaced_in_one_step(tmp_path: Path) -> None:
    """Nothing but the state stays in its folder, readable by its owner only."""
    state.write(tmp_path / "state.json", State("up", ME))
    state.write(tmp_path / "state.json", State("stopped", ME))
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]
    assert (tmp_path / "state.json").stat().st_mode & 0o777 == 0o600


def test_a_live_process_is_found() -> None:
    """Id and creation time are those of the process that was meant."""
    found = ME.find()
    assert found is not None
    assert found.pid == os.getpid()


def test_a_reused_id_is_somebody_else() -> None:
    """The id of a process that ended and was given to another finds nobody."""
    assert ProcessRef(ME.pid, ME.create_time - 3600).find() is None


def test_an_unused_id_is_nobody() -> None:
    """A process that has gone is not found."""
    assert ProcessRef(2**22 - 1, 0.0).find() is None
