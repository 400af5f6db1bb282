"""Policy files: every problem at once and in its place, near names suggested, nothing crashes."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from scanner import resources
from scanner.model import Form
from scanner.policy.draft import draft
from scanner.policy.explain import explain
from scanner.policy.loading import PolicyError, load, loads
from scanner.policy.schema import schema
from tests.reports.factory import report

TODAY = date(2026, 6, 1)
WRONG = """\
version: 2
organisatoin: Example
defaults:
  unlisted: forbid
  confidence: {over_shared: 0.3, review: 0.9}
vendors:
  - id: acme
    paths: [/abs/**]
    allow:
      - user.contact.emial
      - EMAIL_ADDRESS
      - {category: user.name, form: hashd}
    never: [user.goverment_id]
    limits: {people: many}
    agreement: {ref: A, expires: soon}
  - id: acme
    name: Again
    exceptions:
      - {column: email, until: 2027-01-01}
"""


def _problems(text: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        loads(text, "p.yaml", TODAY)
    return caught.value.problems


def test_all_problems_are_listed_in_their_places() -> None:
    """Fourteen mistakes give fourteen sentences, in the file's order, each with line and column."""
    problems = _problems(WRONG)
    places = [problem.split(": ")[0] for problem in problems]
    assert places == [
        "p.yaml:1:10",
        "p.yaml:2:1",
        "p.yaml:4:13",
        "p.yaml:5:15",
        "p.yaml:8:13",
        "p.yaml:10:9",
        "p.yaml:11:9",
        "p.yaml:12:37",
        "p.yaml:13:13",
        "p.yaml:14:22",
        "p.yaml:15:34",
        "p.yaml:16:5",
        "p.yaml:16:9",
        "p.yaml:19:9",
    ]


@pytest.mark.parametrize(
    ("line", "suggestion"),
    [
        (2, "'organisation'"),
        (10, "'user.contact.email'"),
        (11, "'user.contact.email'"),
        (12, "'hashed'"),
        (13, "'user.government_id'"),
    ],
)
def test_near_names_are_suggested(line: int, suggestion: str) -> None:
    """A misspelt key, category or form is answered with the one that was meant."""
    problem = next(each for each in _problems(WRONG) if each.startswith(f"p.yaml:{line}:"))
    assert f"did you mean {suggestion}" in problem


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "empty"),
        ("- a\n", "mapping"),
        ("version: [", "YAML"),
        ("version: 1\n", "'vendors'"),
        ("version: 1\nvendors: 3\n", "list"),
        ("version: 1\nversion: 1\nvendors: []\n", "twice"),
        ("version: 1\nvendors:\n  - {id: a b, paths: [x]}\n", "letters"),
        ("version: 1\nvendors:\n  - {id: a, paths: []}\n", "empty"),
        ("version: 1\nvendors:\n  - {id: a, paths: [x/../y]}\n", "relative"),
        ("version: 1\nvendors:\n  - {id: a, paths: [./x]}\n", "relative"),
        ("version: 1\nvendors:\n  - {id: a, paths: ['x/[z-a]']}\n", "set of characters"),
        ("version: 1\nvendors:\n  - {id: a, paths: [x], allow: [{category: user, form: []}]}\n", "'form'"),
        (
            "version: 1\nvendors:\n  - {id: a, paths: [x], exceptions: [{until: 2030-01-01, ticket: T}]}\n",
            "name a table",
        ),
        (
            "a: &a [x,x,x,x,x,x,x,x,x]\n"
            + "".join(
                f"{c}: &{c} [{','.join(['*' + p] * 9)}]\n" for p, c in zip("abcdefg", "bcdefgh", strict=True)
            ),
            "aliases",
        ),
    ],
)
def test_nonsense_is_told(text: str, word: str) -> None:
    """Empty files, wrong shapes, repeated keys and bombs of aliases are problems, not crashes."""
    assert any(word in problem for problem in _problems(text))


def test_unreadable_files_are_told(tmp_path: Path) -> None:
    """A missing file, and one that is no text."""
    with pytest.raises(PolicyError, match="cannot be read"):
        load(tmp_path / "missing.yaml")
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00policy")
    with pytest.raises(PolicyError, match="UTF-8"):
        load(binary)


def test_warnings_do_not_stop_the_loading() -> None:
    """Overlapping paths, an agreement and an exception that have ended, a vendor that may have nothing."""
    loaded = loads(
        """\
version: 1
vendors:
  - id: one
    paths: ["a/**"]
    agreement: {ref: R, expires: 2026-01-01}
    allow: [user.name]
    exceptions: [{column: email, until: '2026-05-31', ticket: T-1}]
  - {id: two, paths: ["a/b/*.csv", "c/**"]}
""",
        "p.yaml",
        TODAY,
    )
    text = "\n".join(loaded.warnings)
    assert len(loaded.warnings) == 4
    for words in ("agreement R", "T-1", "overlaps 'a/**' of 'one'", "no 'allow'"):
        assert words in text
    assert loaded.policy.vendor_of("a/b/x.csv") is loaded.policy.vendor("one")


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ("*/in/**", "b/**", "which stands first and wins"),
        ("**/old/**", "b/**", "which stands first and wins"),
        ("a*", "*b", "which stands first and wins"),
        ("acme/**", "acme/*.csv", "can never win"),
        ("acme/**", "acme\\**", "backslash"),
        ("acme/**", "acme2/**", None),
    ],
)
def test_paths_that_meet_are_told(first: str, second: str, words: str | None) -> None:
    """Wildcards on both sides are compared, and a pattern that another takes all of is named as such."""
    text = f"version: 1\nvendors:\n  - {{id: one, paths: ['{first}'], allow: []}}\n"
    warnings = loads(text + f"  - {{id: two, paths: ['{second}'], allow: []}}\n", "p.yaml", TODAY).warnings
    assert len(warnings) == (words is not None)
    assert all(words in warning for warning in warnings if words)


def test_forms_dates_and_defaults_are_read() -> None:
    """One form or several, dates quoted or not, and what is left out is as documented."""
    loaded = loads(
        "version: 1\nvendors:\n  - id: v\n    paths: ['v/**']\n    allow:\n"
        "      - {category: user.contact.email, form: [hashed, masked]}\n"
        "      - {category: user.name, form: clear}\n",
        "p.yaml",
        TODAY,
    )
    allow = loaded.policy.vendors[0].allow
    assert [each.forms for each in allow] == [frozenset({Form.HASHED, Form.MASKED}), frozenset({Form.CLEAR})]
    assert loaded.policy.defaults.confidence.over_shared == 0.80
    assert loaded.warnings == ()


@pytest.mark.parametrize(
    "file", sorted(resources.path("rules", "policies").glob("*.yaml")), ids=lambda p: p.name
)
def test_shipped_policies_are_valid(file: Path) -> None:
    """Every shipped example loads without a warning and satisfies the published schema."""
    assert load(file, TODAY).warnings == ()
    data = yaml.load(file.read_text(), yaml.BaseLoader)
    plain = yaml.safe_load(file.read_text()) | {
        "vendors": _with_text_dates(data["vendors"], yaml.safe_load(file.read_text())["vendors"])
    }
    jsonschema.Draft202012Validator(schema()).validate(json.loads(json.dumps(plain, default=str)))


def _with_text_dates(_: object, vendors: object) -> object:
    return json.loads(json.dumps(vendors, default=str))


def test_the_schema_refuses_what_the_loader_refuses() -> None:
    """Unknown keys and categories are errors in an editor too."""
    validator = jsonschema.Draft202012Validator(schema())
    good = {"version": 1, "vendors": [{"id": "a", "paths": ["a/**"], "allow": ["user.name"]}]}
    assert validator.is_valid(good)
    assert not validator.is_valid({**good, "vendor": []})
    assert not validator.is_valid(
        {**good, "vendors": [{"id": "a", "paths": ["a/**"], "allow": ["user.nmae"]}]}
    )


def test_a_draft_loads_and_allows_what_is_there() -> None:
    """What ``policy init`` writes is a valid policy whose vendors are the top-level folders."""
    outcomes = report().outcomes
    text = draft(outcomes, 'Some "company": GmbH')
    policy = loads(text, "draft.yaml", TODAY).policy
    tops = {outcome.path.partition("/")[0] for outcome in outcomes if "/" in outcome.path}
    assert policy.organisation == 'Some "company": GmbH'
    assert len(policy.vendors) == len(tops)
    for outcome in outcomes:
        if "/" in outcome.path and "\udc80" not in outcome.path:
            assert policy.vendor_of(outcome.path) is not None
    assert loads(draft((), "Nobody"), "draft.yaml", TODAY).policy.vendors == ()


def test_folders_of_like_names_get_ids_of_their_own() -> None:
    """A folder ``1`` and one named as the id made for it."""
    outcomes = [replace(report().outcomes[0], path=path) for path in ("1/a.csv", "vendor-1/a.csv")]
    policy = loads(draft(outcomes, "Example"), "draft.yaml", TODAY).policy
    assert len({vendor.id for vendor in policy.vendors}) == 2


def test_a_path_is_explained() -> None:
    """Which vendor, by which pattern, and what may lie there; and what lies under nobody's folder."""
    policy = load(resources.path("examples", "policy.yaml"), TODAY).policy
    told = explain(policy, "ringline/2026/x.csv")
    assert (told.vendor, told.pattern) == ("ringline", "ringline/**")
    assert "user.contact.email (email addresses), only hashed" in told.text
    assert "never         user.financial" in told.text
    nobody = explain(policy, "elsewhere/x.csv")
    assert nobody.vendor is None
    assert "is over-shared (defaults.unassigned: deny)" in nobody.text


_words = st.sampled_from(
    [
        "version",
        "vendors",
        "id",
        "paths",
        "allow",
        "user.name",
        "1",
        ":",
        "-",
        "[",
        "]",
        "{",
        "}",
        "\n",
        "  ",
        "a/**",
        "&a",
        "*a",
    ]
)


@given(st.one_of(st.text(max_size=80), st.lists(_words, max_size=40).map(" ".join)))
def test_any_text_loads_or_is_refused(text: str) -> None:
    """Whatever a file holds, the answer is a policy or a list of problems."""
    try:
        problems = ["none"] if loads(text, "p.yaml", TODAY) else []
    except PolicyError as error:
        problems = error.problems
    assert problems
