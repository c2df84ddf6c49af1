"""Claims about generated code."""

import shutil
from pathlib import Path

import pytest

from sheaf_dev import protos


@pytest.fixture
def committed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A freshly generated copy that stands for the committed one."""
    protos.generate(tmp_path)
    monkeypatch.setattr(protos, "committed_dir", lambda: tmp_path)
    return tmp_path


def test_what_was_just_generated_has_not_drifted(committed: Path) -> None:
    """Generating is deterministic; files that are not generated do not count."""
    (committed / "sheaf" / "py.typed").touch()
    assert protos.drift() == []


def test_every_kind_of_drift_is_named(committed: Path) -> None:
    """An edited file, one that is missing, one whose source is gone."""
    folder = committed / "sheaf" / "storage" / "v1"
    with (folder / "storage_pb2.py").open("a") as file:
        file.write("# edited\n")
    (folder / "storage_pb2.pyi").unlink()
    shutil.copy(folder / "storage_pb2_grpc.py", folder / "gone_pb2_grpc.py")
    assert protos.drift() == [
        "sheaf/storage/v1/gone_pb2_grpc.py has no .proto",
        "sheaf/storage/v1/storage_pb2.py differs",
        "sheaf/storage/v1/storage_pb2.pyi is missing",
    ]
