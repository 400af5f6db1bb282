"""Headings in many languages and database styles, and those that only look personal."""

from __future__ import annotations

import string
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from scanner.detect import vocabulary
from scanner.detect.headers import MAX_CHARACTERS, HeaderHint, HeaderVocabulary, form_hint, shipped
from scanner.model import Form

#: At least this strong counts as "the heading says so".
CLEAR = 0.65


def top(header: str, table: str = "") -> HeaderHint | None:
    return next(iter(shipped().hints(header, table)), None)


def concept_of(header: str, table: str = "") -> str | None:
    hint = top(header, table)
    return hint.concept if hint is not None and hint.strength >= CLEAR else None


HEADINGS = {
    concept: headings.split()
    for concept, headings in yaml.safe_load(
        Path(__file__).with_name("headings.yaml").read_text(encoding="utf-8")
    ).items()
}
CASES = [
    (concept, heading)
    for concept, headings in HEADINGS.items()
    if concept.isupper() or "." in concept
    for heading in headings
]


@pytest.mark.parametrize(("concept", "heading"), CASES, ids=lambda value: str(value))
def test_a_heading_means_its_concept(concept: str, heading: str) -> None:
    """The strongest hint of a usual heading is its concept."""
    hint = top(heading)
    assert hint is not None
    assert (hint.concept, hint.strength >= CLEAR) == (concept, True), shipped().hints(heading)
    assert hint.entity_type == concept.partition(".")[0]


@pytest.mark.parametrize("heading", HEADINGS["none"])
def test_what_only_looks_personal_is_none(heading: str) -> None:
    """A word beside a concept that makes it something else turns the hint around."""
    hint = top(heading)
    assert hint is not None
    assert hint.entity_type == "NONE", shipped().hints(heading)
    assert hint.strength >= 0.5


@pytest.mark.parametrize("heading", HEADINGS["silent"])
def test_near_misses_say_little(heading: str) -> None:
    """Words that hold a concept's letters, or nothing at all, give no clear hint."""
    assert concept_of(heading) is None, shipped().hints(heading)


def test_the_table_settles_a_bare_name() -> None:
    """``name`` alone is open; the table makes it a person's, a company's, a city's or nothing."""
    alone, customer, product = (top("name", table) for table in ("", "public.customers", "product"))
    assert alone is not None
    assert customer is not None
    assert product is not None
    assert (alone.concept, alone.strength) == ("PERSON", 0.5)
    assert (customer.concept, customer.strength > CLEAR) == ("PERSON", True)
    assert (product.concept, product.strength > CLEAR) == ("NONE", True)
    assert concept_of("name", "companies") == "ORGANIZATION"
    assert concept_of("name", "city") == "CITY"
    assert concept_of("code", "country") == "COUNTRY"
    assert concept_of("nombre", "clientes") == "PERSON"
    assert concept_of("nome", "produtos") == "NONE"


def test_the_last_noun_of_a_table_is_its_subject() -> None:
    """``customer_orders`` are orders, ``order_customers`` are people."""
    subject = shipped().subject
    assert [
        subject(t) for t in ("customer_orders", "order_customers", "dbo.Kunden", "tblSuppliers", "x")
    ] == [
        "other",
        "person",
        "person",
        "organization",
        None,
    ]


def test_a_surrogate_key_depends_on_its_table() -> None:
    """``id`` singles out a person in a table of people only."""
    strengths = {
        t: {h.concept: h.strength for h in shipped().hints("id", t)} for t in ("", "customer", "film")
    }
    assert strengths["customer"]["IDENTIFIER"] > strengths[""]["IDENTIFIER"] > 0
    assert strengths["film"].get("IDENTIFIER", 0) < strengths[""]["IDENTIFIER"]


@pytest.mark.parametrize(
    ("exact", "qualified", "unknown_before", "unknown_after"),
    [
        ("email", "home_email_2", "qqq_email", "email_qqq"),
        ("postcode", "billing_postcode", "zzz_postcode", "postcode_zzz"),
    ],
)
def test_company_weakens_a_phrase(
    exact: str, qualified: str, unknown_before: str, unknown_after: str
) -> None:
    """Known words beside a phrase cost little, unknown ones more, most when they follow."""
    strengths = [shipped().hints(h)[0].strength for h in (exact, qualified, unknown_before, unknown_after)]
    assert strengths == sorted(strengths, reverse=True)
    assert len(set(strengths)) == 4
    assert strengths[0] == 1.0


@pytest.mark.parametrize("pair", ["st", "cp", "no", "by", "ad", "sn"])
def test_two_letters_count_only_alone(pair: str) -> None:
    """Beside an unknown word, two letters say nothing."""
    assert all(hint.strength < 0.3 for hint in shipped().hints(f"qqq_{pair}") if hint.entity_type != "NONE")


