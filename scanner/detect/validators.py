"""What a pattern cannot tell: check digits, ranges and the look of a placeholder.

Every check takes the text that a pattern found and answers True (proven, score 1), False (disproved, dropped)
or None (nothing learnt, the pattern's score stands): the meaning Presidio gives to ``validate_result``. They
need no Presidio; ``phonenumbers`` and ``stdnum`` are imported inside.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Sequence
from datetime import date
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from scanner.detect import phones

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Check = Callable[[str], bool | None]

_NOT_ALNUM = re.compile(r"[\W_]+")
_NOT_DIGITS = re.compile(r"\D+")


def luhn(digits: str) -> bool:
    """Whether ASCII ``digits`` end in their Luhn check digit (ISO/IEC 7812-1, annex B)."""
    if not (digits.isascii() and digits.isdigit()):
        return False
    doubled = "0246813579"
    odd = sum(int(digit) for digit in digits[-1::-2])
    return (odd + sum(int(doubled[int(digit)]) for digit in digits[-2::-2])) % 10 == 0


def credit_card_check(text: str) -> bool | None:
    """True for a Luhn-correct card number, as Presidio judges it; never None."""
    return luhn(text.replace("-", "").replace(" ", ""))


def imei_check(text: str) -> bool | None:
    """False unless 15 digits with a Luhn digit (3GPP TS 23.003, annex B); such a one is likely, not proven.

    One number in ten passes by chance, so only the grouped writing, which nothing else uses, is proof.
    """
    digits = _NOT_DIGITS.sub("", text)
    if len(digits) != 15 or not luhn(digits) or len(set(digits)) < 3:
        return False
    return True if re.fullmatch(r"\d{2}[- ]\d{6}[- ]\d{6}[- ]\d", text.strip()) else None


_VIN_VALUES = dict(
    zip("0123456789ABCDEFGHJKLMNPRSTUVWXYZ", [*range(10), *range(1, 9), *range(1, 6), 7, 9, *range(2, 10)],
        strict=True)
)  # fmt: skip
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
# Regions of ISO 3780 whose makers must write the check digit: North America (49 CFR 565), China (GB 16735).
_VIN_CHECKED_REGIONS = frozenset("12345L")


def vin_check(text: str) -> bool | None:
    """True where position 9 is the check digit of 49 CFR 565.15; None where its maker need not write one.

    False: no vehicle identification number (ISO 3779): wrong length or letters (I, O, Q never occur), a
    serial part without digits, or a missing check digit where the law asks for it.
    """
    vin = text.strip().upper()
    if len(vin) != 17 or any(char not in _VIN_VALUES for char in vin) or len(set(vin)) < 5:
        return False
    if not vin[-3:].isdigit():
        return False
    total = sum(_VIN_VALUES[char] * weight for char, weight in zip(vin, _VIN_WEIGHTS, strict=True))
    proven = vin[8] == "0123456789X"[total % 11]
    if vin.isdigit():
        return None if proven else False  # seventeen digits may be any number
    if proven:
        return True
    return False if vin[0] in _VIN_CHECKED_REGIONS or vin.isalpha() else None


# ISO 13616-1 registry: length by country; a country that is not here has no IBAN.
IBAN_LENGTHS = {
    country: length
    for length, countries in {
        15: "NO",
        16: "BE",
        18: "DK FI FK FO GL NL SD",
        19: "MK SI",
        20: "AT BA EE KZ LT LU MN XK",
        21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS VA",
        23: "AE GI IL IQ OM SO TL",
        24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "LY PT ST",
        26: "IS TR",
        27: "BI DJ FR GR IT MC MR SM",
        28: "AL AZ BY CY DO GT HN HU LB NI PL SV",
        29: "BR EG PS QA UA",
        30: "JO KW MU YE",
        31: "MT SC",
        32: "LC",
        33: "RU",
    }.items()
    for country in countries.split()
}


def iban_check(text: str) -> bool | None:
    """True for an account number with the right length and check digits (ISO 13616-1, ISO 7064 mod 97)."""
    iban = re.sub(r"[\s-]", "", text).upper()
    if not (iban.isascii() and iban.isalnum()) or IBAN_LENGTHS.get(iban[:2]) != len(iban):
        return False
    return int("".join(str(int(char, 36)) for char in iban[4:] + iban[:4])) % 97 == 1


def ip_check(text: str) -> bool | None:
    """False unless IPv4 or IPv6, with or without a prefix length; the unspecified address is nobody's."""
    try:
        interface = ipaddress.ip_interface(text.strip())
    except ValueError:
        return False
    return None if int(interface.ip) else False


