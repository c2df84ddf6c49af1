"""Which tests one process of the suite takes together, and in which order."""

from typing import Final

from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

_TOGETHER: Final = {
    "tests/chaos/": "the system",
    "tests/e2e/": "the system",
    "tests/integration/gateway/": "the intake",
}
"""Folders whose tests share servers that take long to start: these are started once, not in each
process."""


def scope_of(test: str) -> str:
    """A test's file, or what its folder shares."""
    file = test.split("::", maxsplit=1)[0]
    shared = (scope for folder, scope in _TOGETHER.items() if file.startswith(folder))
    return next(shared, file)


class SharedServersScheduling(LoadScopeScheduling):  # type: ignore[misc] # it has no types
    """Gives a process all tests over the same servers.

    With `--no-loadscope-reorder` in order of the folders: what is long begins first, and the unit
    tests, of many short files, even out the end.
    """

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)
