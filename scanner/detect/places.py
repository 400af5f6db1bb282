"""Which values of a sample are streets, postal codes, cities, regions and countries."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, lru_cache

import numpy as np

from scanner.detect.lexicon import bit, memberships
from scanner.detect.sample import Flags, Sample, word_set

# --- postal codes -------------------------------------------------------------------------------------------

#: How postal codes are written, by country: the Universal Postal Union's addressing guides. ``.0`` and lost
#: leading zeros, as spreadsheets leave them, are added by `_variants`.
POSTAL: dict[str, str] = {
    "US": r"\d{5}(?:[- ]?\d{4})?",
    "CA": r"[ABCEGHJ-NPRSTVXY]\d[A-Z][ -]?\d[A-Z]\d|[ABCEGHJ-NPRSTVXY]\d[A-Z]",
    "MX": r"\d{5}",
    "BR": r"\d{2}\.?\d{3}-?\d{3}",
    "AR": r"[A-HJ-NP-Z]?\d{4}(?:[A-Z]{3})?",
    "CL": r"\d{3}-?\d{4}",
    "CO": r"\d{6}",
    "PE": r"\d{5}|LIMA \d{1,2}",
    "EC": r"\d{6}",
    "GB": r"(?:GIR ?0AA|[A-PR-UWYZ](?:\d{1,2}|[A-HK-Y]\d{1,2}|\d[A-HJKPSTUW]|[A-HK-Y]\d[A-Z])"
    r" ?\d[ABD-HJLNP-UW-Z]{2})"
    r"|[A-PR-UWYZ][A-HK-Y]?\d[\dA-Z]?",
    "IE": r"(?:[AC-FHKNPRTV-Y]\d{2}|D6W) ?[0-9AC-FHKNPRTV-Y]{4}",
    "DE": r"(?:D-|DE-)?(?:0[1-9]|[1-9]\d)\d{3}",
    "FR": r"(?:F-)?(?:0[1-9]|[1-8]\d|9[0-8])\d{3}(?: CEDEX(?: \d{1,2})?)?",
    "ES": r"(?:E-)?(?:0[1-9]|[1-4]\d|5[0-2])\d{3}",
    "IT": r"(?:I-|IT-)?\d{5}",
    "PT": r"\d{4}(?:[- ]?\d{3})?",
    "NL": r"[1-9]\d{3} ?[A-Z]{2}",
    "BE": r"(?:B-|BE-)?[1-9]\d{3}",
    "LU": r"(?:L-?)?\d{4}",
    "CH": r"(?:CH-)?[1-9]\d{3}",
    "AT": r"(?:A-|AT-)?[1-9]\d{3}",
    "DK": r"(?:DK-)?\d{4}",
    "NO": r"(?:N-|NO-)?\d{4}",
    "SE": r"(?:S-|SE-)?[1-9]\d{2} ?\d{2}",
    "FI": r"(?:FI-)?\d{5}",
    "IS": r"(?:IS-)?\d{3}",
    "PL": r"\d{2}-?\d{3}",
    "CZ": r"[1-7]\d{2} ?\d{2}",
    "SK": r"[089]\d{2} ?\d{2}",
    "HU": r"(?:H-)?[1-9]\d{3}",
    "RO": r"\d{6}",
    "BG": r"[1-9]\d{3}",
    "GR": r"(?:GR-)?[1-8]\d{2} ?\d{2}",
    "HR": r"(?:HR-)?[1-5]\d{4}",
    "SI": r"(?:SI-)?[1-9]\d{3}",
    "RS": r"[1-3]\d{4}",
    "EE": r"\d{5}",
    "LV": r"LV-?\d{4}",
    "LT": r"(?:LT-?)?\d{5}",
    "UA": r"\d{5}",
    "RU": r"\d{6}",
    "TR": r"(?:0[1-9]|[1-7]\d|8[01])\d{3}",
    "MT": r"[A-Z]{3} ?\d{4}",
    "CY": r"\d{4}",
    "IN": r"[1-9]\d{2} ?\d{3}",
    "CN": r"\d{6}",
    "JP": r"\d{3}-?\d{4}",
    "KR": r"\d{5}|\d{3}-\d{3}",
    "AU": r"0[289]\d{2}|[1-9]\d{3}",
    "NZ": r"\d{4}",
    "ZA": r"\d{4}",
    "SG": r"\d{6}",
    "IL": r"\d{5}(?:\d{2})?",
    "PR": r"00[679]\d{2}(?:-?\d{4})?",
}
# A spreadsheet drops leading zeros of these: the shorter number stands for them.
_ZEROS = {
    "US": r"[1-9]\d{2,3}|[1-9]\d{6,7}",
    "DE": r"[1-9]\d{3}",
    "FR": r"[1-9]\d{3}",
    "ES": r"[1-9]\d{3}",
    "IT": r"[1-9]\d{1,3}",
    "MX": r"[1-9]\d{3}",
    "BR": r"[1-9]\d{6}",
    "FI": r"[1-9]\d{2,3}",
    "TR": r"[1-9]\d{3}",
    "PL": r"[1-9]\d{2,3}",
    "NO": r"[1-9]\d{2}",
    "DK": r"[1-9]\d{2}",
    "AU": r"[289]\d{2}",
    "SK": r"[89]\d{2,3}",
    "PT": r"[1-9]\d{2}",
}
#: Lost zeros are believed where at least this share of a column is whole.
_WHOLE_SHARE = 0.5
#: A country that writes fewer of a column's values than this is a coincidence.
_MOST_COUNTRIES = 4
_LEAST_SHARE = 0.05
_RUN = 30
_RUN_DENSITY = 0.9
#: Values that vote on the country; the sample is in random order.
_VOTERS = 96


def postal_country(sample: Sample) -> tuple[str, float]:
    """The country whose postal codes most of the values are written as, and their share."""
    if not len(sample) or not _may_be_postal(sample):
        return "", 0.0
    found = _votes(sample)
    country = max(found, key=lambda each: int(found[each].sum()))
    return country, float(found[country].mean())


def is_postal(sample: Sample) -> Flags:
    """Values in the format of the column's country, or of the few countries that make it up.

    Numbers in a run (keys that were counted up) are none, nor is a column of numbers of all lengths.
    """
    out = np.zeros(len(sample), np.bool_)
    if not _may_be_postal(sample) or _counted_up(sample) or _ragged(sample):
        return out
    values = _written(sample)
    votes = _votes(sample)
    open_ = np.ones(min(len(values), _VOTERS), np.bool_)
    for _ in range(_MOST_COUNTRIES):
        country = max(votes, key=lambda each: int((votes[each] & open_).sum()))
        if (votes[country] & open_).sum() < max(1, _LEAST_SHARE * len(open_)):
            break
        open_ &= ~votes[country]
        out |= _in_format(country, values)
    return out


_ANY_POSTAL = re.compile(
    r"(?i)(?:[a-z]{1,2}-)?(?:\d{3,9}|\d{2,5}[ .-]?\d{2,4}(?:-\d{3})?"
    r"|(?=[a-z0-9 -]*\d)[a-z0-9]{2,5}[ -]?[a-z0-9]{0,5})(?:\.0| cedex(?: \d+)?)?"
)


def _may_be_postal(sample: Sample) -> bool:
    return bool(len(sample)) and float(sample.matching(_ANY_POSTAL, sample.numbered).mean()) >= _LEAST_SHARE


def _written(sample: Sample) -> list[str]:
    return [value.upper().removesuffix(".0") for value in sample.values]


def _votes(sample: Sample) -> dict[str, Flags]:
    """Which of the voters each country's format fits; not to be changed."""
    return _voted(tuple(_written(sample)[:_VOTERS]))


