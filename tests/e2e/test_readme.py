"""The README's tour, as it is written."""

import asyncio
import os
import re
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path
from typing import Final

import pytest

from sheaf_common.ids import new_id
from sheaf_dev import checkout
from sheaf_dev.samples.generator import text_pdf
from support.api_keys import recorded_key
from support.system import System

_SCOPES: Final = ("documents:read", "documents:write", "keys")


def blocks(language: str, heading: str) -> str:
    """The code of that language below a heading of the tour, joined."""
    text = (checkout.root() / "README.md").read_text(encoding="utf-8")
    section = text.split(f"### {heading}\n", 1)[1].split("\n### ", 1)[0].split("\n## ", 1)[0]
    return "\n".join(re.findall(rf"^```{language}\n(.*?)^```", section, re.DOTALL | re.MULTILINE))


@pytest.fixture
async def environment(system: System, tmp_path: Path) -> dict[str, str]:
    """What the tour needs around it: the two files, an address and a key of a user of its own."""
    (tmp_path / "letter.pdf").write_bytes(text_pdf(4711, 2))
    (tmp_path / "notes.txt").write_text("the notes of claim 4711\n", encoding="utf-8")
    key = await recorded_key(system.stack, f"tour-{new_id().hex}", *_SCOPES)
    return {**os.environ, "SHEAF_URL": system.stack.env["SHEAF_URL"], "SHEAF_API_KEY": key}


async def run(environment: dict[str, str], folder: Path, *command: str) -> str:
    """Runs a command there; all that it said. Fails unless it ended well."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, env=environment, stdout=PIPE, stderr=STDOUT
    )
    try:
        async with asyncio.timeout(60):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    said = output.decode()
    assert process.returncode == 0, said
    return said


async def test_the_tour_in_curl_works_as_written(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """Sent, followed, read, acted upon; and a key that comes and goes."""
    script = f"set -eu\n{blocks('sh', 'In curl')}"

    said = await run(environment, tmp_path, "sh", "-c", script)

    assert said.count('"status":"queued"') >= 2
    assert "event: batch.finished" in said
    assert '"metadata":{"claim":4711}' in said
    assert "Claim file 00004711" in said
    assert b'"schema":"sheaf.result/1"' in (tmp_path / "result.json").read_bytes()
    assert (tmp_path / "page-1.webp").read_bytes()[8:12] == b"WEBP"
    assert (tmp_path / "first-100-bytes").read_bytes() == text_pdf(4711, 2)[:100]
    assert '"key":"sk_' in said


async def test_the_tour_in_python_works_as_written(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """Each document is told as it ends, and the original comes back."""
    said = await run(environment, tmp_path, sys.executable, "-c", blocks("python", "In Python"))

    assert {line.split()[0] for line in said.splitlines() if "completed" in line} == {
        "letter.pdf",
        "notes.txt",
    }
    assert "Claim file 00004711" in said
    assert (tmp_path / "original.pdf").read_bytes() == text_pdf(4711, 2)
