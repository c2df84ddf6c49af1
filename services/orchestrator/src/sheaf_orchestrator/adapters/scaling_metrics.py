"""Scaling as Prometheus metrics: served by every role, at 0 where there is no scaler."""

from typing import Final, Literal

from sheaf_common.telemetry import catalogue
from sheaf_orchestrator.domain import Lane

_WORKERS: Final = catalogue.CPU_WORKER_PROCESSES.gauge()
_CHANGES: Final = catalogue.CPU_WORKER_CHANGES.counter()
_WORKFLOWS_LIMIT: Final = catalogue.DISPATCH_WORKFLOWS_LIMIT.gauge()

_RUNNING: Final = _WORKERS.labels("running")
_DRAINING: Final = _WORKERS.labels("draining")
for _change in ("added", "removed", "replaced"):
    _CHANGES.labels(_change)  # served from the start, so that an increase is one


class PrometheusScalingObserver:
    """`ScalingObserver`."""

    def workers(self, *, running: int, draining: int) -> None:
        """See `ScalingObserver`."""
        _RUNNING.set(running)
        _DRAINING.set(draining)

    def changed(self, change: Literal["added", "removed", "replaced"]) -> None:
        """See `ScalingObserver`."""
        _CHANGES.labels(change).inc()


def workflows_limited(lane: Lane, max_workflows: int) -> None:
    """A claim was made with so many places."""
    _WORKFLOWS_LIMIT.labels(lane.value).set(max_workflows)
