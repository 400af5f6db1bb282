"""Where the data that ships with the program lies: rules, examples, schemas.

In an installed wheel it is below this package (`_data/`); in a checkout it is the repository's own folders.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def path(*parts: str) -> Path:
    """Absolute path of a shipped file or folder, e.g. ``path("rules", "categories.yaml")``.

    Raises:
        FileNotFoundError: it is not part of this installation.
    """
    for base in (_PACKAGE / "_data", _PACKAGE.parent):
        candidate = base.joinpath(*parts)
        if candidate.exists():
            return candidate
    raise FileNotFoundError(f"this installation lacks {'/'.join(parts)}; reinstall sharewatch")


@cache
def rules_digest(rules: Path | None = None) -> str:
    """``sha256:`` and the hex digest over every rule file's relative name and bytes, in name order."""
    root = rules or path("rules")
    digest = hashlib.sha256()
    for file in sorted(p for p in root.rglob("*") if p.is_file() and "__pycache__" not in p.parts):
        digest.update(file.relative_to(root).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return f"sha256:{digest.hexdigest()}"


@cache
def category_labels() -> dict[str, tuple[str, str]]:
    """Names of the data categories by key, for one and for several.

    ``{"user.contact.email": ("email address", "email addresses"), …}``, from ``rules/categories.yaml``.
    """
    import yaml

    text = path("rules", "categories.yaml").read_text(encoding="utf-8")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    categories = yaml.load(text, loader)["categories"]  # noqa: S506 # both are safe loaders, one is fast
    return {key: (one, several) for key, (one, several) in categories.items()}


@cache
def entity_categories() -> dict[str, str | None]:
    """The data category of each entity type and concept; None for what is never personal by itself."""
    import yaml

    text = path("rules", "categories.yaml").read_text(encoding="utf-8")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    types: dict[str, str | None] = yaml.load(text, loader)["entity_types"]  # noqa: S506 # both are safe loaders, one is fast
    return types
