"""Mentions: somebody of the fediverse is never a live handle elsewhere."""

from __future__ import annotations

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from syndicator.model import Mention
from syndicator.text.html import parse
from syndicator.text.links import addresses, emails, mentions
from syndicator.text.mentions import neutralise, neutralise_plain

KNOWN = (
    Mention(handle="u@host.example", url="https://host.example/users/u"),
    Mention(handle="v@a.fr", url=None),
    Mention(handle="v@b.fr", url="https://b.fr/@v"),
)


def _link(url: str, words: str) -> str:
    return f'<span class="h-card"><a class="u-url mention" href="{url}">@<span>{words}</span></a></span>'


@pytest.mark.parametrize(
    ("html", "handle", "name"),
    [
        (f"<p>{_link('https://host.example/users/u', 'u')} salut</p>", "u@host.example salut", "u salut"),
        (f"<p>{_link('https://b.fr/@v', 'v')} et {_link('https://a.fr/video-channels/v', 'v')}</p>", "v@b.fr et v@a.fr", "v et v"),
        (f"<p>{_link('https://z.fr/users/q', 'q')}</p>", "q@z.fr", "q"),
        (f"<p>{_link('https://z.fr/users/q', 'q@z.fr')}</p>", "q@z.fr", "q"),
        ("<p>@u</p>", "u@host.example", "u"),
        ("<p>＠u</p>", "u@host.example", "u"),
        ("<p>@x@twitter.com et @v</p>", "x@twitter.com et v", "x et v"),
        ("<p>@inconnu et .@autre</p>", "inconnu et .autre", "inconnu et .autre"),
        ("<p>@-, @. @🐾@host 5@8h @_@</p>", "@-, @. @🐾host 5@8h @_@", "@-, @. @🐾host 5@8h @_@"),
        ("<p>a@b.fr u@host.example</p>", "a@b.fr u@host.example", "a@b.fr u@host.example"),
        ("<p>https://host/@u@other/123 https://ex.org/@u</p>",) + ("https://host/@u@other/123 https://ex.org/@u",) * 2,
        ("<p>RT@u RT: @u</p>", "RTu@host.example RT: u@host.example", "RTu RT: u"),
    ],
)
def test_handles_say_who_and_are_live_nowhere(html: str, handle: str, name: str) -> None:
    """Corpus 9, 10, 11, 12, 14, 15, 16, 17."""
    assert neutralise(parse(html), KNOWN).text == handle
    assert neutralise(parse(html), KNOWN, "name").text == name


# What other networks take for a mention: Mastodon's and Bluesky's own patterns, simplified towards more.
LIVE = regex.compile(r"(?<![\p{L}\p{N}_=/.@])[@＠][A-Za-z0-9_][A-Za-z0-9_.\-]*")
WORDS = st.sampled_from(
    ["@u", "@u@host.example", "＠v", "@", "@@", "a", " ", ".", "-", "🐾", "é", "/", "https://ex.org/@u", "a@b.fr", "RT", ":", "#", "\n"]
)


@settings(max_examples=100, deadline=None)
@given(st.lists(WORDS, max_size=20).map("".join))
def test_no_stranger_is_ever_called(text: str) -> None:
    """Whatever stands around it, no network finds a mention outside of addresses."""
    said = neutralise_plain(text, KNOWN)
    taken = [(entity.start, entity.end) for entity in [*addresses(said), *emails(said)]]
    live = [entity for entity in mentions(said) if not any(start <= entity.start < end for start, end in taken)]
    assert live == []


@settings(deadline=None)
@given(st.lists(WORDS.filter(lambda word: word not in {"@", "@@", "＠v"}), max_size=12).map(" ".join))
def test_words_apart_are_never_live_anywhere(text: str) -> None:
    """Mentions between blanks are dead for the patterns of every network."""
    said = neutralise_plain(text, KNOWN)
    taken = [(entity.start, entity.end) for entity in addresses(said)]
    assert [match[0] for match in LIVE.finditer(said) if not any(start <= match.start() < end for start, end in taken)] == []


@settings(deadline=None)
@given(st.lists(WORDS, max_size=12).map("".join))
def test_twice_is_once(text: str) -> None:
    """Idempotent for strangers."""
    once = neutralise_plain(text)
    assert neutralise_plain(once) == once
