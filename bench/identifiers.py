"""Made-up national identifiers: each country's layout, with check digits that python-stdnum knows.

python-stdnum judges and the scanner does not, so that a broken check of the scanner shows. No number is
anybody's on purpose.
"""

from __future__ import annotations

import importlib
import random
import string
from collections.abc import Callable
from functools import cache

_TRIES = 20_000
_POOL = 40
#: Layout by entity type, and the module of python-stdnum that tells whether a number is one; none where the
#: identifier has no check digit. ``#`` is a digit, ``?`` a letter, ``yy``, ``mm`` and ``dd`` a date of birth.
LAYOUTS: dict[str, tuple[str, str]] = {
    "US_SSN": ("###-##-####", "us.ssn"), "US_ITIN": ("9##-7#-####", "us.itin"),
    "US_PASSPORT": ("?########", ""), "US_MBI": ("#?#?-??#-??##", ""), "US_NPI": ("1#########", ""),
    "CA_SIN": ("### ### ###", "ca.sin"), "UK_NHS": ("### ### ####", "gb.nhs"), "UK_NINO": ("A?######C", ""),
    "UK_PASSPORT": ("??#######", ""), "AU_TFN": ("### ### ###", "au.tfn"),
    "AU_ABN": ("## ### ### ###", "au.abn"),
    "IN_PAN": ("???P?####?", "in_.pan"), "IN_AADHAAR": ("#### #### ####", "in_.aadhaar"),
    "IN_VOTER": ("???#######", "in_.epic"), "IN_PASSPORT": ("?#######", ""),
    "ES_NIF": ("########?", "es.dni"),
    "ES_NIE": ("X#######?", "es.nie"), "ES_PASSPORT": ("???######", ""),
    "IT_FISCAL_CODE": ("??????yyM15H501?", "it.codicefiscale"), "IT_VAT_CODE": ("###########", "it.iva"),
    "IT_IDENTITY_CARD": ("CA#####AA", ""), "IT_PASSPORT": ("YA#######", ""),
    "PL_PESEL": ("yymmdd#####", "pl.pesel"),
    "PL_NIP": ("##########", "pl.nip"), "PL_REGON": ("#########", "pl.regon"),
    "FI_PERSONAL_IDENTITY_CODE": ("ddmmyy-###?", "fi.hetu"),
    "SE_PERSONNUMMER": ("yymmdd-####", "se.personnummer"),
    "SE_ORGANISATIONSNUMMER": ("55####-####", "se.orgnr"), "DE_TAX_ID": ("###########", "de.idnr"),
    "DE_VAT_ID": ("DE#########", "de.vat"), "KR_RRN": ("yymmdd-1######", "kr.rrn"),
    "KR_BRN": ("###-##-#####", "kr.brn"),
    "TH_TNIN": ("#############", "th.pin"), "TR_NATIONAL_ID": ("###########", "tr.tckimlik"),
    "ZA_ID_NUMBER": ("yymmdd####08#", "za.idnr"), "FR_NIR": ("1yymm##########", "fr.nir"),
    "BR_CPF": ("###.###.###-##", "br.cpf"), "MX_CURP": ("????yymmddHDF???##", "mx.curp"),
    "MX_RFC": ("????yymmdd???", "mx.rfc"), "NL_BSN": ("#########", "nl.bsn"),
    "BE_NATIONAL_NUMBER": ("yymmdd#####", "be.nn"),
    "CH_AHV": ("756.####.####.##", "ch.ssn"), "AT_SVNR": ("####ddmmyy", "at.vnr"),
    "DK_CPR": ("ddmmyy-####", "dk.cpr"),
    "NO_FNR": ("ddmmyy#####", "no.fodselsnummer"), "PT_NIF": ("2########", "pt.nif"),
    "CL_RUT": ("##.###.###-#", "cl.rut"),
    "AR_CUIT": ("20-########-#", "ar.cuit"), "RO_CNP": ("1yymmdd######", "ro.cnp"),
    "CZ_RC": ("yymmdd/####", "cz.rc"),
    "HR_OIB": ("###########", "hr.oib"), "IE_PPS": ("#######?", "ie.pps"),
    "GR_AMKA": ("ddmmyy#####", "gr.amka"),
}  # fmt: skip
#: Number plates by the recognizer that knows them.
PLATES = {
    "DeKfz": "??-?? ####", "UkVehicleRegistration": "LB1# CDE", "InVehicleRegistration": "MH##??####",
    "NgVehicleRegistration": "???-###AA", "TrLicensePlate": "34 AB ###", "ZaLicensePlate": "?? ## ?? GP",
}  # fmt: skip
#: What people head them with, where the vocabulary of headings has general words for them only.
HEADINGS: dict[str, tuple[str, ...]] = {
    "FR_NIR": ("nir", "numéro de sécurité sociale", "no secu"), "BR_CPF": ("cpf", "nr cpf", "cpf cliente"),
    "MX_CURP": ("curp",), "MX_RFC": ("rfc",), "NL_BSN": ("bsn", "burgerservicenummer"),
    "BE_NATIONAL_NUMBER": ("rijksregisternummer", "numéro national", "nrn"),
    "CH_AHV": ("ahv nr", "ahv nummer", "no avs"),
    "AT_SVNR": ("svnr", "sozialversicherungsnummer", "sv nummer"), "DK_CPR": ("cpr", "cpr nummer", "cpr nr"),
    "NO_FNR": ("fødselsnummer", "fnr", "personnummer"), "PT_NIF": ("nif", "nº contribuinte"),
    "PL_NIP": ("nip", "nr nip"),
    "PL_REGON": ("regon",), "CL_RUT": ("rut", "rut cliente"), "AR_CUIT": ("cuit", "cuil"), "RO_CNP": ("cnp",),
    "CZ_RC": ("rodné číslo", "rodne cislo"), "HR_OIB": ("oib",), "IE_PPS": ("pps", "ppsn", "pps number"),
    "GR_AMKA": ("αμκα", "amka"),
}  # fmt: skip
#: The place whose tables have them, by Faker's locale; the others appear anywhere.
COUNTRIES = {
    "US": "en_US", "CA": "en_CA", "UK": "en_GB", "AU": "en_AU", "IN": "en_IN", "ES": "es_ES", "IT": "it_IT",
    "PL": "pl_PL", "FI": "fi_FI", "SE": "sv_SE", "DE": "de_DE", "TR": "tr_TR", "FR": "fr_FR", "BR": "pt_BR",
    "MX": "es_MX", "NL": "nl_NL", "BE": "nl_BE", "CH": "de_CH", "AT": "de_AT", "DK": "da_DK", "NO": "no_NO",
    "PT": "pt_PT", "CL": "es_CL", "AR": "es_AR", "RO": "ro_RO", "CZ": "cs_CZ", "HR": "hr_HR", "IE": "en_IE",
    "GR": "el_GR",
}  # fmt: skip


