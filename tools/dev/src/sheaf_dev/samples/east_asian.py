"""Japanese and Chinese letters in CID fonts that every PDF reader knows and no file embeds.

The text is in the file; how the glyphs look depends on the fonts of the machine that shows it.
"""

from typing import Final, NamedTuple

from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.platypus import Paragraph, Spacer

from sheaf_dev.samples.layout import compose, paragraphs
from sheaf_dev.samples.sample import Sample
from sheaf_dev.samples.styles import BODY


class _Letter(NamedTuple):
    filename: str
    title: str
    font: str
    heading: str
    text: str
    phrases: tuple[str, ...]


_JAPANESE: Final = _Letter(
    filename="letter-japanese.pdf",
    title="Letter to a policyholder in Osaka",
    font="HeiseiKakuGo-W5",
    heading="保険金お支払いのご案内",
    text="""
    山本 由紀子 様

    平素より格別のご愛顧を賜り、厚く御礼申し上げます。

    このたびの台風による屋根の損害につきまして、調査が終わりましたのでご報告いたします。

    お支払い金額は四十八万二千円です。三月十四日にご指定の口座へお振り込みいたします。

    修理の領収書は、五年間大切に保管してください。

    ご不明な点がございましたら、大阪支店の受付までお電話ください。

    ブライトウォーター相互保険 大阪支店
    """,
    phrases=(
        "保険金お支払いのご案内",
        "お支払い金額は四十八万二千円です。",
        "修理の領収書は",
        "ブライトウォーター相互保険",
    ),
)

_CHINESE: Final = _Letter(
    filename="letter-chinese.pdf",
    title="Letter to a policyholder in Shanghai",
    font="STSong-Light",
    heading="理赔决定通知书",
    text="""
    尊敬的陈女士：

    您于二月十一日提交的水管破裂索赔申请，我们已经审核完毕。

    经调查，损失属于保险责任范围，本公司同意赔付人民币三万六千五百元。

    款项将于三月十四日汇入您的银行账户，请注意查收。

    如对本决定有异议，请在三十日内提出书面复核申请。

    感谢您的耐心等待。

    明水互助保险上海分公司
    """,  # noqa: RUF001 # Chinese uses full-width punctuation
    phrases=(
        "理赔决定通知书",
        "本公司同意赔付人民币三万六千五百元",
        "请在三十日内提出书面复核申请",
        "明水互助保险上海分公司",
    ),
)


def japanese_letter() -> Sample:
    """A letter of one page in Japanese."""
    return _compose(_JAPANESE)


def chinese_letter() -> Sample:
    """A letter of one page in simplified Chinese."""
    return _compose(_CHINESE)


def _compose(letter: _Letter) -> Sample:
    if letter.font not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(UnicodeCIDFont(letter.font))
    body = ParagraphStyle(
        letter.font, parent=BODY, fontName=letter.font, fontSize=11, leading=20, wordWrap="CJK"
    )
    heading = ParagraphStyle("heading", parent=body, fontSize=18, leading=28, spaceAfter=12)
    story = [
        Spacer(0, 8 * mm),
        Paragraph(letter.heading, heading),
        *paragraphs(letter.text, body),
    ]
    return Sample(
        filename=letter.filename,
        content=compose(story, title=letter.title),
        expected_pages=1,
        expected_phrases=letter.phrases,
    )
