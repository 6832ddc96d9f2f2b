"""What the origins publish as HTML, as plain text: paragraphs, whole links, lists, quotes; hostile input included.

The tree is walked without recursion and the input is cut first, so that the time is bounded whatever comes in
(lexbor slows down with the square of the nesting depth: 64 kB of nested elements take it half a second, a megabyte minutes).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from selectolax.lexbor import LexborHTMLParser, LexborNode

from syndicator.text.clean import clean
from syndicator.text.urls import web_url

HTML_MAX = 65_536
REMEMBERED_UP_TO = 20_000
"""The longest HTML, in code points, whose text is kept in memory for a while."""
"""Characters of HTML that are read; the rest is left out."""

SpanKind = Literal["link", "mention", "hashtag"]

_PARAGRAPHS = frozenset({
    "address", "article", "aside", "blockquote", "body", "details", "dl", "fieldset", "figure", "footer", "form", "h1", "h2", "h3", "h4",
    "h5", "h6", "header", "hr", "main", "nav", "ol", "p", "pre", "section", "table", "ul",
})  # fmt: skip
_LINES = frozenset({"caption", "center", "dd", "div", "dt", "figcaption", "legend", "li", "summary", "tr"})
_SKIPPED = frozenset({
    "audio", "button", "canvas", "embed", "head", "iframe", "input", "math", "noscript", "object", "option", "rp", "script", "select",
    "style", "svg", "template", "textarea", "title", "video",
})  # fmt: skip
_LIST_DEPTH_MAX = 3
_QUOTE_DEPTH_MAX = 3
_SPACES = re.compile(r"[ \t\n\f\r]+")
_PERHAPS_ADDRESS = re.compile(r"://|\w\.\w")
_TRUNCATED = ("…", "...")


@dataclass(frozen=True, kw_only=True)
class Span:
    """A stretch of text that means something: ``value`` is the target of a link or mention, or the tag without its #."""

    start: int
    end: int
    kind: SpanKind
    value: str


@dataclass(frozen=True, kw_only=True)
class Text:
    """Plain text in NFC and what stands in it; spans are ordered and never overlap."""

    text: str
    spans: tuple[Span, ...] = ()


def to_text(html: str, *, quote_inline: bool = True) -> str:
    """``html`` as a careful person would type it: whole URLs, blank lines between paragraphs, bullets, "> " for quotes.

    A link whose words are not its address becomes ``words (address)``. ``quote_inline=False`` leaves out the "RE: link" paragraph
    that Mastodon adds to a quote post.
    """
    return parse(html, quote_inline=quote_inline).text


def parse(html: str, *, quote_inline: bool = True, spell_links: bool = True) -> Text:
    """Like ``to_text``, and says where its links, mentions and hashtags stand.

    ``spell_links=False`` leaves the words of a link without its address: the span has it. Words that are another address are the
    exception: nobody shall be sent elsewhere than they read.
    """
    return (_remembered if len(html) <= REMEMBERED_UP_TO else _parsed)(html, quote_inline, spell_links)


def _parsed(html: str, quote_inline: bool, spell_links: bool) -> Text:
    body = LexborHTMLParser(_bounded(html)).body
    if body is None:
        return Text(text="")
    writer = _Writer(spell_links=spell_links)
    _walk(body, _Reader(writer=writer, quote_inline=quote_inline))
    return writer.result()


# Each of an item's destinations reads the same words.
_remembered = functools.lru_cache(maxsize=64)(_parsed)


def from_text(text: str) -> str:
    """Plain text as HTML with the same look, for origins that give their bodies as plain text."""
    escaped = clean(text).strip().replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    paragraphs = re.split(r"\n[ \t]*\n\s*", escaped)
    return "".join(f"<p>{paragraph.replace(chr(10), '<br>')}</p>" for paragraph in paragraphs if paragraph)


def _bounded(html: str) -> str:
    """No more than ``HTML_MAX`` characters, cut between two tags or words, encodable."""
    if len(html) > HTML_MAX:
        html = html[:HTML_MAX]
        html = html[: max(html.rfind("<"), html.rfind(" "), HTML_MAX - 2000)]
    return html.encode("utf-8", "ignore").decode("utf-8").replace("\0", "")


