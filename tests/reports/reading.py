"""How the format tests render a report and look at what came out."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import jsonschema
from referencing import Registry, Resource

from scanner import resources
from scanner.model import Report
from scanner.reports import registry

DATA = Path(__file__).parent / "data"


def rendered(name: str, report: Report) -> str:
    """What a binary format writes, decoded."""
    out = io.BytesIO()
    registry.get(name).render(report, out)
    return out.getvalue().decode("utf-8")


def as_text(report: Report, **options: Any) -> str:
    """The text report, by default at 80 columns without colour."""
    out = io.StringIO()
    registry.get("text").render(report, out, **{"width": 80, "color": False, **options})
    return out.getvalue()


def lines(text: str) -> list[Any]:
    """Every line of a JSON lines document."""
    return [json.loads(line) for line in text.split("\n") if line]


def schema(name: str) -> dict[str, Any]:
    """A published schema."""
    loaded = json.loads(resources.path("rules", "schemas", f"{name}.schema.json").read_text("utf-8"))
    assert isinstance(loaded, dict)
    return loaded


def strict(node: Any) -> Any:
    """The schema with every object closed: whatever it does not declare is an error."""
    if isinstance(node, list):
        return [strict(inner) for inner in node]
    if not isinstance(node, dict):
        return node
    closed = {key: strict(inner) for key, inner in node.items()}
    if isinstance(node.get("properties"), dict) and node.get("type") == "object":
        closed.setdefault("additionalProperties", False)
    return closed


def validator(name: str, closed: bool = False) -> jsonschema.Draft202012Validator:
    """A validator of a published schema, formats included; references between them resolve."""
    everything = {key: schema(key) for key in ("report-1", "report-lines-1")}
    loaded = Registry().with_resources(
        (one["$id"], Resource.from_contents(one)) for one in everything.values()
    )
    chosen = strict(everything[name]) if closed else everything[name]
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    return jsonschema.Draft202012Validator(chosen, registry=loaded, format_checker=checker)
