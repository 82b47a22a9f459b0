"""Writes the reference pages that follow from the code: tables, playbook, leaks, features.

    python docs/generate.py

A test compares the pages with what this writes, so that they cannot fall behind.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from touchline.features.audit import Code
from touchline.features.catalog import Catalog
from touchline.features.tables.reasons import REASONS
from touchline.features.tables.write import SORTED_BY
from touchline.playbook import playbook_schema, starter_playbook
from touchline.playbook.contracts import INPUTS, TABLES, Contract

HERE = Path(__file__).parent / "reference"


def tables_page() -> str:
    """The contracts of all inputs and the reasons of the quarantine, as Markdown."""
    lines = [
        "# Tables",
        "",
        "Seven canonical tables, and two inputs that are folded into them. Times are instants in UTC. Columns in bold",
        "are required of a source; all others may be left out. This page is written by `python docs/generate.py`.",
    ]
    for name, contract in INPUTS.items():
        lines += ["", f"## {name}", "", _sentence(contract), "", "| column | type | meaning |", "|---|---|---|"]
        lines += [f"| {f'**{c.name}**' if c.required else c.name} | {c.type} | {c.meaning} |" for c in contract.columns]
    lines += ["", "## Why rows are set aside", "", "| code | what it means, and what to do |", "|---|---|"]
    lines += [f"| `{code}` | {message} |" for code, message in REASONS.items()]
    return "\n".join(lines) + "\n"


def _sentence(contract: Contract) -> str:
    words = [contract.meaning[:1].upper() + contract.meaning[1:] + "."]
    if contract.key:
        words.append(f"One row per {', '.join(contract.key)}.")
    if contract.name in TABLES:
        words.append(f"Sorted by {', '.join(SORTED_BY[contract.name])}.")
    if contract.takes_attributes:
        words.append("The playbook's attributes that are fixed at creation are columns as well.")
    if contract.name == "leads":
        words.append("As written it also has `merged_into` and `merged_at`.")
    if contract.name in ("touches", "stages", "changes"):
        words.append("As written it also has `merged_from`, for rows that a merge brought.")
    return " ".join(words)


def leaks_page() -> str:
    """Every code of the audit, as Markdown."""
    lines = [
        "# Leaks",
        "",
        "What `touchline audit` looks for, and what to do when it finds it. Why it matters: [time and",
        "knowledge](../explanation/known-at.md). This page is written by `python docs/generate.py`.",
        "",
        "| code | looks at | what to do |",
        "|---|---|---|",
    ]
    return "\n".join([*lines, *(f"| `{c}` | {c.looks_at} | {c.advice} |" for c in Code)]) + "\n"


def features_page() -> str:
    """The default catalogue of the starter playbook, as Markdown."""
    catalog = Catalog.default(starter_playbook())
    lines = [
        "# Features",
        "",
        f"The default catalogue of the starter playbook: {len(catalog)} features. Yours follows from your playbook:",
        "`Catalog.default(playbook).table()` lists it. [How to add your own](../how-to/your-own-features.md). This",
        "page is written by `python docs/generate.py`.",
    ]
    for family in catalog.families:
        lines += ["", f"## {catalog.family_words(family)}", "", "| name | what it is | unit |", "|---|---|---|"]
        lines += [f"| `{f.name}` | {catalog.label(f.name)} | {f.unit} |" for f in catalog if f.family == family]
    return "\n".join(lines) + "\n"


def playbook_page() -> str:
    """Every key of the playbook, as Markdown."""
    schema = playbook_schema()
    lines = [
        "# Playbook",
        "",
        "Every key, section by section; keys in bold are required. `touchline playbook new` writes a commented",
        "example, `touchline playbook schema` the JSON Schema. This page is written by `python docs/generate.py`.",
        *_section("The file itself", schema),
    ]
    for name, section in sorted(schema["$defs"].items()):
        lines += _section(name, section)
    return "\n".join(lines) + "\n"


def _section(title: str, schema: dict[str, Any]) -> list[str]:
    words = str(schema.get("description", "")).split("\n\n")[0].replace("\n", " ")
    lines = ["", f"## {title}", "", words, "", "| key | value | default | meaning |", "|---|---|---|---|"]
    for key, value in schema["properties"].items():
        name = f"**{key}**" if key in schema.get("required", []) else key
        default = f"`{value['default']}`" if "default" in value and value["default"] not in (None, {}, []) else ""
        meaning = str(value.get("description", "")).replace("\n", " ").replace("|", "\\|")
        lines.append(f"| {name} | {_kind(value)} | {default} | {meaning} |")
    return lines


def _kind(value: dict[str, Any]) -> str:  # noqa: PLR0911  # a table of the forms a schema takes
    if "$ref" in value:
        return f"[{value['$ref'].rsplit('/', 1)[-1]}](#{value['$ref'].rsplit('/', 1)[-1].lower()})"
    if "enum" in value:
        return ", ".join(f"`{item}`" for item in value["enum"])
    if "anyOf" in value:
        kinds = [_kind(option) for option in value["anyOf"] if option.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    if value.get("type") == "array":
        return f"list of {_kind(value.get('items', {}))}"
    if value.get("type") == "object":
        inner = value.get("additionalProperties") or next(iter(value.get("patternProperties", {}).values()), {})
        return f"table of {_kind(inner)}" if isinstance(inner, dict) and inner else "table"
    if value.get("pattern", "").endswith("(s|min|h|d|w)\\s*$"):
        return "length of time"
    return str(value.get("type", "any"))


def main() -> None:
    """Write all pages."""
    pages = {"tables": tables_page, "playbook": playbook_page, "leaks": leaks_page, "features": features_page}
    for name, page in pages.items():
        (HERE / f"{name}.md").write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
