"""Lists, fetched page by page as they are iterated."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from sheaf_client.calls import Call, given, known, sent
from sheaf_client.config import Config
from sheaf_client.keys import ApiKeyPage
from sheaf_client.models import DocumentPage
from sheaf_client.options import DocumentFilters
from sheaf_client.steps import Emit, Flow


def documents(filters: DocumentFilters, page_size: int, config: Config) -> Flow[None]:
    """Emits documents, newest first. ValueError for a time without a zone, TypeError as `known`."""
    wanted = {name: _filter(value) for name, value in known(filters, DocumentFilters).items()}
    return _document_pages("/v1/documents", wanted, page_size, config)


def quarantined(product: str | None, page_size: int, config: Config) -> Flow[None]:
    """Emits quarantined documents, newest first."""
    return _document_pages("/v1/quarantine", given(product=product), page_size, config)


def keys(page_size: int, config: Config) -> Flow[None]:
    """Emits API keys."""
    decode = msgspec.json.Decoder(ApiKeyPage).decode
    cursor: str | None = None
    while True:
        params = given(limit=str(page_size), cursor=cursor)
        page = yield from sent(Call("GET", "/v1/keys", decode, params), config)
        for key in page.keys:
            yield Emit(key)
        if (cursor := page.next_cursor) is None:
            return


def _document_pages(
    path: str, wanted: Mapping[str, str], page_size: int, config: Config
) -> Flow[None]:
    decode = msgspec.json.Decoder(DocumentPage).decode
    cursor: str | None = None
    while True:
        params = {**wanted, **given(limit=str(page_size), cursor=cursor)}
        page = yield from sent(Call("GET", path, decode, params), config)
        for document in page.documents:
            yield Emit(document)
        if (cursor := page.next_cursor) is None:
            return


def _filter(value: Any) -> str:
    if not isinstance(value, datetime):
        return str(value)
    if value.tzinfo is None:
        raise ValueError(f"{value} has no time zone")
    return value.isoformat()
