"""What the groups of RTF are for: destinations that are read, collected or skipped."""

from dataclasses import dataclass, field
from typing import Final

from sheaf_orchestrator.extraction.office.rtf_flow import Format

FLOWS: Final = {
    "footnote": "footnote", "annotation": "annotation", "shptxt": "box",
    "header": "header", "headerl": "header", "headerr": "header", "headerf": "header",
    "footer": "footer", "footerl": "footer", "footerr": "footer", "footerf": "footer",
}  # fmt: skip
COLLECTED: Final = frozenset(
    {"title", "author", "subject", "keywords", "generator", "fldinst", "atnauthor", "listtext",
     "pntext", "objdata", "creatim", "revtim", "doccomm"}
)  # fmt: skip
TABLES: Final = frozenset({"fonttbl", "stylesheet"})
SKIPPED: Final = frozenset(
    {"colortbl", "pict", "filetbl", "listtable", "listoverridetable", "revtbl", "nonshppict",
     "bkmkstart", "bkmkend", "xe", "tc", "ftnsep", "ftnsepc", "aftnsep", "aftnsepc", "ftncn",
     "aftncn", "do", "sp", "atnid", "atrfstart", "atrfend", "atnref", "atntime", "atndate",
     "atnparent", "atnicn", "result", "objclass", "objname", "rsidtbl", "nextfile", "template",
     "themedata", "datastore", "operator", "manager", "company", "category", "comment",
     "hlinkbase", "falt", "panose", "fname", "pntxta", "pntxtb", "pnseclvl", "private",
     "shprslt"}
)  # fmt: skip
THROUGH: Final = frozenset({"ud", "shpinst", "shptxt", "shppict", "cs", "nesttableprops"})
"""Destinations marked as ignorable that hold, or lead to, what is read."""


@dataclass(slots=True)
class Group:
    """What is set until the group ends."""

    target: str = "text"
    opens: str = ""
    """What this group opened and its end closes: a flow, a link, a text that is collected."""
    unicode_skip: int = 1
    font: int = -1
    hidden: bool = False
    deleted: bool = False
    form: Format = field(default_factory=Format)


@dataclass(slots=True)
class Font:
    """What is known of a font: how its bytes are read."""

    charset: int = 1
    name: str = ""
