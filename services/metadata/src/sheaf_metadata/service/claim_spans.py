"""Spans that are known only after a claim: which documents waited, and in whose traces that is."""

from datetime import datetime

from sheaf_common.telemetry import tracing
from sheaf_common.telemetry.tracing import Attributes, Kind
from sheaf_metadata.domain.claims import ClaimedDocument, ClaimedGroup


def record_claim(group: ClaimedGroup, *, begin_ns: int, end_ns: int) -> None:
    """The wait of each document that is traced, and the claim in the trace of the first of them.

    The waits are by the database's clock; `begin_ns` and `end_ns`, of the try that found the
    group, by this process's.
    """
    traced = [each for each in group.documents if each.trace is not None]
    if not tracing.enabled() or not traced:
        return
    for each in traced:
        if each.queued_at is not None and group.claimed_at is not None:
            tracing.record(
                each.trace,
                "queue",
                Kind.INTERNAL,
                _about(group, each),
                begin_ns=_ns(each.queued_at),
                end_ns=_ns(group.claimed_at),
            )
    attributes: Attributes = {
        "db.system.name": "mysql",
        "db.operation.name": "claim_documents",
        "sheaf.lane": group.lane.value,
        "sheaf.workflow.id": group.workflow_id,
        "sheaf.group.documents": len(group.documents),
    }
    tracing.record(
        traced[0].trace, "claim", Kind.CONSUMER, attributes, begin_ns=begin_ns, end_ns=end_ns
    )


def _about(group: ClaimedGroup, document: ClaimedDocument) -> Attributes:
    return {
        "sheaf.document.id": str(document.document_id),
        "user.id": document.user_id,
        "sheaf.lane": group.lane.value,
        "sheaf.attempt": document.attempt,
        "sheaf.dispatches": document.dispatches,
        "sheaf.size_bytes": document.size_bytes,
    }


def _ns(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000) * 1000
