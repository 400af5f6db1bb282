"""Settings: defaults, file, environment, flags, in this order; everything wrong is told at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from scanner.config import ConfigError, Limits, Settings, load


def test_later_sources_win(tmp_path: Path) -> None:
    """A flag beats the environment, which beats the file, which beats the default."""
    file = tmp_path / "settings.yaml"
    file.write_text("jobs: 2\nlocate: 4\nlimits: {item_seconds: 10, memory_mb: 300}\n")
    environment = {"SHAREWATCH_LOCATE": "5", "SHAREWATCH_LIMITS_MEMORY_MB": "400"}
    settings = load(file, environment, {"jobs": 7, "model": None})
    assert (settings.jobs, settings.locate) == (7, 5)
    assert (settings.limits.item_seconds, settings.limits.memory_mb) == (10.0, 400)
    assert settings.model == Settings().model


def test_every_problem_is_listed(tmp_path: Path) -> None:
    """A misspelt key is named with its neighbour, and wrong values are told beside it."""
    file = tmp_path / "settings.yaml"
    file.write_text("jbos: 2\nlocate: many\nlimits: {item_second: 10, columns: -1}\n")
    with pytest.raises(ConfigError) as caught:
        load(file, {})
    text = "\n".join(caught.value.problems)
    assert len(caught.value.problems) == 4
    assert "did you mean 'jobs'" in text
    assert "did you mean 'limits.item_seconds'" in text or "did you mean 'item_seconds'" in text
    assert "limits.columns" in text


@pytest.mark.parametrize("content", ["- a\n- b\n", "{: :", "limits: 3\n", "jobs: true\n"])
def test_nonsense_is_refused(tmp_path: Path, content: str) -> None:
    """A file that is no mapping, no YAML, or of wrong types is an error, never a default."""
    file = tmp_path / "settings.yaml"
    file.write_text(content)
    with pytest.raises(ConfigError):
        load(file, {})


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    """An empty file means the defaults; a missing one is an error."""
    file = tmp_path / "settings.yaml"
    file.write_text("")
    assert load(file, {}) == Settings(limits=Limits())
    with pytest.raises(ConfigError):
        load(tmp_path / "missing.yaml", {})


def test_lists_come_from_commas_or_lists() -> None:
    """``regions`` from the environment is a comma-separated list."""
    assert load(None, {"SHAREWATCH_REGIONS": "SE, NO"}).regions == ("SE", "NO")