@dataclass(kw_only=True)
class _Writer:
    """Collects words and lines: whitespace collapses, blank lines never double, quotes get their "> "."""

    spell_links: bool
    parts: list[str] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    length: int = 0
    space: bool = False
    breaks: int = 0
    quotes: int = 0
    written_quotes: int = 0

    def gap(self, lines: int) -> None:
        """At least ``lines`` line breaks before what follows."""
        self.breaks = max(self.breaks, lines)
        self.space = False

    def line_break(self) -> None:
        """One more line break, as <br> asks; never more than an empty line."""
        self.breaks = min(self.breaks + 1, 2)
        self.space = False

    def words(self, text: str) -> None:
        """Running text: its whitespace collapses."""
        text = clean(text)
        stripped = _SPACES.sub(" ", text).strip(" ")
        if not stripped:
            self.space = self.space or bool(text)
            return
        self.space = self.space or text[0] in " \t\n\f\r"
        self.raw(stripped)
        self.space = text[-1] in " \t\n\f\r"

    def preformatted(self, text: str) -> None:
        """Text whose blanks and line breaks count."""
        for number, line in enumerate(clean(text).split("\n")):
            if number:
                self.breaks += 1
            if line:
                self.raw(line)

    def raw(self, text: str, kind: SpanKind | None = None, value: str = "") -> None:
        """``text`` as it is, after what was still owed of breaks and blanks."""
        self._settle()
        if kind is not None:
            self.spans.append(Span(start=self.length, end=self.length + len(text), kind=kind, value=value))
        self._append(text)

    def result(self) -> Text:
        """Everything written."""
        return Text(text="".join(self.parts), spans=tuple(self.spans))

    def _settle(self) -> None:
        prefix = "> " * self.quotes
        if not self.parts:
            self._append(prefix)
        elif self.breaks:
            between = "> " * min(self.quotes, self.written_quotes)
            self._append("\n" + (between.rstrip() + "\n") * (self.breaks - 1) + prefix)
        elif self.space:
            self._append(" ")
        self.breaks, self.space, self.written_quotes = 0, False, self.quotes

    def _append(self, text: str) -> None:
        self.parts.append(text)
        self.length += len(text)


@dataclass(kw_only=True)
class _Reader:
    """Turns elements into calls of the writer."""

    writer: _Writer
    quote_inline: bool
    lists: list[int | None] = field(default_factory=list)
    """One per open list: the next number, or None for bullets."""
    pre: int = 0

    def enter(self, node: LexborNode) -> Callable[[], None] | None:
        """Handle ``node``; the answer is what to do after its children, or None to leave them out."""
        tag = node.tag
        if node.is_text_node:
            self._text(node.text_content or "")
            return _nothing
        if not node.is_element_node or tag in _SKIPPED or self._left_out(node):
            return None
        if tag == "br":
            self.writer.line_break()
            return None
        if tag in {"a", "img"}:
            (self._link if tag == "a" else self._image)(node)
            return None
        return self._block(node, tag or "")

    def _text(self, text: str) -> None:
        if self.pre:
            self.writer.preformatted(text)
        else:
            self.writer.words(text)

    def _left_out(self, node: LexborNode) -> bool:
        return not self.quote_inline and "quote-inline" in _classes(node)

    def _block(self, node: LexborNode, tag: str) -> Callable[[], None]:
        writer = self.writer
        lines = 2 if tag in _PARAGRAPHS else 1 if tag in _LINES else 0
        if self.lists:
            lines = min(lines, 1)
        if lines and not (tag != "li" and self._item_just_opened()):
            writer.gap(lines)
        if tag in {"ul", "ol"}:
            return self._list(node, tag, lines)
        if tag == "li":
            self._item(node)
        elif tag == "blockquote":
            return self._quote()
        elif tag == "pre":
            self.pre += 1
            return self._end_pre
        elif tag in {"td", "th"} and node.prev is not None and writer.parts:
            writer.space = True
        elif tag == "rt":
            writer.raw("(")
            return lambda: writer.raw(")")
        return (lambda: writer.gap(lines)) if lines else _nothing

    def _item_just_opened(self) -> bool:
        return bool(self.lists and self.writer.parts) and self.writer.parts[-1].endswith(("• ", ". ")) and not self.writer.breaks

    def _list(self, node: LexborNode, tag: str, lines: int) -> Callable[[], None]:
        self.lists.append(_start(node) if tag == "ol" else None)

        def end() -> None:
            self.lists.pop()
            self.writer.gap(lines)

        return end

    def _item(self, node: LexborNode) -> None:
        indent = "  " * (min(len(self.lists), _LIST_DEPTH_MAX) - 1) if self.lists else ""
        number = self.lists[-1] if self.lists else None
        if number is None:
            self.writer.raw(f"{indent}• ")
            return
        number = _integer(node.attributes.get("value"), number)
        self.lists[-1] = number + 1
        self.writer.raw(f"{indent}{number}. ")

    def _quote(self) -> Callable[[], None]:
        before = self.writer.quotes
        self.writer.quotes = min(before + 1, _QUOTE_DEPTH_MAX)

        def end() -> None:
            self.writer.gap(2)
            self.writer.quotes = before

        return end

    def _end_pre(self) -> None:
        self.pre -= 1
        self.writer.gap(2)

    def _image(self, node: LexborNode) -> None:
        """Only emoji drawn as pictures stand for a word; other pictures are attachments."""
        if {"emoji", "emojione", "wp-smiley", "custom-emoji"} & _classes(node):
            self.writer.words(node.attributes.get("alt") or "")

    def _link(self, node: LexborNode) -> None:
        raw = clean(_gather(node))
        words = _SPACES.sub(" ", raw).strip(" ")
        writer = self.writer
        if not words:
            return
        writer.space = writer.space or raw[0] in " \t\n\f\r"
        href = clean(node.attributes.get("href") or "").strip()
        _write_link(writer, words, href, _classes(node))
        writer.space = raw[-1] in " \t\n\f\r"