@pytest.mark.parametrize(
    ("heading", "form"),
    [
        ("email_hash", Form.HASHED),
        ("email_sha256", Form.HASHED),
        ("EmailMD5", Form.HASHED),
        ("password_hash", Form.HASHED),
        ("masked_email", Form.MASKED),
        ("card_last4", Form.TRUNCATED),
        ("ssn_last_four", Form.TRUNCATED),
        ("card_token", Form.TOKENIZED),
        ("phone_encrypted", Form.ENCRYPTED),
        ("ssn_enc", Form.ENCRYPTED),
        ("email", None),
        ("access_token", None),
        ("tokenring", None),
        ("", None),
    ],
)
def test_a_heading_may_claim_a_form(heading: str, form: Form | None) -> None:
    """A form word is known, and is not mistaken for the secret that a token is."""
    assert form_hint(heading) is form


def test_a_form_word_keeps_the_concept() -> None:
    """``email_sha256`` is still of e-mail addresses."""
    assert [concept_of(h) for h in ("email_sha256", "card_last4", "masked_phone", "iban_enc")] == [
        "EMAIL_ADDRESS",
        "CREDIT_CARD",
        "PHONE_NUMBER",
        "IBAN_CODE",
    ]


def test_alternatives_and_questions() -> None:
    """Slashes give alternatives, remarks in parentheses and the opening of a question are passed over."""
    assert concept_of("Date of birth (dd/mm/yyyy)") == "DATE_OF_BIRTH"
    assert concept_of("What is your gender?") == "GENDER"
    assert concept_of("Please enter your email address") == "EMAIL_ADDRESS"
    assert concept_of("Name of applicant") == "PERSON"
    assert {hint.concept for hint in shipped().hints("PLZ/Ort")} >= {"POSTAL_CODE", "CITY"}


@pytest.mark.parametrize(
    "heading", ["email_address", "Geburtsdatum", "código postal", "strasse_nr", "first name"]
)
def test_style_does_not_matter(heading: str) -> None:
    """Snake, camel, kebab, spaces, capitals and gluing give the same concept."""
    words = heading.replace("_", " ").split()
    styles = [
        "_".join(words),
        "-".join(words),
        " ".join(words).upper(),
        words[0] + "".join(word.capitalize() for word in words[1:]),
        "".join(word.capitalize() for word in words),
        "".join(words).lower(),
        vocabulary.fold(heading),
    ]
    assert len({concept_of(style) for style in styles}) == 1


@given(st.text(max_size=200), st.text(max_size=40))
def test_any_text_is_a_heading(header: str, table: str) -> None:
    """Whatever stands above a column: hints come strongest first, in bounds, one a concept."""
    hints = shipped().hints(header, table)
    strengths = [hint.strength for hint in hints]
    assert strengths == sorted(strengths, reverse=True)
    assert all(0 < strength <= 1 for strength in strengths)
    assert len({hint.concept for hint in hints}) == len(hints)
    shipped().form_hint(header)


@given(st.text(alphabet=string.ascii_lowercase, min_size=1, max_size=12))
def test_folding_is_idempotent(word: str) -> None:
    """Levelling a levelled word changes nothing, and plain letters stay."""
    assert vocabulary.fold(word) == word
    assert vocabulary.fold(vocabulary.fold("É" + word)) == vocabulary.fold("É" + word) == "E" + word


def test_hostile_headings_are_quick() -> None:
    """A heading made to be cut in many ways, or longer than any, does not hold up a scan."""
    started = time.process_time()
    for header in ("name" * 39, "nm" * 79, "a_" * 79, "a." * 79, "x" * 10_000_000, "idno" * 40):
        shipped().hints(header)
    assert time.process_time() - started < 2
    assert shipped().hints("email " * MAX_CHARACTERS) == ()


def test_every_presidio_identifier_has_a_heading() -> None:
    """National identifiers that the detector knows can be named by a heading."""
    folder = (
        Path(__import__("presidio_analyzer").__file__).parent / "predefined_recognizers" / "country_specific"
    )
    named = shipped().concepts
    missing = []
    for file in folder.glob("*/*.py"):
        for line in file.read_text(encoding="utf-8").splitlines():
            if line.strip().startswith("supported_entity: str = "):
                entity = line.split('"')[1]
                if entity not in named:
                    missing.append(entity)
    # These are headed like any postal code or phone number.
    assert sorted(missing) == ["DE_PLZ", "ZA_MOBILE_NUMBER", "ZA_TELEPHONE_NUMBER"]


