"""Plain text in a destination's markup: every sign of the text stays what it is, words that are links become links."""

from __future__ import annotations

import regex

from syndicator.contract import Markup
from syndicator.text.linked import Linked
from syndicator.text.links import Entity, addresses, hashtags

# CommonMark 2.4: any ASCII punctuation may be escaped; these are the ones that mean something inside or at the start of a line.
_INLINE = regex.compile(r"([\\`*_\[\]<>~|])")
_LINE_START = regex.compile(r"^([ \t]*)([#+\-=>]|\d{1,9}[.)])(?=[ \t]|$)", regex.MULTILINE)
# https://learn.microsoft.com/linkedin/marketing/community-management/shares/little-text-format: "all reserved characters need to be
# escaped", and a text is cut in silence at the first one that is not. Its parser knows no addresses, so that theirs are escaped as well:
# what LinkedIn makes links of is the text without the backslashes.
_RESERVED = regex.compile(r"([\\|{}@\[\]()<>#*_~])")
_IN_TARGET = {"(": "%28", ")": "%29", "<": "%3C", ">": "%3E", "\\": "%5C", " ": "%20", '"': "%22"}


def to_markup(text: str | Linked, markup: Markup) -> str:
    """``text`` so that a reader of ``markup`` sees exactly it; line breaks stay line breaks, addresses and hashtags stay live.

    Words that are links become links where the markup has them; in ``plain`` and ``little`` they stay words.
    """
    linked = Linked(text) if isinstance(text, str) else text
    if markup == "plain":
        return linked.text
    if markup == "little":
        return _little(linked.text)
    parts, position = [], 0
    for span in linked.spans:
        before, after = frame(span.url, markup)
        parts += [_run(linked.text[position : span.start], markup), before]
        parts += [piece(linked.text[span.start : span.end], None, markup), after]
        position = span.end
    parts.append(_run(linked.text[position:], markup))
    made = "".join(parts)
    return str(_LINE_START.sub(_at_line_start, made)) if markup == "markdown" else made


def frame(url: str, markup: Markup) -> tuple[str, str]:
    """What stands before and after words that link to ``url``."""
    if markup == "html":
        return f'<a href="{_html(url).replace(chr(34), "&quot;")}">', "</a>"
    if markup == "markdown":
        return "[", f"]({''.join(_IN_TARGET.get(sign, sign) for sign in url)})"
    return "", ""


def piece(text: str, entity: Entity | None, markup: Markup) -> str:
    """The markup of a stretch of text, or of one address or hashtag; markdown's signs at the start of a line apart."""
    if markup == "little":
        escaped = str(_RESERVED.sub(r"\\\1", text))
        # Of a hashtag, LinkedIn's template holds the sign apart.
        return f"{{hashtag|\\#|{escaped[2:] if text[0] == '#' else escaped[1:]}}}" if entity and entity.kind == "hashtag" else escaped
    if markup == "html":
        return _html(text)
    if markup == "markdown" and (entity is None or entity.kind not in {"url", "address"}):
        return str(_INLINE.sub(r"\\\1", text))
    return text


def _run(text: str, markup: Markup) -> str:
    return _pieces(text, addresses(text, bare=False), markup) if markup == "markdown" else piece(text, None, markup)


def _little(text: str) -> str:
    return _pieces(text, hashtags(text), "little")


def _pieces(text: str, entities: list[Entity], markup: Markup) -> str:
    parts, position = [], 0
    for entity in entities:
        parts.append(piece(text[position : entity.start], None, markup))
        parts.append(piece(text[entity.start : entity.end], entity, markup))
        position = entity.end
    return "".join([*parts, piece(text[position:], None, markup)])


def _html(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _at_line_start(match: regex.Match[str]) -> str:
    sign = match[2]
    return f"{match[1]}{sign[:-1]}\\{sign[-1]}"
