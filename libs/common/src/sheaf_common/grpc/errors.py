"""Errors over gRPC: a status code, and a google.rpc.ErrorInfo with reason and evidence."""

from collections.abc import Iterable
from typing import Final

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.rpc import error_details_pb2, status_pb2

from sheaf_common.errors import DOMAIN, ERROR_BY_KIND, KINDS, ErrorKind, InternalError, SheafError

STATUS_DETAILS_KEY: Final = "grpc-status-details-bin"

_KIND_BY_CODE: Final = {grpc.StatusCode[mapping.grpc_code]: kind for kind, mapping in KINDS.items()}
_UNKNOWN_REASON: Final = {
    grpc.StatusCode.UNAVAILABLE: "PEER_UNAVAILABLE",
    grpc.StatusCode.DEADLINE_EXCEEDED: "CALL_TIMEOUT",
    grpc.StatusCode.RESOURCE_EXHAUSTED: "PEER_OVERLOADED",
    grpc.StatusCode.CANCELLED: "CALL_CANCELLED",
}


def status_code(error: SheafError) -> grpc.StatusCode:
    """The gRPC code that stands for an error."""
    return grpc.StatusCode[KINDS[error.kind].grpc_code]


def encode_details(error: SheafError) -> bytes:
    """The error as a serialized google.rpc.Status, for `grpc-status-details-bin`."""
    info = error_details_pb2.ErrorInfo(
        reason=error.reason, domain=DOMAIN, metadata=dict(error.evidence)
    )
    details = [_packed(info)]
    if error.retry_after_s is not None:
        delay = duration_pb2.Duration(nanos=0)
        delay.FromMilliseconds(int(error.retry_after_s * 1000))
        details.append(_packed(error_details_pb2.RetryInfo(retry_delay=delay)))
    status = status_pb2.Status(
        code=status_code(error).value[0], message=error.message, details=details
    )
    return bytes(status.SerializeToString())


def decode(error: grpc.aio.AioRpcError, peer: str) -> SheafError:
    """The error that a peer sent, as the class that its kind names.

    A status without ErrorInfo comes from gRPC itself (no connection, a deadline, a bound);
    it gets a reason of its own. `peer` names the service in messages.
    """
    code = error.code()
    status = _status_of(error)
    if status is None:
        return _from_code(code, error.details() or "", peer)
    info = error_details_pb2.ErrorInfo()
    retry = error_details_pb2.RetryInfo()
    retry_after_s: float | None = None
    for detail in status.details:
        if detail.Is(info.DESCRIPTOR):
            detail.Unpack(info)
        elif detail.Is(retry.DESCRIPTOR):
            detail.Unpack(retry)
            retry_after_s = retry.retry_delay.ToMilliseconds() / 1000
    kind = _KIND_BY_CODE.get(code, ErrorKind.INTERNAL)
    error_class = ERROR_BY_KIND.get(kind)
    if error_class is None:
        return InternalError(info.metadata.get("request_id"))
    return error_class(
        info.reason or code.name,
        status.message,
        evidence=dict(info.metadata),
        retry_after_s=retry_after_s,
    )


def _from_code(code: grpc.StatusCode, details: str, peer: str) -> SheafError:
    reason = _UNKNOWN_REASON.get(code, code.name)
    kind = _KIND_BY_CODE.get(code)
    if code is grpc.StatusCode.CANCELLED:
        kind = ErrorKind.UNAVAILABLE
    error_class = ERROR_BY_KIND.get(kind) if kind is not None else None
    if error_class is None:
        return InternalError()
    return error_class(reason, f"{peer}: {details or code.name}", evidence={"peer": peer})


def _status_of(error: grpc.aio.AioRpcError) -> status_pb2.Status | None:
    trailing: Iterable[tuple[str, str | bytes]] = error.trailing_metadata() or ()
    for key, value in trailing:
        if key == STATUS_DETAILS_KEY and isinstance(value, bytes):
            return status_pb2.Status.FromString(value)
    return None


def _packed(message: error_details_pb2.ErrorInfo | error_details_pb2.RetryInfo) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed
