"""CPU time and memory of processes and of all that they start, subprocesses apart."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import psutil

SUBPROCESSES: Final = "/sub"
"""Stands behind a process's name where its subprocesses are meant."""
_MIB: Final = 2**20
_TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class _Times:
    """CPU seconds of a process, and of the subprocesses that it has reaped."""

    own_s: float
    reaped_s: float


class Processes:
    """Named processes of this machine. What they started and reaped before counts too.

    `pids` maps names to process ids. Their own and their subprocesses' figures are told apart:
    `orchestrator` and `orchestrator/sub`. Reading takes some milliseconds; CPU time has steps
    of 10 ms.
    """

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._roots = {name: psutil.Process(pid) for name, pid in pids.items()}

    def cpu_s(self) -> dict[str, float]:
        """CPU seconds so far, by name.

        A subprocess's time passes to its parent's account when that reaps it, so nothing of
        those that ended is lost; if one ends while this looks, it looks again.

        Raises:
            psutil.NoSuchProcess: one of the named processes has ended.
        """
        found: dict[str, float] = {}
        trees = _descendants(list(self._roots.values()))
        for name, root in self._roots.items():
            own_s, below_s = _tree_cpu_s(root, trees[root.pid])
            found[name] = own_s
            if trees[root.pid] or below_s:
                found[name + SUBPROCESSES] = below_s
        return found

    def rss_mib(self) -> dict[str, float]:
        """Resident memory now, in MiB, by name; what subprocesses share counts for each.

        Raises:
            psutil.NoSuchProcess: one of the named processes has ended.
        """
        found: dict[str, float] = {}
        trees = _descendants(list(self._roots.values()))
        for name, root in self._roots.items():
            found[name] = root.memory_info().rss / _MIB
            below = [_rss_mib(each) for each in trees[root.pid]]
            if below:
                found[name + SUBPROCESSES] = sum(below)
        return found


def _tree_cpu_s(root: psutil.Process, below: Sequence[psutil.Process]) -> tuple[float, float]:
    """Of the root, and of all below it. The ids of those were read a moment ago."""
    for _ in range(_TRIES):
        before = _times(root)
        try:
            live = [_times(each) for each in below]
        except psutil.NoSuchProcess:
            below = root.children(recursive=True)
            continue
        if _times(root).reaped_s == before.reaped_s:
            break
        below = root.children(recursive=True)
    else:
        live = []
        for each in below:
            with contextlib.suppress(psutil.NoSuchProcess):  # they come and go all the time
                live.append(_times(each))
        before = _times(root)
    return before.own_s, before.reaped_s + sum(each.own_s + each.reaped_s for each in live)


def _times(process: psutil.Process) -> _Times:
    times = process.cpu_times()
    return _Times(times.user + times.system, times.children_user + times.children_system)


def _rss_mib(process: psutil.Process) -> float:
    try:
        return float(process.memory_info().rss) / _MIB
    except psutil.NoSuchProcess:  # ended a moment ago
        return 0.0


def _descendants(roots: Sequence[psutil.Process]) -> Mapping[int, Sequence[psutil.Process]]:
    """All that live below each root, in one pass over the machine's processes."""
    children: dict[int, list[psutil.Process]] = {}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.NoSuchProcess):
            children.setdefault(process.ppid(), []).append(process)
    found: dict[int, list[psutil.Process]] = {}
    for root in roots:
        below = list(children.get(root.pid, ()))
        for each in below:  # it grows meanwhile
            below += children.get(each.pid, ())
        found[root.pid] = below
    return found
