"""MariaDB in place of MySQL, in a private data folder, as durable as in production."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import asyncmy
import asyncmy.errors

from sheaf_dev import logfiles
from sheaf_dev.embedded import mariadb_install
from sheaf_dev.embedded.server import EmbeddedServer, Report
from sheaf_dev.errors import DevError, NotReadyError
from sheaf_dev.files import write_atomic
from sheaf_dev.ports import HOST
from sheaf_dev.probes import TIMEOUT_S

DATABASE = "sheaf"
USER = "sheaf"
_INSTALL_DB_TIMEOUT_S = 180.0
_INSTALL_DB_LINES = 60
"""Of its output in an error: its advice alone is 25, and the cause stands before it."""


class MariaDB(EmbeddedServer):
    """A loopback server with one user of its own, who may do everything in it."""

    __slots__ = ()

    name: ClassVar[str] = "mariadb"
    replaced_by: ClassVar[str] = "DATABASE_URL"
    default_ports: ClassVar[dict[str, int | None]] = {"mysql": 3306}
    start_deadline_s: ClassVar[float] = 180.0  # after a crash it first replays its log
    stop_grace_s: ClassVar[float] = 60.0

    @property
    def _init_file(self) -> Path:
        return self.directory.with_name("mariadb-init.sql")

    @property
    def _temporary(self) -> Path:
        """Its own: a server that starts removes the temporary tables of all that share one."""
        return self.directory.with_name("mariadb-tmp")

    def prepare(self, report: Report) -> None:
        """Installs MariaDB if the system has none, and makes the data folder.

        The folder is made under another name first, so one that exists is complete.
        """
        programs = mariadb_install.ensure(report)
        write_atomic(self._init_file, self._init_sql())
        self._temporary.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self.directory.exists():
            return
        unfinished = self.directory.with_name(f"{self.directory.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True, mode=0o700)
        _install_db(programs, unfinished, self._temporary)
        unfinished.replace(self.directory)

    def command(self) -> list[str]:
        """UTC and utf8mb4, every commit on disk, room for the pools of all processes."""
        return [
            str(mariadb_install.find().mariadbd),
            "--no-defaults",
            *_as_user(),
            f"--datadir={self.directory}",
            f"--port={self.port}",
            f"--bind-address={HOST}",
            f"--tmpdir={self._temporary}",
            "--socket=mariadb.sock",  # in the data folder; a full path may be too long
            "--pid-file=mariadb.pid",
            f"--init-file={self._init_file}",
            "--skip-name-resolve",
            "--character-set-server=utf8mb4",
            "--default-time-zone=+00:00",
            "--max-connections=500",
            "--innodb-buffer-pool-size=256M",
            "--innodb-flush-log-at-trx-commit=1",
        ]

    def exports(self) -> dict[str, str]:
        """`DATABASE_URL`."""
        password = self.credentials.mariadb_password
        return {"DATABASE_URL": f"mysql://{USER}:{password}@{self.address}/{DATABASE}"}

    async def ask(self) -> None:
        """It answers SELECT 1 in Sheaf's database."""
        try:
            connection = await asyncmy.connect(
                host=HOST,
                port=self.port,
                user=USER,
                password=self.credentials.mariadb_password,
                database=DATABASE,
                connect_timeout=TIMEOUT_S,
                read_timeout=TIMEOUT_S,
            )
        except (asyncmy.errors.MySQLError, OSError, EOFError) as error:
            raise NotReadyError(f"no connection: {error}") from error
        try:
            async with connection.cursor() as cursor:
                await cursor.execute("SELECT 1")
        except (asyncmy.errors.MySQLError, OSError, EOFError) as error:
            raise NotReadyError(f"no answer to SELECT 1: {error}") from error
        finally:
            connection.close()

    def _init_sql(self) -> str:
        """Run by the server at every start, before it accepts connections. One line each."""
        password = self.credentials.mariadb_password
        user = f"'{USER}'@'{HOST}'"
        statements = (
            f"CREATE DATABASE IF NOT EXISTS {DATABASE} CHARACTER SET utf8mb4",
            f"CREATE USER IF NOT EXISTS {user} IDENTIFIED BY '{password}'",
            f"ALTER USER {user} IDENTIFIED BY '{password}'",
            f"GRANT ALL PRIVILEGES ON *.* TO {user} WITH GRANT OPTION",
            f"ALTER USER IF EXISTS 'root'@'localhost' IDENTIFIED BY '{password}'",
            # Anonymous users, and root from anywhere else.
            "DELETE FROM mysql.global_priv WHERE Host != 'localhost' AND User IN ('', 'root')",
            "DELETE FROM mysql.global_priv WHERE User = ''",
            "FLUSH PRIVILEGES",
        )
        return "".join(f"{statement};\n" for statement in statements)


def _as_user() -> list[str]:
    """MariaDB refuses to run as root unless told to."""
    return ["--user=root"] if os.geteuid() == 0 else []


def _install_db(programs: mariadb_install.Programs, directory: Path, temporary: Path) -> None:
    log = directory.with_name("log") / "mariadb-install-db.log"
    logfiles.begin(log)
    command = [
        str(programs.install_db),
        "--no-defaults",
        *_as_user(),
        f"--datadir={directory}",
        f"--tmpdir={temporary}",
        "--auth-root-authentication-method=normal",
        "--skip-test-db",
        "--skip-name-resolve",
    ]
    with log.open("wb") as output:
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=_INSTALL_DB_TIMEOUT_S,
                check=False,
                start_new_session=sys.platform != "win32",
            )
        except subprocess.TimeoutExpired as error:
            raise DevError(f"{programs.install_db} hung for {error.timeout:.0f} s") from error
    if done.returncode != 0:
        tail = "".join(f"\n  | {line}" for line in logfiles.tail(log, _INSTALL_DB_LINES))
        raise DevError(f"{programs.install_db} exited with {done.returncode}:{tail}")
