"""Made-up labelled tables: the model of columns is trained on them beside real ones, and mutations tried.

Faker's people of some forty locales, and own makers of everything that is not about people, under headings in
the language of the place and in the styles of databases: ``nmCliente``, ``TEL_MOBIL``, ``addr1``. Some tables
have no headings, some headings lie, some tables have five rows. The same tables each time.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import importlib.metadata
import pickle
import random
import re
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bench import accuracy, common, identifiers, wordings
from bench.samples import Column, Label, SampledTable, sample_of

SEED = 20_261_123
#: The day on which the tables were made, so that they stay the same.
_NOW = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
TABLES = 1_300
#: Faker's locale and the header vocabulary of its language.
LOCALES = {
    "en_US": "en", "en_GB": "en", "en_AU": "en", "en_CA": "en", "en_IN": "en", "en_IE": "en", "en_NZ": "en",
    "de_DE": "de", "de_AT": "de", "de_CH": "de", "fr_FR": "fr", "fr_CA": "fr", "fr_CH": "fr", "it_IT": "it",
    "es_ES": "es", "es_CA": "ca", "es_MX": "es", "es_CO": "es", "es_CL": "es", "es_AR": "es", "pt_BR": "pt",
    "pt_PT": "pt",
    "nl_NL": "nl", "nl_BE": "nl", "sv_SE": "sv", "da_DK": "da", "no_NO": "no", "fi_FI": "fi", "pl_PL": "pl",
    "cs_CZ": "cs", "sk_SK": "sk", "hu_HU": "hu", "ro_RO": "ro", "hr_HR": "hr", "tr_TR": "tr", "el_GR": "el",
    "ru_RU": "ru", "lt_LT": "baltic", "lv_LV": "baltic", "et_EE": "baltic", "id_ID": "id", "hi_IN": "hi",
}  # fmt: skip
#: Drawn oftener: their tables are what vendors' shares are full of.
_COMMON = ("en_US", "en_US", "en_US", "en_GB", "de_DE", "fr_FR", "it_IT", "es_ES", "es_CO", "pt_BR", "en_IN")
_ROWS = (1, 3, 4, 5, 5, 6, 8, 10, 13, 20, 32, 50, 80, 160, 300)

Maker = Callable[["World"], str]


class World:
    """One table's place: a locale's Faker, a language's headings, and its own dice."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        common_place = self.dice.random() < 0.5
        self.locale = self.dice.choice(_COMMON if common_place else sorted(LOCALES))
        self.language = LOCALES[self.locale]
        # Faker knows names of Catalonia only; what else its tables hold is as in all of Spain.
        self.fake = _faker("es_ES" if self.locale == "es_CA" else self.locale)
        self.fake.seed_instance(seed)
        self.english = _faker("en_US")
        self.english.seed_instance(seed)
        self.rows = self.dice.choice(_ROWS)
        self.number = self.dice.randrange(1, 50_000)
        self.kind = self.dice.randrange(1_000)
        self.row = 0

    @property
    def country(self) -> str:
        """ISO 3166 code of the place."""
        return "ES" if self.locale == "es_CA" else self.locale[3:]

    def one(self, *options: str) -> str:
        """Any of them."""
        return self.dice.choice(options)

    def digits(self, count: int) -> str:
        """Random digits, the first not 0."""
        return str(self.dice.randrange(10 ** (count - 1), 10**count))

    def ask(self, *names: str) -> str:
        """What Faker's locale makes by the first of these names that it knows, else the English one."""
        for name in names:
            if hasattr(self.fake, name):
                return str(getattr(self.fake, name)())
        return str(getattr(self.english, names[-1])())


@cache
def _faker(locale: str) -> Any:
    from faker import Faker

    return Faker(locale)


# --- values ---------------------------------------------------------------------------------------------


def _full_name(w: World) -> str:
    first, last = w.ask("first_name"), w.ask("last_name")
    match w.kind % 12:
        case 0:
            return f"{last}, {first}"
        case 1:
            return f"{first} {last}".upper()
        case 2:
            return f"{first} {w.one(*string.ascii_uppercase)}. {last}"
        case 3:
            return f"{w.one('Dr.', 'Mr', 'Mrs.', 'Prof.', '', '', '')} {first} {last}".strip()
        case 4:
            return f"{last} {first}"
        case 5:
            return f"{first[0]}. {last}"
        case 6:
            return f"{w.one(*wordings.TITLES)} {first} {last}"
        case 7:
            return f"{first} {w.one(*wordings.PARTICLES)} {last}"
        case 9:
            return f"{w.one(*wordings.TITLES)} {w.one('', 'Dr. ', 'Prof. ')}{last}"
        case 8:
            return f"{first} {last}".lower()
        case _:
            return f"{first} {last}"


def _cased(w: World, text: str) -> str:
    return text.upper() if w.kind % 6 == 0 else text.lower() if w.kind % 11 == 0 else text


def _last_name(w: World) -> str:
    last = w.ask("last_name")
    return _cased(w, f"{w.one(*wordings.PARTICLES)} {last}" if w.kind % 13 == 0 else last)