@pytest.mark.parametrize(
    "text",
    ["", "- a\n- b\n", "language: xx\n", "concepts: {PERSON: name}\n", "language: xx\nconcepts: [a]\n"],
)
def test_a_broken_vocabulary_is_named(tmp_path: Path, text: str) -> None:
    """A file that is no vocabulary stops loudly, with its name."""
    (tmp_path / "xx.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"xx\.yaml"):
        HeaderVocabulary(tmp_path)


def test_a_vocabulary_of_ones_own(tmp_path: Path) -> None:
    """Weights, alternations, whole-heading marks and accents are read as the format says."""
    (tmp_path / "xx.yaml").write_text(
        "language: xx\nconcepts:\n  PERSON: (big|small) größe ~0.8, =zed ~0.4\nwords: {number: no}\n",
        encoding="utf-8",
    )
    own = HeaderVocabulary(tmp_path)
    assert [own.hints(h)[0].strength for h in ("big_grosse", "SmallGroesse", "zed")] == [0.8, 0.8, 0.4]
    assert own.hints("big_größe")[0] == HeaderHint("PERSON", "PERSON", 0.8, "big größe", "xx")
    assert own.hints("zed_one") == ()


#: Headings of what is somebody's, and words that make them something else, by language.
NEAR_MISSES = {
    "en": (
        "email phone mobile address zip_code postcode birth_date customer_name first_name username iban",
        "verified type count status flag valid format length confirmed updated_at created_at required",
    ),
    "en, more": (
        "email phone mobile address zip_code birth_date customer_name username passport",
        "enabled category label template opt_in consent score total quality match missing error check errors",
    ),
    "de": (
        "email telefon adresse plz geburtsdatum vorname kundenname",
        "typ art status verifiziert gültig geprüft anzahl geändert_am bestätigt gesperrt format",
    ),
    "fr": (
        "email telephone adresse code_postal date_naissance prenom",
        "type statut verifie valide actif format modifie_le confirme",
    ),
    "es": (
        "correo telefono direccion codigo_postal fecha_nacimiento nombre_cliente",
        "tipo verificado valido activo formato confirmado bandera",
    ),
    "pt": (
        "email telefone endereco cep data_nascimento nome_cliente",
        "tipo status verificado valido quantidade ativo formato confirmado situacao",
    ),
    "it": (
        "email telefono indirizzo cap data_nascita cognome",
        "tipo stato verificato valido attivo formato confermato",
    ),
    "nl": (
        "email telefoon adres postcode geboortedatum voornaam",
        "type status geverifieerd geldig aantal actief soort bevestigd",
    ),
    "pl": (
        "email telefon adres kod_pocztowy data_urodzenia imie",
        "typ status zweryfikowany aktywny liczba potwierdzony rodzaj",
    ),
    "sv": (
        "epost telefon adress postnummer födelsedatum förnamn",
        "typ status verifierad aktiv antal bekräftad",
    ),
    "da": (
        "email telefon adresse postnummer fødselsdato fornavn",
        "type status verificeret aktiv antal bekræftet",
    ),
    "no": (
        "epost telefon adresse postnummer fødselsdato fornavn",
        "type status verifisert aktiv antall bekreftet",
    ),
    "fi": (
        "sähköposti puhelin osoite postinumero syntymäaika etunimi",
        "tyyppi tila vahvistettu aktiivinen määrä",
    ),
    "cs": ("email telefon adresa psč datum_narození jméno", "typ stav ověřen aktivní počet potvrzeno"),
    "tr": (
        "eposta telefon adres posta_kodu doğum_tarihi ad_soyad",
        "türü durumu doğrulandı aktif sayısı tipi onaylandı",
    ),
    "hi": ("email phone pata pincode janm_tithi naam", "prakar sthiti satyapit"),
}
PERSONAL = frozenset(
    {"PERSON", "EMAIL_ADDRESS", "PHONE_NUMBER", "STREET_ADDRESS", "POSTAL_CODE", "DATE_OF_BIRTH", "USERNAME"}
)


@pytest.mark.parametrize(
    ("head", "word"),
    [
        (head, word)
        for heads, words in NEAR_MISSES.values()
        for head in heads.split()
        for word in words.split()
    ],
)
def test_a_word_beside_it_makes_it_something_else(head: str, word: str) -> None:
    """``email`` is one, ``email_verified`` is not: in every language, whatever the style."""
    for heading in (f"{head}_{word}", f"{head} {word}".title(), f"{head}_{word}".upper()):
        hints = shipped().hints(heading)
        assert not hints or hints[0].entity_type not in PERSONAL or hints[0].strength < 0.5


@pytest.mark.parametrize(
    "heading",
    """
    product_name file_name school_name company_name app_name host_name table_name brand_name event_name
    station_name phone_prefix email_domain email_template phone_model ip_address mac_address
    wallet_address street_light zip_file death_date first_seen last_login first_order user_agent
    user_role card_type account_status
    """.split(),  # noqa: SIM905 # a paragraph of words reads better than a list
)
def test_what_only_sounds_personal(heading: str) -> None:
    """Names of things, addresses of machines, dates of events."""
    hints = shipped().hints(heading)
    assert not hints or hints[0].entity_type not in PERSONAL or hints[0].strength < 0.5


@pytest.mark.parametrize(
    ("heading", "concept"),
    [
        (heading, concept)
        for concept, headings in {
            "PERSON.last": "ap_mat apell snimi anaam cogn",
            "PERSON.first": "vorn vnaam enimi fname",
            "PHONE_NUMBER": "tel_mob tlfn telmov tel_priv dooravani cel nr_tel ceptel puhnro telnr rufnr",
            "DATE_OF_BIRTH": "fecha_nac dt_nasc ddn geb_dat gbdat dat_ur synt_aika janma_tithi dnascita",
            "POSTAL_CODE": "cp plz cap cep eircode pincode pin_cd psc postnr kod_poczt",
            "EMAIL_ADDRESS": "corr_elec emailadr cust_eml eposta mailadr",
        }.items()
        for heading in headings.split()
    ],
)
def test_abbreviations(heading: str, concept: str) -> None:
    """What databases call it where names had to be short."""
    assert shipped().hints(heading)[0].concept == concept
    assert shipped().hints(heading)[0].strength >= 0.5


@pytest.mark.parametrize(
    ("heading", "concept"),
    [
        ("address_sv", "STREET_ADDRESS"),
        ("city_name_en", "CITY"),
        ("postcode_fi_name", "CITY"),
        ("municipality_name_sv", "CITY"),
        ("first_name_pt_BR", "PERSON.first"),
        ("country (en)", "COUNTRY"),
        ("region_nl_name", "REGION"),
    ],
)
def test_a_language_beside_a_heading_takes_nothing_away(heading: str, concept: str) -> None:
    """A column for each language, as multilingual registers have them."""
    best = shipped().hints(heading)[0]
    assert (best.concept, best.strength >= 0.8) == (concept, True)


@pytest.mark.parametrize("heading", ["dat_ur", "city_id", "nom_de_famille", "fecha_es"])
def test_codes_of_languages_that_are_other_words_stay(heading: str) -> None:
    """A birth date in Polish, a key, a particle: removing the two letters would make something else of it."""
    expected = {
        "dat_ur": "DATE_OF_BIRTH",
        "city_id": "NONE",
        "nom_de_famille": "PERSON.last",
        "fecha_es": None,
    }
    assert concept_of(heading) == expected[heading]


@pytest.mark.parametrize(
    ("heading", "concept"),
    [("xyfirstname", "PERSON.first"), ("pqtelefono", "PHONE_NUMBER"), ("zkemailaddress", "EMAIL_ADDRESS")],
)
def test_a_long_phrase_after_letters_that_nobody_knows(heading: str, concept: str) -> None:
    """Prefixes of modules and forms are glued to what the field is."""
    best = shipped().hints(heading)[0]
    assert (best.concept, 0.5 <= best.strength < 0.7) == (concept, True)


@pytest.mark.parametrize("heading", ["publicity", "filename", "baseline", "modelage", "tokenize"])
def test_the_end_of_an_ordinary_word_is_no_phrase(heading: str) -> None:
    """Short phrases end many words."""
    assert concept_of(heading) in (None, "NONE")


@pytest.mark.parametrize(
    ("heading", "concept"),
    [
        ("direcci_n", "STREET_ADDRESS"),
        ("tel_fono", "PHONE_NUMBER"),
        ("regi?n", "REGION"),
        ("pa_s_de_nacimiento", "COUNTRY"),
        ("T\ufffdl\ufffdphone", "PHONE_NUMBER"),
    ],
)
def test_headings_that_lost_their_accented_letters(heading: str, concept: str) -> None:
    """Exports through the wrong encoding put an underscore, a question mark or nothing in their place."""
    assert shipped().hints(heading)[0].concept == concept


@pytest.mark.parametrize("heading", ["a_o", "n_m", "zip4", "zip_4"])
def test_what_is_left_of_short_words_says_nothing(heading: str) -> None:
    """A year or a name of which two letters are left; the add-on of a ZIP code alone is no postal code."""
    assert concept_of(heading) in (None, "NONE")