# Few: a column's tests come one after the other, and what is kept here is personal.
@lru_cache(maxsize=2)
def _voted(voters: tuple[str, ...]) -> dict[str, Flags]:
    return {country: _in_format(country, list(voters)) for country in _compiled_postal()}


def _in_format(country: str, values: list[str]) -> Flags:
    whole, cut = _compiled_postal()[country]
    flags = np.fromiter((whole.fullmatch(v) is not None for v in values), np.bool_, len(values))
    if cut is not None and flags.mean() >= _WHOLE_SHARE and not flags.all():
        flags |= np.fromiter((cut.fullmatch(v) is not None for v in values), np.bool_, len(values))
    return flags


@cache
def _compiled_postal() -> dict[str, tuple[re.Pattern[str], re.Pattern[str] | None]]:
    seen: dict[tuple[str, str | None], str] = {}
    for country, pattern in POSTAL.items():
        seen.setdefault((pattern, _ZEROS.get(country)), country)
    return {
        country: (re.compile(pattern), re.compile(cut) if cut else None)
        for (pattern, cut), country in seen.items()
    }


def _counted_up(sample: Sample) -> bool:
    numbers = sample.integers
    if len(numbers) < max(_RUN, 0.9 * len(sample)):
        return False
    density = len(numbers) / (int(numbers[-1]) - int(numbers[0]) + 1)
    return density >= _RUN_DENSITY and int(numbers[-1]) - int(numbers[0]) > 100