def _phone(w: World) -> str:
    import phonenumbers as pn

    example = pn.example_number_for_type(w.country, w.dice.choice((0, 1)))
    if example is None or w.kind % 3 == 0:
        return w.ask("phone_number")
    national = str(example.national_number)
    number = pn.PhoneNumber(
        country_code=example.country_code,
        national_number=int(national[:-5] + f"{w.dice.randrange(100_000):05}"),
        italian_leading_zero=example.italian_leading_zero,
    )
    style = pn.PhoneNumberFormat
    match w.kind % 16:
        case 1 | 2:
            return str(pn.format_number(number, style.NATIONAL))
        case 4:
            return str(pn.format_number(number, style.INTERNATIONAL))
        case 5:
            return str(pn.format_number(number, style.E164))
        case 7:
            return re.sub(r"\D", "", pn.format_number(number, style.NATIONAL))
        case 8:
            return f"{number.national_number}.0"
        case 10:
            return str(number.national_number)
        case 11:
            return f"00{number.country_code}{number.national_number}"
        case 12:
            return f"{number.country_code}{number.national_number}"
        case 13:
            return re.sub(r"[ ()/-]+", ".", pn.format_number(number, style.NATIONAL)).strip(".")
        case 14:
            return f"+{number.country_code} (0){number.national_number}"
        case _:
            return f"{pn.format_number(number, style.NATIONAL)}{w.one('', '', ' ext. 12', ' x204')}"


def _street(w: World) -> str:
    text = w.ask("street_address").replace("\n", " ")
    match w.kind % 9:
        case 8:  # the number has a column of its own
            return w.ask("street_name") if w.kind % 2 else _bare_street(w)
        case 0:
            return text.upper()
        case 1:
            return f"{text}, {w.one('Apt', 'Unit', 'Floor', 'Suite')} {w.digits(2)}"
        case 2:
            return w.ask("address").replace("\n", ", ")
        case 3:
            return w.one(text, text, text, f"{w.one('PO Box', 'P.O. Box')} {w.digits(4)}")
        case _:
            return text


def _bare_street(w: World) -> str:
    """What a street is called, without the word for one: ``POLNA``, ``Goethe``."""
    return _cased(w, max(w.ask("street_name").split(), key=len))


def _moment(w: World, years: float) -> dt.datetime:
    """Any moment of the last years."""
    return _NOW - dt.timedelta(seconds=w.dice.randrange(int(years * 365.25 * 86_400)))


_BIRTHS = (
    "%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%Y%m%d", "%d-%b-%Y", "%Y-%m-%d 00:00:00", "%Y",
    "%m/%d/%y", "%d-%m-%Y", "%Y/%m/%d", "%d %B %Y", "%B %d, %Y", "%d %b %Y", "%Y-%m-%dT00:00:00.000",
    "%d.%m.%y",
    "%Y.%m.%d", "%d-%b-%y", "%m-%d-%Y", "%Y-%m-%dT00:00:00Z",
)  # fmt: skip
_DATES = (
    "%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%Y-%m-%dT%H:%M:%S.000", "%Y-%m-%d %H:%M:%S", "%Y%m%d", "%d-%b-%Y",
    "%Y",
)  # fmt: skip


def _birth(w: World) -> str:
    youngest, oldest = (1, 95) if w.kind % 4 == 0 else (0, 18) if w.kind % 10 == 3 else (18, 95)
    day = _moment(w, oldest - youngest) - dt.timedelta(days=youngest * 365)
    if w.kind % 23 == 0:  # seconds or milliseconds from 1970 on
        return str(int(day.timestamp()) * (1000 if w.kind % 2 else 1))
    return day.strftime(_BIRTHS[w.kind % len(_BIRTHS)])


def _date(w: World) -> str:
    return _moment(w, (1, 5, 12, 40)[w.kind % 4]).strftime(_DATES[w.kind % len(_DATES)])


def _other_day(event: str) -> Maker:
    """Days written as birthdays are, on which something else happened."""

    def make(w: World) -> str:
        day = _moment(w, wordings.DATE_YEARS[event])
        if event == "expires":
            day = _NOW + dt.timedelta(days=w.dice.randrange(-700, 3_600))
        return day.strftime(_BIRTHS[w.kind % len(_BIRTHS)])

    return make


def _email(w: World) -> str:
    user = f"{w.english.first_name()}{w.one('.', '_', '', str(w.digits(2)))}{w.english.last_name()}".lower()
    return f"{user}@{w.one('example.com', 'mail.example.org', 'corp.example.net', w.english.domain_name())}"


def _username(w: World) -> str:
    first, last = w.english.first_name().lower(), w.english.last_name().lower()
    return (
        f"{first[0]}{last}",
        f"{first}.{last}",
        f"{last}{w.digits(2)}",
        f"@{first}{last}",
        f"{first}_{w.digits(3)}",
    )[w.kind % 5]


def _gender(w: World) -> str:
    return w.one(*(("M", "F"), ("male", "female"), ("Male", "Female", "Other"), ("m", "w", "d"), ("H", "M"),
        ("0", "1"),
                   ("männlich", "weiblich"), ("Femenino", "Masculino"), ("1", "2"))[w.kind % 9])  # fmt: skip


def _card(w: World) -> str:
    number = w.english.credit_card_number()
    if w.kind % 9 == 1:  # as a spreadsheet shows it
        return f"{float(number):.2E}"
    if w.kind % 9 == 2:  # invented, so that no check digit fits
        return number[0] + w.digits(len(number) - 1)
    return " ".join(re.findall(".{1,4}", number)) if w.kind % 4 == 0 else str(number)


def _vin(w: World) -> str:
    letters = "0123456789ABCDEFGHJKLMNPRSTUVWXYZ"
    worth = (*range(10), 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 7, 9, 2, 3, 4, 5, 6, 7, 8, 9)
    weights = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
    drawn = [w.dice.randrange(len(letters)) for _ in range(17)]
    total = sum(worth[code] * weight for code, weight in zip(drawn, weights, strict=True)) % 11
    text = [letters[code] for code in drawn]
    text[8] = "X" if total == 10 else str(total)
    return "".join(text)


