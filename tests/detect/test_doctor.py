"""The doctor's checks: each answers, and says how to mend what is wrong."""

from __future__ import annotations

import pytest

from scanner.config import Settings
from scanner.detect import doctor, language_model
from scanner.detect.doctor import Health


def by_name(settings: Settings) -> dict[str, doctor.Check]:
    return {check.name: check for check in doctor.checks(settings)}


def test_a_sound_installation_has_no_failure() -> None:
    """Here, where the tests run, nothing fails, and whatever is not ok comes with advice."""
    checks = by_name(Settings())
    assert {check.name for check in checks.values() if check.health is Health.FAIL} == set()
    assert all(check.mend for check in checks.values() if check.health is not Health.OK)
    assert checks["language model"].detail == "en_core_web_sm 3.8.0, weights verified"


@pytest.mark.parametrize(
    ("settings", "name", "health"),
    [
        (Settings(model="absent"), "language model", Health.FAIL),
        (Settings(model="none"), "language model", Health.WARN),
        (Settings(regions=("DE", "XX")), "phone regions", Health.FAIL),
        (Settings(jobs=100_000), "memory limit", Health.WARN),
    ],
)
def test_wrong_settings_are_told_with_a_remedy(settings: Settings, name: str, health: Health) -> None:
    """Each check sees what it is there for."""
    check = by_name(settings)[name]
    assert check.health is health
    assert check.mend


def test_a_check_that_breaks_is_a_failed_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken installation is the answer, not a traceback."""

    def broken(_: str) -> None:
        raise OSError("disk")

    monkeypatch.setattr(language_model, "verify_model", broken)
    check = by_name(Settings())["language model"]
    assert check.health is Health.FAIL
    assert "OSError" in check.detail
