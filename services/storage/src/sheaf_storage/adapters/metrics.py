"""What operators see of storage: S3 operations, the memory held for puts."""

from collections.abc import Mapping
from typing import Final

from prometheus_client.core import Metric
from prometheus_client.registry import REGISTRY, Collector

from sheaf_common.memory import ByteBudget
from sheaf_common.telemetry import catalogue

S3_OPERATION_SECONDS: Final = catalogue.S3_OPERATION_SECONDS.histogram()
_BYTES: Final = catalogue.STORAGE_BYTES.counter()
PUT_BYTES: Final = _BYTES.labels("put")
GET_BYTES: Final = _BYTES.labels("get")


class StorageCollector(Collector):
    """The buffers' figures, read when they are asked for."""

    def __init__(self, buffers: Mapping[str, ByteBudget]) -> None:
        self._buffers = buffers

    def __enter__(self) -> None:
        REGISTRY.register(self)

    def __exit__(self, *_error: object) -> None:
        REGISTRY.unregister(self)

    def describe(self) -> list[Metric]:
        """Nothing: registering then claims no names, so a process may hold two storages."""
        return []

    def collect(self) -> list[Metric]:
        """One snapshot."""
        held = catalogue.STORAGE_BUFFER_BYTES.gauge_family()
        limit = catalogue.STORAGE_BUFFER_LIMIT_BYTES.gauge_family()
        for kind, budget in self._buffers.items():
            held.add_metric([kind], budget.held_bytes)
            limit.add_metric([kind], budget.limit_bytes)
        return [held, limit]