def _imei(w: World) -> str:
    body = w.digits(14)
    doubled = [int(d) * (1 + i % 2) for i, d in enumerate(body)]
    total = sum(d // 10 + d % 10 for d in doubled)
    return body + str(-total % 10)


def _coordinate(w: World) -> str:
    base = (40.7, -74.0, 52.5, 13.4, 4.6, -33.4)[w.kind % 6]
    return f"{base + w.dice.uniform(-2, 2):.{4 + w.kind % 4}f}"


def _hash(w: World) -> str:
    digest = hashlib.sha256 if w.kind % 2 else hashlib.md5
    return digest(w.digits(12).encode()).hexdigest()


def _masked(w: World) -> str:
    return (
        f"{'*' * 12}{w.digits(4)}"
        if w.kind % 2
        else f"{w.one(*string.ascii_lowercase)}****{w.one('a', 'n', 's')}"
    )


def _masked_mail(w: World) -> str:
    return f"{w.one(*string.ascii_lowercase)}***@{w.one('example.com', 'example.org', 'mail.example.net')}"


def _serial(w: World) -> str:
    w.number += w.dice.choice((1, 1, 1, 2, 5)) if w.kind % 3 else 1
    return str(w.number)


def _code(w: World) -> str:
    head = ("REF", "A", "ORD", "X", "SKU", "INV")[w.kind % 6]
    return (
        f"{head}-{w.digits(5)}",
        f"{head}{w.digits(6)}",
        f"{head}/{w.digits(4)}/{w.digits(2)}",
        f"{w.digits(3)}-{w.digits(4)}",
    )[w.kind % 4]


_KEYS = ("C", "K", "CUST", "M", "P", "EMP", "KD", "CL", "U", "PAT", "ACC", "E", "CLI", "MEM")


def _key(w: World) -> str:
    """Numbers of customers, staff, patients: counted up, or behind letters that say of what."""
    head = _KEYS[w.kind % len(_KEYS)]
    match w.kind % 6:
        case 0:
            return f"{head}-{w.digits(5)}"
        case 1:
            return f"{head}{int(_serial(w)):06}"
        case 2:
            return f"{head}{w.digits(4 + w.kind % 3)}"
        case _:
            return _serial(w)


_LISTS: tuple[tuple[str, ...], ...] = (
    ("open", "closed", "pending"), ("A", "B", "C", "D"), ("NEW", "USED"), ("INFO", "WARN", "ERROR", "DEBUG"),
    ("Residential", "Commercial", "Industrial", "Mixed"), ("Approved", "Denied", "Under Review"), ("yes",
        "no"),
    ("Y", "N"), ("true", "false"), ("0", "1"), ("red", "green", "blue", "white"), ("small", "medium",
        "large"),
    ("mobile", "home", "work"), ("January", "April", "May", "June", "August"), ("Mon", "Tue", "Wed", "Sun"),
    ("EUR", "USD", "GBP"), ("kg", "g", "l", "pcs"), ("North", "South", "East", "West"), ("SF", "MF", "CO",
        "RE"),
    ("Phase I", "Phase II", "Phase III"), ("ACTIVE", "EXPIRED", "SUSPENDED"), ("CASH", "CARD", "CHECK"),
    ("Democrat", "Republican", "Independent"), ("Paved", "Gravel", "Dirt"), ("en", "de", "fr"), ("1", "2",
        "3", "4", "5"),
)  # fmt: skip
_PRODUCTS = (
    "Lamp", "Chair", "Table", "Brake Pad", "Filter", "Olive Oil", "Rice", "Jacket", "Boot", "Helmet",
    "Drill", "Pump",
    "Camera", "Cable", "Notebook", "Desk", "Paint", "Tire", "Battery", "Bolt", "Sofa", "Coffee", "Cheese",
    "Pen",
)  # fmt: skip
_ADJECTIVES = (
    "Blue",
    "Steel",
    "Classic",
    "Large",
    "Eco",
    "Pro",
    "Mini",
    "Heavy Duty",
    "Organic",
    "Smart",
    "Deluxe",
    "Basic",
)
_TITLES = (
    "Academy", "Lost", "River", "Grace", "Hunter", "Victoria", "Dragon", "Summer", "Rose", "Angels", "Dawn",
    "Storm",
    "Autumn", "Virgin", "Lincoln", "Crystal", "Winter", "Jordan", "Sky", "Melody", "Faith", "Bear", "Stone",
    "Wolf",
)  # fmt: skip
_SPECIES = (
    "Quercus",
    "Acer",
    "Rosa",
    "Tilia",
    "Pinus",
    "Salix",
    "Betula",
    "Ulmus",
    "Iris",
    "Viola",
    "Laurus",
    "Olea",
)
_EPITHETS = (
    "robur",
    "alba",
    "rubra",
    "vulgaris",
    "cordata",
    "nigra",
    "sylvestris",
    "officinalis",
    "europaea",
)
_CONTINENTS = (
    ("Africa", "Asia", "Europe", "North America", "South America", "Oceania", "Antarctica"),
    ("AF", "AS", "EU", "NA", "SA", "OC", "AN"), ("Africa", "Americas", "Asia", "Europe", "Oceania"),
    ("Southern Asia", "Northern Europe", "Western Africa", "Caribbean", "Polynesia", "Eastern Asia"),
    ("Afrika", "Asien", "Europa", "Amerika", "Ozeanien"), ("África", "Asia", "Europa", "América", "Oceanía"),
)  # fmt: skip
_PLACES = (
    "Park",
    "Library",
    "School",
    "Elementary School",
    "Hospital",
    "Station",
    "Bridge",
    "Church",
    "Clinic",
    "Pool",
)


def _list(w: World) -> str:
    return w.one(*_LISTS[w.kind % len(_LISTS)])


def _product(w: World) -> str:
    return f"{w.one(*_ADJECTIVES)} {w.one(*_PRODUCTS)}{w.one('', '', f' {w.digits(2)}', ' XL')}"


def _title(w: World) -> str:
    return _cased(w, " ".join(w.dice.sample(_TITLES, 2 + w.kind % 2)))


def _place_name(w: World) -> str:
    return f"{w.one(w.ask('last_name'), w.ask('city'), w.english.last_name())} {w.one(*_PLACES)}"


def _amount(w: World) -> str:
    value = w.dice.lognormvariate(5, 2)
    return (
        f"{value:.2f}",
        f"{value:.0f}",
        f"${value:,.2f}",
        f"{value:.2f}".replace(".", ","),
        f"{value:.4f}",
    )[w.kind % 5]


def _score(w: World) -> str:
    """Numbers around 0, with as many decimals as degrees have."""
    return f"{w.dice.uniform(-1, 1) * (1, 10, 100)[w.kind % 3]:.{1 + w.kind % 6}f}"


def _area_id(w: World) -> str:
    """Numbers of areas as wide as postal codes, but for their spread."""
    return str(
        w.dice.choice((4, 18, 28, 40, 58, 61)) * 100 + w.dice.randrange(5_000 if w.kind % 2 else 29_000)
    )


def _number(limit: int) -> Maker:
    return lambda w: str(w.dice.randrange(1, limit))


def _identity(w: World) -> str:
    return w.ask("ssn", "ssn")


def _national(name: str) -> Maker:
    return lambda w: (
        re.sub(r"[ ./-]", "", w.one(*identifiers.pool(name)))
        if w.kind % 3 == 0
        else w.one(*identifiers.pool(name))
    )


def _invented(name: str) -> Maker:
    """Written as the identifier is, with other digits: samples and masked copies hold such."""

    def make(w: World) -> str:
        return re.sub(r"\d", lambda found: w.one(*string.digits), _national(name)(w))

    return make


def _house_number(w: World) -> str:
    return f"{w.dice.randrange(1, 9_900 if w.country == 'US' else 180)}{w.one('', '', '', '', 'A', 'b')}"


def _region(w: World) -> str:
    if w.kind % 3 == 0:
        return w.ask("state_abbr", "region", "state", "administrative_unit", "state_abbr")
    return w.ask("state", "region", "administrative_unit", "province", "county", "department_name", "state")


def _plate(w: World) -> str:
    return w.ask("license_plate", "license_plate")


# --- columns --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sort:
    """A sort of column.

    Attributes:
        concept: whose headings of ``rules/headers`` it takes, empty for own ones.
        entity_type: what it is, ``NONE`` for nothing.
        make: one value.
        headings: own ones, beside or in place of those of the vocabulary.
        also: types that are right as well.
    """

    concept: str
    entity_type: str
    make: Maker
    headings: tuple[str, ...] = ()
    also: tuple[str, ...] = ()


def _person(concept: str, make: Maker, *headings: str) -> Sort:
    return Sort(concept, concept.partition(".")[0], make, headings)


PEOPLE = {
    "name": _person("PERSON", _full_name, "name", "full name", "contact", "customer", "owner name",
        "employee name"),
    "first": _person("PERSON.first", lambda w: _cased(w, w.ask("first_name"))),
    "last": _person("PERSON.last", _last_name),
    "middle": _person("PERSON.middle", lambda w: w.one(*string.ascii_uppercase) + w.one("", ".") if w.kind % 2
                      else w.ask("first_name"), "middle name", "mi", "middle initial"),
    "email": _person("EMAIL_ADDRESS", _email),
    "phone": _person("PHONE_NUMBER", _phone, "phone", "mobile", "tel", "fax", "phone 2"),
    "street": _person("STREET_ADDRESS", _street, "address", "addr1", "street", "mailing address", "adresse",
        "direccion"),
    "zip": _person("POSTAL_CODE", lambda w: w.ask("postcode", "zipcode"), "zip", "zip code", "zipcode",
        "postcode", "zip codes", "postal codes"),
    "city": _person("CITY", lambda w: _cased(w, w.ask("city"))),
    "region": _person("REGION", _region),
    "country": _person("COUNTRY", lambda w: w.ask("country_code") if w.kind % 2 else w.ask("country")),
    "birth": _person("DATE_OF_BIRTH", _birth, *wordings.BIRTHS),
    "age": _person("AGE", lambda w: str(w.dice.randrange(18, 92)), "age"),
    "gender": _person("GENDER", _gender, "sex", "gender"),
    "marital": _person("MARITAL_STATUS", lambda w: w.one("single", "married", "divorced", "widowed")),
    "nationality": _person("NATIONALITY", lambda w: w.one("German", "French", "Indian", "Italian",
        "American", "Polish")),
    "ethnicity": _person("ETHNICITY", lambda w: w.one("White", "Black", "Asian", "Hispanic", "Mixed"),
        "race", "ethnicity"),
    "religion": _person("RELIGION", lambda w: w.one("catholic", "protestant", "muslim", "hindu", "none",
        "jewish")),
    "language": _person("LANGUAGE", lambda w: w.one("English", "Deutsch", "French", "Spanish", "en", "de")),
    "job": _person("OCCUPATION", lambda w: w.english.job(), "job title", "occupation", "profession"),
    "company": _person("ORGANIZATION", lambda w: w.ask("company"), "company", "employer", "company name"),
    "user": _person("USERNAME", _username, "user name", "login", "twitter"),
    "password": _person("PASSWORD", lambda w: w.english.password()),
    "secret": _person("SECRET", lambda w: w.english.sha1(), "api key", "access token"),
    "ip": _person("IP_ADDRESS", lambda w: w.english.ipv6() if w.kind % 5 == 0 else w.english.ipv4()),
    "mac": _person("MAC_ADDRESS", lambda w: w.english.mac_address()),
    "url": _person("URL", lambda w: w.english.uri(), "website", "link", "image"),
    "card": _person("CREDIT_CARD", _card),
    "iban": _person("IBAN_CODE", lambda w: w.english.iban() if w.kind % 2 else w.ask("iban")),
    "account": _person("BANK_ACCOUNT", lambda w: w.digits(8 + w.kind % 4)),
    "vin": _person("VEHICLE_IDENTIFICATION_NUMBER", _vin),
    "plate": _person("LICENSE_PLATE", _plate),
    "imei": _person("IMEI", _imei),
    "device": _person("DEVICE_ID", lambda w: w.english.uuid4()),
    "health": _person("HEALTH", lambda w: w.one("asthma", "diabetes", "A+", "hypertension", "none",
        "allergy", "O-")),
    "key": _person("IDENTIFIER", _key, "customer id",
        "customer no",
                   "member id", "patient id", "employee number", "account id"),
    "national": _person("NATIONAL_ID", _identity),
    "tax": _person("TAX_ID", _identity, "tax id"),
    "passport": _person("PASSPORT", lambda w: w.one("C", "X", "P") + w.digits(8)),
    "driver": _person("DRIVER_LICENSE", lambda w: w.one("S", "D", "B") + w.digits(8)),
    "insurance": _person("HEALTH_INSURANCE", lambda w: w.one("A", "K", "M") + w.digits(9)),
    "latitude": _person("GEO_COORDINATE", _coordinate, "lat", "lng", "latitude", "longitude"),
}  # fmt: skip


def _nothing(make: Maker, *headings: str, entity_type: str = "NONE", also: tuple[str, ...] = ()) -> Sort:
    return Sort("", entity_type, make, headings, also)


THINGS = (
    _nothing(_serial, "id", "order id", "seq", "objectid", "record number", "no", "row id", "fid", "gis id",
        "case id"),
    _nothing(_code, "order number", "sku", "reference", "invoice no", "permit number", "case number",
        "item code", "license number"),
    _nothing(lambda w: w.digits(2 + w.kind % 5), "id", "business id", "entity id", "ref", "store no", "code",
        "key", "batch", "lot", "room"),
    _nothing(_score, "x1", "v1", "loading",
        "score", "delta", "residual", "z", "change", "margin", "value"),
    _nothing(lambda w: w.digits(10), "asset id", "certification number", "barcode", "upc",
        "tracking number", "parcel number"),
    _nothing(_amount, "amount", "price", "total", "salary", "cost", "betrag", "importe", "valor", "balance",
        "tax amount"),
    _nothing(_number(1_000), "quantity", "count", "visits", "stock", "anzahl", "cantidad", "menge",
        "points", "score"),
    _nothing(_number(60), "district", "ward", "precinct", "zone", "council district", "district number",
        "sector", "beat"),
    _nothing(_area_id, "Zip Codes", "Boundaries - ZIP Codes", "Zip Code Areas", "Neighborhoods", "Wards",
        "Census Tracts",
             "Counties", "School Districts", "area id", "Postal Areas"),
    _nothing(_date, "created at", "updated", "order date", "issue date", "start date", "expires", "fecha",
        "datum", "date",
             "hire date", "event date", "registration date", "last login", "year", "inspection date"),
    _nothing(lambda w: str(int(_moment(w, 9).timestamp()) * (1000 if w.kind % 2 else 1)), "timestamp",
             "epoch", "event time", "modified", "ts"),
    _nothing(lambda w: str(w.dice.randrange(1950, 2027)), "year", "model year", "year built", "fiscal year",
        "jahr", "anno"),
    _nothing(_list, "status", "type", "category", "level", "class", "flag", "email verified", "phone type",
        "has phone", "code",
             "payment method", "address type", "color", "month", "unit", "is active", "result", "zoning",
             "estado", "tipo",
             "body style", "party", "name type", "email opt in"),
    _nothing(_product, "product", "product name", "item", "description", "artikel", "article", "name",
        "title", "producto"),
    _nothing(_title, "title", "film", "song", "book", "project", "name", "game", "event name", "subject",
        "course name"),
    _nothing(lambda w: f"{w.one(*_SPECIES)} {w.one(*_EPITHETS)}", "species", "scientific name", "name",
        "tree", "plant"),
    _nothing(lambda w: w.ask("company"), "company", "vendor", "supplier", "manufacturer", "agency", "firma",
        "empresa",
             "name", "business name", "contractor", "account name", "facility", "client", "shipper",
             entity_type="ORGANIZATION"),
    _nothing(_place_name, "school", "facility name", "park name", "location name", "name", "station",
        "site", "hospital name",
             "venue", "building", "legal name", "dba name"),
    _nothing(lambda w: f"{w.english.file_name()}", "file", "filename", "name", "attachment", "path"),
    _nothing(lambda w: w.english.word(), "keyword", "tag", "label", "name", "key", "topic", "group", "slug"),
    _nothing(lambda w: w.english.color_name(), "colour", "color", "name"),
    _nothing(_hash, "checksum", "etag", "md5", "digest", "commit", "hash"),
    _nothing(lambda w: w.english.uuid4(), "uuid", "guid", "request id", "id", "session", "correlation id"),
    _nothing(lambda w: f"{w.dice.random():.{2 + w.kind % 3}f}", "ratio", "rate", "percent", "temperature",
        "weight", "lat error"),
    _nothing(lambda w: f"{w.dice.randrange(4)}.{w.dice.randrange(20)}.{w.dice.randrange(50)}", "version",
        "release", "build"),
    _nothing(_house_number, "house number", "street number", "building number", "hausnummer", "numero",
        "house no", "number",
             also=("STREET_ADDRESS",)),
    _nothing(lambda w: w.one("St", "Ave", "Blvd", "Rd", "Ln", "Dr", "Ct"), "street type", "suffix",
        "street suffix"),
    _nothing(lambda w: w.one("Jr", "Sr", "II", "III", "Jr.", "IV"), "suffix", "name suffix",
        also=("PERSON",)),
    _nothing(lambda w: w.one("Mr", "Mrs", "Ms", "Dr", "Herr", "Frau", "M.", "Mme"), "title", "salutation",
        "anrede", "civilité",
             also=("PERSON",)),
    _nothing(lambda w: w.digits(4), "zip4", "plus four", "zip plus 4", "extension", "ext", "pin",
        "ZIP+4", "zip4 code"),
    _nothing(lambda w: w.english.catch_phrase(), "slogan", "headline", "theme", "purpose", "summary line"),
    _nothing(lambda w: f"{w.one(*_TITLES)} {w.one('County', 'District', 'Ward', 'Zone', 'Heights')}",
        "neighborhood", "area",
             "community", "subdivision", "planning area", also=("CITY", "REGION")),
    _nothing(lambda w: w.one("18-24", "25-34", "35-44", "45-54", "65+", "<18"), "age group", "age range",
        "age category",
             also=("AGE",)),
    _nothing(lambda w: w.one("ABC", "JFK", "LHR", "FRA", "MAD", "CDG", "BOG", "GRU"), "airport", "iata",
        "origin", "dest"),
    _nothing(_amount, "longitude of perihelion", "phone bill", "mail volume", "age of account",
        "street length", "city budget"),
    _nothing(_number(90), "email count", "num phones", "days open", "age of asset", "floor", "grade",
        "rank", "priority"),
    _nothing(lambda w: w.one(*wordings.LANGUAGES), "name", "value", "option", "title", "label", "audio",
        "subtitles", "edition", also=("LANGUAGE", "NATIONALITY")),
    _nothing(lambda w: w.one(*wordings.JOBS), "name", "value", "label", "title", "role", "kind", "entry",
        also=("OCCUPATION",)),
    _nothing(lambda w: w.one(*wordings.WORDS), "word", "name", "label", "term", "answer", "tag", "value",
        "colour name"),
    _nothing(lambda w: f"{w.one(*wordings.NAMESAKES)}{w.one('', ' ' + w.one(*_PRODUCTS))}", "name", "variety",
        "product", "style", "model", "item name", "menu item"),
    Sort("NONE", "NONE", _list), Sort("NONE", "NONE", _code), Sort("NONE", "NONE", _amount),
    *(_nothing(_other_day(event), *headings) for event, headings in wordings.DATES.items()),
)  # fmt: skip
#: Lists of places: their names stand under a heading that says no more than that they are names.
GAZETTEER = {
    "a city": _nothing(lambda w: _cased(w, w.ask("city")), *wordings.PLACE_HEADINGS, entity_type="CITY"),
    "a region": _nothing(_region, *wordings.PLACE_HEADINGS, entity_type="REGION"),
    "a county": _nothing(
        lambda w: f"{w.english.last_name()}{w.one(' County', ' County', ' Parish', '')}",
        *wordings.PLACE_HEADINGS,
        entity_type="REGION",
        also=("NONE",),
    ),
    "a country": _nothing(lambda w: w.ask("country"), *wordings.PLACE_HEADINGS, entity_type="COUNTRY"),
    "continent": _nothing(
        lambda w: w.one(*_CONTINENTS[w.kind % len(_CONTINENTS)]),
        "continent",
        "continent name",
        "world region",
        "region",
        "un region",
        "kontinent",
        "continente",
        "subregion",
        entity_type="REGION",
    ),
    "capital": _nothing(
        lambda w: w.ask("city"),
        "capital",
        "capital city",
        "hauptstadt",
        "capitale",
        "seat",
        entity_type="CITY",
    ),
    "population": _nothing(_amount, "population", "inhabitants", "pop", "einwohner", "población", "abitanti"),
    "area": _nothing(_amount, "area", "area km2", "area sq mi", "fläche", "superficie", "elevation"),
    "place code": _nothing(
        lambda w: w.digits(5),
        "fips",
        "geoname id",
        "ibge code",
        "code insee",
        "ags",
        "lau",
        "istat",
        "place id",
        "geoid",
        "gkz",
    ),
    "zone": _nothing(
        lambda w: w.one("Europe/Rome", "America/Bogota", "Asia/Kolkata", "UTC+1"), "timezone", "tz"
    ),
    "currency": _nothing(
        lambda w: w.one("EUR", "USD", "BRL", "INR", "Euro", "Peso"), "currency", "currency code"
    ),
    "iso": _nothing(
        lambda w: w.ask("country_code"), "iso2", "country code", "iso code", "cc", entity_type="COUNTRY"
    ),
}
#: Places: the table speaks of things, their city is nobody's, but a city all the same.
PLACES = ("street", "zip", "city", "region", "country", "latitude")

SCHEMAS: tuple[tuple[str, tuple[str, ...], int], ...] = (
    ("customers", ("key", "name", "email", "phone", "street", "zip", "city", "region", "country"), 4),
    ("customer", ("key", "first", "last", "email", "phone", "birth", "street", "zip", "city", "country"), 4),
    ("patients", ("key", "first", "middle", "last", "birth", "gender", "street", "city", "zip", "phone",
        "health", "insurance",
                  "national"), 3),
    ("employees", ("key", "last", "first", "birth", "gender", "email", "phone", "job", "national",
        "account", "marital"), 3),
    ("users", ("user", "email", "password", "ip", "first", "last", "language", "secret", "device"), 3),
    ("members", ("key", "name", "birth", "age", "gender", "religion", "nationality", "phone"), 2),
    ("contacts", ("name", "company", "job", "email", "phone", "mobile", "street", "city", "zip", "country",
        "url"), 3),
    ("drivers", ("name", "driver", "plate", "vin", "phone", "birth", "city"), 2),
    ("payments", ("name", "card", "iban", "account", "email"), 2),
    ("devices", ("user", "imei", "mac", "ip", "device", "phone"), 1),
    ("citizens", ("first", "last", "national", "tax", "passport", "birth", "ethnicity", "street", "city",
        "region"), 2),
    ("politicians", ("name", "gender", "birth", "region", "email", "phone", "url", "user"), 2),
    ("licensees", ("first", "middle", "last", "street", "city", "region", "zip"), 3),
    ("stores", ("company", "street", "city", "region", "zip", "phone", "url", "latitude", "latitude"), 4),
    ("schools", ("street", "city", "region", "zip", "phone", "name", "latitude"), 3),
    ("permits", ("street", "name", "company", "zip", "latitude", "latitude"), 3),
    ("orders", ("key", "name", "street", "city", "zip"), 3),
    ("inspections", ("street", "city", "region", "zip", "latitude"), 2),
    ("products", (), 6), ("events", ("city",), 3), ("log", ("ip",), 2), ("measurements", ("latitude",
        "latitude"), 3),
    ("export", (), 4), ("Sheet1", ("name",), 3), ("films", (), 2), ("data", ("birth",), 1), ("-", ("name",
        "job"), 3),
    ("actors", ("first", "last"), 1), ("cities", ("city", "region", "country", "latitude"), 2),
        ("inventory", (), 3),
    ("cities", ("a city", "region", "place code", "population", "latitude", "latitude", "zone"), 3),
    ("-", ("place code", "a city", "latitude", "latitude", "area", "iso"), 3),
    ("regions", ("place code", "a region", "capital", "population", "area"), 2),
    ("counties", ("place code", "a county", "region", "population", "area"), 1),
    ("countries", ("iso", "a country", "continent", "capital", "currency", "population"), 3),
    ("-", ("iso", "a country", "place code", "zone"), 1),
    ("staff", ("key", "name", "birth", "hired", "job"), 2), ("people", ("name", "birth", "died", "city"), 1),
    ("ids", ("name", "hired", "expires", "birth"), 1),
    ("countries", ("country", "region"), 1), ("words", ("email",), 1), ("lookup", ("region",), 1),
        ("artists", ("name",), 1),
)  # fmt: skip
_NAMED = (
    PEOPLE
    | GAZETTEER
    | {event: _nothing(_other_day(event), *headings) for event, headings in wordings.DATES.items()}
)


@cache
def _phrases(language: str) -> dict[str, list[str]]:
    """The headings of ``rules/headers`` by concept, for one language and those that no language owns."""
    import yaml

    found: dict[str, list[str]] = {}
    for name in dict.fromkeys((language, "und", "en")):
        text = (common.ROOT / "rules" / "headers" / f"{name}.yaml").read_text("utf-8")
        for concept, phrases in yaml.safe_load(text)["concepts"].items():
            if concept in found and name != "und":
                continue
            kept = [_phrase(each) for each in str(phrases).split(",")]
            found[concept] = found.get(concept, []) + [each for each in kept if each]
    return found


def _phrase(item: str) -> str:
    text, _, weight = item.strip().lstrip("=+").partition("~")
    return "" if "(" in text or (weight and float(weight) < 0.5) else text.strip()


def _styled(w: World, phrase: str, style: int) -> str:
    words = phrase.replace("'", " ").split()
    if style != 10 and w.dice.random() < 0.1:
        words.append(w.one("1", "2", "new", "old"))
    match style:
        case 0 | 1:
            return "_".join(words).lower()
        case 2:
            return "_".join(words).upper()
        case 3:
            return words[0].lower() + "".join(word.capitalize() for word in words[1:])
        case 4:
            return "".join(word.capitalize() for word in words)
        case 5:
            return " ".join(words).title()
        case 6:
            return " ".join(words).capitalize()
        case 7:
            return "-".join(words).lower()
        case 9:
            return "".join(words).lower()
        case 8:
            return "_".join(
                re.sub(r"(?<!^)[aeiou]", "", word) if len(word) > 4 else word for word in words
            ).lower()
        case _:
            return " ".join(words)


_OWNERS = (
    "customer",
    "cust",
    "emp",
    "client",
    "contact",
    "billing",
    "shipping",
    "owner",
    "applicant",
    "kunde",
    "cliente",
)
_TYPED = ("txt", "s", "f", "c", "str")
_OF_ADDRESS = (
    "address",
    "addr",
    "adresse",
    "dirección",
    "indirizzo",
    "endereço",
    "location",
    "mailing address",
)
_ADDRESSES = ("POSTAL_CODE", "CITY", "REGION", "COUNTRY")


def _heading(w: World, sort: Sort, style: int) -> str:
    phrases = list(sort.headings) * 3
    if sort.concept:
        phrases += _phrases(w.language).get(sort.concept, ()) * (2 if w.language != "en" else 1)
        phrases = (
            phrases
            if w.language == "en" or w.dice.random() < 0.3
            else phrases[len(sort.headings) * 3 :] or phrases
        )
    phrase = w.dice.choice(phrases) if phrases else sort.entity_type.lower().replace("_", " ")
    if sort.entity_type not in ("NONE", "ORGANIZATION", "GEO_COORDINATE") and w.dice.random() < 0.15:
        phrase = f"{w.one(*_OWNERS)} {phrase}"
    elif sort.concept in _ADDRESSES and w.dice.random() < 0.06:
        phrase = f"{w.one(*_OF_ADDRESS)} {phrase}"
    elif w.dice.random() < 0.03:
        phrase = f"{w.one(*_TYPED)} {phrase}"
    heading = _styled(w, phrase, style)
    return (
        f"{heading}_{w.one('en', 'de', 'fr', 'fi', 'sv', 'es')}"
        if style < 2 and w.dice.random() < 0.03
        else heading
    )


def _sorts(w: World) -> tuple[str, list[Sort]]:
    names = [name for name, _, weight in SCHEMAS for _ in range(weight)]
    chosen = w.dice.choice(names)
    keys = next(fields for name, fields, _ in SCHEMAS if name == chosen)
    kept = [key for key in keys if w.dice.random() < 0.85]
    sorts = [_NAMED["phone" if key == "mobile" else key] for key in kept]
    if kept and w.dice.random() < 0.35:
        entity_type = w.dice.choice(identifiers.of_locale(w.locale) or sorted(identifiers.LAYOUTS))
        headings = identifiers.HEADINGS.get(entity_type, ())
        make = _invented if w.dice.random() < 0.15 else _national
        sorts.append(Sort(entity_type, entity_type, make(entity_type), headings))
    if w.dice.random() < 0.2 and len(kept) > 2:
        sorts.append(PEOPLE[w.dice.choice(sorted(PEOPLE))])
    things = w.dice.randrange(1, 6) if kept else w.dice.randrange(3, 12)
    for sort in w.dice.choices(THINGS, k=things):
        sorts.insert(w.dice.randrange(len(sorts) + 1), sort)
    return (
        chosen if w.dice.random() < 0.7 else w.one("export", "data", "-", "Sheet1", "dump", "report")
    ), sorts


_PLACE_TYPES = frozenset({"CITY", "REGION", "COUNTRY"})


def _values(w: World, sort: Sort) -> list[str]:
    w.kind = w.dice.randrange(1_000)
    values = [sort.make(w) for _ in range(w.rows)]
    if sort.entity_type in _PLACE_TYPES and w.dice.random() < 0.2:
        # Facts about a few places, each in many rows.
        few = values[: w.dice.randrange(3, 25)]
        values = [w.one(*few) for _ in range(w.rows)]
    if w.dice.random() < 0.04:
        values = values[:1] * w.rows
    if w.dice.random() < 0.06:
        values = [w.one("n/a", "-", "unknown", "0") if w.dice.random() < 0.2 else value for value in values]
    return [value for value in values if value.strip() and w.dice.random() < 0.97]


def _table(seed: int) -> SampledTable:
    w = World(seed)
    name, sorts = _sorts(w)
    headed = w.dice.random() > 0.2
    style = w.dice.randrange(11)
    columns = [_column(w, sort, headed, style) for sort in sorts]
    return SampledTable(
        f"generated {seed}", name, [column for column in columns if column.values], generated=True
    )


def _label(sort: Sort, *also: str) -> Label:
    """What a sort of column is; one state's identifier or an identifier of states is the same here."""
    category = accuracy.label_of(sort.entity_type)
    return Label(category, frozenset((*sort.also, *also)), None if category == "GOV_ID" else sort.entity_type)


def _column(w: World, sort: Sort, headed: bool, style: int) -> Column:
    heading = _heading(w, sort, style) if headed else ""
    make, label = sort, _label(sort)
    chance = w.dice.random()
    if headed and chance < 0.04:
        # The heading lies: what stands there is something else.
        make = w.dice.choice([*THINGS, PEOPLE["email"], PEOPLE["phone"], PEOPLE["name"]])
        label = _label(make, "IDENTIFIER")
    elif headed and chance < 0.12:
        heading = w.one("field", "x", "val", "attr") + w.digits(2) if chance < 0.06 else _unknown(w, style)
    elif headed and sort.concept == "STREET_ADDRESS" and chance < 0.16:
        make, label = PEOPLE["city"], _label(PEOPLE["city"], "ADDRESS", "STREET_ADDRESS")
    elif (
        sort.entity_type in ("EMAIL_ADDRESS", "PHONE_NUMBER", "PERSON", "CREDIT_CARD", "US_SSN")
        and chance < 0.17
    ):
        make = Sort(
            "",
            "",
            _hash if chance < 0.145 else _masked_mail if sort.entity_type == "EMAIL_ADDRESS" else _masked,
        )
        if not headed:
            label = Label(None)
    values = _values(w, make)
    return Column(
        heading, label, sample_of(values), len(values), f"generated {w.locale} {heading or '(no heading)'}"
    )


def _unknown(w: World, style: int) -> str:
    return _styled(w, " ".join("".join(w.dice.choices("bcdfgklmnprstvwz", k=3)) for _ in range(2)), style)


def tables(count: int = TABLES) -> Iterator[SampledTable]:
    """The first ``count`` tables."""
    for number in range(count):
        yield _table(SEED + number)


def generated(count: int = TABLES) -> list[SampledTable]:
    """The same, from the cache where this file, the headings and Faker have not changed."""
    digest = hashlib.sha256(f"{count} {importlib.metadata.version('faker')}".encode())
    for file in [
        Path(__file__),
        Path(accuracy.__file__),
        Path(identifiers.__file__),
        Path(wordings.__file__),
        *sorted((common.ROOT / "rules" / "headers").glob("*.yaml")),
    ]:
        digest.update(file.read_bytes())
    cache_file = common.OUT / f"generated-{digest.hexdigest()[:16]}.pickle"
    if cache_file.is_file():
        found: list[SampledTable] = pickle.loads(cache_file.read_bytes())
        return found
    found = list(tables(count))
    common.OUT.mkdir(parents=True, exist_ok=True)
    for old in common.OUT.glob("generated-*.pickle"):
        old.unlink()
    cache_file.write_bytes(pickle.dumps(found))
    return found
