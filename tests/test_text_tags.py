"""Hashtags: the author's refusals are obeyed and removed; the rest is kept, limited or made readable."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndicator.model import Item
from syndicator.testing import make_event, make_post
from syndicator.text.linked import Linked
from syndicator.text.links import hashtags
from syndicator.text.tags import at_most, closing_tags, folded, hashtag, hashtag_line, opted_out, visible_tags, without_controls


@pytest.mark.parametrize(
    ("item", "names", "refused"),
    [
        (make_post(html="<p>Salut #noX</p>"), ["x"], True),
        (make_post(html="<p>Salut #noX</p>"), ["bluesky"], False),
        (make_post(html="<p>Salut #PàsX</p>"), ["mon-compte", "X"], True),
        (make_post(html="<p>Salut #pasSurFacebook</p>"), ["facebook"], True),
        (make_post(html="<p>Salut #no_mon_compte</p>"), ["mon-compte"], True),
        (make_post(html="<p>Salut #NoCross</p>"), [], True),
        (make_post(html="<p>Salut #PasDeReprise</p>"), ["x"], True),
        (make_post(html="<p>Salut</p>", tags=("nox",)), ["x"], True),
        (make_post(html="<p>Salut noX #nord #passage</p>"), ["x"], False),
        (make_post(html='<p><a href="https://h.fr/tags/nox" class="mention hashtag">#<span>noX</span></a></p>'), ["x"], True),
        (make_post(html='<p><a href="https://h.fr/#noX">https://h.fr/#noX</a></p>'), ["x"], False),
        (make_event(tags=("pas-x",)), ["x"], True),
        (make_event(), ["x"], False),
    ],
)
def test_the_author_has_the_last_word(item: Item, names: list[str], refused: bool) -> None:
    """Corpus 23: by name or type of the destination, in any case, with or without accents."""
    assert opted_out(item, names) is refused


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Salut #noX à tous", "Salut à tous"),
        ("Salut #nox.\n\n#pasX #velo #NoCross", "Salut.\n\n#velo"),
        ("#noX", ""),
        ("a (#noX) b", "a b"),
        ("texte\n#noX\nsuite", "texte\nsuite"),
        ("texte\n\n#noX #NOCROSS\n\nsuite", "texte\n\nsuite"),
        ("#noX début", "début"),
        ("fin #noX", "fin"),
        ("  retrait\n  gardé", "  retrait\n  gardé"),
        ("https://ex.org/#noX #nox2", "https://ex.org/#noX #nox2"),
    ],
)
def test_control_tags_leave_no_hole(text: str, left: str) -> None:
    """Corpus 23: removed wherever they stand."""
    assert without_controls(Linked(text), ["x"]).text == left


@settings(deadline=None)
@given(st.text(alphabet="#noxX a\n(),.é", max_size=60))
def test_no_control_tag_survives(text: str) -> None:
    """And what has none is not touched."""
    left = without_controls(Linked(text), ["x"]).text
    assert "nox" not in {folded(entity.value) for entity in hashtags(left)}
    if not any(folded(entity.value) == "nox" for entity in hashtags(text)):
        assert left == text


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("bla\n\n#a #b\n#c", ("bla", "#a #b\n#c")),
        ("bla\n#a, #b", ("bla", "#a, #b")),
        ("#a #b", ("", "#a #b")),
        ("bla #a", ("bla #a", "")),
        ("bla", ("bla", "")),
        ("", ("", "")),
        ("1\n\n#2 est un numéro", ("1\n\n#2 est un numéro", "")),
    ],
)
def test_the_closing_line_of_hashtags(text: str, parts: tuple[str, str]) -> None:
    """Corpus 22: what may go first."""
    body, closing = closing_tags(Linked(text))
    assert (body.text, closing) == parts


@pytest.mark.parametrize(
    ("limit", "left"),
    [(9, "un #a et #b fin\n\n#c #d"), (3, "un #a et #b fin\n\n#c"), (2, "un #a et #b fin"), (1, "un #a et b fin"), (0, "un a et b fin")],
)
def test_hashtags_beyond_the_limit(limit: int, left: str) -> None:
    """From the closing line they go, in a sentence they become words."""
    assert at_most(Linked("un #a et #b fin\n\n#c #d"), limit).text == left


@pytest.mark.parametrize(
    ("words", "made"),
    [
        ("vélo", "#vélo"),
        ("économie sociale", "#ÉconomieSociale"),
        ("Éco-lieu", "#ÉcoLieu"),
        ("#déjà", "#déjà"),
        ("2026", None),
        ("fête 2026", "#Fête2026"),
        ("!!", None),
        ("日本", "#日本"),
    ],
)
def test_a_tag_becomes_a_hashtag(words: str, made: str | None) -> None:
    """Corpus 20: capitals tell the words apart for a screen reader."""
    assert hashtag(words) == made
    if made is not None:
        assert [f"#{entity.value}" for entity in hashtags(made)] == [made]


def test_a_line_has_each_tag_once() -> None:
    """Same tag, other case or accent: once."""
    assert hashtag_line(["Vélo", "velo", "économie sociale", "2026", "atelier"], 2) == "#Vélo #ÉconomieSociale"


def test_readers_never_see_our_tags() -> None:
    """Corpus 23, in the list of tags."""
    assert visible_tags(make_post(tags=("noX", "vélo", "nocross")), ["x"]) == ("vélo",)
