"""The JSON Schema of policy files, with the categories as they are known here."""

from __future__ import annotations

import json
from typing import Any

from scanner import resources
from scanner.policy.categories import taxonomy


def schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of version 1. The list of categories is filled in from the rules."""
    text = resources.path("rules", "schemas", "policy-1.schema.json").read_text(encoding="utf-8")
    made: dict[str, Any] = json.loads(text)
    made["$defs"]["category"]["enum"] = sorted(taxonomy().labels)
    return made
