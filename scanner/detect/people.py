"""Which values of a sample read as names of people, of organisations, as user names."""

from __future__ import annotations

import re

import numpy as np

from scanner.detect.sample import Counts, Flags, Sample

#: Marks that no name has; ``&`` joins the names of a couple, ``:`` and ``;`` those of several people.
_FOREIGN = frozenset("@<>{}[]|=\\#$%^*~_")
_MOST_WORDS = 7
_USERNAME = re.compile(r"@?[^\W_](?:[\w.\\-]*\w)?", re.UNICODE)
_MARKED = re.compile(r"[0-9._]")


def is_person(sample: Sample) -> Flags:
    """One to seven words without digits, half of them known names, none of them an organisation's.

    Titles, particles and initials count neither for nor against. One word alone must be a name and no
    ordinary word; of several, ordinary words must be fewer than half. What a list of languages or jobs holds
    as a whole is a name only if one of its words is a given name, or if it is one word that is a surname as
    well as a job (Baker, Kovács).
    """
    names = _name_words(sample)
    known = sample.count(names & sample.word_in("given_names", "family_names"))
    given = sample.count(names & sample.word_in("given_names"))
    plain = sample.count(names & sample.word_in("common_words") & ~sample.word_in("given_names"))
    long = sample.count(names)
    several = (long > 1) & (known * 2 >= long) & (plain * 2 < long)
    common = sample.count(names & sample.word_in("common_words"))
    single = (long == 1) & (known == 1) & (common == 0)
    something = sample.whole_in("languages", "demonyms", "not_person_words") & (given == 0)
    something |= sample.whole_in("occupations") & (given == 0) & (long > 1)
    found: Flags = _writable(sample) & ~_organized(sample) & (several | single) & ~something
    return found


def is_full_name(sample: Sample) -> Flags:
    """Beyond doubt: two to five words, a given name and another known name."""
    names = _name_words(sample)
    given = sample.count(names & sample.word_in("given_names"))
    known = sample.count(names & sample.word_in("given_names", "family_names"))
    long = sample.count(sample.long_words)
    lists = np.fromiter((value.count(",") > 1 for value in sample.values), np.bool_, len(sample))
    return (long >= 2) & (long <= 5) & (given >= 1) & (known >= 2) & ~lists & is_person(sample)


def is_organization(sample: Sample) -> Flags:
    """A value with a word that only organisations have (``GmbH``, ``University``) and at least one more."""
    return _organized(sample) & (sample.sizes > 1) & ~sample.having("@")


def is_initials(sample: Sample) -> Flags:
    """One to three letters, with or without full stops: ``J``, ``J.R.``, ``AB``."""
    return sample.matching(_INITIALS)


_INITIALS = re.compile(r"(?:[^\W\d_]\.?[ -]?){1,3}")


def is_username(sample: Sample) -> Flags:
    """One run of letters, digits, points and underscores with a letter in it, as accounts are called."""
    return sample.matching(_USERNAME) & (sample.letters > 0) & (sample.lengths >= 2) & (sample.lengths <= 64)


def is_marked_username(sample: Sample) -> Flags:
    """A user name that no person is called: with digits, points or underscores, or two names in one word."""
    single = is_username(sample)
    marked = single & sample.finding(_MARKED) & (sample.ascii_letters > 1)
    lower = np.fromiter((value.islower() for value in sample.values), np.bool_, len(sample))
    unknown = sample.count(sample.word_in("given_names", "family_names")) == 0
    found: Flags = marked | (single & lower & unknown)
    return found


def _name_words(sample: Sample) -> Flags:
    """The words that names are made of: two letters and more, no title or particle."""
    aside = sample.word_in("titles", "name_particles") & ~sample.word_in("given_names", "family_names")
    titled: Counts = sample.count(aside)
    # ``Van`` or ``Pan`` alone is not a particle of anything.
    lone = titled == sample.count(sample.long_words)
    flags: Flags = sample.long_words & ~(aside & ~lone[sample.parents])
    return flags


def _organized(sample: Sample) -> Flags:
    organized = sample.word_in("organization_words") & sample.long_words
    return sample.count(organized) > 0


def _writable(sample: Sample) -> Flags:
    size = sample.sizes
    foreign = np.fromiter((not _FOREIGN.isdisjoint(v) for v in sample.values), np.bool_, len(sample))
    fits: Flags = (sample.digits == 0) & (size >= 1) & (size <= _MOST_WORDS) & ~foreign
    return fits
