"""The OpenAPI description as one HTML page: no script, nothing loaded from elsewhere."""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

import msgspec
from litestar import Request
from litestar.openapi.plugins import OpenAPIRenderPlugin

_METHODS: Final = ("get", "post", "put", "patch", "delete")
_STYLE: Final = """
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
h2{margin-top:2.5rem;border-bottom:1px solid #8886;padding-bottom:.3rem}
code,pre{font:14px/1.45 ui-monospace,monospace}pre{overflow:auto;background:#8881;padding:.8rem}
.m{display:inline-block;min-width:3.5rem;font-weight:700}
details{margin:.6rem 0;border:1px solid #8884;border-radius:.4rem;padding:.5rem .8rem}
summary{cursor:pointer}table{border-collapse:collapse;width:100%}
td,th{text-align:left;vertical-align:top;padding:.25rem .8rem .25rem 0;border-top:1px solid #8883}
"""

Schema = Mapping[str, Any]


class DocsPage(OpenAPIRenderPlugin):
    """Renders the description on the server."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """The page."""
        info = openapi_schema["info"]
        json_path = self.get_openapi_json_route(request)
        parts = [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width,initial-scale=1">',
            f"<title>{_text(info['title'])} API</title><style>{_STYLE}</style></head><body>",
            f"<h1>{_text(info['title'])} API {_text(info['version'])}</h1>",
            f"<p>{_text(info.get('description', ''))}</p>",
            f'<p>OpenAPI 3.1: <a href="{_text(json_path)}">{_text(json_path)}</a></p>',
            "<h2>Authentication</h2>",
            "<p><code>Authorization: Bearer sk_…</code> or <code>X-API-Key: sk_…</code></p>",
            *_operations(openapi_schema["paths"]),
            "<h2>Schemas</h2>",
            *_schemas(openapi_schema.get("components", {}).get("schemas", {})),
            "</body></html>",
        ]
        return "".join(parts).encode()


def _operations(paths: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    by_tag: dict[str, list[str]] = {}
    for path, item in paths.items():
        for method in _METHODS:
            if method in item:
                operation = item[method]
                tag = (operation.get("tags") or ["Other"])[0]
                by_tag.setdefault(tag, []).append(_operation(method, path, operation))
    for tag, operations in by_tag.items():
        yield f"<h2>{_text(tag)}</h2>"
        yield from operations


def _operation(method: str, path: str, operation: Schema) -> str:
    rows = "".join(
        f"<tr><td><code>{_text(item['name'])}</code><td>{_text(item['in'])}"
        f"<td>{_type(item.get('schema', {}))}<td>{_text(item.get('description', ''))}"
        for item in operation.get("parameters") or []
    )
    table = f"<table><tr><th>Parameter<th>In<th>Type<th>{rows}</table>" if rows else ""
    return (
        f"<details open><summary><span class=m>{method.upper()}</span> <code>{_text(path)}</code> "
        f"{_text(operation.get('summary', ''))}</summary>"
        f"<p>{_text(operation.get('description', ''))}</p>{table}"
        f"{_request_body(operation.get('requestBody'))}{_responses(operation['responses'])}"
        "</details>"
    )


def _request_body(body: Schema | None) -> str:
    if body is None:
        return ""
    return "".join(
        f"<p>Body: <code>{_text(media_type)}</code></p>{_properties(content['schema'])}"
        for media_type, content in body["content"].items()
    )


def _responses(responses: Mapping[str, Schema]) -> str:
    rows = "".join(
        f"<tr><td>{_text(status)}<td>{_content(answer)}<td>{_text(answer.get('description', ''))}"
        for status, answer in sorted(responses.items())
    )
    examples = "".join(
        f"<details><summary>Example, {_text(status)}</summary><pre>{_json(example)}</pre></details>"
        for status, answer in sorted(responses.items())
        for example in _examples(answer)
        if status < "300"
    )
    return f"<table><tr><th>Status<th>Answer<th>{rows}</table>{examples}"


def _content(answer: Schema) -> str:
    return "<br>".join(
        f"<code>{_text(media_type)}</code> {_type(content.get('schema', {}))}"
        for media_type, content in (answer.get("content") or {}).items()
    )


def _examples(answer: Schema) -> Iterator[Any]:
    for content in (answer.get("content") or {}).values():
        for example in (content.get("examples") or {}).values():
            yield example.get("value")


def _schemas(schemas: Mapping[str, Schema]) -> Iterator[str]:
    for name, schema in sorted(schemas.items()):
        yield (
            f'<details id="{_text(name)}"><summary><code>{_text(name)}</code> '
            f"{_text(schema.get('description', ''))}</summary>{_properties(schema)}</details>"
        )


def _properties(schema: Schema) -> str:
    if "properties" not in schema:
        return f"<p>{_type(schema)}</p>"
    rows = "".join(
        f"<tr><td><code>{_text(name)}</code><td>{_type(item)}"
        f"<td>{_text(item.get('description', ''))}"
        for name, item in schema["properties"].items()
    )
    return f"<table>{rows}</table>"


def _type(schema: Schema) -> str:
    if "$ref" in schema:
        name = _text(schema["$ref"].rsplit("/", 1)[-1])
        return f'<a href="#{name}">{name}</a>'
    for union in ("oneOf", "anyOf"):
        if union in schema:
            return " or ".join(_type(item) for item in schema[union])
    if "enum" in schema:
        return " ".join(f"<code>{_text(value)}</code>" for value in schema["enum"])
    if "items" in schema:
        return f"list of {_type(schema['items'])}"
    kind = schema.get("type", "any")
    return _text(", ".join(kind) if isinstance(kind, list) else kind)


def _json(value: object) -> str:
    return _text(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def _text(value: object) -> str:
    return escape(str(value))
