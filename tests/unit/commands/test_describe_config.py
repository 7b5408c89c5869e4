import re

import yaml

import describe_config
from seedwise.study.validation import SCHEMAS


def test_page_is_current():
    said = "rules/schemas has changed: run `python scripts/describe_config.py`"
    assert describe_config.PAGE.read_text(encoding="utf-8") == describe_config.page(), said


def keys_of(schema):
    """Yield each key that some object of a schema file may have."""
    if isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict):
            yield from schema["properties"]
        for child in schema.values():
            yield from keys_of(child)


def test_every_key_of_the_schemas_is_there_and_described():
    page = describe_config.page()
    keys = {
        key
        for path in SCHEMAS.glob("*.yaml")
        for key in keys_of(yaml.safe_load(path.read_text(encoding="utf-8")))
    }
    assert len(keys) > 60
    assert not [key for key in sorted(keys) if f"| `{key}`" not in page]
    rows = re.findall(r"^\| `(\w+)`\*? \| (.*?) \|", page, re.M)
    assert not [key for key, text in rows if not text]


def test_defaults_and_limits_are_written_as_yaml_takes_them():
    page = describe_config.page()
    assert "| `learning_rate` | Peak learning rate" in page and "`1.0e-5`" in page
    assert "list; each: number, at least 0, below 1 | `[0.9, 0.98]`" in page
