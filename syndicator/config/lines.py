"""Where each key of a TOML document stands: ``tomllib`` gives values, a person needs the line.

The scanner walks a document that ``tomllib`` has accepted, so it need not judge it; it only has to know where strings, comments and
brackets end (https://toml.io/en/v1.0.0).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

Key = tuple[str | int, ...]
"""A dotted key; a number is a place in an array."""

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}#\n]*")
_ESCAPE = re.compile(r'\\(u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|["\\bfnrt])')
_ESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}


def key_lines(text: str) -> Mapping[Key, int]:
    """Every table, key and array element of ``text`` with its 1-based line; the first mention counts."""
    return _Scanner(text.replace("\r\n", "\n")).scan()


def line_of(lines: Mapping[Key, int], key: Key) -> int | None:
    """The line of ``key``, else of the nearest table around it."""
    for length in range(len(key), 0, -1):
        if key[:length] in lines:
            return lines[key[:length]]
    return None


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[Key, int] = {}
        self.counts: dict[Key, int] = {}
        """How many elements each array of tables has so far."""

    def scan(self) -> Mapping[Key, int]:
        table: Key = ()
        while self._skip_blank():
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)
        return self.lines

    def _note(self, key: Key) -> None:
        self.lines.setdefault(key, self.text.count("\n", 0, self.at) + 1)

    def _skip_blank(self) -> bool:
        """Pass over white space, line breaks and comments; False at the end of the document."""
        while self.at < len(self.text):
            if self.text[self.at] == "#":
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
            elif self.text[self.at] in " \t\n":
                self.at += 1
            else:
                return True
        return False

    def _header(self) -> Key:
        array = self.text.startswith("[[", self.at)
        self.at += 2 if array else 1
        start = self.at
        named = self._dotted()
        key: Key = ()
        for part in named[:-1]:
            key = self._inside((*key, part))
        key = (*key, named[-1])
        end, self.at = self.at, start
        if array:
            self._note(key)
            self.counts[key] = self.counts.get(key, 0) + 1
            key = self._inside(key)
        self._note(key)
        self.at = end + (2 if array else 1)
        return key

    def _inside(self, key: Key) -> Key:
        """``key``, or its latest element where it is an array of tables."""
        return (*key, self.counts[key] - 1) if key in self.counts else key

    def _pair(self, table: Key) -> None:
        start = self.at
        key = (*table, *self._dotted())
        end, self.at = self.at, start
        for length in range(len(table) + 1, len(key) + 1):
            self._note(key[:length])
        self.at = end + 1
        self._value(key)

    def _dotted(self) -> tuple[str, ...]:
        """A dotted key, up to the ``=`` or ``]`` that follows it."""
        parts = []
        while True:
            self._spaces()
            parts.append(self._key_part())
            self._spaces()
            if self.text[self.at] != ".":
                return tuple(parts)
            self.at += 1

    def _spaces(self) -> None:
        while self.text[self.at] in " \t":
            self.at += 1

    def _key_part(self) -> str:
        quote = self.text[self.at]
        if quote in "\"'":
            start = self.at + 1
            self._string()
            part = self.text[start : self.at - 1]
            return _ESCAPE.sub(_unescape, part) if quote == '"' else part
        match = _BARE.match(self.text, self.at)
        assert match is not None
        self.at = match.end()
        return match[0]

    def _value(self, key: Key) -> None:
        self._skip_blank()
        char = self.text[self.at]
        if char in "\"'":
            self._string()
        elif char == "[":
            self._array(key)
        elif char == "{":
            self._inline_table(key)
        else:
            match = _SCALAR.match(self.text, self.at)
            assert match is not None
            self.at = match.end()

    def _array(self, key: Key) -> None:
        self.at += 1
        index = 0
        while self._skip_blank() and self.text[self.at] != "]":
            if self.text[self.at] == ",":
                self.at += 1
                continue
            self._note((*key, index))
            self._value((*key, index))
            index += 1
        self.at += 1

    def _inline_table(self, key: Key) -> None:
        self.at += 1
        while self._skip_blank() and self.text[self.at] != "}":
            if self.text[self.at] == ",":
                self.at += 1
                continue
            self._pair(key)
        self.at += 1

    def _string(self) -> None:
        quote = self.text[self.at]
        if self.text.startswith(quote * 3, self.at):
            self._multiline(quote)
            return
        self.at += 1
        while self.text[self.at] != quote:
            self.at += 2 if quote == '"' and self.text[self.at] == "\\" else 1
        self.at += 1

    def _multiline(self, quote: str) -> None:
        self.at += 3
        while not self.text.startswith(quote * 3, self.at):
            self.at += 2 if quote == '"' and self.text[self.at] == "\\" else 1
        while self.text.startswith(quote * 3, self.at):  # up to two quotes may stand before the closing three
            self.at += 1
        self.at += 2


def _unescape(match: re.Match[str]) -> str:
    code = match[1]
    return chr(int(code[1:], 16)) if code[0] in "uU" else _ESCAPED[code]
