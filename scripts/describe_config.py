"""Write docs/configuration.md from rules/schemas: ``python scripts/describe_config.py``.

Every key with its meaning, what may stand there and its default, a section for each object.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from seedwise.files import write_text
from seedwise.study.validation import CONFIG_SCHEMA, SCHEMAS

Schema = dict[str, Any]
# A schema and the file in which its references start.
Located = tuple[Schema, str]

PAGE = Path(__file__).resolve().parents[1] / "docs" / "configuration.md"
HEAD = """\
# Every key of a study

Written from `rules/schemas/` by `python scripts/describe_config.py`; do not edit. Where nothing is
given, the default holds; a key marked with * is required. `make study DATA=…` writes a commented
study for your own data, and `config.yaml` is another to start from.
"""

_KINDS = {
    "array": "list",
    "boolean": "true or false",
    "integer": "whole number",
    "number": "number",
    "object": "section",
    "string": "text",
}
_LIMITS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "above {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "below {}",
}


def load(name: str) -> Schema:
    """Return a schema file's contents."""
    return yaml.safe_load((SCHEMAS / name).read_text(encoding="utf-8"))


def resolve(schema: Schema, file: str) -> Located:
    """Follow a schema's `$ref`; what stands beside it wins."""
    while "$ref" in schema:
        target, _, pointer = schema["$ref"].partition("#")
        file = target or file
        found = load(file)
        for part in filter(None, pointer.split("/")):
            found = found[part]
        schema = found | {key: value for key, value in schema.items() if key != "$ref"}
    return schema, file


def allowed(schema: Schema, file: str) -> str:
    """Return what may stand at a key, in a few words."""
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    kinds = schema.get("type", "object" if "properties" in schema else "any")
    kinds = [kinds] if isinstance(kinds, str) else kinds
    words = " or ".join(_KINDS.get(kind, kind) for kind in kinds)
    if kinds == ["array"] and "items" in schema:
        words = f"list; each: {allowed(*resolve(schema['items'], file))}"
    limits = [text.format(schema[key]) for key, text in _LIMITS.items() if key in schema]
    return ", ".join([words, *limits])


def default(schema: Schema) -> str:
    """Return the default as YAML writes it."""
    if "default" not in schema:
        return ""
    value = schema["default"]
    if isinstance(value, float) and value and abs(value) < 1e-3:
        return f"`{value:.1e}`".replace("e-0", "e-")
    text = yaml.safe_dump(value, default_flow_style=True).removesuffix("...\n").strip()
    return f"`{text}`"


def sections(name: str, schema: Schema, file: str) -> Iterator[tuple[str, Located]]:
    """Yield each object with keys of its own below ``schema``, under its dotted name."""
    schema, file = resolve(schema, file)
    if schema.get("properties"):
        yield name, (schema, file)
    for key, child in schema.get("properties", {}).items():
        yield from sections(f"{name}.{key}" if name else key, child, file)
    others = schema.get("additionalProperties")
    if isinstance(others, dict):
        yield from sections(f"{name}.<name>", others, file)


def table(schema: Schema, file: str) -> str:
    """Return a section's keys as a Markdown table."""
    rows = ["| key | what | values | default |", "|---|---|---|---|"]
    # Where it depends on a key, what any section of the kind needs.
    required = schema.get("then", schema).get("required", [])
    for key, child in schema["properties"].items():
        child, own = resolve(child, file)
        text = " ".join(str(child.get("description", child.get("title", ""))).split())
        mark = "*" if key in required else ""
        cells = (f"`{key}`{mark}", text, allowed(child, own), default(child))
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows)


def page() -> str:
    """Return docs/configuration.md. Sections that look the same are written out once."""
    parts = [HEAD]
    seen: dict[str, str] = {}
    for name, (schema, file) in sections("", load(CONFIG_SCHEMA.name), CONFIG_SCHEMA.name):
        parts.append(f"## {f'`{name}`' if name else 'The top level'}\n")
        if text := " ".join(str(schema.get("description", "")).split()):
            parts.append(f"{text}\n")
        content = table(schema, file)
        if content in seen:
            parts.append(f"The keys are those of `{seen[content]}`.\n")
        else:
            seen[content] = name
            parts.append(f"{content}\n")
    return "\n".join(parts)


def main() -> None:
    """Write the page."""
    write_text(PAGE, page())


if __name__ == "__main__":
    main()
