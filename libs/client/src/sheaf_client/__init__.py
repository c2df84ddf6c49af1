"""Typed client of the Sheaf HTTP API."""

from sheaf_client.async_client import AsyncClient
from sheaf_client.client import Client
from sheaf_client.errors import (
    AuthenticationError,
    ConflictError,
    ConnectionFailed,
    InvalidRequestError,
    NotFoundError,
    OverCapacityError,
    ProblemError,
    ServerError,
    SheafClientError,
    WaitTimeout,
)
from sheaf_client.files import File
from sheaf_client.models import (
    Batch,
    Document,
    DocumentStatus,
    OcrMode,
    Options,
    Priority,
    Problem,
    Progress,
    Replayed,
    Upload,
    UploadedFile,
    Workflow,
)

__all__ = [
    "AsyncClient",
    "AuthenticationError",
    "Batch",
    "Client",
    "ConflictError",
    "ConnectionFailed",
    "Document",
    "DocumentStatus",
    "File",
    "InvalidRequestError",
    "NotFoundError",
    "OcrMode",
    "Options",
    "OverCapacityError",
    "Priority",
    "Problem",
    "ProblemError",
    "Progress",
    "Replayed",
    "ServerError",
    "SheafClientError",
    "Upload",
    "UploadedFile",
    "WaitTimeout",
    "Workflow",
]
