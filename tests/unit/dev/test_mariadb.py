"""Claims about the set-up of MariaDB, with a stand-in for its installer."""

import os
import shutil
from pathlib import Path

import pytest

from sheaf_dev.credentials import Credentials
from sheaf_dev.embedded import mariadb_install
from sheaf_dev.embedded.mariadb import MariaDB
from sheaf_dev.errors import DevError, MissingProgramError

FAILS_HALF_WAY = 'touch "$DATA/ibdata1"; echo "no space left" >&2; seq 30; exit 1'
SUCCEEDS = 'touch "$DATA/ibdata1" "$DATA/ready"'


@pytest.fixture
def server(tmp_path: Path) -> MariaDB:
    """A server whose data folder is not there yet."""
    return MariaDB(tmp_path / "mariadb", {"mysql": 3306}, Credentials())


def install_with(monkeypatch: pytest.MonkeyPatch, folder: Path, script: str) -> None:
    """Makes `script` the installer; DATA is the folder that it is to fill."""
    program = folder / "mariadb-install-db"
    find_data = "for a; do case $a in --datadir=*) DATA=${a#--datadir=};; esac; done"
    program.write_text(f"#!/bin/sh\n{find_data}\n{script}\n")
    program.chmod(0o755)
    programs = mariadb_install.Programs(Path("/sbin/mariadbd"), program)
    monkeypatch.setattr(mariadb_install, "ensure", lambda _: programs)


def test_a_failed_set_up_leaves_no_data_folder(
    server: MariaDB, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And says what the installer said, also before its thirty lines of advice."""
    install_with(monkeypatch, tmp_path, FAILS_HALF_WAY)
    with pytest.raises(DevError, match="no space left"):
        server.prepare(lambda _: None)
    assert not server.directory.exists()


def test_an_interrupted_set_up_is_begun_anew(
    server: MariaDB, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it left half done is not taken for data."""
    install_with(monkeypatch, tmp_path, SUCCEEDS)
    unfinished = tmp_path / "mariadb.unfinished"
    unfinished.mkdir()
    (unfinished / "half").touch()
    server.prepare(lambda _: None)
    assert sorted(path.name for path in server.directory.iterdir()) == ["ibdata1", "ready"]
    assert not unfinished.exists()


def test_a_set_up_is_done_once(
    server: MariaDB, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Data that is there stays."""
    server.directory.mkdir()
    install_with(monkeypatch, tmp_path, FAILS_HALF_WAY)
    server.prepare(lambda _: None)
    assert list(server.directory.iterdir()) == []


def test_without_root_the_error_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is installed."""
    apt = {"apt-get": "/usr/bin/apt-get"}
    monkeypatch.setattr(shutil, "which", lambda name, path=None: apt.get(name))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr("sys.platform", "linux")
    command = "sudo apt-get install --no-install-recommends mariadb-server-core"
    with pytest.raises(MissingProgramError, match=command):
        mariadb_install.ensure(lambda _: None)