def _write_link(writer: _Writer, words: str, href: str, classes: frozenset[str]) -> None:
    url = web_url(href)
    if words.startswith("#") and len(words) > 1 and " " not in words:
        writer.raw(words, "hashtag", words[1:])
    elif "mention" in classes or "u-url" in classes or (words.startswith("@") and " " not in words):
        if words.startswith("@"):
            writer.raw(words, "mention", url or "")
        else:
            writer.raw(words)
    elif url is not None:
        _write_web_link(writer, words, url)
    elif href.lower().startswith("mailto:") and "@" in href and "@" not in words:
        writer.raw(f"{words} ({href[7:].split('?')[0]})")
    else:
        writer.raw(words)


def _write_web_link(writer: _Writer, words: str, url: str) -> None:
    if _names(words, url):
        writer.raw(url, "link", url)
        return
    if not writer.spell_links and not _is_an_address(words):
        writer.raw(words, "link", url)
        return
    writer.raw(f"{words} (")
    # A bracket in an address inside brackets is where every network's link detection stumbles.
    safe = url.replace("(", "%28").replace(")", "%29")
    writer.raw(safe, "link", url)
    writer.raw(")")


def _is_an_address(words: str) -> bool:
    """Whether readers, or a network, would take ``words`` for an address of their own."""
    if not _PERHAPS_ADDRESS.search(words):
        return False
    from syndicator.text.links import addresses  # two megabytes of rules

    return bool(addresses(words))


def _names(words: str, url: str) -> bool:
    """Whether ``words`` are the address itself, perhaps without its scheme, or cut with an ellipsis."""
    shown, whole = _bare(words), _bare(url)
    if shown == whole:
        return True
    for mark in _TRUNCATED:
        if shown.endswith(mark):
            stem = shown.removesuffix(mark)
            return len(stem) >= 4 and whole.startswith(stem)
    return False


def _bare(address: str) -> str:
    address = re.sub(r"^[a-z]+://", "", address.strip().lower())
    return address.removeprefix("www.").removesuffix("/")


def _walk(root: LexborNode, reader: _Reader) -> None:
    """Depth first over everything below ``root``, without recursion."""
    stop = root.mem_id
    exits: list[Callable[[], None]] = []
    node = root.first_child
    while node is not None:
        leave = reader.enter(node)
        child = node.first_child if leave is not None else None
        if leave is not None and child is not None:
            exits.append(leave)
            node = child
            continue
        if leave is not None:
            leave()
        while node is not None and node.next is None:
            node = node.parent
            if node is None or node.mem_id == stop:
                return
            exits.pop()()
        node = node.next if node is not None else None


def _gather(root: LexborNode) -> str:
    """The text below ``root`` as it is shown: what Mastodon hides (class ``invisible``) included."""
    parts: list[str] = []
    node = root.first_child
    while node is not None:
        if node.is_text_node:
            parts.append(node.text_content or "")
        elif node.tag == "br":
            parts.append(" ")
        elif node.tag == "img" and {"emoji", "wp-smiley"} & _classes(node):
            parts.append(node.attributes.get("alt") or "")
        child = node.first_child if node.is_element_node and node.tag not in _SKIPPED else None
        node = child if child is not None else _after(node, root.mem_id)
    return "".join(parts)


def _after(node: LexborNode, stop: int) -> LexborNode | None:
    """The next node in document order that is not below ``node``; None once ``stop`` is left."""
    while node.next is None:
        parent = node.parent
        if parent is None or parent.mem_id == stop:
            return None
        node = parent
    return node.next


def _classes(node: LexborNode) -> frozenset[str]:
    return frozenset((node.attributes.get("class") or "").split())


def _start(node: LexborNode) -> int:
    return _integer(node.attributes.get("start"), 1)


def _integer(value: str | None, default: int) -> int:
    return int(value) if value is not None and re.fullmatch(r"[0-9]{1,6}", value.strip()) else default


def _nothing() -> None:
    """After an element that leaves no trace."""
