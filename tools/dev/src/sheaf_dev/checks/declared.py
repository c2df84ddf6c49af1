"""`python -m sheaf_dev.checks.declared`: a member imports only what its own project names.

A dependency of a dependency is there today and may be gone tomorrow; the isolated imports
cannot see the difference, so the imports themselves are read.
"""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import packages_distributions
from pathlib import Path

from sheaf_dev import checkout

_NAME = re.compile(r"[A-Za-z0-9._-]+")


def undeclared(folder: Path, distributions: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """What the member in `folder` imports although its `pyproject.toml` does not name it.

    `distributions` maps each importable top-level name to what provides it.
    """
    declared = _declared(folder / "pyproject.toml")
    for file in sorted((folder / "src").rglob("*.py")):
        for line, name in _imports(file):
            providers = {_normal(found) for found in distributions.get(name, ())}
            if providers and not providers & declared:
                place = f"{file.relative_to(folder.parent.parent)}:{line}"
                yield f"{place}: imports {name}, which needs {' or '.join(sorted(providers))}"


def _declared(file: Path) -> set[str]:
    project = tomllib.loads(file.read_text(encoding="utf-8"))["project"]
    requirements = [project["name"], *project["dependencies"]]
    for extra in project.get("optional-dependencies", {}).values():
        requirements += extra
    return {_normal(found[0]) for text in requirements if (found := _NAME.match(text))}


def _imports(file: Path) -> Iterator[tuple[int, str]]:
    for node in _at_run_time(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name.partition(".")[0]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module.partition(".")[0]


def _at_run_time(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node but those that only a type checker sees."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            continue
        yield node
        yield from _at_run_time(node)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def main() -> int:
    """Prints each such import; 0 if there is none."""
    root = checkout.root()
    folders = [
        *root.glob("libs/*"),
        root / "proto",
        *root.glob("services/*"),
        *root.glob("tools/*"),
    ]
    distributions = packages_distributions()
    problems = [text for folder in sorted(folders) for text in undeclared(folder, distributions)]
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
