"""What the running system serves to Prometheus is what the catalogue says, and is right."""

import re
from collections.abc import Callable, Iterable, Mapping
from http import HTTPMethod
from typing import Final

import grpc
import pytest

from sheaf.metadata.v1 import metadata_pb2
from sheaf.orchestrator.v1 import orchestrator_pb2
from sheaf.storage.v1 import storage_pb2
from sheaf.telemetry.v1 import telemetry_pb2
from sheaf_common.telemetry.catalogue import EVERY_SERVICE, METRICS, MetricSpec, Service
from sheaf_dev.metrics_page import TEMPORAL_METRICS
from sheaf_dev.samples.generator import text_pdf
from support.metrics import Exposition, Metrics, address, temporal_address
from support.system import System
from support.waiting import until_answer

_GRPC_METHODS: Final = {
    f"/{service.full_name}/{method.name}"
    for module in (metadata_pb2, orchestrator_pb2, storage_pb2, telemetry_pb2)
    for service in module.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}


def one_of(*values: object) -> Callable[[str], bool]:
    """Whether a label's value is one of these."""
    return {str(value) for value in values}.__contains__


def word(value: str) -> bool:
    """Whether a value is one of a closed set of our own words, and nothing from outside."""
    return re.fullmatch(r"(s3_)?[A-Za-z][A-Za-z_-]{1,40}", value) is not None


_BOUNDS: Final[Mapping[str, Callable[[str], bool]]] = {
    "service": one_of(*EVERY_SERVICE),
    "version": lambda value: re.fullmatch(r"\d+\.\d+\.\d+", value) is not None,
    "sheaf_http_request_seconds.method": one_of(*HTTPMethod, "other"),
    "status": lambda value: word(value) or value in map(str, (0, *range(200, 600))),
    "sheaf_grpc_server_seconds.method": one_of(*_GRPC_METHODS),
    "code": one_of(*(code.name for code in grpc.StatusCode)),
    "pool": one_of("s3", "db", "redis", "text", "ocr", "ocr-base"),
    "lane": one_of("text", "ocr"),
    "queue": one_of("workflows", "cpu", "ocr", "io"),
}
"""By label, or by metric and label."""


def in_catalogue(service: Service) -> dict[str, MetricSpec]:
    """What a service shall serve, by name."""
    specs = [each for each in METRICS if service in each.served_by]
    return {each.name: each for each in specs}


def out_of_bounds(spec: MetricSpec, served: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """By label, a value that its bound does not allow."""
    return {
        label: value
        for label, values in served.items()
        for value in values
        if not _BOUNDS.get(f"{spec.name}.{label}", _BOUNDS.get(label, word))(value)
    }


@pytest.mark.parametrize("service", EVERY_SERVICE)
async def test_what_is_served_is_what_the_catalogue_says(system: System, service: Service) -> None:
    """Names, types, labels, and values of labels within their bounds; after some documents."""
    files = {"a.pdf": text_pdf(1, 1), "b.txt": b"some text", "c.pdf": b"%PDF-1.7 and no more"}
    await system.finished(await system.processed(files))
    await system.http.get("/v1/nowhere/0199b6b4")
    routes = (await system.http.get("/docs/openapi.json")).json()["paths"]
    known = one_of(*routes, "/metrics", "/docs/openapi.json", "/docs", "unmatched")

    expected, found = in_catalogue(service), await Exposition.of(address(system, service))
    ours = {name: kind for name, kind in found.types.items() if name.startswith("sheaf_")}
    assert ours == {name: spec.kind for name, spec in expected.items()}
    assert {name: found.texts[name] for name in ours} == {
        name: spec.text for name, spec in expected.items()
    }
    others = set(found.types) - set(ours)
    assert {name.split("_")[0] for name in others} == {"process", "python"}
    for name, spec in expected.items():
        labels = dict(found.labels[name])
        assert set(labels) in (set(), set(spec.labels)), name
        assert all(map(known, labels.pop("route", ())))
        assert out_of_bounds(spec, labels) == {}, name


async def test_a_document_is_counted_once_and_timed(system: System) -> None:
    """Where it is registered, where it is claimed and where it ends, by what became of it."""
    metrics = Metrics(address(system, "metadata"))

    async def counted() -> list[float]:
        return [
            await metrics.value("sheaf_documents_registered_total"),
            await metrics.value("sheaf_documents_finished_total", status="completed"),
            await metrics.value("sheaf_documents_finished_total", status="failed"),
            await metrics.value("sheaf_document_queue_seconds_count", lane="text"),
            await metrics.value("sheaf_document_result_seconds_count", lane="text"),
        ]

    before = await counted()
    files = {"a.pdf": text_pdf(1, 1), "b.txt": b"some text", "c.pdf": b"%PDF-1.7 and no more"}
    documents = await system.finished(await system.processed(files))
    assert sorted(each["status"] for each in documents) == ["completed", "completed", "failed"]
    due = [then + more for then, more in zip(before, [3, 2, 1, 3, 3], strict=True)]

    async def all_counted() -> bool:
        return await counted() == due

    # An end is seen as soon as it is in the database, and counted right after.
    await until_answer(all_counted)


async def test_activities_and_their_queues_are_measured(system: System) -> None:
    """From outside the activities: how long they waited and took; what waits in Temporal."""
    metrics = Metrics(address(system, "orchestrator"))
    await system.finished(await system.processed({"a.txt": b"some text"}))
    activity = {"activity": "extract_group"}

    async def measured() -> bool:
        name, outcome = "sheaf_activity_seconds_count", "completed"
        return await metrics.value(name, outcome=outcome, **activity) >= 1

    # The activity itself ends a little after what it has recorded is seen.
    await until_answer(measured)
    assert await metrics.value("sheaf_activity_schedule_to_start_seconds_count", **activity) >= 1
    for queue in ("workflows", "cpu", "ocr", "io"):
        assert await metrics.value("sheaf_temporal_backlog_tasks", queue=queue) >= 0
        assert await metrics.value("sheaf_temporal_backlog_age_seconds", queue=queue) >= 0


async def test_the_temporal_sdk_serves_what_the_page_names(system: System) -> None:
    """At a port of its own, under the names of docs/metrics.md."""
    await system.finished(await system.processed({"a.txt": b"some text"}))
    served = (await Exposition.of(temporal_address(system))).types
    assert {name for name in TEMPORAL_METRICS if name not in served} == set()