def _ragged(sample: Sample) -> bool:
    """Whole numbers whose lengths spread as those of keys or amounts do: no length has half of them."""
    numbers = sample.integers
    if len(numbers) < max(8, 0.9 * len(sample)):
        return False
    lengths = np.bincount([len(str(abs(int(number)))) for number in numbers])
    zip_and_four = lengths[5:6].sum() + lengths[9:10].sum() + lengths[4:5].sum() + lengths[8:9].sum()
    return int(lengths.max()) * 2 < len(numbers) and zip_and_four < 0.9 * len(numbers)


# --- cities, regions, countries -----------------------------------------------------------------------------

_LONGEST_CITY = 100
_MAY_HAVE_TAIL = re.compile(r"[,(\d/]| - |cedex", re.IGNORECASE)
_CITY_TAIL = re.compile(r"(?:,.*|\(.*|\d+|\bcedex\b.*|/.*| - .*)$")


def is_city(sample: Sample) -> Flags:
    """Values that the list of cities holds, also with a region, a district or a number after the name."""
    found = sample.whole_in("cities")
    return _with_heads(sample, found, "cities")


def is_region(sample: Sample) -> Flags:
    """Values that the list of regions holds; a number alone is none."""
    return sample.whole_in("regions") & (sample.letters > 0)


def is_country(sample: Sample) -> Flags:
    """Values that the list of countries holds: names in many languages, ISO codes."""
    return sample.whole_in("countries")


def _with_heads(sample: Sample, found: Flags, name: str) -> Flags:
    open_ = np.flatnonzero(~found & (sample.lengths <= _LONGEST_CITY) & sample.finding(_MAY_HAVE_TAIL))
    heads = [_CITY_TAIL.sub("", sample.folded[index]).strip() for index in open_]
    out = found.copy()
    out[open_] = (memberships(heads) & bit(name)) != 0
    return out


# --- streets ------------------------------------------------------------------------------------------------

_TIGHT = (
    "strasse|straße|str|gasse|weg|platz|allee|damm|ring|ufer|steig|chaussee|promenade|gaten|gata|gatan|gate|vegen"
    "|veien|vägen|vei|veg|väg|vej|gade|stræde|alle|gränd|katu|tie|kuja|polku|kaari|straat|laan|plein|kade|gracht|dijk"
    "|singel|dreef|hof|steeg|utca|út|ulica|cesta|trg|tänav|maantee|iela|gatvė"
)
_GLUED = re.compile(rf"[^\W\d_]{{2,}}(?:{_TIGHT})$")
_NUMBER = re.compile(r"\d")
_BOX = re.compile(
    r"(?:p\.? ?o\.? ?box|post ?box|postfach|postbus|postboks|boks|box|b\.?p\.?|bo[iî]te postale|apartado"
    r"|aptdo|apdo|a\.?p\.?|caixa postal|c\.?p\.?|casella postale|skrytka pocztowa|skr\. poczt|pl|postilokero"
    r"|p\.? ?f\.?|t\.?k\.?|locked bag|private bag|gpo box|rr|hc) ?(?:nr\.?|no\.?|n°|#)? ?\d{1,7}(?:[ ,].*)?"
)
_CARE_OF = re.compile(r"(?:c/o|z\. ?hd\.?|attn\.?|a/c|p/a|bei|chez|presso)[ /].+")
_UNIT = re.compile(
    r"(?:apt|apartment|unit|suite|ste|flat|floor|fl|bldg|building|room|rm|lot|trlr|appt|appartement|bât|bâtiment"
    r"|étage|piso|depto|dpto|puerta|apto|bloco|bl|andar|sala|scala|interno|int|wohnung|whg|etage|top|stiege"
    r"|lokal|lok|m|daire|kat|no|h\.? ?no|house no|plot no|plot|door no|d\.? ?no|flat no|shop no)"
    r"\.? ?#? ?[\w/-]{1,8}"
)
#: Words that stand beside a number in addresses of India, Latin America and elsewhere.
_LOCAL = word_set(
    """
    nagar marg road rd lane colony sector block phase layout cross main enclave vihar bagh bazar bazaar
    chowk gali mohalla puram puri pur ganj society apartments apartment floor plot opp near behind
    village post tehsil taluka dist district mandal calle cl cra cr carrera kr av avda avenida
    transversal tv diagonal dg mz manzana lote lt urb urbanizacion col colonia barrio bo jr jiron pje
    pasaje psje rua r alameda al travessa rodovia rod estrada praca pca quadra qd conjunto cj setor vila
    via viale piazza p.za corso c.so largo vicolo rue bd boulevard av. ave chemin impasse allee quai
    place pl route rte cours square passage ul ulica aleja os osiedle plac nam namesti ulice tr trida
    sok sokak cad caddesi cd mah mahallesi bulvari blv no
    """
)


