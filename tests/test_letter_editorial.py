"""The tag that makes a post the editorial is for us: no reader sees it."""

import pytest

from syndicator.letter.editorial import typed, without_tag
from syndicator.text.html import to_text

LINK = '<a href="https://s.example/tags/edito" class="mention hashtag" rel="tag">#<span>edito</span></a>'


@pytest.mark.parametrize(
    ("html", "left"),
    [
        (f"<p>À très vite ! {LINK}</p>", "<p>À très vite !</p>"),
        (f"<p>Bonjour.</p><p>{LINK}</p>", "<p>Bonjour.</p>"),
        (f"<p>{LINK} {LINK.replace('edito', 'velo')}</p>", f"<p> {LINK.replace('edito', 'velo')}</p>"),
        ("<p>À vous. #Édito</p>", "<p>À vous.</p>"),
        ("<p>#editorial, pas le reste</p>", "<p>#editorial, pas le reste</p>"),
        ('<p><a href="https://a.example/#edito">ici</a> &#39;x&#39;</p>', '<p><a href="https://a.example/#edito">ici</a> &#39;x&#39;</p>'),
        ("<p>C#edito n'en est pas un</p>", "<p>C#edito n'en est pas un</p>"),
        ('<p>un <em>mot</em> <a href="https://s.example/tags/edito">#édito</a>, puis</p>', "<p>un <em>mot</em>, puis</p>"),
        ("", ""),
    ],
)
def test_the_tag_goes(html: str, left: str) -> None:
    """Linked or plain; nothing else does."""
    assert without_tag(html, "edito") == left


@pytest.mark.parametrize(
    ("text", "html"),
    [
        (
            "Bonjour,\n\nvoyez <b> : https://velo.example/a?b=1&c=2.\nAnna",
            '<p>Bonjour,</p><p>voyez &lt;b&gt; : <a href="https://velo.example/a?b=1&amp;c=2">https://velo.example/a?b=1&amp;c=2</a>.<br>Anna</p>',
        ),
        ("<https://velo.example/>", '<p>&lt;<a href="https://velo.example/">https://velo.example/</a>&gt;</p>'),
        ('https://velo.example/"onclick="x', '<p><a href="https://velo.example/">https://velo.example/</a>"onclick="x</p>'),
        ("javascript:alert(1) http://", "<p>javascript:alert(1) http://</p>"),
        ("velo.example, M.Le Gall", "<p>velo.example, M.Le Gall</p>"),
    ],
)
def test_what_is_typed_can_be_followed(text: str, html: str) -> None:
    """Only whole addresses; everything else is text. The text part, and the form that it is edited in, say what was typed."""
    assert typed(text) == html
    assert to_text(html) == text
