"""Claims about the file of the stack's variables."""

import subprocess
from pathlib import Path

import pytest

from sheaf_dev import envfile

AWKWARD = {
    "PLAIN": "http://127.0.0.1:8000",
    "URL": "mysql://user:p$w@127.0.0.1/sheaf?charset=utf8mb4&x=#1",
    "QUOTE": 'it\'s $HOME `date` \\ "quoted"',
    "SPACES": "a  b",
    "EMPTY": "",
}


def test_values_are_read_as_they_were_written(tmp_path: Path) -> None:
    """Whatever stands in them."""
    envfile.write(tmp_path / "env", AWKWARD)
    assert envfile.read(tmp_path / "env") == AWKWARD


@pytest.mark.parametrize("name", sorted(AWKWARD))
def test_a_shell_reads_the_same_values(tmp_path: Path, name: str) -> None:
    """`. .sheaf/env` expands and runs nothing."""
    envfile.write(tmp_path / "env", AWKWARD)
    script = f'. "$1"; printf %s "${name}"'
    command = ["sh", "-c", script, "sh", str(tmp_path / "env")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)
    assert done.stdout == AWKWARD[name]


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    """It holds secrets."""
    envfile.write(tmp_path / "env", AWKWARD)
    assert (tmp_path / "env").stat().st_mode & 0o777 == 0o600


def test_a_value_of_two_lines_is_refused() -> None:
    """It would become two variables."""
    with pytest.raises(ValueError, match="one line"):
        envfile.render({"A": "1\nB=2"})


def test_no_file_is_no_variables(tmp_path: Path) -> None:
    """As before the first start."""
    assert envfile.read(tmp_path / "env") == {}
