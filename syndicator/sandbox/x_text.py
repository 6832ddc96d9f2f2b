"""How X reads a text: its length in weights, its addresses, cashtags and mentions, and what becomes of it when it is shown.

Written from https://docs.x.com/fundamentals/counting-characters and twitter-text's configuration v3, apart from the daemon's own reading,
and simpler: it knows some top-level domains only.
"""

from __future__ import annotations

import html
import re
import unicodedata
from dataclasses import dataclass

import regex

LENGTH_MAX = 280
URL_WEIGHT = 23
_LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))
_TLDS = (
    "com|org|net|info|eu|fr|bzh|re|be|ch|ca|de|es|it|uk|us|io|app|dev|social|coop|asso|museum|paris|alsace|corsica|gouv|tv"
    "|video|cat|events|page|site|blog|team|world|earth|bike|green|ngo|ong|xyz|li|mu|lu|ie|nl|pt|pl|se|no|fi|dk|at|cz|gr|gl|ly"
    "|me|co|cc|jp|cn|tw"
)
_TLD = rf"(?:{_TLDS})(?![\w@-])"
_HOST = rf"(?:[^\W_](?:[\w-]{{0,61}}[^\W_])?\.)+{_TLD}"
_TAIL = r"(?::\d+)?(?:[/?](?:[^\s<>\"«»“”]*[\w/=&#+)-])?)?"
_KNOWN = regex.compile(rf"(?<![\w@$#＠＃])https?://{_HOST}{_TAIL}|(?<![\w@$#＠＃./-]){_HOST}{_TAIL}", regex.IGNORECASE)
_ANY = re.compile(r"https?://[^\s<>\"«»]+", re.IGNORECASE)
_EMOJI = regex.compile(
    r"\p{Regional_Indicator}{2}|[#*0-9]\uFE0F?\u20E3|\U0001F3F4[\U000E0061-\U000E007A]+\U000E007F"
    r"|(?![\u00A9\u00AE\u2122])\p{Extended_Pictographic}(?:\p{Emoji_Modifier}|\uFE0F)?"
    r"(?:\u200D\p{Extended_Pictographic}(?:\p{Emoji_Modifier}|\uFE0F)?)*"
)
_CASHTAG = re.compile(r"(?<!\S)\$([A-Za-z]{1,6}(?:[._][A-Za-z]{1,2})?)(?![A-Za-z0-9_])")
_MENTION = re.compile(r"(?<![\w!#$%&*@＠])[@＠](\w{1,20})(?![@＠]|://)", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A text as the API gives it back: addresses shortened, three signs escaped."""

    text: str
    urls: tuple[dict[str, object], ...]


def weight(text: str) -> int:
    """The length that ``LENGTH_MAX`` is about."""
    text = unicodedata.normalize("NFC", text)
    plain, links = _KNOWN.subn("", text)
    plain, emoji = _EMOJI.subn("", plain)
    signs = sum(1 if any(low <= ord(sign) <= high for low, high in _LIGHT) else 2 for sign in plain)
    return signs + URL_WEIGHT * int(links) + 2 * int(emoji)


def holds_url(text: str) -> bool:
    """Whether it is billed as a post with a URL: with or without a scheme, known top-level domain or not."""
    return bool(_KNOWN.search(text) or _ANY.search(text))


def cashtags(text: str) -> list[str]:
    """Stock symbols; amounts are none."""
    return _CASHTAG.findall(text)


def mentions(text: str) -> list[str]:
    """Users that would be called."""
    return _MENTION.findall(_KNOWN.sub(" ", text))


def shown(text: str, number: str, media: list[str]) -> Shown:
    """``text`` as it is given back, with one more address for what is attached (``media``: its page and keys)."""
    urls: list[dict[str, object]] = []

    def shorten(found: regex.Match[str]) -> str:
        address = found[0]
        short = f"https://t.co/{number}{len(urls):02d}"
        whole = address if "://" in address else f"http://{address}"
        urls.append({"url": short, "expanded_url": whole, "display_url": whole.partition("://")[2][:30]})
        return short

    short = _KNOWN.sub(shorten, unicodedata.normalize("NFC", text).strip())
    urls += [
        {"url": f"https://t.co/{number}mm", "expanded_url": media[0], "display_url": "pic.x.com/a", "media_key": key} for key in media[1:]
    ]
    ended = f"{short} https://t.co/{number}mm".strip() if media[1:] else short
    return Shown(text=html.escape(ended, quote=False), urls=tuple(urls))