def is_street(sample: Sample) -> Flags:
    """Values that read as a street with a number, a post box, a unit of a house or a whole address.

    A street's type may be a word of its own before or after the name (``Main Street 5``, ``12 rue Molière``)
    or the end of one (``Hauptstraße 5``, ``Kungsgatan 3``); it must stand beside a number and a name.
    """
    numbered = (sample.digits > 0) & (sample.letters > 0)
    asked = numbered[sample.parents] & sample.long_words
    typed = sample.word_in("street_words") | _flags(sample, asked, _LOCAL.__contains__)
    endings = _flags(sample, asked, lambda word: _GLUED.search(word) is not None)
    has_type = sample.count(typed & sample.long_words) > 0
    glued = sample.count(endings) > 0
    sizes = sample.sizes
    street = numbered & _plain(sample) & (((sizes >= 3) & has_type) | ((sizes >= 2) & glued))
    return street | _special(sample)


#: Types of streets that are ordinary words as well and yet say so beside a number.
_TYPES = word_set(
    """
    street road avenue drive court place square way walk rise view hill highway close rue cours chemin sentier
    via corso piazza strada calle plaza weg platz strasse straße str straat plein vej ulica ulice plac cesta
    náměstí namesti trida třída sok rod droga улица
    """
)
_MOST_STREET_WORDS = 20
_NUMBER_WORD = re.compile(r"\d[\w/]{0,5}")


def is_sure_street(sample: Sample) -> Flags:
    """Values laid out as an address is: the number first and a street's type soon after, or behind it."""
    out = np.zeros(len(sample), np.bool_)
    possible = (sample.digits > 0) & (sample.sizes >= 2) & (sample.sizes <= _MOST_STREET_WORDS)
    ordinary = sample.word_in("common_words", "not_person_words", "thing_words")
    typed = (
        sample.word_in("street_words")
        & sample.long_words
        & (~ordinary | _flags(sample, ordinary, _TYPES.__contains__))
    )
    starts = np.cumsum(sample.sizes) - sample.sizes
    for index in np.flatnonzero(possible & _plain(sample)).tolist():
        start, size = int(starts[index]), int(sample.sizes[index])
        words = sample.words[start : start + size]
        out[index] = _laid_out(words, typed[start : start + size].tolist())
    return out


def _laid_out(words: list[str], typed: list[bool]) -> bool:
    numbers = [place for place, word in enumerate(words) if _NUMBER_WORD.fullmatch(word)]
    types = [place for place, flag in enumerate(typed) if flag]
    if not numbers:
        return False
    before = numbers[0] == 0 and len(words) > 2 and any(1 <= place <= 4 for place in types)
    if before or any(_GLUED.search(word) and place + 1 in numbers for place, word in enumerate(words)):
        return True
    # ``Calle Mayor 3``: the type first; ``Main Street 5``: just before the number.
    opening = any(place <= 1 for place in types) and any(2 <= place <= 6 for place in numbers)
    return opening or any(place + 1 in numbers and place > 0 for place in types)


def _flags(sample: Sample, asked: Flags, test: Callable[[str], bool]) -> Flags:
    """Which of the words that are asked for pass a test."""
    out = np.zeros(len(sample.words), np.bool_)
    for index in np.flatnonzero(asked).tolist():
        out[index] = test(sample.words[index])
    return out


_LONGEST_LINE = 120


def _special(sample: Sample) -> Flags:
    """Post boxes, ``c/o`` and lines of an apartment."""
    out = np.zeros(len(sample), np.bool_)
    possible = ((sample.digits > 0) & (sample.letters > 0)) | sample.having("/")
    for index in np.flatnonzero(possible & (sample.lengths <= _LONGEST_LINE)).tolist():
        line = sample.folded[index]
        out[index] = (
            _BOX.fullmatch(line) is not None
            or _CARE_OF.fullmatch(line) is not None
            or (_UNIT.fullmatch(line) is not None and _NUMBER.search(line) is not None)
        )
    return out


_NOT_STREET = re.compile(r"@|https?:|\d{4}-\d\d-\d\d|\d:\d\d|[=<>{}|]")


def _plain(sample: Sample) -> Flags:
    return (sample.lengths <= 300) & ~sample.finding(_NOT_STREET)
