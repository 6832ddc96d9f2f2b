"""Pure: cleaned HTML → Markdown that kramdown, goldmark and markdown-it all read alike, and in which what was text stays text.

Everything that means something to one of them, or to Liquid, Hugo's shortcodes or Nunjucks before them, is written as a numeric character
reference (https://spec.commonmark.org/0.31.2/#entity-and-numeric-character-references): those are never markup, nor a template's syntax.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html.parser import HTMLParser

DEPTH_MAX = 4
"""Lists and quotes deeper than this are told at this depth."""
_SPECIAL = re.compile(r"[\\`*_{}\[\]<>#|~^$&%@]")
_ADDRESS = re.compile(r"(?<=[A-Za-z]):(?=//)|(?<=www)\.", re.IGNORECASE)
"""Where programs that make links of bare addresses would begin: a link is only what the author made one."""
_LINE_START = re.compile(r"^([-+=:]|\d+(?=[.)]))")
_IN_ADDRESS = re.compile(r"[\s<>\"'()\[\]{}|\\`^$*]")
_BLANKS = re.compile(r"[ \t\n\r\f]+")
_BLOCKS = frozenset({"p", "li", "ul", "ol", "blockquote", "pre", "h4", "h5"})
_EMPHASIS = {"strong": "**", "b": "**", "em": "*", "i": "*", "del": "~~"}
_HEADINGS = {"h4": "## ", "h5": "### "}


def markdown(cleaned: str) -> str:
    """What ``clean.body`` returned, as Markdown; ends with a newline unless it is empty. Code is told as plain text."""
    writer = _Writer()
    writer.feed(cleaned)
    writer.close()
    return writer.finish()


def escaped(text: str) -> str:
    """``text`` without anything that could be markup, but at the start of a line."""
    return _ADDRESS.sub(_reference, _SPECIAL.sub(_reference, text))


def _reference(match: re.Match[str]) -> str:
    return f"&#{ord(match[0])};"


def _destination(url: str) -> str:
    return _IN_ADDRESS.sub(lambda match: "".join(f"%{byte:02X}" for byte in match[0].encode()), url).replace("&", "&amp;")


@dataclass
class _Level:
    """A list item or a quote that what is written stands in."""

    first: str
    rest: str
    begun: bool = False

    def prefix(self) -> str:
        self.begun, begun = True, self.begun
        return self.rest if begun else self.first


@dataclass
class _Piece:
    """Inline text under way, inside an element."""

    tag: str = ""
    url: str = ""
    text: str = ""


class _Writer(HTMLParser):
    """Writes blocks as they end; nh3 has balanced the elements."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[str] = []
        self._levels: list[_Level] = []
        self._lists: list[int | None] = []
        """The number of the last item, for each list around; None in one without numbers."""
        self._pieces = [_Piece()]
        self._heading = ""
        self._pre = False
        self._after_item = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BLOCKS:
            self._flush()
        if tag in ("ul", "ol"):
            self._lists.append(0 if tag == "ol" else None)
        elif tag == "li":
            self._levels.append(self._item())
        elif tag == "blockquote":
            self._levels.append(_Level("> ", "> "))
        elif tag == "br":
            self._pieces[-1].text += "\n"
        elif tag == "a" or tag in _EMPHASIS:
            self._pieces.append(_Piece(tag=tag, url=dict(attrs).get("href") or ""))
        self._heading = _HEADINGS.get(tag, self._heading)
        self._pre = self._pre or tag == "pre"

    def handle_endtag(self, tag: str) -> None:
        if tag in _BLOCKS:
            self._flush()
        if tag in ("ul", "ol") and self._lists:
            self._lists.pop()
        elif tag in ("li", "blockquote") and self._levels:
            self._levels.pop()
        elif (tag == "a" or tag in _EMPHASIS) and len(self._pieces) > 1:
            self._close(self._pieces.pop())
        if tag in _HEADINGS:
            self._heading = ""
        self._pre = self._pre and tag != "pre"

    def handle_data(self, data: str) -> None:
        blank = "\n" if self._pre else " "
        parts = data.split("\n") if self._pre else [data]
        self._pieces[-1].text += blank.join(escaped(_BLANKS.sub(" ", part)) for part in parts)

    def finish(self) -> str:
        """All that was written."""
        self._flush()
        return "\n".join(self._lines) + "\n" if self._lines else ""

    def _item(self) -> _Level:
        marker = "- "
        if self._lists and (number := self._lists[-1]) is not None:
            self._lists[-1] = number + 1
            marker = f"{number + 1}. "
        return _Level(marker, " " * len(marker))

    def _close(self, piece: _Piece) -> None:
        before = self._pieces[-1]
        if piece.tag == "a":
            before.text += self._link(piece)
            return
        inner, mark = piece.text.strip(), _EMPHASIS[piece.tag]
        # Where words begin and end it, every reader sees the same emphasis; elsewhere they differ, and stars would be shown.
        sure = inner[:1].isalnum() and inner[-1:].isalnum() and not re.search(r"[\n*~\[]", inner) and before.text[-1:] not in ("*", "~")
        if not sure or before.tag:
            before.text += piece.text
            return
        left, _, right = piece.text.partition(inner)
        before.text += f"{left}{mark}{inner}{mark}{right}"

    def _link(self, piece: _Piece) -> str:
        inner = " ".join(piece.text.split())
        if not inner or not piece.url or self._heading:
            return piece.text
        return f"[{inner}]({_destination(piece.url)})"

    def _flush(self) -> None:
        while len(self._pieces) > 1:  # a block inside an inline element: its words stay
            piece = self._pieces.pop()
            self._pieces[-1].text += piece.text
        lines = [line for line in (line.strip(" ") for line in self._pieces[0].text.split("\n")) if line]
        self._pieces = [_Piece()]
        if not lines:
            return
        levels = self._levels[-DEPTH_MAX:] if len(self._levels) > DEPTH_MAX else self._levels
        begins_item = any(level.first != level.rest and not level.begun for level in levels)
        if self._lines and not (begins_item and self._after_item):
            self._lines.append("".join(level.rest for level in levels if level.begun).rstrip())
        self._after_item = bool(levels) and all(level.first != level.rest for level in levels)
        safe = [_LINE_START.sub(_at_line_start, line) for line in lines]
        if self._heading:
            safe = [self._heading + " ".join(safe)]
        for index, line in enumerate(safe):
            hard = "  " if index + 1 < len(safe) else ""
            self._lines.append("".join(level.prefix() for level in levels) + line + hard)


def _at_line_start(match: re.Match[str]) -> str:
    if match[0].isdigit():
        return "".join(f"&#{ord(digit)};" for digit in match[0])
    return _reference(match)
