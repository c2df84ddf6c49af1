"""The words of the sample report: eight chapters, each a heading, prose and a few figures."""

from typing import Final, NamedTuple


class Chapter(NamedTuple):
    """A chapter: paragraphs parted by empty lines, and rows of label, last year, this year."""

    heading: str
    prose: str
    figures: tuple[tuple[str, str, str], ...]


CHAPTERS: Final = (
    Chapter(
        "Summary",
        """
        The year was shaped by two storms and by a calm summer between them. Claims rose by a
        ninth, yet the average time to a decision fell, because most reports now arrive as
        documents that can be read without a clerk typing them in again.

        Customers noticed. Complaints about waiting fell for the first time in six years, and
        the share of members who renewed without asking for another quote was the highest
        since records began in their present form.

        Not everything went well. The February storm showed that our intake could accept
        files faster than it could read them, and for nine hours the queue was longer than
        anyone could see. The chapter on operations says what has been done since.
        """,
        (("Claims reported", "41,870", "46,512"), ("Days to a decision", "11.4", "8.9")),
    ),
    Chapter(
        "Membership",
        """
        Membership grew in every region except the southern coast, where a competitor opened
        two branches. Growth came chiefly from households that insure a home and a car
        together, which is also the group that stays longest.

        We asked 1,200 members why they joined. The most common answer was the recommendation
        of a neighbour; the second was that a person answers the telephone. Price came third.

        Members under thirty remain few. A monthly policy without a fixed term was tried in
        two towns and will be offered everywhere from the summer.
        """,
        (("Members", "212,400", "219,950"), ("Policies for each member", "1.62", "1.71")),
    ),
    Chapter(
        "Property claims",
        """
        Burst pipes remained the most frequent cause of loss in the home, followed by storm
        damage to roofs. Fire was rare, and costly where it happened: eleven fires account
        for a fifth of all that was paid.

        Repairs took longer than we would like. Roofers were booked for months after the
        February storm, and we paid for temporary covers in 640 cases so that no house stood
        open to the rain.

        A trial with moisture sensors in rented flats found leaks a median of nineteen days
        earlier than tenants reported them. It will be extended to 3,000 homes.
        """,
        (("Burst pipes", "6,214", "6,530"), ("Storm damage", "3,981", "7,102")),
    ),
    Chapter(
        "Motor claims",
        """
        Fewer accidents were reported for each thousand vehicles, but each repair cost more.
        Sensors sit in bumpers and windscreens now, and a small knock that once needed paint
        needs a calibrated workshop.

        Glass is the clearest case. A new windscreen cost 310 pounds four years ago and costs
        870 today. We now send a mobile workshop first, which repairs a third of chips before
        they become cracks.

        Theft without a key fell after makers changed their locks, and it is expected to stay
        at this lower level.
        """,
        (("Accidents per thousand", "58.3", "55.9"), ("Average repair, pounds", "1,914", "2,207")),
    ),
    Chapter(
        "Operations",
        """
        In the night of the February storm the intake service took in thirty files a second
        and finished barely half of them. Nothing was lost, but a member who sent a photo at
        midnight heard nothing until the next morning.

        The cause was found in days: connections were opened anew for every file, and the
        number of workers was fixed. The replacement accepts a file in a fraction of a second
        and shows, at any moment, how old the oldest unread document is.

        A drill in October repeated the storm with one server switched off every ten minutes.
        Every document came out exactly once.
        """,
        (("Documents received", "388,100", "512,760"), ("Read without a clerk", "61 %", "83 %")),
    ),
    Chapter(
        "People",
        """
        We employed 684 people at the end of the year, 22 more than a year before. Most of
        them joined the claims teams in Alderport and Westering, where two floors were opened
        again after renovation.

        Every new colleague now spends a week beside an experienced surveyor. Those who did
        so last year took their first decision alone five weeks earlier than those before
        them, and made fewer corrections.

        The works council and the board agreed on a four-day roster for evening shifts. It
        will be judged after twelve months by absence, not by opinion.
        """,
        (("Employees", "662", "684"), ("Training days each", "3.1", "5.4")),
    ),
    Chapter(
        "Finance",
        """
        Premium income rose to 188.4 million pounds. Claims and the cost of settling them
        took 71.2 per cent of it, which is within the range that the board had set, in spite
        of two storms that reinsurance shared.

        Investments returned 3.8 per cent. We hold mostly short government bonds, as a mutual
        that may be asked to pay for a winter's damage in a single week should.

        As in earlier years no dividend is paid, since there are no shareholders. The surplus
        lowers premiums from April by an average of 2.5 per cent.
        """,
        (("Premiums, million pounds", "176.9", "188.4"), ("Combined ratio", "98.1 %", "96.4 %")),
    ),
    Chapter(
        "Outlook",
        """
        The weather office expects wetter winters. Our models, which were built on the last
        thirty years, are being weighted towards the last ten, and the price of cover near
        rivers will follow in small steps.

        Three things are planned for the coming year: moisture sensors in rented homes, the
        monthly policy for young members, and one telephone number for every kind of claim.

        We thank our members for their trust, and our colleagues for two long nights in
        February that nobody had asked them to stay for.
        """,
        (("Planned investment, million", "6.2", "9.8"), ("Sensors installed", "410", "3,000")),
    ),
)
