"""Zip containers, as Office formats are, that have the same bytes each time."""

import io
import zipfile
from collections.abc import Mapping
from typing import Final

_LONG_AGO: Final = (2025, 3, 28, 9, 0, 0)
_READABLE: Final = 0o644 << 16
_DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_RELATIONS: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
CORE_TYPE: Final = "application/vnd.openxmlformats-package.core-properties+xml"


def packed(members: Mapping[str, str], *, stored_first: bool = False) -> bytes:
    """The members, in their order; OpenDocument wants its first one uncompressed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for index, (name, text) in enumerate(members.items()):
            info = zipfile.ZipInfo(name, _LONG_AGO)
            info.external_attr = _READABLE
            info.create_system = 3
            plain = stored_first and index == 0
            info.compress_type = zipfile.ZIP_STORED if plain else zipfile.ZIP_DEFLATED
            archive.writestr(info, text)
    return buffer.getvalue()


def xml(body: str) -> str:
    """An XML document."""
    return _DECLARATION + body


def content_types(overrides: Mapping[str, str]) -> str:
    """The list of an Office container's parts by their content types."""
    parts = "".join(
        f'<Override PartName="{name}" ContentType="{kind}"/>' for name, kind in overrides.items()
    )
    return xml(
        f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels"'
        ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{parts}</Types>'
    )


def relations(targets: Mapping[str, tuple[str, str]]) -> str:
    """Relations of a part: id to kind and target. The kind is short, or a whole address."""
    entries = "".join(
        f'<Relationship Id="{name}" Target="{target}" Type="'
        f'{kind if ":" in kind else f"{_RELATIONS}/{kind}"}"/>'
        for name, (kind, target) in targets.items()
    )
    return xml(f'<Relationships xmlns="{_PACKAGE}/relationships">{entries}</Relationships>')


def package_relations(main: str) -> str:
    """Of the whole container: its main part and what the document says of itself."""
    core = f"{_PACKAGE}/relationships/metadata/core-properties"
    return relations({"rId1": ("officeDocument", main), "rId2": (core, "docProps/core.xml")})


def core_properties(title: str, author: str) -> str:
    """What an Office document says of itself."""
    return xml(
        f'<cp:coreProperties xmlns:cp="{_PACKAGE}/metadata/core-properties"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<dc:title>{title}</dc:title><dc:creator>{author}</dc:creator>"
        '<dcterms:created xsi:type="dcterms:W3CDTF">2025-03-28T09:00:00Z</dcterms:created>'
        "</cp:coreProperties>"
    )
