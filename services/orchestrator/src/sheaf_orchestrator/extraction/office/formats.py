"""Numbers of spreadsheets as they are shown; dates and times as ISO 8601.

A format is that of ECMA-376 part 1, 18.8.31: sections for positive, negative, zero and text.
"""

import re
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache
from typing import Final, NamedTuple

BUILT_IN: Final = {
    1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%", 11: "0.00E+00",
    12: "# ?/?", 13: "# ??/??", 14: "yyyy-mm-dd", 15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy",
    18: "h:mm AM/PM", 19: "h:mm:ss AM/PM", 20: "h:mm", 21: "h:mm:ss", 22: "yyyy-mm-dd h:mm",
    27: "yyyy-mm-dd", 28: "yyyy-mm-dd", 29: "yyyy-mm-dd", 30: "yyyy-mm-dd", 31: "yyyy-mm-dd",
    32: "h:mm:ss", 33: "h:mm:ss", 34: "h:mm:ss", 35: "h:mm:ss", 36: "yyyy-mm-dd",
    37: "#,##0;-#,##0", 38: "#,##0;-#,##0", 39: "#,##0.00;-#,##0.00", 40: "#,##0.00;-#,##0.00",
    45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0", 48: "##0.0E+0", 49: "@",
    50: "yyyy-mm-dd", 51: "yyyy-mm-dd", 52: "yyyy-mm-dd", 53: "yyyy-mm-dd", 54: "yyyy-mm-dd",
    55: "yyyy-mm-dd", 56: "yyyy-mm-dd", 57: "yyyy-mm-dd", 58: "yyyy-mm-dd",
}  # fmt: skip
"""The formats that files name by number only, those of East Asian editions as dates."""

_TOKEN: Final = re.compile(
    r'"(?P<quoted>[^"]*)"?|\\(?P<escaped>.)|[_*].|\[(?P<bracket>[^\]]*)\]'
    r"|(?P<am>AM/PM|A/P)|(?P<general>General)|(?P<exponent>E[+-][0#]+)"
    r"|(?P<digits>[0#?][0#?,]*(?:\.[0#?]*,*)?|\.[0#?]+)|(?P<percent>%)"
    r"|(?P<date>[ymdhsgeb]+(?:\.0+)?)|(?P<other>.)",
    re.IGNORECASE | re.DOTALL,
)
_CURRENCY: Final = re.compile(r"\$([^-]*)")
_ELAPSED: Final = re.compile(r"[hms]+", re.IGNORECASE)
_MAX_FORMAT: Final = 255
_DAY_S: Final = 86_400
_LEAP_BUG: Final = 60
_MAX_SERIAL: Final = 2_958_466


class _Section(NamedTuple):
    kind: str
    """``general``, ``number``, ``date``, ``text`` or ``literal``."""
    before: str
    after: str
    decimals: int = 0
    grouped: bool = False
    scale: int = 0
    exponent: bool = False
    padded: int = 1
    days: bool = False
    time: bool = False
    elapsed: bool = False


def general(value: float) -> str:
    """A number without a format."""
    if value != value or value in {float("inf"), float("-inf")}:  # noqa: PLR0124 # not a number
        return ""
    if value == int(value) and abs(value) < 1e15:  # noqa: PLR2004 # exact below
        return str(int(value))
    return f"{value:.15g}".replace("e", "E")


def show(value: float, number_format: str, *, date1904: bool = False) -> str:
    """A number as its format shows it."""
    sections = _sections(number_format[:_MAX_FORMAT])
    index = 0
    if value < 0 and len(sections) > 1:
        index, value = 1, -value
    elif value == 0 and len(sections) > 2:  # noqa: PLR2004 # positive, negative, zero
        index = 2
    section = sections[index]
    if section.kind == "date":
        return _date(value, section, date1904=date1904)
    if section.kind == "number":
        return _number(value, section)
    if section.kind == "literal":
        return section.before.strip()
    return (section.before + general(value) + section.after).strip()


