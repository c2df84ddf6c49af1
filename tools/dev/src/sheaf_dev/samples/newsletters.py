"""A newsletter in two columns: its text must come out column by column, not line by line."""

from reportlab.lib.units import mm
from reportlab.platypus import Paragraph, Spacer

from sheaf_dev.samples.layout import compose, paragraphs
from sheaf_dev.samples.sample import Sample
from sheaf_dev.samples.styles import COLUMN, HEADING, SMALL, TITLE

_ARTICLES = (
    (
        "Frost is coming: five minutes that save a ceiling",
        """
        Most burst pipes freeze in rooms that nobody heats: the loft, the garage, the guest
        bathroom. Find your stopcock today, while the weather is mild, and turn it once. A
        stopcock that has not moved for ten years will not move at three in the morning
        either.

        Leave the loft hatch open on the coldest nights, so that warm air can rise to the
        tank. If a pipe does freeze, close the stopcock first and open the taps second. Thaw
        it with a towel and warm water, never with a flame.

        Should the worst happen, photograph the damage before you clear up. Two clear
        pictures and a short description are all that we need to begin.
        """,
    ),
    (
        "The van that comes to you",
        """
        Our mobile glass workshop has been on the road for one year. It has called at 4,118
        driveways and repaired a third of all chips on the spot, without a new windscreen
        and without an excess to pay.

        Book it on the number printed on your policy. Bring the car under a roof if you can:
        resin and rain do not get along.
        """,
    ),
    (
        "Members ask, we answer",
        """
        Is my bicycle covered away from home? Yes, up to 1,500 pounds, if it was locked to
        something that cannot be carried off. Please keep the receipt and a photo of the
        frame number.

        May I send my documents by telephone? You may. Any picture that you could read
        yourself is good enough for us, and the answer usually comes within the hour.

        Why did my premium change although I made no claim? Because the cost of building
        went up in your district. Your renewal letter now shows the calculation line by
        line.
        """,
    ),
    (
        "Dates for your diary",
        """
        The general meeting takes place on 12 May in the Corn Exchange, Alderport. Doors
        open at six, and every member has one vote. The flood forum visits Westering on
        3 June and Saltmarsh on 10 June; bring a map of your street if you have one.
        """,
    ),
    (
        "A word from the workshop floor",
        """
        When I began here, the post came in sacks, and four of us opened envelopes until
        noon. Last week I watched a claim arrive, be read and reach a colleague before I had
        finished my tea. I still miss the stamps. I do not miss the paper cuts.

        What has not changed is the person at the other end. Somebody's kitchen is wet, and
        somebody has to say what happens next. That part no machine does for us, and I hope
        it stays that way.
        """,
    ),
)


def members_newsletter() -> Sample:
    """One page of five short articles in two justified columns."""
    story = [Paragraph("The Quayside Letter", TITLE), Paragraph("Winter 2025, number 88", SMALL)]
    for heading, text in _ARTICLES:
        story += [Paragraph(heading, HEADING), *paragraphs(text, COLUMN), Spacer(0, 2 * mm)]
    return Sample(
        filename="newsletter-winter.pdf",
        content=compose(story, title="The Quayside Letter, number 88", columns=2),
        expected_pages=1,
        expected_phrases=(
            "The Quayside Letter",
            "Find your stopcock today, while the weather is mild, and turn it once.",
            "If a pipe does freeze, close the stopcock first and open the taps second.",
            "something that cannot be carried off",
            "Somebody's kitchen is wet, and somebody has to say what happens next.",
        ),
    )
