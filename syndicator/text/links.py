"""Where a plain text holds addresses, hashtags and mentions, as the networks will see them.

The rules are those of twitter-text (https://github.com/twitter/twitter-text, conformance data in ``tests/data/twitter-text``), the
widest of all networks: X links ``exemple.fr`` without being asked. What it finds is what is never cut and never created. Every
scan is linear: runs of characters are found first and looked at once.
"""

from __future__ import annotations

import functools
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import regex

from syndicator.text import tlds

EntityKind = Literal["url", "address", "domain", "hashtag", "mention", "email", "cashtag"]
"""``url`` has its scheme; ``address`` too, but a top-level domain that X may not know; ``domain`` is an address without a scheme, such
as ``exemple.fr/agenda``."""

URL_MAX = 4096
_TCO_SLUG_MAX = 40

_ACCENTS = (
    r"\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u024F\u0300-\u036F\u1E00-\u1EFF"
    r"\u0253\u0254\u0256\u0257\u0259\u025B\u0263\u0268\u026F\u0272\u0289\u02BB"
)
_CYRILLIC = r"\u0400-\u04FF"
_NOT_HOST = r"\s!-,/:-@\[-\^`{-\u0080\uFFFE\uFEFF\uFFFF\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069"
_HOST_RUN = regex.compile(rf"[^{_NOT_HOST}]+")
_LATIN_RUN = regex.compile(rf"[-A-Za-z0-9{_ACCENTS}.]+")
_PATH = rf"A-Za-z{_CYRILLIC}0-9!*';:=+,.$/%#\[\]\-\u2013_~@|&{_ACCENTS}"
_PATH_RUN = regex.compile(rf"[{_PATH}]++")
_PATH_END = regex.compile(rf"[A-Za-z{_CYRILLIC}0-9+\-=_#/{_ACCENTS}]")
_BALANCED = regex.compile(rf"\([{_PATH}]*+(?:\([{_PATH}]++\)[{_PATH}]*+)?\)")
_PORT = regex.compile(r":[0-9]+")
_QUERY = regex.compile(r"\?[A-Za-z0-9!?*'@();:&=+$/%#\[\]\-_.,~|]*+")
_QUERY_END = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_&=#/")
_SCHEME = regex.compile(r"https?://", regex.IGNORECASE)
_ANY_HOST = regex.compile(r"(?<![A-Za-z0-9@＠$#＃])https?://[^\s<>\"«»“”\p{Cc}]++", regex.IGNORECASE)
_CLOSING = frozenset(".,;:!?…'’*_]}")
_TCO = regex.compile(r"https?://t\.co/([A-Za-z0-9]+)", regex.IGNORECASE)
_PUNYCODE = regex.compile(r"xn--[-0-9a-z]+", regex.IGNORECASE)
_ALNUM = frozenset("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_TLD_STOP = _ALNUM | frozenset("@+-")
_UNICODE_TLDS: dict[str, tuple[str, ...]] = {
    first: tuple(sorted((tld for tld in tlds.UNICODE if tld[0] == first), key=len, reverse=True))
    for first in {tld[0] for tld in tlds.UNICODE}
}

_TAG = r"\p{L}\p{M}\p{Nd}_\u200C\u200D\uA67E\u05BE\u05F3\u05F4\uFF5E\u301C\u309B\u309C\u30A0\u30FB\u3003\u0F0B\u0F0C\u00B7"
_HASHTAG = regex.compile(rf"[#＃](?!\uFE0F|\u20E3)([{_TAG}]++)(?![#＃]|://)")
_TAG_BEFORE = regex.compile(rf"(?!\uFE0E|\uFE0F)[&{_TAG}]")
_TAG_LETTER = regex.compile(r"[\p{L}\p{M}]")
_MENTION = regex.compile(r"[@＠]([A-Za-z0-9_]{1,20}+)(/[A-Za-z][A-Za-z0-9_\-]{0,24}+)?+" + rf"(?![@＠{_ACCENTS}]|://)")
_MENTION_BEFORE = frozenset("_!#$%&*@＠") | _ALNUM
_RETWEET = regex.compile(r"(?:^|[^A-Za-z0-9_+~.\-])[Rr][Tt]:?$")
_EMAIL = regex.compile(r"(?<![\w.+\-@])[\w.+\-]++@(?:[\w\-]+\.)++[A-Za-z]{2,24}(?![\w@])")
_CASHTAG = regex.compile(r"(?:(?<=\s)|(?<=^))\$([A-Za-z]{1,6}(?:[._][A-Za-z]{1,2})?)(?=$|[\s\p{P}$+<=>^`|~])")


REMEMBERED_UP_TO = 10_000
"""The longest text, in code points, whose addresses are kept in memory for a while."""


@dataclass(frozen=True, kw_only=True)
class Entity:
    """A stretch of text that a network treats as one thing; ``value`` is the address, or the name without its sign."""

    start: int
    end: int
    kind: EntityKind
    value: str


def entities(text: str) -> list[Entity]:
    """Everything that is never cut, in order, without overlaps: an address wins over what stands in it."""
    found = addresses(text)
    for more in (emails(text), hashtags(text, known=found), mentions(text), cashtags(text)):
        taken = Stretches(found)
        found = sorted([*found, *(entity for entity in more if not taken.overlap(entity.start, entity.end))], key=_start)
    return found


def addresses(text: str, *, bare: bool = True) -> list[Entity]:
    """``urls``, and whatever else has a web scheme: new top-level domains, hosts of a local network."""
    return list(_remembered_addresses(text, bare) if len(text) <= REMEMBERED_UP_TO else _addresses(text, bare))


def _addresses(text: str, bare: bool) -> tuple[Entity, ...]:
    known = urls(text, bare=bare)
    taken = Stretches(known)
    more = [Entity(start=start, end=end, kind="address", value=text[start:end]) for start, end in _with_any_host(text)]
    found: list[Entity] = []
    for entity in sorted([*known, *(entity for entity in more if not taken.overlap(entity.start, entity.end))], key=_start):
        if not found or entity.start >= found[-1].end:  # of two that are glued together, the first has the words
            found.append(entity)
    return tuple(found)


def urls(text: str, *, bare: bool = True) -> list[Entity]:
    """Web addresses; ``bare`` also those without a scheme that X links by itself."""
    return list(_remembered_urls(text, bare) if len(text) <= REMEMBERED_UP_TO else _urls(text, bare))


def _urls(text: str, bare: bool) -> tuple[Entity, ...]:
    found: list[Entity] = []
    done = 0
    for run in _HOST_RUN.finditer(text):
        start, stop = max(run.start(), done), run.end()
        if "." not in text[start:stop]:
            continue
        scheme = _scheme_before(text, start)
        if scheme is not None:
            entity, done = _with_scheme(text, scheme, start, stop)
            found += [entity] if entity is not None else []
        elif bare:
            found.extend(_bare(text, start, stop))
            done = max(done, found[-1].end) if found else done
    return tuple(found)


# One text is measured, cut and checked many times, for one network after another.
_remembered_addresses = functools.lru_cache(maxsize=128)(_addresses)
_remembered_urls = functools.lru_cache(maxsize=128)(_urls)


def hashtags(text: str, *, known: Sequence[Entity] | None = None) -> list[Entity]:
    """Hashtags; ``known`` are the addresses found before, in which # means something else."""
    taken = Stretches(urls(text) if known is None else known)
    found = []
    for match in _HASHTAG.finditer(text):
        start, end = match.span()
        if start and _TAG_BEFORE.match(text, start - 1):
            continue
        entity = Entity(start=start, end=end, kind="hashtag", value=match[1])
        if _TAG_LETTER.search(match[1]) and not taken.overlap(start, end):
            found.append(entity)
    return found


def mentions(text: str) -> list[Entity]:
    """What X would take for a mention of one of its users (or lists)."""
    found = []
    for match in _MENTION.finditer(text):
        start, end = match.span()
        if start and text[start - 1] in _MENTION_BEFORE and not _RETWEET.search(text[max(0, start - 4) : start]):
            continue
        found.append(Entity(start=start, end=end, kind="mention", value=match[1]))
    return found


def emails(text: str) -> list[Entity]:
    """E-mail addresses, and fediverse handles without their leading @."""
    return [Entity(start=match.start(), end=match.end(), kind="email", value=match[0]) for match in _EMAIL.finditer(text)]


def cashtags(text: str) -> list[Entity]:
    """Stock symbols as X sees them; amounts of money are none."""
    return [Entity(start=match.start(), end=match.end(), kind="cashtag", value=match[1]) for match in _CASHTAG.finditer(text)]


class Stretch(Protocol):
    """Anything that begins and ends somewhere in a text."""

    @property
    def start(self) -> int:
        """The first character."""

    @property
    def end(self) -> int:
        """After the last character."""


class Stretches:
    """Answers quickly whether a place is part of one of several stretches, which do not overlap."""

    def __init__(self, stretches: Iterable[Stretch]) -> None:
        self._bounds = sorted((stretch.start, stretch.end) for stretch in stretches)
        self._starts = [start for start, _ in self._bounds]

    def overlap(self, start: int, end: int) -> bool:
        """Whether one of them shares a character with ``start`` to ``end``."""
        index = bisect_right(self._starts, end - 1) - 1
        return index >= 0 and self._bounds[index][1] > start

    def hold(self, position: int) -> bool:
        """Whether the character at ``position`` is in one of them."""
        return self.overlap(position, position + 1)


def _start(entity: Entity) -> int:
    return entity.start


def _with_any_host(text: str) -> Iterator[tuple[int, int]]:
    """Everything after a web scheme up to a blank or quotation mark, without closing punctuation or an unpaired bracket."""
    for match in _ANY_HOST.finditer(text):
        start, end = match.span()
        while end > start and (text[end - 1] in _CLOSING or (text[end - 1] == ")" and "(" not in text[start:end])):
            end -= 1
        if text[start:end].rstrip("/")[-1] != ":":
            yield start, end


def _scheme_before(text: str, host: int) -> int | None:
    """Where the http(s):// that ends at ``host`` begins; None when there is none, or a letter or sign touches it."""
    for length in (8, 7):
        start = host - length
        if start >= 0 and _SCHEME.fullmatch(text, start, host):
            return start if start == 0 or (text[start - 1] not in _ALNUM and text[start - 1] not in "@＠$#＃") else None
    return None


def _may_start_domain(text: str, start: int) -> bool:
    return text[start] not in "-_." and (start == 0 or (text[start - 1] not in "@＠$#＃-_./" and text[start - 1] not in _ALNUM))


def _with_scheme(text: str, scheme: int, host: int, stop: int) -> tuple[Entity | None, int]:
    """The address whose scheme begins at ``scheme``, if it is one, and up to where the text was looked at."""
    domain_end = _domain_end(text, host, stop)
    if domain_end is None:
        return None, host
    end = _tail(text, domain_end)
    tco = _TCO.match(text, scheme, end)
    if tco is not None:
        query = _query_end(text, tco.end())
        end = tco.end() if query is None else query
    valid = end - scheme <= URL_MAX and (tco is None or len(tco[1]) <= _TCO_SLUG_MAX) and _encodable(text[host:domain_end])
    return (Entity(start=scheme, end=end, kind="url", value=text[scheme:end]) if valid else None), end


def _bare(text: str, start: int, stop: int) -> Iterator[Entity]:
    """Addresses without a scheme in one run: Latin letters only, as X does it; a path belongs to the last."""
    if not _may_start_domain(text, start):
        if text[start].isascii():
            return
        # Chinese or Japanese may precede an address without a blank.
        start += 1
    whole_end = _domain_end(text, start, stop)
    if whole_end is None or not _encodable(text[start:whole_end]):
        return
    ends = [(run.start(), _latin_end(text, run.start(), run.end(), whole_end)) for run in _LATIN_RUN.finditer(text, start, whole_end)]
    domains = [(begin, end) for begin, end in ends if end is not None]
    for number, (begin, end) in enumerate(domains):
        last = number == len(domains) - 1 and end == whole_end
        stretch = _tail(text, end) if last else end
        yield Entity(start=begin, end=stretch, kind="domain", value=text[begin:stretch])


def _latin_end(text: str, start: int, stop: int, whole_end: int) -> int | None:
    """Where the last domain of a Latin run ends; its top level may follow in another script."""
    if stop < whole_end and text[stop - 1] == ".":
        return _tld_end(text, stop, whole_end)
    return _domain_end(text, start, stop, latin=True)


def _domain_end(text: str, start: int, stop: int, *, latin: bool = False) -> int | None:
    """Where the longest domain that begins at ``start`` ends: labels, a name, a top level that exists."""
    best = None
    position = start
    label_starts: list[int] = []
    while position <= stop:
        dot = text.find(".", position, stop)
        label_end = stop if dot < 0 else dot
        if len(label_starts) >= 1 and "_" not in text[label_starts[-1] : position - 1]:
            end = _tld_end(text, position, stop)
            best = best if end is None else end
        label = text[position:label_end]
        if not label or (not latin and (label[0] in "-_" or label[-1] in "-_")):
            break
        label_starts.append(position)
        if dot < 0:
            break
        position = dot + 1
    return best


def _tld_end(text: str, start: int, stop: int) -> int | None:
    """Where the top-level domain that begins at ``start`` ends; None when there is none."""
    punycode = _PUNYCODE.match(text, start, stop)
    if punycode is not None:
        return int(punycode.end())
    end = start
    while end < stop and text[end].isascii() and text[end].isalpha() and end - start < 64:
        end += 1
    if end > start:
        return end if text[start:end].lower() in tlds.ASCII and _stops(text, end) else None
    for tld in _UNICODE_TLDS.get(text[start : start + 1], ()):
        if text.startswith(tld, start) and _stops(text, start + len(tld)):
            return start + len(tld)
    return None


def _stops(text: str, end: int) -> bool:
    return end >= len(text) or text[end] not in _TLD_STOP


def _tail(text: str, end: int) -> int:
    """The end of the address with its port, path and query."""
    port = _PORT.match(text, end)
    if port is not None:
        end = port.end()
    if text[end : end + 1] == "/":
        end = _path_end(text, end)
    query = _query_end(text, end)
    return end if query is None else query


def _path_end(text: str, slash: int) -> int:
    """The end of the path: brackets only in pairs, no closing punctuation."""
    position, end = slash, slash + 1
    while position < len(text):
        run = _PATH_RUN.match(text, position)
        if run is not None:
            position = run.end()
            last = position - 1
            while last >= run.start() and not _PATH_END.match(text, last):
                last -= 1
            end = max(end, last + 1)
            continue
        balanced = _BALANCED.match(text, position)
        if balanced is None:
            break
        position = end = balanced.end()
    return end


def _query_end(text: str, start: int) -> int | None:
    match = _QUERY.match(text, start)
    if match is None:
        return None
    end = match.end()
    while end > start + 1 and text[end - 1] not in _QUERY_END:
        end -= 1
    return end if end > start + 1 else None


def _encodable(host: str) -> bool:
    """Whether ``host`` has a valid ASCII form: no label above 63 bytes."""
    if len(host) > 253 or any(len(label) > 63 for label in host.split(".")):
        return False
    if host.isascii():
        return True
    try:
        return len(host.encode("idna")) <= 253
    except UnicodeError:
        return False
