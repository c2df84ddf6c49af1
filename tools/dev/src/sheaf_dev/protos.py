"""Code generated from `proto/`: made again in place, or compared with what is committed."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from sheaf_dev import checkout
from sheaf_dev.errors import DevError

_TIMEOUT_S = 120.0
_SUFFIXES = ("_pb2.py", "_pb2.pyi", "_pb2_grpc.py", "_pb2_grpc.pyi")


def source_dir() -> Path:
    """The folder that holds the `.proto` files of package `sheaf`."""
    return checkout.root() / "proto"


def committed_dir() -> Path:
    """The folder of the generated code."""
    return source_dir() / "src"


def generate(out_dir: Path) -> list[Path]:
    """Generates messages, stubs and their types for every `.proto`; returns their paths.

    Raises:
        DevError: with protoc's words if it refuses.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    command = [
        *(sys.executable, "-m", "grpc_tools.protoc", f"-I{source_dir()}"),
        f"--plugin=protoc-gen-mypy={checkout.program('protoc-gen-mypy')}",
        f"--plugin=protoc-gen-mypy_grpc={checkout.program('protoc-gen-mypy_grpc')}",
        f"--python_out={out_dir}",
        f"--grpc_python_out={out_dir}",
        f"--mypy_out=quiet:{out_dir}",
        f"--mypy_grpc_out=quiet:{out_dir}",
        *(str(proto) for proto in _sources()),
    ]
    done = subprocess.run(
        command,
        env=os.environ | {"PYTHONPATH": ""},
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    if done.returncode != 0:
        raise DevError(f"protoc failed:\n{done.stderr.strip()}")
    return sorted(expected_files())


def expected_files() -> set[Path]:
    """The files that every `.proto` is made into, by their path in the output folder."""
    stems = (proto.relative_to(source_dir()).with_suffix("") for proto in _sources())
    return {stem.with_name(stem.name + suffix) for stem in stems for suffix in _SUFFIXES}


def generated_files(folder: Path) -> list[Path]:
    """The generated files in a folder, by their path in it."""
    files = (path for path in folder.rglob("*") if path.name.endswith(_SUFFIXES))
    return sorted(path.relative_to(folder) for path in files)


def drift() -> list[str]:
    """How the committed code differs from what its sources give now; empty if it does not."""
    expected = expected_files()
    with tempfile.TemporaryDirectory(prefix="sheaf-protos-") as folder:
        fresh = Path(folder)
        generate(fresh)
        found = set(generated_files(committed_dir()))
        missing = [f"{path} is missing" for path in expected - found]
        orphaned = [f"{path} has no .proto" for path in found - expected]
        differing = [
            f"{path} differs"
            for path in expected & found
            if (fresh / path).read_bytes() != (committed_dir() / path).read_bytes()
        ]
    return sorted(missing + orphaned + differing)


def _sources() -> list[Path]:
    return sorted((source_dir() / "sheaf").rglob("*.proto"))
