"""`sheaf.telemetry.v1` over gRPC: what a process measured lately, asked by another."""

from datetime import timedelta
from typing import Any, Final

import grpc
from google.protobuf.duration_pb2 import Duration

from sheaf.telemetry.v1 import telemetry_pb2, telemetry_pb2_grpc
from sheaf_common.grpc.channel import Peer
from sheaf_common.telemetry.measured import CounterIncrease, GaugeRange, HistogramIncrease, Recent
from sheaf_common.telemetry.recent import DEFAULT_WINDOW_S, RecentPast

SERVICE_NAME: Final = telemetry_pb2.DESCRIPTOR.services_by_name["TelemetryService"].full_name

_Context = grpc.aio.ServicerContext[Any, Any]


class TelemetryServicer(telemetry_pb2_grpc.TelemetryServiceServicer):
    """See the .proto."""

    def __init__(self, past: RecentPast) -> None:
        self._past = past

    def register(self, server: grpc.aio.Server) -> str:
        """Adds this servicer to a server; returns the service's full name."""
        telemetry_pb2_grpc.add_TelemetryServiceServicer_to_server(self, server)
        return SERVICE_NAME

    async def GetRecent(  # noqa: N802 - the contract's name
        self, request: telemetry_pb2.GetRecentRequest, _context: _Context
    ) -> telemetry_pb2.GetRecentResponse:
        """See the .proto."""
        window_s = DEFAULT_WINDOW_S
        if request.HasField("window"):
            window_s = request.window.ToTimedelta().total_seconds()
        return _encoded(self._past.over(window_s))


async def ask_recent(peer: Peer, window_s: float, *, timeout_s: float) -> Recent:
    """What another process measured in the last `window_s` seconds.

    Raises:
        SheafError: as `Peer.unary`; InvalidInput `WINDOW_INVALID`.
    """
    stub: telemetry_pb2_grpc.TelemetryServiceAsyncStub = telemetry_pb2_grpc.TelemetryServiceStub(
        peer.channel
    )
    request = telemetry_pb2.GetRecentRequest(window=_duration(window_s))
    return _decoded(await peer.unary(stub.GetRecent, request, timeout_s=timeout_s))


def _encoded(recent: Recent) -> telemetry_pb2.GetRecentResponse:
    return telemetry_pb2.GetRecentResponse(
        window=_duration(recent.window_s),
        counters=[
            telemetry_pb2.CounterIncrease(
                name=each.name, labels=each.labels, increase=each.increase
            )
            for each in recent.counters
        ],
        histograms=[
            telemetry_pb2.HistogramIncrease(
                name=each.name,
                labels=each.labels,
                upper_bounds=each.upper_bounds,
                counts=each.counts,
                sum=each.sum,
            )
            for each in recent.histograms
        ],
        gauges=[
            telemetry_pb2.GaugeRange(
                name=each.name, labels=each.labels, now=each.now, highest=each.highest
            )
            for each in recent.gauges
        ],
    )


def _decoded(answer: telemetry_pb2.GetRecentResponse) -> Recent:
    return Recent(
        answer.window.ToTimedelta().total_seconds(),
        [CounterIncrease(each.name, dict(each.labels), each.increase) for each in answer.counters],
        [
            HistogramIncrease(
                each.name,
                dict(each.labels),
                tuple(each.upper_bounds),
                tuple(each.counts),
                each.sum,
            )
            for each in answer.histograms
        ],
        [
            GaugeRange(each.name, dict(each.labels), each.now, each.highest)
            for each in answer.gauges
        ],
    )


def _duration(seconds: float) -> Duration:
    duration = Duration()
    duration.FromTimedelta(timedelta(seconds=seconds))
    return duration
