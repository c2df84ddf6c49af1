"""Letters: one in plain English, one with accents in an embedded TrueType font."""

from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Paragraph, Spacer

from sheaf_dev.samples.layout import compose, paragraphs
from sheaf_dev.samples.sample import Sample
from sheaf_dev.samples.styles import (
    BODY,
    EMBEDDED,
    EMBEDDED_BOLD,
    HEADING,
    RIGHT,
    register_embedded_fonts,
)

_CLAIM_DECISION = """
Dear Ms Okafor,

Thank you for your patience while we looked into the water damage at your shop on
11 February. Our surveyor, Tomas Lindqvist, visited on 19 February and found that a
supply pipe behind the counter had burst. Your policy covers this kind of loss.

We have approved your claim for 8,412.60 pounds. This is the repair estimate of
8,912.60 pounds less the agreed excess of 500.00 pounds. The payment leaves our account
on 14 March and should reach yours within two working days.

Two things remain for you to do. Please keep the damaged shelving until 31 March, in case
we ask to see it again, and send us the final invoice of the builder once the work is done.
If the repair costs more than the estimate, write to us before the extra work begins.

If you disagree with any part of this decision, you may ask for a review within 30 days.
A colleague who has not seen the case before will read it from the start.

Yours sincerely,
"""

_POLICY_CHANGE = """
Sehr geehrter Herr Größmann,

wir bestätigen Ihnen die Änderung Ihrer Hausratversicherung zum 1. April. Die neue
Anschrift in Köln-Sülz ist eingetragen, die Prämie beträgt künftig 23,80 € im Monat.

Chère Madame Lefèvre,

nous avons bien reçu votre déclaration de sinistre. Le dossier a été confié à notre
agence de Besançon, où une conseillère vous répondra avant la fin du mois de février.

Estimada señora Núñez:

su póliza se renovó el día 15 de marzo. Según lo acordado, la indemnización máxima
aumenta a 40.000 € y la franquicia no cambia.

Kære fru Sørensen,

tak for Deres brev. Vi har sendt blåstemplede kopier til kontoret i Århus, og sagen
er hermed afsluttet uden yderligere omkostninger for Dem.
"""


def claim_decision() -> Sample:
    """A letter on one page, in the fonts that every PDF reader has."""
    story = [
        Spacer(0, 6 * mm),
        *paragraphs("Ms Adaeze Okafor<br/>The Paper Lantern<br/>52 Chandler Street<br/>Alderport"),
        Paragraph("7 March 2025", RIGHT),
        Paragraph("Your claim WD-2025-00417: our decision", HEADING),
        *paragraphs(_CLAIM_DECISION),
        Spacer(0, 12 * mm),
        *paragraphs("Helen Marchetti<br/>Head of Property Claims"),
    ]
    return Sample(
        filename="letter-claim-decision.pdf",
        content=compose(story, title="Decision on claim WD-2025-00417"),
        expected_pages=1,
        expected_phrases=(
            "Your claim WD-2025-00417: our decision",
            "We have approved your claim for 8,412.60 pounds.",
            "Please keep the damaged shelving until 31 March",
            "Helen Marchetti",
        ),
    )


def policy_changes() -> Sample:
    """Short letters in German, French, Spanish and Danish, with an embedded font subset."""
    register_embedded_fonts()
    body = ParagraphStyle("embedded", parent=BODY, fontName=EMBEDDED, fontSize=9.5)
    heading = ParagraphStyle("embedded heading", parent=HEADING, fontName=EMBEDDED_BOLD)
    story = [
        Spacer(0, 6 * mm),
        Paragraph("Korrespondenz · Correspondance · Correspondencia", heading),
        *paragraphs(_POLICY_CHANGE, body),
    ]
    return Sample(
        filename="letters-western-europe.pdf",
        content=compose(story, title="Customer letters, western Europe"),
        expected_pages=1,
        expected_phrases=(
            "Sehr geehrter Herr Größmann,",
            "die Prämie beträgt künftig 23,80 € im Monat",
            "nous avons bien reçu votre déclaration de sinistre",
            "su póliza se renovó el día 15 de marzo",
            "blåstemplede kopier til kontoret i Århus",
        ),
    )
