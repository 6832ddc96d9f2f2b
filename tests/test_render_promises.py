"""What must hold of every rendition, whatever the item, the route and the destination: those installed, and those of the reference."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndicator.contract import Association, Limits
from syndicator.model import Attachment, Event, Item, Offer, Poll, Post, Quote, Rendition
from syndicator.render import render
from syndicator.route import Style
from syndicator.showing import publishers
from syndicator.testing import NOW, make_event, make_post
from syndicator.text.clean import clean
from syndicator.text.count import fits, length
from syndicator.text.face import from_url
from syndicator.text.facets import facets
from syndicator.text.links import addresses, emails, mentions
from syndicator.text.template import template_problem
from tests.test_render import LIMITS

ASSOCIATION = Association(name="Asso")
INSTALLED = {name: connector.limits for name, connector in publishers().items()}
WITH_FACETS = [limits for limits in (*LIMITS.values(), *INSTALLED.values()) if limits.spans and limits.markup == "plain"]
EVERYWHERE = [*LIMITS.values(), *INSTALLED.values()]


LETTERS = "ĂĄĆĈ"
"""Words of a link are made of its own letter, and no other words are."""
LINKS = [f'<a href="https://{letter}.example/">{letter * 3} {letter}</a>' for letter in LETTERS]
WORDS = st.sampled_from([
    *LINKS,
    "https://ex.org/a?b=c", "https://a.example/x", "exemple.fr", "#tag", "#noX", "@u", "@u@host.example", "a@b.fr", "mot", "élan",
    "👨‍👩‍👧‍👦", "中文字", ":blob:", "&lt;3", "<br>", "</p><p>", "« oui »", "fin.", "<b>", "</a>", "*x*", "_y_", "M. ",
])  # fmt: skip
HTML = st.lists(WORDS, max_size=90).map(lambda words: "<p>" + " ".join(words) + "</p>")
LINES = st.lists(WORDS.filter(lambda word: "<" not in word), max_size=12).map(" ".join)
TEMPLATES = ("Ici : {{ text }}\n{{ url }}", "{{ title }} {{ text }} {{ hashtags }}", "{{ text|upper }}")
STYLES = st.builds(
    Style,
    link=st.sampled_from(["always", "when-cut", "never"]),
    content_warnings=st.sampled_from(["show", "link"]),
    mentions=st.sampled_from(["handle", "name"]),
    hashtags=st.sampled_from(["keep", "drop"]),
    long_text=st.sampled_from(["shorten", "thread"]),
    custom_emoji=st.sampled_from(["drop", "keep"]),
    footer=st.sampled_from(["", "Retrouvez-nous sur Mastodon."]),
    footer_every=st.sampled_from([1, 3]),
    text_links=st.sampled_from(["keep", "drop"]),
    campaign=st.sampled_from(["", "rentrée 2026"]),
    language=st.sampled_from(["", "en", "br"]),
    template=st.sampled_from(["", "", "", *TEMPLATES]),
)
PICTURES = st.lists(
    st.builds(
        Attachment,
        url=st.just("https://h.fr/a"),
        type=st.sampled_from(["image", "video", "gifv", "audio", "unknown"]),
        description=LINES,
        preview_url=st.sampled_from([None, "https://h.fr/p.jpg"]),
    ),
    max_size=6,
).map(tuple)
POSTS = st.builds(
    make_post,
    kind=st.sampled_from(["note", "article", "video", "live", "image", "audio"]),
    title=LINES,
    html=HTML,
    summary=LINES,
    content_warning=st.sampled_from(["", "bruit", "@u " * 30]),
    sensitive=st.booleans(),
    emojis=st.just(("blob",)),
    tags=st.lists(st.sampled_from(["vélo", "noX", "économie sociale"]), max_size=3).map(tuple),
    attachments=PICTURES,
    poll=st.none() | st.builds(Poll, options=st.lists(LINES, min_size=2, max_size=4).map(tuple), closes_at=st.sampled_from([None, NOW])),
    quote=st.none() | st.builds(Quote, url=st.just("https://h.fr/1"), text=LINES, accepted=st.booleans()),
    language=st.sampled_from(["fr", "en", None, "french"]),
)
EVENTS = st.builds(
    make_event,
    title=LINES.filter(str.strip),
    html=HTML,
    status=st.sampled_from(["confirmed", "tentative", "cancelled"]),
    tags=st.lists(st.sampled_from(["vélo", "noX", "économie sociale"]), max_size=3).map(tuple),
    full=st.booleans(),
    online_url=st.sampled_from([None, "https://visio.example/a"]),
    image=st.none() | st.builds(Attachment, url=st.just("https://h.fr/a.jpg"), description=LINES),
    offers=st.sampled_from([(), (Offer(price="5"),)]),
)


@settings(max_examples=100, deadline=None)
@given(item=POSTS | EVENTS, limits=st.sampled_from(EVERYWHERE), style=STYLES)
def test_every_rendition_keeps_the_promises(item: Item, limits: Limits, style: Style) -> None:
    """Within every limit, no stranger's handle, no control tag, clean text, pictures within their number, the same every time."""
    plain = replace(limits, markup="plain", markup_counts=False)
    done = _rendered(item, plain, style)
    assert done == _rendered(item, plain, style)
    assert [part.part for part in done] == list(range(len(done)))
    for part in done:
        assert fits(part.text, _room(part, plain))
        assert limits.title_max is None or len(part.title) <= limits.title_max
        assert "nox" not in part.text.casefold()
        assert part.text == clean(part.text)
        assert _live_handles(part.text) == []
        assert style.custom_emoji == "keep" or isinstance(item, Event) or ":blob:" not in part.text


