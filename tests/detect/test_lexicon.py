"""The word lists hold what people and places are called; one value and a column are folded alike."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scanner import resources
from scanner.detect.lexicon import (
    LONGEST,
    NAMES,
    Lexicons,
    bit,
    fold,
    fold_all,
    hash_words,
    held,
    members,
    memberships,
    tokens,
    weights_of,
)

HELD = {
    "given_names": """
        james mary giulia björn bjorn sven wojciech eszter joão joao sofía sofia ahmet lakshmi
        rajesh priya harpreet anil fatima olivia jayden françois francois zsófia łukasz lukasz
        dmitri aino juhani""",
    "family_names": """
        smith garcía garcia müller muller kowalski rossi silva virtanen korhonen nagy hansen
        andersson dubois patel sharma iyer chatterjee nguyen obrien o'brien yilmaz papadopoulos
        novák novak popescu jansen""",
    "cities": """
        berlin paris münchen munich mumbai lyon warszawa praha springfield guadalajara fortaleza
        turku aarhus kraków krakow nashville indore""",
    "regions": """
        texas tx california ontario bayern bavaria maharashtra jalisco drenthe kent uusimaa""",
    "countries": """
        germany deutschland allemagne alemania germania us usa de deu brasil brazil suomi polska
        england""",
    "languages": "english deutsch français francais español hindi suomi",
    "street_words": """
        street st road straße strasse rue calle via rua straat ulica katu gata avenida marg sokak""",
    "organization_words": "inc gmbh ltd s.a sarl university schule hospital bank oy kft",
    "name_particles": "van der de la von bin",
    "titles": "mr mrs dr herr frau mme sra smt",
    "common_words": "may april bank house juni",
    "not_person_words": "unknown test total admin",
    "demonyms": "german french indian mexican",
    "dictionary_words": "rose baker",
    "occupations": "nurse accountant",
}
NOT_HELD = {
    "given_names": "the unknown de van xqzt order invoice 42",
    "family_names": "the test unknown van xqzt street",
    "cities": "xqzt invoice",
    "regions": "xqzt invoice",
    "countries": "atlantis xqzt",
    "common_words": "garcía maria josé smith priya",
    "organization_words": "james smith",
}


@pytest.mark.parametrize(("name", "word"), [(n, w) for n, words in HELD.items() for w in words.split()])
def test_what_should_be_known_is(name: str, word: str) -> None:
    """Common entries are there, with their accents and without."""
    assert Lexicons().contains(name, word)
    assert Lexicons().contains(name, f"  {word.upper() if word.isascii() else word}\t")
    assert 0 < Lexicons().weight(name, word) <= 1


@pytest.mark.parametrize(("name", "word"), [(n, w) for n, words in NOT_HELD.items() for w in words.split()])
def test_what_should_not_be_known_is_not(name: str, word: str) -> None:
    """A list of names does not hold ordinary words, and the other way round."""
    assert not Lexicons().contains(name, word)
    assert Lexicons().weight(name, word) == 0


@pytest.mark.parametrize("name", NAMES)
def test_entries_are_sorted_distinct_and_folded(name: str) -> None:
    """What `values` gives can be searched by folded values, and by nothing else."""
    values = Lexicons().values(name)
    assert values.null_count == 0
    assert values.equals(fold_all(values))
    assert pc.count_distinct(values).as_py() == len(values) > 0
    assert values.to_pylist() == sorted(values.to_pylist())
    weights = Lexicons().weights(name)
    assert len(weights) == len(values)
    assert 0 < pc.min(weights).as_py() <= pc.max(weights).as_py() <= 1


def test_the_lists_stay_small() -> None:
    """All lists together are a few megabytes: they ship in the wheel and load in every worker."""
    assert sum(file.stat().st_size for file in resources.path("rules", "lexicons").iterdir()) < 6_000_000


def test_codes_are_iso() -> None:
    """Regions and countries have their codes, whatever language names them."""
    lexicons = Lexicons()
    assert lexicons.codes("regions", "Texas") == ("US-TX",)
    assert "DE-BY" in lexicons.codes("regions", "Bayern")
    assert "CA-ON" in lexicons.codes("regions", "Ontario")
    assert lexicons.codes("countries", "Deutschland") == ("DE",)
    assert lexicons.codes("countries", "usa") == ("US",)
    assert "FR" in lexicons.codes("cities", "Paris")
    assert lexicons.codes("countries", "atlantis") == ()
    assert lexicons.codes("given_names", "mary") == ()


def test_common_names_weigh_more() -> None:
    """Weights order names by how many people have them, cities by their size."""
    lexicons = Lexicons()
    assert lexicons.weight("family_names", "smith") > lexicons.weight("family_names", "zuk") >= 0
    assert lexicons.weight("given_names", "mary") > lexicons.weight("given_names", "aaliya")
    assert lexicons.weight("cities", "mumbai") > lexicons.weight("cities", "turku")


def test_an_unknown_list_is_an_error() -> None:
    """A list that does not exist is a mistake of ours, not an empty list."""
    with pytest.raises(KeyError, match="no lexicon 'nicknames'"):
        Lexicons().values("nicknames")


@given(st.text(max_size=30))
@example("İSTANBUL")
@example("ΟΔΟΣ Σ")
@example("  a\x85b\u00a0c\x1cd\v ")
@example("e\u0301")
@example("")
def test_one_value_and_a_column_fold_alike(text: str) -> None:
    """The scalar and the vector form agree on every text, and folding twice changes nothing."""
    assert fold_all(pa.array([text], pa.string())).to_pylist() == [fold(text)]
    assert fold(fold(text)) == fold(text)


@given(st.lists(st.none() | st.text(alphabet="aB'é -.,\t’", max_size=12), max_size=8))
def test_tokens_belong_to_their_values(texts: list[str | None]) -> None:
    """Each word is a folded piece of the value it is said to come from, in order."""
    words, parents = tokens(pa.array(texts, pa.string()))
    assert len(words) == len(parents)
    assert parents.to_pylist() == sorted(parents.to_pylist())
    for word, parent in zip(words.to_pylist(), parents.to_pylist(), strict=True):
        text = texts[parent]
        assert text is not None
        assert word
        assert word in fold(text).replace("'", "").replace("’", "")


def test_tokens_of_names() -> None:
    """Hyphens, commas and full stops part words; an apostrophe is dropped; null has none."""
    words, parents = tokens(pa.array(["O'Brien, Mary-Jane", None, "", "J. D'Angelo"], pa.string()))
    assert words.to_pylist() == ["obrien", "mary", "jane", "j", "dangelo"]
    assert parents.to_pylist() == [0, 0, 0, 3, 3]
    assert held("family_names", words).to_pylist() == [True, True, True, False, True]
    assert [weight > 0 for weight in weights_of("given_names", words).to_pylist()] == [
        False,
        True,
        True,
        False,
        True,
    ]


def test_a_column_of_nothing() -> None:
    """Empty columns and columns of nulls go through."""
    for column in (pa.array([], pa.string()), pa.array([None, None], pa.string())):
        assert len(fold_all(column)) == len(column)
        words, parents = tokens(column)
        assert (len(words), len(parents)) == (0, 0)


def test_a_lone_surrogate_is_no_error() -> None:
    """A text that is not UTF-8 is simply in no list."""
    assert not Lexicons().contains("cities", "\udc80lyon")


@pytest.mark.parametrize("name", NAMES)
def test_the_index_holds_what_the_list_holds(name: str) -> None:
    """Every entry is found by its hash, and the index has no entry more."""
    words = Lexicons().words(name)
    assert ((memberships(list(words)) & bit(name)) != 0).all()
    everything = set().union(*(Lexicons().words(other) for other in NAMES))
    others = [word for word in everything if word not in words]
    assert not ((memberships(others) & bit(name)) != 0).any()


@given(st.lists(st.text(max_size=60), max_size=8))
def test_a_hash_is_of_the_word_alone(words: list[str]) -> None:
    """Neither the words beside it nor their lengths change a word's hash."""
    assert hash_words(words).tolist() == [int(hash_words([word])[0]) for word in words]


def test_words_longer_than_any_entry_are_in_no_list() -> None:
    """They are not cut down to something that is."""
    long = "berlin" + "x" * LONGEST
    assert memberships([long, "berlin" + "\0" * LONGEST, ""]).tolist() == [0, 0, 0]


def test_an_index_of_other_lists_is_refused() -> None:
    """Bits mean lists by their order."""
    with pytest.raises(ValueError, match="not the lists"):
        members([("cities", ["berlin"])])


def test_two_words_of_one_hash_are_refused() -> None:
    """The builder stops rather than let one word stand for another."""
    lists = [(name, ["", "berlin"] if name == "cities" else []) for name in NAMES]
    with pytest.raises(ValueError, match="same hash"):
        members(lists)
