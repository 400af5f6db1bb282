"""Text comes in pieces that lose nothing and cut no word where they need not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.model import Reason
from scanner.readers.base import CHUNK_CHARACTERS
from scanner.readers.text import TextReader, is_log, pieces
from tests.readers.folding import fold_bytes

READER = TextReader()


@given(st.lists(st.text(max_size=50)), st.integers(1, 3000))
def test_pieces_put_together_are_the_text(texts: list[str], times: int) -> None:
    """Whatever the text, its pieces are all of it, none too long."""
    texts = texts * times if sum(map(len, texts)) * times < 400_000 else texts
    found = [chunk.text for chunk in pieces("body", texts)]
    assert "".join(found) == "".join(texts)
    assert all(0 < len(piece) <= CHUNK_CHARACTERS for piece in found)


@pytest.mark.parametrize(
    ("unit", "end"), [("a line of text\n", "\n"), ("a paragraph\nof two\n\n", "\n\n"), ("word ", " ")]
)
def test_pieces_end_where_the_text_does(unit: str, end: str) -> None:
    """At a paragraph, at a line, or at least between two words."""
    found = [chunk.text for chunk in pieces("body", [unit * 50_000])]
    assert len(found) > 1
    assert all(piece.endswith(end) for piece in found)


def test_characters_are_not_cut_between_blocks() -> None:
    """A long line of characters of several bytes comes back whole."""
    text = "żółć" * 300_000
    assert fold_bytes(READER, text.encode()).texts["body"].text == text


def test_encoded_parts_of_a_mail_are_a_gap() -> None:
    """They are not decoded, and that is said."""
    mail = b"Subject: x\ncontent-transfer-encoding: BASE64\n\nYWJj\n"
    assert fold_bytes(READER, mail).reasons == [Reason.UNSUPPORTED]


def test_binary_content_is_refused() -> None:
    """What is not text is not read as text, so that it is reported."""
    assert READER.accepts(bytes(range(256)) * 20, "data.txt") == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-05-06 10:11:12 INFO start\n2024-05-06 10:11:13 INFO stop\n", True),
        ("May  3 10:11:12 host sshd[1]: x\nMay  3 10:11:13 host sshd[1]: y\n", True),
        ('192.0.2.7 - - [06/May/2024] "GET / HTTP/1.1" 200\n192.0.2.8 - anna [06/May/2024] "GET /"\n', True),
        ("Dear Anna,\nMay 3 is fine.\nYours\n", False),
        ("one line", False),
        ("", False),
    ],
)
def test_logs_are_told_from_letters(text: str, expected: bool) -> None:
    """By how their lines begin."""
    assert is_log(text) is expected


@given(st.binary(max_size=300))
def test_any_bytes_end(data: bytes) -> None:
    """Text that is damaged is read with replacement characters and a gap."""
    folded = fold_bytes(READER, data)
    assert folded.error is None
