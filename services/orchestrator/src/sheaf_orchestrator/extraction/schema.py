"""The result's JSON Schema as it is published, and the page of the documentation about it.

``python -m sheaf_orchestrator.extraction.schema json`` (or ``markdown``) prints one of them. What
the fields mean is taken from the docstrings below them, so that it is written once.
"""

import ast
import inspect
import json
import sys
from typing import Any, Final

from sheaf_orchestrator.extraction import result

SCHEMA_ID: Final = "urn:sheaf:schema:result:1"
_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_SCHEMA_FIELD: Final = "Name and version of this schema; always the first field."
_INTRODUCTION: Final = f"""\
# The result of a document

<!-- made by `./sheaf proto` from the docstrings of extraction/result.py; do not edit -->

`GET /v1/documents/{{id}}/result` answers with one JSON object of the schema `{result.SCHEMA}`. As
JSON Schema (2020-12) it is published at `/v1/schemas/result`. A field may be added within a
version: readers ignore what they do not know. Anything else comes with a new version.
"""


def published_schema() -> dict[str, Any]:
    """The JSON Schema with its id and a description of every field."""
    schema = result.json_schema()
    told = _docstrings()
    for name, definition in schema["$defs"].items():
        for field, described in definition["properties"].items():
            text = told.get((name, field))
            if field == "schema":
                text = _SCHEMA_FIELD
            if text is not None:
                described["description"] = text
    return {"$schema": _DIALECT, "$id": SCHEMA_ID, "title": result.SCHEMA, **schema}


def markdown_page() -> str:
    """One table for each object of the schema, the result itself first."""
    schema = published_schema()
    parts = [_INTRODUCTION]
    for name, definition in schema["$defs"].items():
        required = set(definition.get("required", ()))
        parts.append(f"\n## {name}\n\n{definition['description']}\n\n")
        parts.append("| field | type | meaning |\n|---|---|---|\n")
        for field, described in definition["properties"].items():
            kind = _kind(described)
            always = "" if field in required else _otherwise(described)
            meaning = described.get("description", "")
            parts.append(f"| `{field}` | {kind}{always} | {meaning} |\n")
    return "".join(parts)


def _docstrings() -> dict[tuple[str, str], str]:
    """What stands below each field of each class."""
    told: dict[tuple[str, str], str] = {}
    for node in ast.parse(inspect.getsource(result)).body:
        if not isinstance(node, ast.ClassDef):
            continue
        for field, below in zip(node.body, node.body[1:], strict=False):
            if (
                isinstance(field, ast.AnnAssign)
                and isinstance(field.target, ast.Name)
                and isinstance(below, ast.Expr)
                and isinstance(below.value, ast.Constant)
            ):
                text = " ".join(str(below.value.value).split())
                told[node.name, field.target.id] = text.replace("``", "`")
    return told


def _kind(described: dict[str, Any]) -> str:
    """The type in words."""
    if "anyOf" in described:
        return " or ".join(map(_kind, described["anyOf"]))
    if "$ref" in described:
        name = described["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "enum" in described:
        return " or ".join(f"`{value}`" for value in described["enum"])
    if described.get("type") == "array":
        if "prefixItems" in described:
            return f"{len(described['prefixItems'])} numbers"
        return f"list of {_kind(described['items'])}"
    return str(described.get("type", "any"))


def _otherwise(described: dict[str, Any]) -> str:
    """What stands for a field that is not there."""
    if "default" not in described:
        return ", may be absent"
    value = described["default"]
    return f", default {'null' if value is None else f'`{json.dumps(value)}`'}"


def main() -> None:
    """Print what the one argument names."""
    if sys.argv[1:] == ["json"]:
        text = json.dumps(published_schema(), indent=2, ensure_ascii=False) + "\n"
    elif sys.argv[1:] == ["markdown"]:
        text = markdown_page()
    else:
        sys.exit("usage: python -m sheaf_orchestrator.extraction.schema json|markdown")
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
