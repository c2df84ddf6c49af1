"""Recording outcomes, over fakes: in how many transactions, and what they put in line."""

from sheaf_common.ids import derived_id, new_id
from sheaf_metadata.domain.documents import Lane
from sheaf_metadata.domain.outcomes import Completed, Disposition, NeedsOcr, Outcome
from sheaf_metadata.domain.registration import NewDocument
from sheaf_metadata.service.outcomes import EndClaims
from support.metadata_change_fakes import FakeAnnouncer, FakeFairness, FakeOutcomes
from support.metadata_fakes import FakeCache, FakeObserver


def mail(attachments: int) -> Outcome:
    """One that completed with so many attachments."""
    document_id = new_id()
    inside = tuple(
        NewDocument(derived_id(document_id, str(number)), "a", "text/plain", 1, b"0" * 32, "k")
        for number in range(attachments)
    )
    return Outcome(document_id, 1, Completed("k", 1, 1, False, "", attachments=inside), "1")


class Bench:
    """The use case over fakes; nothing is released."""

    def __init__(self) -> None:
        self.outcomes, self.fairness, self.observer = FakeOutcomes(), FakeFairness(), FakeObserver()
        self.ending = EndClaims(
            self.outcomes,
            None,  # type: ignore[arg-type]
            self.fairness,
            FakeCache(),
            FakeAnnouncer(),
            self.observer,
        )


async def test_a_transaction_has_200_attachments_at_most() -> None:
    """Outcomes stay in order, each with all of its own; those without any need no more."""
    bench = Bench()
    reported = [mail(90) for _ in range(5)] + [mail(0) for _ in range(5)]
    assert await bench.ending.record("w", reported) == [Disposition.RECORDED] * 10
    assert bench.outcomes.transactions == [180, 180, 90]
    assert bench.observer.dispositions == [Disposition.RECORDED] * 10


async def test_scans_and_attachments_are_put_in_their_owners_line() -> None:
    """A scan in the OCR lane by its own size, an attachment in the text lane by its."""
    bench = Bench()
    scan = Outcome(new_id(), 1, NeedsOcr(), "1")
    await bench.ending.record("w", [mail(0), scan, mail(2)])
    assert [(work.user_id, work.lane) for work in bench.fairness.work] == [
        ("ann", Lane.OCR),
        ("ann", Lane.TEXT),
        ("ann", Lane.TEXT),
    ]
    assert [round(work.work_ms, 2) for work in bench.fairness.work] == [705.0, 6.5, 6.5]
