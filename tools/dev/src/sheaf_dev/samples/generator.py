"""Text PDFs by the thousand for load tests: all different, the same for the same seed."""

import textwrap
from random import Random
from typing import Any, Final

from reportlab.lib.pagesizes import A4

from sheaf_dev.samples.layout import MARGIN, bare_canvas

_FACES: Final = (("Helvetica", 88), ("Times-Roman", 98), ("Courier", 74))  # characters on a line
_SIZE: Final = 10.5
_LEADING: Final = 14.0
_LINES: Final = int((A4[1] - 2 * MARGIN) / _LEADING) - 3

_WHO: Final = (
    "The surveyor", "The policyholder", "Our claims desk", "A neighbour", "The builder",
    "The tenant", "The loss adjuster", "The garage", "Her solicitor", "The branch in Westering",
)  # fmt: skip # one item a line would hide the sentence
_DID: Final = (
    "reported", "confirmed", "photographed", "measured", "disputed", "described",
    "has now listed", "put in writing", "repaired", "asked us to review",
)  # fmt: skip # as above
_WHAT: Final = (
    "the damage to the roof", "a crack above the west window", "the broken supply pipe",
    "water on the ground floor", "the estimate of {pounds} pounds", "the second invoice",
    "a loss of {pounds} pounds", "the inventory of {count} items", "the stolen bicycle",
    "the state of the garage door", "all {count} photographs", "the terms of the cover",
)  # fmt: skip # as above
_WHEN: Final = (
    "on {day} {month}", "within {count} hours", "after the storm of {day} {month}",
    "during the first visit", "before the repair began", "in a letter dated {day} {month}",
    "by telephone", "without further comment", "at the second attempt",
)  # fmt: skip # as above
_TOPICS: Final = (
    "Findings", "Course of events", "Cost of repair", "Liability", "Correspondence",
    "Inspection", "Recommendation", "Cover and excess", "Open questions",
)  # fmt: skip # as above
_MONTHS: Final = ("January", "February", "March", "April", "May", "June", "July", "August")


def text_pdf(seed: int, pages: int) -> bytes:
    """A claim file of ``pages`` full pages of text; equal bytes for equal arguments.

    Different seeds give different documents in one of three fonts. About 1 ms a page.
    """
    if pages < 1:
        raise ValueError(f"a PDF needs a page, not {pages}")
    random = Random(f"{seed}/{pages}")  # noqa: S311 # words for a load test, no secret
    face, width = random.choice(_FACES)
    reference = f"Claim file {seed:08d}-{random.randrange(10**6):06d}"
    canvas, buffer = bare_canvas(title=reference)
    for number in range(1, pages + 1):
        text = canvas.beginText(MARGIN, A4[1] - MARGIN)
        text.setFont(face, _SIZE, _LEADING)
        text.textLine(f"{reference}, page {number} of {pages}")
        text.textLine("")
        _fill(text, random, width)
        canvas.drawText(text)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def _fill(text: Any, random: Random, width: int) -> None:
    left = _LINES
    while left > 2:  # noqa: PLR2004 # a heading and at least a line below it
        lines = [random.choice(_TOPICS)]
        for _ in range(random.randint(1, 3)):
            prose = " ".join(sentence(random) for _ in range(random.randint(3, 6)))
            lines += [*textwrap.wrap(prose, width, break_on_hyphens=False), ""]
        for line in lines[:left]:
            text.textLine(line)
        left -= len(lines)


def sentence(random: Random) -> str:
    """One sentence of a claim file."""
    words = " ".join(random.choice(part) for part in (_WHO, _DID, _WHAT, _WHEN))
    return (
        words.format(
            pounds=f"{random.randint(80, 24_000):,}",
            count=random.randint(2, 48),
            day=random.randint(1, 28),
            month=random.choice(_MONTHS),
        )
        + "."
    )
