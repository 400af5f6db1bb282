"""Which row of a sheet names its columns, if any.

A sheet often has a title and notes above its table, and sometimes no names at all. What the workbook itself
says (a table's range, a filter, frozen panes) decides; else a row does that looks like names and stands above
values of another kind. In doubt a row is data: a person's name must never become a column's name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

#: Rows at the top that are looked at before anything is handed out.
WINDOW = 48
_WORD = re.compile(r"[^\W\d_]+", re.UNICODE)
_CAMEL = re.compile(r"[a-z][A-Z]")
_YEAR = re.compile(r"(19|20)\d\d")
_NUMBER = re.compile(r"[-+]?[\d.,  ]*\d[%]?")
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}( \d{1,2}:\d{2}(:\d{2})?)?")
#: Words of headings that are no words of values, in the languages that exports come in.
_WORDS = """
id nr no num number code name names firstname lastname surname forename email mail e-mail phone
telephone tel mobile fax address street city town zip postcode postal state province region country
county birthday birth dob date time created updated modified status type category description desc
note notes comment comments amount price total qty quantity customer client user username account
company department title gender sex age value year month day url website key first last middle full
salary rate count index order invoice product item group role currency balance start end from to
active nummer kunde kundennummer kunden vorname nachname familienname anrede strasse straße plz ort
stadt land telefon telefonnummer handy geburtsdatum datum bezeichnung betrag preis menge firma
abteilung geschlecht nom prénom prenom adresse ville codepostal pays téléphone courriel naissance
sexe société montant prix quantité libellé nombre nombres apellido apellidos dirección direccion
calle ciudad país pais teléfono telefono correo fecha nacimiento sexo empresa código codigo precio
importe cantidad cognome indirizzo città citta provincia cap nascita codice fiscale cellulare prezzo
importo data nome sobrenome endereço endereco rua cidade estado cep nascimento celular valor naam
voornaam achternaam adres straat plaats woonplaats telefoonnummer geboortedatum geslacht imię imie
nazwisko ulica miasto kraj urodzenia płeć kod
"""
_HEADING_WORDS = frozenset(_WORDS.split())


def kind(text: str) -> str:
    """The sort of a cell's text: ``""``, ``number``, ``date``, ``code`` (letters with digits), ``text``."""
    if not text.strip():
        return ""
    if _DATE.fullmatch(text):
        return "date"
    if _NUMBER.fullmatch(text.strip()):
        return "number"
    return "code" if "@" in text or sum(char.isdigit() for char in text) * 3 >= len(text) else "text"


def find(rows: Sequence[Sequence[str | None]], told: int | None = None) -> int | None:
    """The index in ``rows`` of the row that names the columns, None where there is none.

    Args:
        rows: the top of the sheet, blank rows left out, all of one width.
        told: the row that the workbook itself says it is, if it does.
    """
    if told is not None and 0 <= told < len(rows) and _could_be(rows[told]):
        return told
    widths = [sum(1 for cell in row if cell and cell.strip()) for row in rows]
    if not widths:
        return None
    typical = sorted(widths)[len(widths) // 2]
    if len(rows) == 1:
        cells = [cell.strip() for cell in rows[0] if cell and cell.strip()]
        return 0 if len(cells) > 1 and _could_be(rows[0]) and _vocabulary(cells) else None
    widest = 0
    for index, row in enumerate(rows[:-1]):
        # Notes above a table are narrower than it is; no row below its names is wider than they are.
        if widths[index] <= widest or widths[index] * 2 < typical or widths[index] < 2 <= typical:
            continue
        widest = widths[index]
        if _could_be(row) and _names(row, rows[index + 1 :]):
            return index
    return None


def _could_be(row: Sequence[str | None]) -> bool:
    """True where no cell looks like somebody's value, and at least half of them are words."""
    cells = [cell.strip() for cell in row if cell and cell.strip()]
    if not cells or any("@" in cell or _digits(cell) > 4 or len(cell) > 200 for cell in cells):
        return False
    words = sum(kind(cell) == "text" for cell in cells)
    years = sum(bool(_YEAR.fullmatch(cell)) for cell in cells)
    return words > 0 and (words + years) * 2 >= len(cells)


def _digits(cell: str) -> int:
    return sum(char.isdigit() for char in cell)


def _names(row: Sequence[str | None], below: Sequence[Sequence[str | None]]) -> bool:
    """True where ``row`` names the columns of the rows ``below`` it."""
    cells = [cell.strip() for cell in row if cell and cell.strip()]
    if len({cell.lower() for cell in cells}) < len(cells) * 0.7:
        return False
    if _vocabulary(cells):
        return True
    return _stands_apart(row, below) and not _repeats(row, below)


def _vocabulary(cells: Sequence[str]) -> bool:
    """True where a third of the cells are written as a field's name is, or hold a word of headings."""
    found = sum(
        "_" in cell
        or bool(_CAMEL.search(cell))
        or any(word.lower() in _HEADING_WORDS for word in _WORD.findall(cell))
        for cell in cells
    )
    return found * 3 >= len(cells)


def _stands_apart(row: Sequence[str | None], below: Sequence[Sequence[str | None]]) -> bool:
    """True where a column has words in ``row`` and numbers, dates or codes in most rows below."""
    for at, cell in enumerate(row):
        if not cell or kind(cell) != "text":
            continue
        kinds = [kind(other) for line in below if (other := line[at]) and other.strip()]
        if kinds and sum(found != "text" for found in kinds) * 5 >= len(kinds) * 4:
            return True
    return False


def _repeats(row: Sequence[str | None], below: Sequence[Sequence[str | None]]) -> bool:
    """True where two values of the row come again below it: names of columns do not."""
    again = sum(
        1
        for at, cell in enumerate(row)
        if cell and kind(cell) == "text" and any(r[at] == cell for r in below)
    )
    return again > 1


__all__ = ["WINDOW", "find", "kind"]