def mac_check(text: str) -> bool | None:
    """False for the broadcast and the null address, which are no device's."""
    return None if len(set(_NOT_ALNUM.sub("", text).lower())) > 1 else False


# Endings that look like a top-level domain and are a file's.
_FILE_ENDINGS = frozenset(
    {
        "png",
        "jpg",
        "jpeg",
        "gif",
        "svg",
        "webp",
        "bmp",
        "ico",
        "css",
        "js",
        "ts",
        "html",
        "htm",
        "php",
        "asp",
        "aspx",
        "pdf",
        "doc",
        "docx",
        "xls",
        "xlsx",
        "csv",
        "json",
        "xml",
        "yaml",
        "yml",
        "txt",
        "log",
        "exe",
        "dll",
        "py",
        "java",
        "jar",
        "class",
        "local",
        "localhost",
        "internal",
        "lan",
        "invalid",
    }
)


def email_check(text: str) -> bool | None:
    """False for what only looks like an address: a file name with ``@2x``, a length beyond RFC 5321."""
    local, _, domain = text.rpartition("@")
    ending = domain.rpartition(".")[2].lower()
    if len(domain) > 253 or len(local) > 64 or ending in _FILE_ENDINGS:
        return False
    return None if all(0 < len(label) <= 63 for label in domain.split(".")) else False


def geo_check(text: str) -> bool | None:
    """False where a pair is outside of latitude ±90 and longitude ±180, or is the zero point."""
    numbers = [float(number) for number in re.findall(r"-?\d{1,3}\.\d+", text)]
    if len(numbers) < 2:
        return None
    latitude, longitude = numbers[:2]
    return None if abs(latitude) <= 90 and abs(longitude) <= 180 and (latitude or longitude) else False


def phone_check(text: str, regions: tuple[str, ...] | None = None) -> bool | None:
    """True for a valid telephone number, None for one that is only written like one, False for neither."""
    if regions is None:
        from scanner.config import Settings

        regions = Settings().regions
    found = phones.read(text, regions)
    return False if found is None else (True if found.valid else None)


_DAY_FIRST = re.compile(r"\D*(\d{1,2})\D+(\d{1,2})\D+(\d{2}|\d{4})\D*")
_YEAR_FIRST = re.compile(r"\D*(\d{4})\D+(\d{1,2})\D+(\d{1,2})(?:[T ].*)?\D*")


def birth_date_check(text: str) -> bool | None:
    """False for a day that does not exist or on which nobody alive was born (before 1900, or yet to come)."""
    if found := _YEAR_FIRST.fullmatch(text):
        return _born(int(found[1]), (int(found[2]), int(found[3])))
    if found := _DAY_FIRST.fullmatch(text):
        first, second, year = int(found[1]), int(found[2]), int(found[3])
        return _born(year if len(found[3]) == 4 else 2000, (first, second), (second, first))
    years = [int(year) for year in re.findall(r"(?<!\d)\d{4}(?!\d)", text)]
    return False if years and not all(1900 <= year <= date.today().year for year in years) else None  # noqa: DTZ011 # a year at most


def _born(year: int, *months_and_days: tuple[int, int]) -> bool | None:
    if not 1900 <= year <= date.today().year:  # noqa: DTZ011 # a year at most
        return False
    return None if any(_is_day(year, month, day) for month, day in months_and_days) else False


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


# What stands where a password was taken out, or is about to be put in.
_PLACEHOLDER = re.compile(
    r"[*•x.#-]+|<.*|\$?\{.*|%.*|\$\(?\w+.*|(?:none|null|nil|true|false|yes|no|required|optional|string|text|hidden|"
    r"redacted|changeme|secret|password|passwort|your[_-]?password|str|os\.\w+.*|get\w+\(.*|self\..*)[,;.)]*",
    re.IGNORECASE,
)


def password_check(text: str) -> bool | None:
    """False where the value is a placeholder, a mask or a variable."""
    value = re.split(r"[:=]\s*", text, maxsplit=1)[-1].strip().strip("\"'")
    return False if len(value) < 4 or _PLACEHOLDER.fullmatch(value) else None


def plate_check(text: str) -> bool | None:
    """False unless letters and digits both occur, as on every plate that tells a car apart."""
    plain = _NOT_ALNUM.sub("", text)
    mixed = any(char.isdigit() for char in plain) and any(char.isalpha() for char in plain)
    return None if mixed and 4 <= len(plain) <= 9 else False


