"""Which pages of a document are wanted, and what its result says of the others."""

from collections.abc import Sequence

import msgspec

from sheaf_orchestrator.extraction.errors import ExtractionError
from sheaf_orchestrator.extraction.reasons import Reason
from sheaf_orchestrator.extraction.result import Extracted, ResultWarning

PageRanges = tuple[tuple[int, int], ...]
"""First and last page of each range, from 1, ascending and apart from each other.

A last one of 0 means to the end; without any range all pages are wanted.
"""


def is_wanted(number: int, ranges: PageRanges) -> bool:
    """Whether page ``number`` (from 1) is wanted."""
    return not ranges or any(first <= number <= (last or number) for first, last in ranges)


def wanted_numbers(count: int, ranges: PageRanges) -> Sequence[int]:
    """The numbers of the pages that are wanted of ``count``, ascending."""
    if not ranges:
        return range(1, count + 1)
    return [
        number for first, last in ranges for number in range(first, min(last or count, count) + 1)
    ]


def ranges_text(ranges: PageRanges) -> str:
    """The ranges as a person writes them, such as ``1-3,7,10-``."""
    return ",".join(
        str(first) if first == last else f"{first}-{last or ''}" for first, last in ranges
    )


def only_wanted(extracted: Extracted, ranges: PageRanges) -> Extracted:
    """The same with the wanted pages alone, for extractors that know of no pages themselves.

    Warns of wanted pages that the document does not have. Raises ExtractionError:
    PAGES_OUT_OF_RANGE, if it has none of them.
    """
    count = extracted.page_count
    if extracted.partial and not extracted.pages:
        return extracted  # it ended before it came to them: how many there are is not known
    if not any(first <= count for first, _ in ranges):
        message = f"The document has no {extracted.unit} {ranges_text(ranges)}: it has {count}."
        raise ExtractionError(Reason.PAGES_OUT_OF_RANGE, message)
    kept = [at for at, page in enumerate(extracted.pages) if is_wanted(page.number, ranges)]
    warnings = [
        each for each in extracted.warnings if each.page is None or is_wanted(each.page, ranges)
    ]
    if not extracted.partial and any(max(first, last) > count for first, last in ranges):
        message = f"The document has {count} pages; of those wanted, some are not there."
        warnings.append(ResultWarning(code=Reason.PAGES_OUT_OF_RANGE.value, message=message))
    return msgspec.structs.replace(
        extracted,
        pages=[extracted.pages[at] for at in kept],
        markdown=[extracted.markdown[at] for at in kept],
        ocr_pages=[number for number in extracted.ocr_pages if is_wanted(number, ranges)],
        warnings=warnings,
    )
