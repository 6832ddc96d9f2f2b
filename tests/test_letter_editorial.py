"""The tag that makes a post the editorial is for us: no reader sees it."""

import pytest

from syndicator.letter.editorial import without_tag

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
