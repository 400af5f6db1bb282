"""Whatever becomes of a file: its reader ends, in parts, children or gaps, or with a `ReadError`."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.readers.base import HEAD_BYTES, ReadContext, Source
from scanner.readers.registry import choose
from tests.readers.folding import fold
from tests.readers.test_corpus import CASES

INPUTS = {str(case.relative_to(case.parents[2])): next(case.glob("input*")) for case in CASES}


@settings(max_examples=150)
@given(name=st.sampled_from(sorted(INPUTS)), data=st.data())
def test_damaged_files_end(name: str, data: st.DataObject) -> None:
    """Golden inputs with bytes changed, cut and put in, given to the reader of the whole ones."""
    content = INPUTS[name].read_bytes()[:20_000]
    place = data.draw(st.integers(0, len(content)))
    length = data.draw(st.integers(0, 40))
    instead = data.draw(st.binary(max_size=20))
    damaged = content[:place] + instead + content[place + length :]
    reader = choose(content[:HEAD_BYTES], INPUTS[name].name)
    if reader is not None:
        fold(reader.read(Source.of_bytes(damaged, INPUTS[name].name), ReadContext()))
