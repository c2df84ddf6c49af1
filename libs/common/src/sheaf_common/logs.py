"""Structured logs: one JSON object a line on standard output, with the request's id.

A line of a traced request has its trace's id as well.

Code logs through structlog (`log = structlog.get_logger()`); records of libraries that use
the standard `logging` take the same path. An event is a fixed, lower-case text; what varies
stands in fields.
"""

import logging
import sys
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from sheaf_common import context
from sheaf_common.telemetry import tracing

LogFormat = Literal["json", "console"]
LogLevel = Literal["debug", "info", "warning", "error"]

_CHATTY_LIBRARIES = ("httpx", "botocore", "boto3", "urllib3", "alembic", "asyncio")


def _add_request(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    request = context.current()
    if request is not None:
        event.setdefault("request_id", request.request_id)
        if request.user_id is not None:
            event.setdefault("user_id", request.user_id)
    span = tracing.current()
    if span is not None:
        event.setdefault("trace_id", span.trace_id_hex)
    return event


def configure(service: str, *, level: LogLevel = "info", log_format: LogFormat = "json") -> None:
    """Sets up logging for the whole process; `service` stands in every line."""

    def add_service(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event["service"] = service
        return event

    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        _add_request,
        add_service,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    renderer: Processor = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty())
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _CHATTY_LIBRARIES:
        logging.getLogger(name).setLevel(max(root.level, logging.WARNING))