def _stdnum(module: str, minimum_distinct: int = 3) -> Check:
    """The check of a ``stdnum`` module, which also refuses numbers of one or two digits repeated."""

    def check(text: str) -> bool | None:
        if len(set(_NOT_ALNUM.sub("", text))) < minimum_distinct:
            return False
        return bool(_stdnum_module(module).is_valid(text))

    check.__name__ = module.replace(".", "_") + "_check"
    check.__doc__ = f"True for a number that ``stdnum.{module}`` accepts, False for any other."
    return check


@cache
def _stdnum_module(module: str) -> Any:
    return import_module(f"stdnum.{module}")


# By the name that rules/recognizers/*.yaml uses.
CHECKS: dict[str, Check] = {
    "birth_date": birth_date_check,
    "credit_card": credit_card_check,
    "email": email_check,
    "geo": geo_check,
    "iban": iban_check,
    "imei": imei_check,
    "ip": ip_check,
    "mac": mac_check,
    "password": password_check,
    "phone": phone_check,
    "plate": plate_check,
    "vin": vin_check,
    "ar_cuit": _stdnum("ar.cuit"),
    "at_vnr": _stdnum("at.vnr"),
    "be_nn": _stdnum("be.nn"),
    "bg_egn": _stdnum("bg.egn"),
    "br_cnpj": _stdnum("br.cnpj"),
    "br_cpf": _stdnum("br.cpf"),
    "ch_ssn": _stdnum("ch.ssn"),
    "cl_rut": _stdnum("cl.rut"),
    "co_nit": _stdnum("co.nit"),
    "cz_rc": _stdnum("cz.rc"),
    "dk_cpr": _stdnum("dk.cpr"),
    "ee_ik": _stdnum("ee.ik"),
    "es_ccc": _stdnum("es.ccc"),
    "fr_nir": _stdnum("fr.nir"),
    "gr_amka": _stdnum("gr.amka"),
    "hr_oib": _stdnum("hr.oib"),
    "ie_pps": _stdnum("ie.pps"),
    "lt_asmens": _stdnum("lt.asmens"),
    "mx_curp": _stdnum("mx.curp"),
    "mx_rfc": _stdnum("mx.rfc"),
    "nl_bsn": _stdnum("nl.bsn"),
    "no_fodselsnummer": _stdnum("no.fodselsnummer"),
    "pl_nip": _stdnum("pl.nip"),
    "pl_regon": _stdnum("pl.regon"),
    "pt_nif": _stdnum("pt.nif"),
    "ro_cnp": _stdnum("ro.cnp"),
}


#: The schemes of `national_scheme`: the check, and how many letters and digits a number has.
_SCHEMES: dict[str, tuple[int, ...]] = {
    "ar_cuit": (11,),
    "at_vnr": (10,),
    "be_nn": (11,),
    "bg_egn": (10,),
    "br_cnpj": (14,),
    "br_cpf": (11,),
    "ch_ssn": (13,),
    "cl_rut": (8, 9),
    "co_nit": (9, 10),
    "cz_rc": (9, 10),
    "dk_cpr": (10,),
    "ee_ik": (11,),
    "fr_nir": (15,),
    "gr_amka": (11,),
    "hr_oib": (11,),
    "ie_pps": (8, 9),
    "lt_asmens": (11,),
    "mx_curp": (18,),
    "mx_rfc": (12, 13),
    "nl_bsn": (9,),
    "no_fodselsnummer": (11,),
    "pl_nip": (10,),
    "pl_regon": (9, 14),
    "pt_nif": (9,),
    "ro_cnp": (13,),
}
#: Values that are asked of each scheme; the rest only of the best.
_PROBED = 24
_MOST_PASS = 0.6


def national_scheme(values: Sequence[str]) -> tuple[str, NDArray[np.bool_]]:
    """The national scheme whose check digits most of the values have, and which values have them.

    ``""`` and no value where no scheme knows most of them: a number in ten passes some check by chance, and
    a column is of one country or of none.
    """
    import numpy as np

    plain = [_NOT_ALNUM.sub("", value.removesuffix(".0")) for value in values]
    out = np.zeros(len(values), np.bool_)
    best, share = "", _MOST_PASS
    for name, lengths in _SCHEMES.items():
        probe = [value for value in plain[:_PROBED] if len(value) in lengths]
        if len(probe) * 2 < min(_PROBED, len(plain)):
            continue
        passed = sum(CHECKS[name](value) is True for value in probe) / min(_PROBED, len(plain))
        if passed > share:
            best, share = name, passed
    if best:
        lengths = _SCHEMES[best]
        for index, value in enumerate(plain):
            out[index] = len(value) in lengths and CHECKS[best](value) is True
    return best, out
