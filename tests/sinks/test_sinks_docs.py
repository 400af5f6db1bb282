"""The page on sinks is true: its example is a configuration, and no setting is left out."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
import yaml

from scanner.events import KINDS
from scanner.sinks.base import Common
from scanner.sinks.config import _types, build
from tests.sinks.server import authority

_PAGE = (Path(__file__).resolve().parents[2] / "docs" / "sinks.md").read_text("utf-8")


def test_the_example_is_a_configuration(tmp_path: Path) -> None:
    """With its files in a folder that is there, it is taken as it stands."""
    example = re.search(r"```yaml\n(sinks:.*?)```", _PAGE, re.DOTALL)
    assert example is not None
    text = re.sub(r"/(?:etc|var/log)/sharewatch/", f"{tmp_path}/", example[1])
    for name in ("webhook.key", "hec.token", "search.secret"):
        (tmp_path / name).write_text("a-secret-of-some-length")
        (tmp_path / name).chmod(0o600)
    authority(tmp_path)
    sinks = build(yaml.safe_load(text)["sinks"])
    assert [sink.type for sink in sinks] == list(_types())


@pytest.mark.parametrize("kind", sorted(_types()))
def test_every_setting_is_described(kind: str) -> None:
    """On the page, with its default."""
    section = _PAGE.partition(f"### `{kind}`")[2].partition("\n#")[0]
    for each in dataclasses.fields(_types()[kind][1]):
        assert f"`{each.name}`" in section, each.name
        if isinstance(each.default, (int, str)) and not isinstance(each.default, bool) and each.default:
            assert f"`{each.default}`" in section or f"({each.default:g})" in section, each.name


def test_common_settings_and_events_are_described() -> None:
    """All of them."""
    for each in dataclasses.fields(Common):
        assert f"`{'events' if each.name == 'kinds' else each.name}`" in _PAGE
    for kind in KINDS:
        assert f"`{kind}`" in _PAGE