@settings(max_examples=100, deadline=None)
@given(item=POSTS | EVENTS, limits=st.sampled_from(EVERYWHERE), style=STYLES)
def test_pictures_keep_the_promises(item: Item, limits: Limits, style: Style) -> None:
    """Within their number, described within their room; one where the network insists; what is hidden at home is never bare."""
    hidden = isinstance(item, Post) and (item.sensitive or bool(item.content_warning))
    can_hide = limits.content_warning or limits.sensitive_media
    for part in _rendered(item, limits, style):
        images = [attachment for attachment in part.attachments if attachment.type == "image"]
        assert len(images) <= max(limits.media.images_max, 1 if limits.media.image_required else 0)
        assert len(part.attachments) - len(images) <= limits.media.videos_max
        assert all(limits.media.alt_max is None or len(picture.description) <= limits.media.alt_max for picture in part.attachments)
        assert images or part.part or not limits.media.image_required
        own = [attachment for attachment in part.attachments if from_url(attachment.url) is None]
        assert not (hidden and own and not can_hide)
        assert part.sensitive or not (hidden and own)
        assert part.card is None or part.card.image is None or from_url(part.card.image.url) is not None or not hidden


@settings(max_examples=100, deadline=None)
@given(item=POSTS | EVENTS, limits=st.sampled_from([limits for limits in EVERYWHERE if limits.markup_counts]), style=STYLES)
def test_the_limit_holds_for_what_is_sent(item: Item, limits: Limits, style: Style) -> None:
    """With its markup, where the service counts that."""
    for part in _rendered(item, limits, style):
        assert fits(part.text, _room(part, limits))


@settings(max_examples=100, deadline=None)
@given(
    item=POSTS | EVENTS,
    limits=st.sampled_from(WITH_FACETS),
    style=STYLES,
)
def test_links_are_on_their_words(item: Item, limits: Limits, style: Style) -> None:
    """Corpus 5, 54: every word of a link that is left is its link, no other is; and so are the facets made of them."""
    style = replace(style, text_links="keep", template=style.template.replace("|upper", ""))
    for part in _rendered(item, limits, style):
        linked = {at: span.url for span in part.spans for at in range(span.start, span.end) if not part.text[at].isspace()}
        home = {at: url for at, url in linked.items() if url.startswith(item.url)}
        own = {at: f"https://{letter}.example/" for at, letter in enumerate(part.text) if letter in LETTERS}
        assert linked == own | home
        assert all(part.text[span.start : span.end] == item.url for span in part.spans if span.url.startswith(item.url))
        raw = part.text.encode()
        for facet in facets(part.text, part.spans):
            said = raw[facet.start : facet.end].decode()
            assert said.lstrip("#＃") == facet.value or set(said) - {" "} == {facet.value[8]} or facet.value.startswith(item.url)


@settings(max_examples=80, deadline=None)
@given(item=POSTS | EVENTS, name=st.sampled_from(["x", "bluesky", "mastodon"]))
def test_the_way_home_survives(item: Item, name: str) -> None:
    """Where the route always wants the link, every rendition has it, whole, in its last part."""
    done = render(item, LIMITS[name], Style(link="always"), association=ASSOCIATION)
    assert item.url in [entity.value for entity in addresses(done[-1].text)]
    assert (done[-1].card is not None) == LIMITS[name].card


@settings(max_examples=100, deadline=None)
@given(item=POSTS | EVENTS, style=STYLES)
def test_no_address_of_the_author_is_charged_for(item: Item, style: Style) -> None:
    """On X, with ``text_links = "drop"``, what is left to link is our own way home alone."""
    style = replace(style, text_links="drop", campaign="")
    for part in _rendered(item, LIMITS["x"], style):
        assert {entity.value for entity in addresses(part.text)} <= {item.url}


UNITS = ["mot ", "#tag ", "a", '<a href="https://a.fr/">ici</a> ', "exemple.fr."]


@pytest.mark.parametrize(("name", "size"), [("x", 3_000), ("bluesky", 6_000), ("little-sixty", 1_500)])
@pytest.mark.parametrize("unit", UNITS)
def test_work_grows_with_the_text_and_no_faster(unit: str, name: str, size: int) -> None:
    """Four times the text, about four times the steps, also to take the addresses out."""
    style = Style(text_links="drop" if name == "x" else "keep")
    few, many = (_steps(make_post(html=f"<p>{unit * (long // len(unit))}</p>"), LIMITS[name], style) for long in (size, 4 * size))
    assert many <= 6 * few


def test_the_templates_tried_here_are_sound() -> None:
    """They are what a check would accept."""
    assert [template_problem(template) for template in TEMPLATES] == [None] * len(TEMPLATES)


def _rendered(item: Item, limits: Limits, style: Style) -> tuple[Rendition, ...]:
    return render(item, limits, style, association=ASSOCIATION, destination_names=["x"], destination_type="x")


def _room(part: Rendition, limits: Limits) -> Limits:
    """The limits of this part: a caption's where it has media, without what its warning takes."""
    most = limits.text_max
    if part.attachments and limits.caption_max is not None:
        most = min(most or limits.caption_max, limits.caption_max)
    return limits if most is None else replace(limits, text_max=most - length(part.content_warning, limits))


def _live_handles(text: str) -> list[str]:
    taken = [(entity.start, entity.end) for entity in [*addresses(text), *emails(text)]]
    return [entity.value for entity in mentions(text) if not any(start <= entity.start < end for start, end in taken)]


def _steps(post: Post, limits: Limits, style: Style) -> int:
    count = 0

    def profile(frame: object, event: str, arg: Any) -> None:
        nonlocal count
        count += 1

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        render(post, limits, style, association=ASSOCIATION)
    finally:
        sys.setprofile(before)
    return count
