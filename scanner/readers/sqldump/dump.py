"""Goes through a dump by statements, takes plain rows in vectors, and holds no more than a few blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scanner.model import Gap, Reason, Stage
from scanner.readers.base import CHUNK_CHARACTERS, Event, ReadContext, ReadError, TextChunk
from scanner.readers.sqldump import careful, copied, ddl, fast, heads, statements
from scanner.readers.sqldump.dialect import Dialect
from scanner.readers.sqldump.grammar import NAME_PART, grammar, unquote_name
from scanner.readers.sqldump.tables import Tables, Target
from scanner.readers.sqldump.tape import Tape

#: The first rows of a statement go the careful way: many statements have no more than that.
_FIRST_BYTES = 8 << 10
#: Careful stretches between fast ones grow up to this where fast ones do not get far.
_CAREFUL_BYTES = 1 << 20
#: Windows of the fast way: the first, and the largest (two of them fit a core's cache).
_WINDOW_BYTES, _LARGEST_WINDOW_BYTES = 64 << 10, 512 << 10
_COPY_BYTES = 2 << 20

#: As much of a statement is looked at to know what it is.
_CODE_BYTES = 4096
#: Bytes that may be gone over again where statements do not end: so many, and so many times all of them.
_AGAIN_BYTES, _AGAIN_TIMES = 4 << 20, 4
#: Gaps at places of the dump that are told one by one.
_MOST_GAPS = 100

_RESUME = re.compile(
    rb"\n(?=(?:INSERT|REPLACE)\s+(?:INTO|IGNORE|\[)|CREATE\s+TABLE\s|COPY\s[^\n]*FROM\s+stdin|DROP\s+TABLE\s|LOCK\s+TABLES\s|GO\s*\n)",
    re.IGNORECASE,
)
#: Bytes that white space, comments and the marks of conditional ones start with.
_SPACE_STARTS = frozenset(b" \t\r\n\v\f-/#*")
#: Letters that start neither a DELIMITER line nor a GO.
_PLAIN_STARTS = frozenset(b"abcefhijklmnopqrstuvwxyzABCEFHIJKLMNOPQRSTUVWXYZ")
_LINE = re.compile(rb"[^\n]*+(?:\n|\Z)")
_DELIMITER = re.compile(rb"(?i:DELIMITER)[ \t]++(\S++)[^\n]*+(?:\n|\Z)")
_CLIENT = re.compile(rb"(?:/\*M?!\d*+)?\\[^\n]*+(?:\n|\Z)")
_GO = re.compile(rb"(?i:GO)[ \t]*+(?:\d++[ \t]*+)?+(?:--[^\n]*+)?+\r?+(?:\n|\Z)")
_USE = re.compile(rb"USE\s+(`(?:[^`]|``)+`|\[[^\]]+\]|\"[^\"]+\"|[^\s;]+)", re.IGNORECASE)
_DROP = re.compile(
    rb"DROP\s+(?:TEMPORARY\s+)?(?:TABLE|VIEW)\s+(?:IF\s+EXISTS\s+)?(?P<names>[^;]+)", re.IGNORECASE
)
_CREATE = re.compile(rb"CREATE\b[\s\w]*\bTABLE\b", re.IGNORECASE)
_ALTER = re.compile(rb"ALTER\s+TABLE\b", re.IGNORECASE)
_ESCAPES_OFF = re.compile(rb"SET\b.*?\bSQL_MODE\b.*NO_BACKSLASH_ESCAPES", re.IGNORECASE | re.DOTALL)
_STANDARD = re.compile(rb"SET\s+standard_conforming_strings\s*(?:=|TO)\s*'?(on|off)", re.IGNORECASE)
_LARGE_OBJECT = re.compile(
    rb"SELECT\s+(?:pg_catalog\s*\.\s*)?(?:lowrite|lo_put|lo_from_bytea)\s*\(", re.IGNORECASE
)
_ALL_DATABASES = re.compile(rb"^-- Host: \S*\s+Database: *\r?$", re.MULTILINE)
_CONDITIONAL = re.compile(rb"/\*M?!\d*|\*/")


class Dump:
    """One dump being read."""

    def __init__(self, tape: Tape, dialect: Dialect, head: bytes, context: ReadContext) -> None:
        self._tape = tape
        self._dialect = dialect
        self._limits = context.limits
        self._limit = context.limits.line_mb << 20
        self._backslash = dialect.backslash
        self._delimiter = b";"
        self._grammar = grammar(dialect, self._backslash)
        self._tables = Tables(dialect, context.limits)
        self._texts: list[str] = []
        self._characters = 0
        self._events: list[Event] = []
        self._large_objects = 0
        self._again = 0
        self._gaps = 0
        if _ALL_DATABASES.search(head):
            self._tables.qualify_all()

    @property
    def error(self) -> ReadError | None:
        """What ended the stream early."""
        return self._tape.error

    def events(self) -> Iterator[Event]:
        """All events of the dump."""
        while self._step():
            yield from self._ready()
            yield from self._rows_of_statement()
        if self._large_objects:
            self._gap(
                Reason.UNSUPPORTED, f"{self._large_objects:,} pieces of large objects were not read", None
            )
        if self._gaps > _MOST_GAPS:
            detail = f"{self._gaps - _MOST_GAPS:,} more places could not be read"
            self._events.append(Gap(Stage.READ, Reason.CORRUPT, detail))
        self._tables.finish()
        self._flush_text()
        yield from self._ready()

    def _ready(self) -> Iterator[Event]:
        yield from self._tables.drain()
        events, self._events = self._events, []
        yield from events

    # Statements

    def _step(self) -> bool:
        """Go over white space and comments to the next statement; False at the end of the dump."""
        tape = self._tape
        while self._skip_space():
            if tape.data[tape.pos] in _PLAIN_STARTS and self._delimiter == b";":
                return True
            if self._dialect.client_lines and (found := _CLIENT.match(tape.data, tape.pos)):
                self._skip_line(found)
            elif self._dialect.delimiters and (found := _DELIMITER.match(tape.data, tape.pos)):
                self._set_delimiter(found[1])
                self._skip_line(found)
            elif self._dialect.batches and (found := _GO.match(tape.data, tape.pos)):
                tape.pos = found.end()
            elif tape.data.startswith(self._delimiter, tape.pos):
                tape.pos += len(self._delimiter)
            elif tape.data.startswith(b";", tape.pos):
                tape.pos += 1
            else:
                return True
        return False

    def _skip_line(self, found: re.Match[bytes]) -> None:
        """Go over a command to the client, however long its line."""
        tape = self._tape
        tape.pos = found.end()
        while tape.pos == len(tape.data) and tape.data[-1:] != b"\n" and tape.fill(1):
            rest = _LINE.match(tape.data, tape.pos)
            assert rest is not None
            tape.pos = rest.end()

    def _skip_space(self) -> bool:
        """Go over white space and comments; False where nothing comes after them."""
        tape = self._tape
        if len(tape.data) - tape.pos < _WINDOW_BYTES and not tape.eof:
            tape.fill(_WINDOW_BYTES)
        if tape.pos < len(tape.data) and tape.data[tape.pos] not in _SPACE_STARTS:
            return True
        while True:
            found = self._grammar.space.match(tape.data, tape.pos)
            assert found is not None
            if found.end() < len(tape.data) or tape.eof:
                if found.end() - tape.pos > 1:
                    self._comments(found[0])
                tape.pos = found.end()
                return tape.pos < len(tape.data)
            if tape.left > self._limit:
                self._gap(Reason.TOO_LARGE, f"a comment is over {self._limits.line_mb} MiB (limits.line_mb)")
                tape.pos = found.end()
                self._resume()
                continue
            blank = len(found[0]) - len(found[0].lstrip())
            tape.pos += blank
            tape.fill(max(_WINDOW_BYTES, 2 * tape.left))

    def _comments(self, space: bytes) -> None:
        if b"-" in space or b"*" in space or b"#" in space:
            for comment in self._grammar.comment.findall(space):
                for text in statements.comment_texts(comment, self._grammar):
                    self._say(text)

    def _rows_of_statement(self) -> Iterator[Event]:
        """The rows that the statement at hand brings; where it brings none, it is taken note of."""
        tape = self._tape
        finder = statements.EndFinder(self._grammar)
        while True:
            if (insert := heads.insert(tape.data, tape.pos)) is not None:
                yield from self._insert(insert)
                return
            if self._dialect.client_lines and (copy := heads.copy(tape.data, tape.pos, self._grammar)):
                yield from self._copy(copy)
                return
            end = finder.find(tape.data, tape.pos, tape.eof)
            if end is None and tape.eof and finder.open_at is None:
                end = statements.End(len(tape.data), len(tape.data))
            if end is not None:
                statement = tape.data[tape.pos : end.stop]
                if len(statement) > self._limit:
                    self._too_large("a statement")
                else:
                    self._note(statement)
                tape.pos = end.after
                return
            if tape.eof or tape.left > self._limit:
                self._unended()
                return
            tape.more()

    def _unended(self) -> None:
        """A statement without an end: the dump was cut, a quote is amiss, or it is too large to hold."""
        if self._tape.eof:
            self._gap(Reason.CORRUPT, "a statement does not end")
        else:
            self._too_large("a statement")
        self._resume()

    def _too_large(self, what: str) -> None:
        self._gap(Reason.TOO_LARGE, f"{what} is over {self._limits.line_mb} MiB (limits.line_mb)")

    def _resume(self) -> None:
        """Go on at the next line that plainly starts a statement, or at the end."""
        tape = self._tape
        self._again += tape.left
        if self._again > _AGAIN_BYTES + _AGAIN_TIMES * tape.total:
            self._gap(Reason.CORRUPT, "too much is damaged to go on; the rest was not read")
            while tape.fill(_COPY_BYTES) or tape.left:
                tape.pos = len(tape.data)
            return
        while True:
            found = _RESUME.search(tape.data, tape.pos)
            if found is not None:
                tape.pos = found.end()
                return
            if tape.eof:
                tape.pos = len(tape.data)
                return
            tape.pos = max(tape.pos, len(tape.data) - 4096)
            if not tape.fill(max(_COPY_BYTES, tape.left + 1)) and tape.left <= 4096:
                tape.pos = len(tape.data)
                return

    def _note(self, statement: bytes) -> None:
        """Take what a statement without rows has to say."""
        if not statement.strip():
            return
        code = statement[:_CODE_BYTES].lstrip()
        if b"/*" in code:
            code = _CONDITIONAL.sub(b" ", code).lstrip()
        if _LARGE_OBJECT.match(code):
            self._large_objects += 1
            return
        if _CREATE.match(code):
            self._define(statement)
        elif _ALTER.match(code):
            added = ddl.added_columns(self._ddl_text(statement))
            if added is not None:
                self._tables.extend(added)
        elif found := _USE.match(code):
            self._tables.database = unquote_name(found[1]).decode("utf-8", "replace")
        elif found := _DROP.match(code):
            self._drop(found["names"])
        elif _ESCAPES_OFF.match(code):
            self._set_backslash(False)
        elif (found := _STANDARD.match(code)) and self._dialect.escape_strings:
            self._set_backslash(found[1].lower() == b"off")
        for text in statements.texts(statement, self._grammar):
            self._say(text)

    def _define(self, statement: bytes) -> None:
        definition = ddl.create_table(self._ddl_text(statement), self._dialect)
        if definition is not None:
            self._tables.define(definition)

    def _ddl_text(self, statement: bytes) -> str:
        """A definition without what is in its strings and comments, which no column is defined by."""

        def plain(found: re.Match[bytes]) -> bytes:
            match found.lastgroup:
                case "string" | "estring" | "dollar":
                    return b"''"
                case "comment":
                    return b" "
            return found[0]

        text = self._grammar.stop.sub(plain, statement)
        if self._dialect.conditional_comments:
            text = _CONDITIONAL.sub(b" ", text)
        return text.decode("utf-8", "replace")

    def _drop(self, names: bytes) -> None:
        for name in names.split(b","):
            parts = re.findall(NAME_PART, name)
            if parts:
                self._tables.drop(tuple(unquote_name(part).decode("utf-8", "replace") for part in parts[:3]))

    def _set_backslash(self, backslash: bool) -> None:
        self._backslash = backslash
        self._grammar = grammar(self._dialect, self._backslash, self._delimiter)

    def _set_delimiter(self, delimiter: bytes) -> None:
        self._delimiter = delimiter[:16]
        self._grammar = grammar(self._dialect, self._backslash, self._delimiter)

    # Rows of INSERT

    def _insert(self, head: heads.InsertHead) -> Iterator[Event]:
        tape = self._tape
        target = self._tables.target(head.name, head.columns)
        tape.pos += len(head.text)
        self._skip_space()
        window, stretch, more = _WINDOW_BYTES, _FIRST_BYTES, True
        while more:
            more = self._careful_rows(target, head.text, stretch)
            yield from self._ready()
            stretch = min(4 * stretch, _CAREFUL_BYTES)
            while more:
                tape.fill(window)
                taken = self._fast_rows(target, head.text, window)
                if not taken:
                    window = _WINDOW_BYTES
                    break
                more = self._next_row(head.text)
                yield from self._ready()
                if taken > stretch // 4:
                    stretch = _FIRST_BYTES
                if taken < window // 2:
                    break
                window = min(4 * window, _LARGEST_WINDOW_BYTES)

    def _fast_rows(self, target: Target, head: bytes, window: int) -> int:
        """Rows in vectors: how many bytes of them were taken."""
        tape = self._tape
        if target.names is None:
            return 0

        def to_text(number: int, value: bytes | careful.Blob) -> str:
            return self._tables.to_text(target, number, value)

        stop = min(tape.pos + window, len(tape.data))
        found = fast.rows(tape.data, tape.pos, stop, head, len(target.names), self._grammar, to_text)
        if found is None:
            return 0
        self._tables.add_columns(target, found.columns, found.rows, found.end)
        tape.pos += found.end
        return found.end

    def _careful_rows(self, target: Target, head: bytes, stretch: int) -> bool:
        """Rows one by one, for at least ``stretch`` bytes; False once the statement's rows are over."""
        tape = self._tape
        taken = 0
        while taken < stretch:
            try:
                row = careful.row(tape.data, tape.pos, self._grammar)
            except careful.IncompleteError:
                if not tape.eof and tape.left <= self._limit:
                    tape.more()
                elif not self._lost_row():
                    return False
                continue
            except careful.MalformedError:
                self._gap(Reason.CORRUPT, "a row cannot be understood")
                self._resume()
                return False
            size = row.end - tape.pos
            for comment in row.comments:
                for text in statements.comment_texts(comment, self._grammar):
                    self._say(text)
            if size > self._limit:
                self._too_large("a row")
            else:
                self._tables.add_row(target, row.cells, size)
            tape.pos = row.end
            taken += size
            if not self._next_row(head):
                return False
        return True

    def _lost_row(self) -> bool:
        """A row that does not end, or is larger than can be held: whether another comes after it."""
        if self._tape.eof:
            self._gap(Reason.CORRUPT, "a row does not end")
            self._resume()
            return False
        self._too_large("a row")
        self._skip_row()
        return self._next_row(b"")

    def _skip_row(self) -> None:
        """Go to the end of a row without holding it: only quotes and parentheses count."""
        tape = self._tape
        outside = re.compile(rb"[()'\"]" if self._dialect.double_quoted else rb"[()']")
        within = {
            quote: re.compile(rb"\\.|" + quote if self._backslash else quote, re.DOTALL)
            for quote in (b"'", b'"')
        }
        depth, quote = 0, b""
        while True:
            found = (within[quote] if quote else outside).search(tape.data, tape.pos)
            if found is None:
                keep = 1 if quote and self._backslash and tape.data.endswith(b"\\") else 0
                tape.pos = max(tape.pos, len(tape.data) - keep)
                if not tape.fill(_COPY_BYTES) and tape.left <= keep:
                    tape.pos = len(tape.data)
                    return
                continue
            tape.pos = found.end()
            if quote:
                quote = b"" if found[0] == quote else quote
            elif found[0] in b"()":
                depth += 1 if found[0] == b"(" else -1
                if depth == 0:
                    return
            else:
                quote = found[0]

    def _next_row(self, head: bytes) -> bool:
        """After a row: go to the next one of the same statement, or of one with the same head."""
        tape = self._tape
        if not self._skip_space():
            return False
        if tape.data.startswith(b",", tape.pos):
            tape.pos += 1
            if self._skip_space() and tape.data.startswith(b"(", tape.pos):
                return True
            self._gap(Reason.CORRUPT, "a row is missing after a comma")
            return False
        if not head or not self._step():
            return False
        if tape.data.startswith(head, tape.pos):
            before = tape.pos
            tape.pos += len(head)
            if self._skip_space() and tape.data.startswith(b"(", tape.pos):
                return True
            tape.pos = before if tape.data.startswith(head, before) else tape.pos
        return False

    # Rows of COPY

    def _copy(self, head: heads.CopyHead) -> Iterator[Event]:
        tape = self._tape
        target = self._tables.target(head.name, head.columns)
        tape.pos = head.end
        if head.form == "binary":
            self._gap(Reason.UNSUPPORTED, "rows in PostgreSQL's binary COPY format are not read")
        headed = head.header
        while True:
            more = tape.fill(_COPY_BYTES)
            end = copied.end_of_rows(tape.data, tape.pos, tape.eof)
            stop = end[0] if end is not None else copied.whole_lines(tape.data, tape.pos, head)
            if end is None and not more:
                stop = copied.whole_lines(tape.data, tape.pos, head)
                if stop < len(tape.data):
                    self._gap(Reason.CORRUPT, "the dump ends inside a row")
            if head.form != "binary" and stop > tape.pos:
                block = tape.data[tape.pos : stop]
                if headed:
                    block = block[block.find(b"\n") + 1 :]
                    headed = False
                self._copied(target, head, block)
                yield from self._ready()
            if end is not None:
                tape.pos = end[1]
                return
            if not more:
                self._gap(Reason.CORRUPT, "the rows of a COPY do not end")
                tape.pos = len(tape.data)
                return
            if stop == tape.pos and not self._longer_line(head):
                continue
            tape.pos = stop

    def _longer_line(self, head: heads.CopyHead) -> bool:
        """Widen the window for a row that does not fit; False where it has become wider or was left out."""
        tape = self._tape
        if tape.left <= self._limit:
            if not tape.more():
                return False
            return False
        self._too_large("a row")
        while (end := tape.data.find(b"\n", tape.pos)) < 0:
            tape.pos = len(tape.data)
            if not tape.fill(_COPY_BYTES) and not tape.left:
                return False
        tape.pos = end + 1
        return False

    def _copied(self, target: Target, head: heads.CopyHead, block: bytes) -> None:
        """A block of whole lines as rows."""
        if not block:
            return

        def to_text(number: int, value: bytes | careful.Blob) -> str:
            return self._tables.to_text(target, number, value)

        if target.names is not None:
            found = copied.columns(block, len(target.names), head, to_text)
            if found is not None:
                self._tables.add_columns(target, *found, len(block))
                return
            if len(block) > _WINDOW_BYTES:
                cut = copied.whole_lines(block[: len(block) // 2], 0, head)
                if 0 < cut < len(block):
                    self._copied(target, head, block[:cut])
                    self._copied(target, head, block[cut:])
                    return
        for cells in copied.careful_rows(block, head):
            self._tables.add_row(target, cells, sum(len(cell) for cell in cells if isinstance(cell, bytes)))

    # Text and gaps

    def _say(self, text: str) -> None:
        self._texts.append(text)
        self._characters += len(text) + 1
        if self._characters >= CHUNK_CHARACTERS:
            self._flush_text()

    def _flush_text(self) -> None:
        if self._texts:
            text = "\n".join(self._texts) + "\n"
            self._texts, self._characters = [], 0
            self._events.extend(TextChunk("statements", piece) for piece in _pieces(text))

    def _gap(self, reason: Reason, detail: str, where: str | None = "") -> None:
        self._gaps += 1
        if self._gaps > _MOST_GAPS:
            return
        if where == "":
            where = f"line {self._tape.line}"
        self._events.append(Gap(Stage.READ, reason, detail, where))


def _pieces(text: str) -> Iterator[str]:
    """A text in pieces of at most `CHUNK_CHARACTERS`, cut at line ends or spaces where there are any."""
    start = 0
    while len(text) - start > CHUNK_CHARACTERS:
        stop = start + CHUNK_CHARACTERS
        cut = (text.rfind("\n", start, stop) + 1) or (text.rfind(" ", start, stop) + 1)
        stop = cut if cut > start else stop
        yield text[start:stop]
        start = stop
    if start < len(text):
        yield text[start:]
