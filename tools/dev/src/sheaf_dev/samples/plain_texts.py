"""Plain text: many scripts in UTF-8, UTF-16 with its mark, pages by form feed, and CSV."""

import codecs
import csv
import io
from typing import Final

from sheaf_dev.samples.sample import CSV, PLAIN_TEXT, Sample

_NOTICES: Final = """\
Storm notice: please photograph the damage before you clear up.

Українська: Просимо сфотографувати пошкодження, перш ніж прибирати.
Русский: Заявление о страховом случае можно подать в течение семи дней.
Ελληνικά: Η αίτησή σας παραλήφθηκε και θα εξεταστεί εντός τριών ημερών.
العربية: تم استلام طلبكم وسيتم الرد عليه خلال ثلاثة أيام عمل.
עברית: התביעה שלך התקבלה ותיבדק בתוך שלושה ימי עבודה.
हिन्दी: आपका दावा प्राप्त हो गया है और तीन दिनों में उसकी जाँच की जाएगी।
ไทย: เราได้รับคำร้องของท่านแล้วและจะตอบภายในสามวัน
한국어: 접수하신 보험금 청구는 영업일 기준 사흘 안에 검토됩니다.
日本語: ご請求を受け付けました。三営業日以内にご連絡いたします。
Tiếng Việt: Chúng tôi đã nhận được yêu cầu bồi thường của quý khách.
Polski: Zgłoszenie szkody zostało przyjęte, odpowiedź wyślemy w ciągu tygodnia.
"""  # noqa: RUF001 # letters of other scripts are the point of this text

_MEMO: Final = """\
Памятка для агентов

С первого апреля заявления принимаются только в электронном виде.
Срок рассмотрения сокращается с четырнадцати до восьми дней.

Note for agents

From 1 April reports are accepted in electronic form only.
The time to a decision falls from fourteen days to eight — “no exceptions”.
"""  # noqa: RUF001 # Cyrillic is the point of this text

_MINUTES: Final = """\
MINUTES OF THE CLAIMS COMMITTEE
Alderport, 18 March 2025

Present: H. Marchetti (chair), T. Lindqvist, S. Adeyemi, K. Brandt

1. The minutes of 18 February were approved without changes.
2. The storm of 9 February: 3,121 claims were reported, 2,874 of them decided.
   The committee thanks the evening shift.
3. Roof repairs: temporary covers are paid for until 30 June.
\f\
4. Moisture sensors: the trial is extended to 3,000 rented homes.
   Ms Adeyemi reports on progress in September.
5. Any other business: none.

Next meeting: 15 April 2025, 10:00, room 2.14
"""

_PAYMENTS: Final = (
    ("claim", "paid_on", "payee", "amount_gbp", "note"),
    ("WD-2025-00417", "2025-03-14", "The Paper Lantern", "8412.60", "burst pipe, shop"),
    ("MV-2025-01902", "2025-03-14", "Delacroix-Hansen, M.", "2446.15", "excess of 500 taken off"),
    ("ST-2025-03310", "2025-03-17", "Bäckerei Größmann", "1180.00", 'sign "Brot & Wein" blown off'),
    ("ST-2025-03344", "2025-03-17", "Núñez, P.", "640.75", "greenhouse"),
    ("GL-2025-00871", "2025-03-18", "Clearview Glass Ltd", "98.00", "chip repaired, no excess"),
    ("TH-2025-00093", "2025-03-19", "Oyelaran, B.", "1499.00", "bicycle, frame number known"),
)


def notices_in_many_scripts() -> Sample:
    """UTF-8 without a mark, in twelve languages and ten scripts."""
    return Sample(
        filename="notices-many-scripts.txt",
        content=_NOTICES.encode(),
        content_type=PLAIN_TEXT,
        expected_pages=1,
        expected_phrases=tuple(_NOTICES.split("\n")[2:-1]),
    )


def memo_in_utf16() -> Sample:
    """UTF-16, little end first, with a byte order mark and Windows line ends."""
    return Sample(
        filename="memo-utf16.txt",
        content=codecs.BOM_UTF16_LE + _MEMO.replace("\n", "\r\n").encode("utf-16-le"),
        content_type=PLAIN_TEXT,
        expected_pages=1,
        expected_phrases=(
            "С первого апреля заявления принимаются только в электронном виде.",  # noqa: RUF001 # Cyrillic
            "The time to a decision falls from fourteen days to eight — “no exceptions”.",
        ),
    )


def committee_minutes() -> Sample:
    """Two pages, parted by a form feed."""
    return Sample(
        filename="minutes-committee.txt",
        content=_MINUTES.encode(),
        content_type=PLAIN_TEXT,
        expected_pages=2,
        expected_phrases=(
            "3,121 claims were reported, 2,874 of them decided.",
            "Next meeting: 15 April 2025, 10:00, room 2.14",
        ),
    )


def payments_csv() -> Sample:
    """A table with quoted fields, as a spreadsheet exports it."""
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows(_PAYMENTS)
    return Sample(
        filename="payments-march.csv",
        content=buffer.getvalue().encode(),
        content_type=CSV,
        expected_pages=1,
        expected_phrases=(
            "claim paid_on payee amount_gbp note",
            "MV-2025-01902 2025-03-14 Delacroix-Hansen, M. 2446.15 excess of 500 taken off",
            "Bäckerei Größmann",
        ),
    )
