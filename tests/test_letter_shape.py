"""How an issue reads: HTML that mail programs can show, a text part, nothing of a stranger's alive in either."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from selectolax.lexbor import LexborHTMLParser

from syndicator.errors import Rejected
from syndicator.letter.shape import SIZE_MAX, Hosted, shape
from syndicator.model import Attachment, Entry, Issue, Section
from syndicator.text.way_out import UNSUBSCRIBE, with_unsubscribe, without_unsubscribe
from tests.test_letter_compose import ASSOCIATION, SINCE, UNTIL

FETE = Entry(
    uid="fete",
    kind="event",
    title="Fête de l’hiver",
    url="https://mobilizon.example/events/1?a=1&b=2",
    text="Vin chaud\net chansons.",
    when="samedi 5 décembre 2026 à 20h30",
    place="Salle des fêtes, Brest",
    image=Attachment(url="https://mobilizon.example/affiche.jpg", description='L’affiche, "rouge"'),
)
EVIL = Entry(
    uid="evil",
    kind="note",
    title="<script>alert(1)</script> {{ 7*7 }} \x07&amp;",
    url="javascript:alert(1)",
    text='"><img src=https://pisteur.example/p.gif onerror=alert(1)> </mj-text>',
    when="</p>",
)
ISSUE = Issue(
    newsletter="lettre",
    title="La lettre du vélo",
    subject="Fête de l’hiver (sam. 5 déc., 20h30)",
    language="fr",
    since_at=SINCE,
    until_at=UNTIL,
    editorial='<p>Bonjour,<br>à samedi <a href="https://velo.example/?a=1&b=2" onclick="x()">là</a> <img src="https://pisteur.example/p.gif"><script>x</script>',
    sections=(Section(title="À venir", entries=(FETE, EVIL), brief=(replace(FETE, uid="b", title="Bal"),)),),
)
PICTURES = {"https://mobilizon.example/affiche.jpg": Hosted(url="https://agenda.velo.example/media/1.jpg", width=800)}
HOME = replace(ASSOCIATION, url="https://www.velo.example/", colour="#1d6f42")


def test_the_words_of_the_letter() -> None:
    """Headings in order, dates and places as data has them, the way home on titles, alt text on pictures that we serve."""
    page = LexborHTMLParser(shape(ISSUE, HOME, pictures=PICTURES, web_address="https://agenda.velo.example/lettres/1.html").html)
    headings = [(node.tag, node.text(strip=True)) for node in page.css("h1, h2, h3")]
    images = [(node.attributes["src"], node.attributes["alt"]) for node in page.css("img")]

    assert headings[:3] == [("h1", "La lettre du vélo"), ("h2", "À venir"), ("h3", "Fête de l’hiver")]
    assert page.css_first("h3 a").attributes["href"] == FETE.url
    assert images == [("https://agenda.velo.example/media/1.jpg", 'L’affiche, "rouge"')]
    assert page.css_first("html").attributes["lang"] == "fr"
    assert "samedi 5 décembre 2026 à 20h30" in page.body.text()
    assert [node.text() for node in page.css("li")] == ["Bal – samedi 5 décembre 2026 à 20h30"]
    assert "https://agenda.velo.example/lettres/1.html" in [node.attributes["href"] for node in page.css("a")]


def test_nothing_of_a_stranger_is_alive() -> None:
    """Markup and template signs stay text; addresses are of the web; nothing is loaded from anybody."""
    letter = shape(ISSUE, HOME)
    page = LexborHTMLParser(letter.html)
    elsewhere = [node.attributes.get("src") or node.attributes.get("href") for node in page.css("img, link, script, iframe, object")]

    assert elsewhere == []
    assert [name for node in page.css("*") for name in node.attributes if name.startswith("on")] == []
    assert all(re.match(r"https://", str(node.attributes["href"])) for node in page.css("a"))
    assert "<script>alert(1)</script> {{ 7*7 }} &amp;" in page.body.text()
    assert "url(" not in letter.html
    assert "<script>alert(1)</script> {{ 7*7 }} &amp;" in letter.text
    assert "<img src=https://pisteur.example/p.gif" not in letter.html


def test_the_text_part_is_written_from_the_data() -> None:
    """Each thing with its date, place and address on lines of their own."""
    text = shape(ISSUE, HOME).text

    assert text.startswith(
        "Les Amis du Vélo\nLa lettre du vélo – lundi 30 novembre 2026\n\nBonjour,\nà samedi là (https://velo.example/?a=1&b=2)"
    )
    expected = "Fête de l’hiver\nsamedi 5 décembre 2026 à 20h30\nSalle des fêtes, Brest\nVin chaud\net chansons.\nhttps://mobilizon.example/events/1?a=1&b=2\n"
    assert expected in text
    assert "- Bal – samedi 5 décembre 2026 à 20h30\n  https://mobilizon.example/events/1?a=1&b=2" in text


def test_the_way_out_is_put_in_or_taken_out() -> None:
    """Whoever holds the list has an address; whoever sends through another leaves it to them."""
    letter = shape(ISSUE, HOME)
    address = "https://agenda.velo.example/stop?a=1&b=2"

    assert with_unsubscribe(letter.html, address).count("https://agenda.velo.example/stop?a=1&amp;b=2") == 1
    assert with_unsubscribe(letter.text, address).count(address) == 1
    for part in (letter.html, letter.text):
        bare = without_unsubscribe(part)
        assert (UNSUBSCRIBE in part, UNSUBSCRIBE in bare, "Ne plus recevoir" in bare) == (True, False, False)


def test_gmail_shows_it_whole() -> None:
    """What does not fit is named only: nothing is cut off, and nothing forgotten."""
    many = tuple(replace(FETE, uid=str(number), title=f"Rendez-vous {number:03}", text="é" * 320) for number in range(150))
    letter = shape(replace(ISSUE, sections=(Section(title="À venir", entries=many),)), HOME)

    assert 60_000 < len(letter.html.encode()) <= SIZE_MAX
    assert all(one.title in letter.html for one in many)


@pytest.mark.parametrize("colour", ["", "#ffff00", "#000000", "#ffffff", "#7f7f7f"])
def test_every_colour_can_be_read(colour: str) -> None:
    """Links on paper, by day and by night."""
    from syndicator.palette import READABLE, contrast, parsed

    page = shape(ISSUE, replace(HOME, colour=colour)).html
    accent = parsed(re.findall(r"a \{ color: (#[0-9a-f]{6})", page)[0])
    night = parsed(re.findall(r"\.foot a \{ color: (#[0-9a-f]{6})", page)[0])

    assert accent is not None
    assert night is not None
    assert min(contrast(accent, (255, 255, 255)), contrast(night, (0x23, 0x23, 0x27))) >= READABLE


@pytest.mark.parametrize("template", ["{{ nothing }}", "{% for %}", "{{ ''.__class__.__mro__ }}", "<p>ceci n’est pas MJML", "{{ 1/0 }}"])
def test_a_template_of_one_s_own_that_cannot_be_used(template: str) -> None:
    """Says so in words, and shows nothing of the machine."""
    with pytest.raises(Rejected, match="letter's template") as caught:
        shape(ISSUE, HOME, template=template)
    assert "Traceback" not in str(caught.value)


def test_a_template_of_one_s_own() -> None:
    """The same values, another shape."""
    words = "{{ issue.title }} : {{ issue.sections[0].entries[1].title }}"
    mine = f"<mjml><mj-body><mj-section><mj-column><mj-text>{words}</mj-text></mj-column></mj-section></mj-body></mjml>"
    page = LexborHTMLParser(shape(ISSUE, HOME, template=mine).html)

    assert page.body.text(strip=True) == "La lettre du vélo : <script>alert(1)</script> {{ 7*7 }} &amp;"


@pytest.mark.parametrize("field", ["title", "subject", "section", "when", "state", "association", "editorial"])
def test_signs_that_no_page_may_have_break_no_letter(field: str) -> None:
    """A control character, or one that turns the text round, wherever it comes from."""
    sign = "Fête\x07 \x00de\u202e l’hiver"
    (section,) = ISSUE.sections
    entry = replace(FETE, **{field: sign}) if field in ("when", "state") else FETE
    issue = replace(ISSUE, sections=(replace(section, title=sign if field == "section" else "À venir", entries=(entry,)),))
    issue = replace(issue, **{field: sign}) if field in ("title", "subject", "editorial") else issue
    letter = shape(issue, replace(HOME, name=sign) if field == "association" else HOME)

    assert [char for char in "\x07\x00\u202e" if char in letter.html + letter.text + letter.subject] == []


def test_a_link_of_the_editorial_is_whole() -> None:
    """In a letter there is no page that an address could be relative to."""
    html = '<a href="/la">a</a> <a href="MAILTO:x@y.example">b</a> <a href="//y.example">c</a> <a href="ftp://y.example">d</a>'
    page = LexborHTMLParser(shape(replace(ISSUE, editorial=f"<p>{html}</p>"), HOME).html)

    assert [node.attributes.get("href") for node in page.css(".words a")] == [None, "MAILTO:x@y.example", None, None]
