"""The HTML report is one safe, self-contained, well-formed page that leaves nothing out."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from scanner.model import Report
from scanner.reports import wording
from tests.reports import factory
from tests.reports.reading import rendered

_VOID = {"meta", "wbr", "br", "hr", "img", "link", "input"}
_ALLOWED = {
    *("html", "head", "meta", "title", "style", "body", "header", "main", "section", "article"),
    *("h1", "h2", "h3", "p", "ul", "li", "dl", "dt", "dd", "div", "details", "summary"),
    *("span", "strong", "em", "small", "code", "bdi", "abbr", "time", "wbr"),
    *("table", "caption", "thead", "tbody", "tr", "th", "td"),
}


class Page(HTMLParser):
    """Collects elements, attributes and text, and checks that every element is closed in order."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """It must be the innermost open one."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Note text outside the style sheet."""
        if "style" not in self.open:
            self.text += data

    @property
    def flat(self) -> str:
        """Its text with single blanks."""
        return " ".join(self.text.split())


@pytest.fixture(params=["full", "explain", "bare", "clean", "nothing"], scope="module", name="source")
def any_page(request: pytest.FixtureRequest) -> str:
    """The page of each made-up report."""
    made: dict[str, Report] = {
        "full": factory.report(),
        "explain": factory.report(explain=True),
        "bare": factory.without_policy(),
        "clean": factory.clean(),
        "nothing": factory.nothing(),
    }
    return rendered("html", made[request.param])


def test_well_formed(source: str) -> None:
    """Elements nest, all are closed, and only expected ones occur, whatever the names."""
    page = Page(source)
    assert page.open == []
    assert {tag for tag, _ in page.tags} <= _ALLOWED


def test_self_contained(source: str) -> None:
    """Nothing is fetched, run or styled from outside: no address, no handler, no style attribute."""
    for tag, attributes in Page(source).tags:
        assert not {"src", "href", "style", "srcset", "action"} & set(attributes), tag
        assert not [name for name in attributes if name.startswith("on")]
    style = re.search(r"<style>(.*?)</style>", source, re.DOTALL)
    assert style
    assert "url(" not in style[1]
    assert "@import" not in style[1]


def test_content_security_policy(source: str) -> None:
    """The policy forbids everything but the page's own style sheet, by its hash."""
    policy = next(
        a["content"] for t, a in Page(source).tags if a.get("http-equiv") == "Content-Security-Policy"
    )
    style = re.search(r"<style>(.*?)</style>", source, re.DOTALL)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def test_hostile_names_are_text() -> None:
    """Markup, links, controls and bidirectional characters in names come out as visible text."""
    source = rendered("html", factory.report())
    assert "<script" not in source
    assert "<KG>" not in source
    page = Page(source)
    assert factory.SCRIPT in page.text
    assert factory.FORMULA in page.text
    assert "Paperworks & Söhne <KG>" in page.text
    assert r"red\x1b[31m\x9b31m\x0aline" in page.text
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", source)


@pytest.mark.parametrize(
    "field", ["path", "member", "part", "column", "because", "remedy", "rule", "category", "entity_type"]
)
def test_every_field_of_a_finding_is_escaped(field: str) -> None:
    """No field of a finding can break out of its element or attribute."""
    evil = """"'><img src=x onerror=alert(1)>"""
    source = rendered("html", factory.report(findings=(factory.finding(1, **{field: evil}),)))
    assert "<img" not in source
    assert Page(source).open == []


def test_every_name_in_the_inventory_is_escaped() -> None:
    """No name in a file's tables, samples, signals and gaps can break out either."""
    evil = """"'><img src=x onerror=alert(1)>"""
    from scanner.model import Gap, Outcome, Reason, Stage, Status, Table, Text

    found = factory.evidence(evil, evil, 3, signals=(evil,), samples=(evil,))
    outcome = Outcome(
        evil, evil, evil, 1, evil, Status.PARTIAL,
        gaps=(Gap(Stage.READ, Reason.CORRUPT, evil, evil),),
        tables=(Table(evil, 1, (factory.column(evil, 0, 1, found, found),)),),
        texts=(Text(evil, 3, (found,)),), containers=(evil,),
    )  # fmt: skip
    source = rendered(
        "html", factory.report(outcomes=(outcome,), vendors=(evil,), findings=(), policy_name=evil)
    )
    assert "<img" not in source
    page = Page(source)
    assert page.open == []
    assert page.text.count(evil) > 10


def test_says_everything() -> None:
    """Headline, every finding, field, gap and fact of the scan are on the page."""
    report = factory.report()
    page = Page(rendered("html", report)).flat
    assert "3 vendors hold personal data of about 1,204 people; 1 holds more than the policy allows." in page
    for finding in report.findings:
        assert wording.sentence(finding.because) in page
        assert wording.sentence(finding.remedy) in page
    for outcome in report.outcomes:
        for gap in outcome.gaps:
            assert gap.intentional or gap.detail in page
        for table in outcome.tables:
            for column in table.columns:
                assert wording.name(column.name) in page
    for fact in (report.info.rules_digest, str(report.info.policy_digest), report.info.model, report.info.id):
        assert fact in page


def test_worst_finding_first() -> None:
    """Findings come worst first, whatever their order in the report."""
    source = rendered("html", factory.report())
    order = re.findall(r'<tr class="(critical|high|medium|low)">', source)
    assert order == ["critical", "critical", "high", "high", "medium", "medium", "low", "medium", "low"]


def test_uncertain_people_have_an_interval() -> None:
    """Where the number of people is not exact, the page shows the interval."""
    page = Page(rendered("html", factory.report())).flat
    assert "~620 people 600 to 640" in page
    assert "980 people" in page


def test_unread_items_are_not_called_harmless() -> None:
    """An item that could not be read is among the gaps, not among those without personal data."""
    source = rendered("html", factory.report())
    harmless = re.search(r'<ul class="others">.*?</ul>', source, re.DOTALL)
    assert harmless
    assert "scan.tif" not in harmless[0]
    assert "readme.txt" in harmless[0]


def test_tables_have_heads(source: str) -> None:
    """Every cell of a table's head names its scope, for those who listen to the page."""
    heads = [attributes for tag, attributes in Page(source).tags if tag == "th"]
    assert all(attributes.get("scope") in {"col", "row", "rowgroup"} for attributes in heads)


def test_one_language_and_one_first_heading(source: str) -> None:
    """The page has a language, a title, and a single first heading: the verdict."""
    tags = Page(source).tags
    assert ("html", {"lang": "en"}) in tags
    assert [tag for tag, _ in tags].count("h1") == 1
    assert [tag for tag, _ in tags].count("title") == 1


def _luminance(colour: str) -> float:
    digits = colour.removeprefix("#")
    digits = "".join(2 * digit for digit in digits) if len(digits) == 3 else digits
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", [0, 1, 2])
def test_contrast(theme: int) -> None:
    """In the light, dark and printed theme text stands out at 4.5 to 1 (WCAG 2.2, level AA)."""
    source = rendered("html", factory.nothing())
    block = re.findall(r":root \{(.*?)\}", source, re.DOTALL)[theme]
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6})", block))
    pairs = [("ink", "page"), ("ink", "sheet"), ("soft", "page"), ("soft", "sheet"), ("soft", "wash")]
    pairs += [(kind, f"{kind}-wash") for kind in ("critical", "high", "medium", "low", "good", "grey")]
    for text, ground in pairs:
        bright, dark = sorted((_luminance(colours[text]), _luminance(colours[ground])), reverse=True)
        assert (bright + 0.05) / (dark + 0.05) >= 4.5, (text, ground)