def of_locale(locale: str) -> list[str]:
    """The identifiers that tables of a place may have."""
    return [name for name in LAYOUTS if COUNTRIES.get(name[:2]) == locale]


def plates(recognizer: str, count: int) -> tuple[str, ...]:
    """Number plates of the country of a recognizer."""
    dice = random.Random(recognizer)
    return tuple(_filled(PLATES[recognizer], dice) for _ in range(count))


@cache
def pool(entity_type: str) -> tuple[str, ...]:
    """Some identifiers of a type, the same each time.

    Raises:
        KeyError: no layout of the type is known.
        RuntimeError: no number of the layout passes the check.
    """
    layout, module = LAYOUTS[entity_type]
    valid: Callable[[str], bool] = (
        importlib.import_module(f"stdnum.{module}").is_valid if module else lambda number: True
    )
    dice = random.Random(entity_type)
    found: dict[str, None] = {}
    for _ in range(_TRIES):
        number = _filled(layout, dice)
        if valid(number):
            found[number] = None
        if len(found) == _POOL:
            break
    if not found:
        raise RuntimeError(f"no {entity_type} passes its check")
    return tuple(found)


def _filled(layout: str, dice: random.Random) -> str:
    text = layout
    for mark, drawn in (
        ("yy", dice.randrange(40, 99)),
        ("mm", dice.randrange(1, 13)),
        ("dd", dice.randrange(1, 29)),
    ):
        text = text.replace(mark, f"{drawn:02}")
    digits, letters = string.digits, string.ascii_uppercase
    return "".join(dice.choice(digits if c == "#" else letters) if c in "#?" else c for c in text)
