"""Writes the API's reference from the code: `python -m tools.reference` (`make reference`).

`docs/reference/openapi.json` for machines, `docs/reference/messages.md` for people. A test compares them
with what this module would write.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parents[1] / "docs" / "reference"

_HEAD = """# Every message, member by member

Made from the code by `make reference`, like the [OpenAPI document](openapi.json) beside it: these are the
types that requests are read with. What the operations do with them: [the API that is served](api.md). Members
that are not listed are ignored.
"""


def pages() -> dict[Path, str]:
    """What the files of the reference should hold."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "comptoir.config.settings")
    import django

    django.setup()
    from comptoir.gateway.openapi import document

    made = document(version("comptoir"))
    return {
        _FOLDER / "openapi.json": json.dumps(made, indent=1, ensure_ascii=False) + "\n",
        _FOLDER / "messages.md": "\n".join(_page(made)) + "\n",
    }


def _page(made: dict[str, Any]) -> Iterator[str]:
    schemas = made["components"]["schemas"]
    heads = set()
    yield _HEAD
    yield "## Operations"
    for path, item in made["paths"].items():
        operation = item["post"]
        request = _name(operation["requestBody"]["content"])
        answer = _name(operation["responses"]["200"]["content"])
        heads |= {request, answer}
        yield f"\n### {operation['operationId'].replace('_', '/')}\n\n`POST {path}`: {operation['summary']}"
        yield from _table("Request", schemas[request])
        yield from _table("Answer", schemas[answer])
    yield "\n## Notifications"
    for name, item in made["webhooks"].items():
        sent = _name(item["post"]["requestBody"]["content"])
        heads.add(sent)
        yield f"\n### {name}"
        yield from _table("Sent", schemas[sent])
    yield "\n## Parts"
    for name, schema in schemas.items():
        if name not in heads:
            yield f"\n### {name}"
            yield from _part(schema)


def _name(content: dict[str, Any]) -> str:
    return str(content["application/json"]["schema"]["$ref"]).rpartition("/")[2]


def _part(schema: dict[str, Any]) -> Iterator[str]:
    if "enum" in schema:
        yield f"\n{schema.get('description', '')}\n\n{_enum(schema)}".rstrip()
    else:
        yield from _table("", schema)


def _table(title: str, schema: dict[str, Any]) -> Iterator[str]:
    about = schema.get("description", "")
    lead = f"**{title}.** {about}" if title else about
    if lead:
        yield f"\n{lead.rstrip()}"
    if not schema.get("properties"):
        return
    yield "\n| Member | | Is |\n|---|---|---|"
    for name, member in schema["properties"].items():
        needed = "required" if name in schema.get("required", ()) else ""
        yield f"| `{name}` | {needed} | {_kind(member)} |"


def _kind(member: dict[str, Any]) -> str:
    """A member's type in a few words, with a link where it is a part of its own."""
    if reference := member.get("$ref"):
        name = reference.rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "enum" in member:
        few = len(member["enum"]) < 12
        return _enum(member) if few else "one of the [result codes](errors.md)"
    if member.get("type") == "null":
        return "not open here: refused"
    if member.get("type") == "array":
        return f"list of {_kind(member['items'])}"
    words = [str(member.get("type", "any value"))]
    if "maxLength" in member:
        least = f"{member['minLength']} to" if "minLength" in member else "up to"
        words.append(f"{least} {member['maxLength']} characters")
    if "pattern" in member:
        words.append(f"`{member['pattern']}`".replace("|", "\\|"))
    return ", ".join(words)


def _enum(schema: dict[str, Any]) -> str:
    return ", ".join(f"`{value}`" for value in schema["enum"])


def main() -> None:
    """Write the files."""
    for path, text in pages().items():
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