@lru_cache(maxsize=1024)
def _sections(number_format: str) -> list[_Section]:
    parts, current, quoted, escaped = [], "", False, False
    for sign in number_format:
        if sign == ";" and not quoted and not escaped:
            parts.append(current)
            current = ""
            continue
        quoted ^= sign == '"' and not escaped
        escaped = sign == "\\" and not escaped
        current += sign
    return [_section(part) for part in [*parts, current]]


def _section(text: str) -> _Section:  # noqa: C901, PLR0912 # one branch for each kind of token
    before = after = digits = dates = ""
    elapsed = exponent = percent = seen = am = False
    for match in _TOKEN.finditer(text):
        kind, token = match.lastgroup, match[0]
        if kind == "general":
            return _Section("general", before, "")
        literal = ""
        if kind == "bracket":
            inner = match["bracket"]
            if found := _CURRENCY.match(inner):
                literal = found[1]
            elif _ELAPSED.fullmatch(inner):
                elapsed, dates = True, dates + inner.lower()
        elif kind == "date":
            dates += token.lower()
        elif kind == "am":
            am = True
        elif kind == "exponent":
            exponent = True
        elif kind == "digits":
            digits, seen = digits + token, True
        elif kind in {"percent", "quoted", "escaped", "other"}:
            percent |= kind == "percent"
            literal = match["quoted"] or match["escaped"] or (token if kind != "quoted" else "")
        if literal and seen:
            after += literal
        else:
            before += literal
    if dates or am:
        dates = dates.replace("e", "y").replace("g", "y").replace("b", "y")
        days = "y" in dates or "d" in dates or ("m" in dates and not ("h" in dates or "s" in dates))
        time = am or "h" in dates or "s" in dates or elapsed
        return _Section("date", "", "", days=days, time=time, elapsed=elapsed)
    if "@" in before or "@" in after:
        return _Section("general", before.partition("@")[0], before.partition("@")[2])
    if not digits:
        return _Section("literal", before, "")
    if "/" in after or "?/" in text:
        return _Section("general", "", "")
    whole, _, fraction = digits.partition(".")
    scale = len(digits) - len(digits.rstrip(","))
    return _Section(
        "number",
        before,
        after,
        decimals=sum(fraction.count(sign) for sign in "0#?"),
        grouped="," in whole.rstrip(","),
        scale=(2 if percent else 0) - 3 * scale,
        exponent=exponent,
        padded=whole.count("0"),
    )


def _number(value: float, section: _Section) -> str:
    try:
        exact = Decimal(repr(value)).scaleb(section.scale)
        if section.exponent:
            shown = f"{exact:.{section.decimals}E}"
        else:
            step = Decimal(1).scaleb(-section.decimals)
            rounded = exact.quantize(step, rounding=ROUND_HALF_UP)
            sign = "-" if rounded < 0 else ""
            shown = f"{abs(rounded):,f}" if section.grouped else f"{abs(rounded):f}"
            whole, dot, fraction = shown.partition(".")
            shown = sign + whole.rjust(section.padded, "0") + dot + fraction
    except (InvalidOperation, ValueError, OverflowError):
        return general(value)
    return (section.before + shown + section.after).strip()


def _date(value: float, section: _Section, *, date1904: bool) -> str:
    if not 0 <= value < _MAX_SERIAL:
        return general(value)
    if section.elapsed or not section.days:
        seconds = round((value if section.elapsed else value % 1) * _DAY_S)
        if not section.elapsed:
            seconds %= _DAY_S
        return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    if date1904:
        epoch = datetime(1904, 1, 1)  # noqa: DTZ001 # a sheet knows no time zone
    else:  # its 1900 is taken for a leap year
        epoch = datetime(1899, 12, 30) + timedelta(days=value < _LEAP_BUG)  # noqa: DTZ001 # as above
    try:
        moment = epoch + timedelta(seconds=round(value * _DAY_S))
    except OverflowError:
        return general(value)
    if section.time:
        return moment.isoformat(sep=" ")
    return moment.date().isoformat()
