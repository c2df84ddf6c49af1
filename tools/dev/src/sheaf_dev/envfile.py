"""The file `.sheaf/env`: every variable of the stack, for `uv run --env-file` and for `sh`."""

import re
from collections.abc import Mapping
from pathlib import Path

from sheaf_dev.files import write_atomic

_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,=-]*")
_LINE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)")


def render(env: Mapping[str, str]) -> str:
    """One `NAME=value` a line, sorted, quoted so that nothing in a value is expanded."""
    return "".join(f"{name}={_quoted(value)}\n" for name, value in sorted(env.items()))


def write(path: Path, env: Mapping[str, str]) -> None:
    """Replaces the file in one step; only its owner may read it."""
    write_atomic(path, render(env))


def read(path: Path) -> dict[str, str]:
    """What `write` wrote; empty if the file is not there. Other lines are ignored."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    matches = (_LINE.fullmatch(line) for line in text.splitlines())
    return {match[1]: _unquoted(match[2]) for match in matches if match}


def _quoted(value: str) -> str:
    if "\n" in value:
        raise ValueError("a value of the environment file must be one line")
    if _PLAIN.fullmatch(value):
        return value
    if "'" not in value:
        return f"'{value}'"
    escaped = re.sub(r'([\\"$`])', r"\\\1", value)
    return f'"{escaped}"'


def _unquoted(text: str) -> str:
    if text.startswith("'"):
        return text[1:-1]
    if text.startswith('"'):
        return re.sub(r'\\([\\"$`])', r"\1", text[1:-1])
    return text
