"""``syndicator preview``: a toot with a picture, a thread, an event, a video, as each network will show them; and what that costs."""

from __future__ import annotations

import asyncio
import html
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from selectolax.lexbor import LexborHTMLParser

from syndicator import registry
from syndicator.contract import Association, Limits, Prices
from syndicator.estimate import Account, Estimate, estimates
from syndicator.preview_page import page, segments
from syndicator.route import Style
from syndicator.sandbox.server import Seen
from syndicator.sandbox.town import GROUP, at_clock
from syndicator.showing import Shown, as_seen, lines, show, together
from syndicator.testing import make_event, make_post, make_rendition
from tests import preview_scene
from tests.one_way_scene import installed
from tests.one_way_table import rows_of
from tests.preview_scene import ALT, Show
from tests.shell_scene import Said

NETWORKS = ("mastodon", *installed())
X = "x : 0,645 $ pour les 5 publications montrées ici. Le budget du mois est de 5,00 $, dont 0,00 $ déjà dépensés.".replace(" $", "\u00a0$")
BALL = "x : un événement comme « Bal à vélo sous les halles » coûte 0,205 $. Déplacé ou annulé : 0,20 $ de plus.".replace(" $", "\u00a0$")
WICKED = json.loads((Path(__file__).parent / "data" / "website" / "hostile.json").read_text())
PAID = Limits(text_max=280, prices=Prices(currency="USD", create=15, create_with_link=200, update=7, delete=10))


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What a person, a script and a browser get to see, and what was asked of the networks for it."""

    told: str
    json: Sequence[Mapping[str, Any]]
    page: LexborHTMLParser
    source: str
    asked: Sequence[tuple[str, Seen]]
    left: Sequence[str]
    """What the command left in the association's folder."""

    def of(self, destination: str) -> dict[str, Mapping[str, Any]]:
        """By kind, the first that a script is told of one destination."""
        return {one["kind"]: one for one in reversed(self.json) if one["destination"] == destination}


@pytest.fixture(scope="module")
def looked(tmp_path_factory: pytest.TempPathFactory) -> Looked:
    """One of each, on every network."""
    return asyncio.run(_look(tmp_path_factory.mktemp("preview"), more={"x": {"budget": 5.0}}))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Looked:
    """Somebody else's idea of an event and of a toot, on the networks that differ most."""

    def wicked(show: Show) -> None:
        html_, world = WICKED["html"], show.town.mastodon.world
        world.post(show.town.asso, html_, spoiler_text=WICKED["title"])
        show.town.mobilizon.add_event(GROUP, WICKED["title"], at_clock(2, 20), at_clock(2, 22), description=html_)

    networks = ("discourse", "linkedin", "telegram", "x")
    folder = tmp_path_factory.mktemp("hostile")
    return asyncio.run(_look(folder, publish=wicked, networks=networks, more={"x": {"budget": 0.1}}, language="en"))


async def _look(folder: Path, **options: Any) -> Looked:
    file = folder / "page.html"
    async with preview_scene.show(folder, **options) as made:
        before = {path.name for path in folder.iterdir()}
        told, data = await asyncio.gather(
            made.preview("--html", file, language=made.language), made.preview("--json", language=made.language)
        )
        for said in (told, data):
            assert (said.code, said.err) == (0, ""), said
        left = [path.name for path in folder.iterdir() if path.name not in {*before, file.name}]
        source = file.read_text(encoding="utf-8")
        return Looked(told=told.out, json=json.loads(data.out), page=LexborHTMLParser(source), source=source, asked=made.asked(), left=left)


def test_every_network_shows_what_it_takes(looked: Looked) -> None:
    """A toot, a thread's beginning and its end, an event, a video: wherever such things go."""
    takes = {name: registry.find("destinations", name).limits.kinds for name in NETWORKS}
    wanted = {name: {"note", "thread", "event", "video"} if "note" in kinds else {"video"} for name, kinds in takes.items()}

    assert {name: set(looked.of(name)) for name in NETWORKS} == wanted
    assert [len([one for one in looked.json if one["destination"] == name and one["sure"]]) for name in ("mastodon", "youtube")] == [5, 1]


def test_the_terminal_tells_length_cuts_media_and_cost(looked: Looked) -> None:
    """In the unit of each network, beside the most that it takes there."""
    boxes = looked.told.split("┌─ ")[1:]
    stages = {"create": "", "announce-change": "s'il est déplacé, ici d'une semaine · ", "cancel": "s'il est annulé · "}
    for one in looked.json:
        head = f" · {stages[one['purpose']]}{one['title']}"
        heads = [(box, *box.splitlines()[0].partition(" · ")) for box in boxes]
        (box,) = [box for box, names, *rest in heads if one["destination"] in names.split(", ") and "".join(rest) == head]
        # WordPress takes any length.
        counted = [f"{part['length']}/{part['length_max']}" if part["length_max"] else f"{part['length']}" for part in one["parts"]]
        assert all(length in box for length in counted)
    for_x = [box for box in boxes if re.match(r"(\w+, )*x(,| )", box)]

    assert any("267/280 (0,20\u00a0$)" in box and "texte raccourci" in box for box in for_x)
    assert "texte réparti en plusieurs messages" in next(box for box in boxes if box.startswith("bluesky · Un an"))
    assert f"🖼 {ALT[:40]}" in looked.told
    assert "🎞 sans description" in next(box for box in boxes if "youtube" in box.split(" · ")[0])
    assert "ce réseau exige une image" in next(box for box in boxes if box.startswith("instagram · Un an"))
    assert {X, BALL} <= set(looked.told.splitlines())


def test_a_script_is_told_the_same(looked: Looked) -> None:
    """Texts within their limits, thread by parts, cost in the network's currency, the pictures with their descriptions."""
    for one in looked.json:
        assert one["limits"] == "own"
        assert all(part["length_max"] is None or part["length"] <= part["length_max"] for part in one["parts"])
    story = next(one for one in looked.json if one["destination"] == "bluesky" and one["title"].startswith("Un an"))
    costs = [(part["cost"], one["currency"]) for one in looked.json if one["destination"] == "x" and one["sure"] for part in one["parts"]]

    assert [part["text"][-5:] for part in story["parts"]] == ["(1/2)", "(2/2)"]
    assert sorted(costs) == [(0.015, "USD"), (0.02, "USD"), (0.2, "USD"), (0.205, "USD"), (0.205, "USD")]
    assert [one["description"] for one in looked.of("mastodon")["note"]["parts"][0]["attachments"]] == [ALT]


def test_the_page_shows_each_of_them(looked: Looked) -> None:
    """A section for each thing, its networks named, length and cost beside the most, pictures inside the file."""
    sections = looked.page.css("main section")
    titles = [section.css_first("h2").text(strip=True) for section in sections]
    named = [{place.text() for place in section.css(".place")} for section in sections]
    bars = {row.css_first(".name").text(): row.css_first(".used").text(strip=True) for row in sections[0].css(".measures li")}

    assert [title.startswith("messageL'atelier") for title in titles] == [True, False, False, False, False]
    assert len(looked.page.css("nav a")) == 5
    assert all(set(NETWORKS) - {"youtube"} <= names for names in named)
    assert sum("youtube" in names for names in named) == 1
    assert bars["mastodon"] == "131 / 500"
    assert bars["x"].split("280")[1].strip() == "0,02\u00a0$"
    assert [one.text() for one in looked.page.css(".costs li")] == [X, BALL]
    assert {image.attributes["src"][:23] for image in looked.page.css("img")} == {"data:image/jpeg;base64,"}
    assert {image.attributes["alt"] for image in sections[0].css("figure img")} == {ALT, ""}
    assert "[plan" not in looked.page.body.text()
    assert "plan d'accès" in {link.text() for section in sections for link in section.css(".link")}


def test_the_page_asks_nobody(looked: Looked) -> None:
    """No address in it is ever asked for: nothing but data in what a browser loads, and a policy that says so."""
    loaded = re.findall(r'(?:src|srcset|data|poster|action|formaction)\s*=\s*"(?!data:)([^"]*)', looked.source)
    policy = looked.page.css_first('meta[http-equiv="Content-Security-Policy"]').attributes["content"]

    assert loaded == []
    assert [link.attributes["href"][:6] for link in looked.page.css("link")] == ["data:,"]
    assert {link.attributes["href"][:1] for link in looked.page.css("a")} == {"#"}
    assert not re.search(r"url\(|@import|<script|<base|<object|<iframe", looked.source)
    assert policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def test_the_networks_are_asked_only_who_we_are(looked: Looked) -> None:
    """Their limits are learnt by logging in; nothing is uploaded, published, changed or looked up, and nothing is left behind."""
    purposes = {(name, row.purpose) for name, seen in looked.asked for row in rows_of(name, seen)}

    assert [(name, seen.path) for name, seen in looked.asked if not rows_of(name, seen)] == []
    assert {purpose for _, purpose in purposes} == {"login"}
    assert {name for name, _ in purposes} == set(NETWORKS) - {"apprise"}
    assert looked.left == []


def test_a_hostile_item_stays_text(hostile: Looked) -> None:
    """Its markup is read, not run: as words on the page, as words in the terminal, without a sign that moves either."""
    texts = html.unescape(hostile.source)

    assert "<b>Bal</b>" in texts
    assert hostile.page.css("script, iframe, svg, math, object, main style, main a, img:not([src^='data:'])") == []
    assert [node for node in hostile.page.css("*") if any(name.startswith("on") for name in node.attributes)] == []
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e]", hostile.told)
    assert "{{ 7*7 }}" in texts
    assert "<script>window.pwned=1</script><b>Bal</b>" in hostile.told


def test_a_budget_that_is_too_small_is_told(hostile: Looked) -> None:
    """In the language of those who ask, in the terminal and on the page."""
    (told,) = [line for line in hostile.told.splitlines() if line.startswith("x: $")]

    assert re.fullmatch(r"x: \$0\.\d+ for the \d posts shown here\. The month's budget is \$0\.10, of which \$0\.00 are spent: not.*", told)
    assert [one.text() for one in hostile.page.css(".costs .short")] == [told]


# without a sandbox


def shown(*texts: str, limits: Limits = PAID, **changes: Any) -> Shown:
    one = Shown(
        destination="x",
        type="x",
        uid="https://social.example/1",
        title="Bonjour",
        purpose="create",
        limits=limits,
        renditions=tuple(make_rendition(text=text, part=part, parts=len(texts)) for part, text in enumerate(texts)),
    )
    return replace(one, **changes)


@pytest.mark.parametrize(("places", "mills", "posts"), [
    ([shown("Bonjour")], 15, 1),
    ([shown("Voici https://asso.example")], 200, 1),
    ([shown("Un", "Deux", "https://asso.example")], 230, 1),
    ([shown("Bonjour"), shown("Bonsoir")], 30, 2),
    ([shown("Bonjour", purpose="update"), shown("Bonsoir")], 22, 2),
])  # fmt: skip
def test_what_it_costs_in_all(places: list[Shown], mills: int, posts: int) -> None:
    """Every part of every thread, each at its own price."""
    account = Account(spent=1000, budget=2000)

    assert estimates(places, {"x": account}) == [Estimate(destination="x", posts=posts, mills=mills, currency="USD", account=account)]


def test_what_is_free_or_not_shown_has_no_estimate() -> None:
    """Nor has a network that charges nothing, nor one that shows nothing."""
    assert estimates([shown("Bonjour", limits=Limits()), shown(destination="y")], {}) == []


@pytest.mark.parametrize(("budget", "spent", "fits"), [(None, 9000, True), (1015, 1000, True), (1014, 1000, False)])
def test_whether_the_budget_is_enough(budget: int | None, spent: int, fits: bool) -> None:
    """To the thousandth; without a budget it always is."""
    (found,) = estimates([shown("Bonjour")], {"x": Account(spent=spent, budget=budget)})

    assert found.fits is fits
    assert ("budget" in found.says("fr")) is (budget is not None)
    assert ("ne suffit pas" in found.says("fr")) is not fits


def test_an_edit_is_shown_at_its_own_price() -> None:
    """In the terminal as on the page."""
    assert "7/280 (0,007 $)".replace(" $", "\u00a0$") in "\n".join(lines([shown("Bonjour", purpose="update")], "fr"))


@pytest.mark.parametrize(("text", "people_read", "pieces"), [
    (r"Un \*mot\* de [l'asso](https://asso.example)\.", "Un *mot* de l'asso.", ["l'asso"]),
    ("[a](<https://a.example/(x)>) et [b](https://b.example)", "a et b", ["a", "b"]),
    (r"\[pas un lien\](https://asso.example)", "[pas un lien](https://asso.example)", ["https://asso.example"]),
    ("[sans suite] (rien)", "[sans suite] (rien)", []),
])  # fmt: skip
def test_markdown_as_people_read_it(text: str, people_read: str, pieces: list[str]) -> None:
    """Links by their words, escapes done."""
    limits = Limits(markup="markdown")

    assert as_seen(text, "markdown") == people_read
    assert [piece for kind, piece in segments(make_rendition(text=text), limits) if kind == "link"] == pieces


def test_looks_that_are_alike_are_one() -> None:
    """Networks that show the same share a look; another limit that cuts makes another."""
    association, item = Association(name="Les Amis"), make_post(html="<p>" + "mot " * 60 + "</p>")
    places = [show(item, name, name, Limits(text_max=most), Style(), association) for name, most in (("a", 500), ("b", 400), ("c", 100))]

    assert [[one.destination for one in look] for look in together(places)] == [["a", "b"], ["c"]]


def test_a_page_of_nothing_says_so() -> None:
    """No section, no list, one sentence."""
    found = LexborHTMLParser(page([], Association(name="Les Amis"), {}, "fr"))

    assert (found.css("section"), found.css("nav"), found.css(".costs")) == ([], [], [])
    assert found.css_first("main").text(strip=True) == "Rien n'attend, et rien de ce que lisent les sources n'irait sur un réseau."


def test_a_route_that_shows_nothing_there_says_so() -> None:
    """What its author refused, or a warning that the route skips."""
    association = Association(name="Les Amis")
    item = make_event(tags=("noX",))
    places = [show(item, "x", "x", Limits(), Style(), association)]
    skipped = [replace(places[0], renditions=())]

    assert "Rien : la route ne le montre pas ici." in page(skipped, association, {}, "fr")
    assert lines(skipped, "fr")[-1] == "└─ rien : la route ne le montre pas ici"


def test_what_a_command_said_is_a_promise(tmp_path: Path) -> None:
    """A folder that cannot be written to is told in words, before anything is lost."""

    async def ask() -> Said:
        async with preview_scene.show(tmp_path, publish=lambda _: None, networks=("telegram",)) as made:
            return await made.preview("--html", tmp_path / "missing" / "page.html")

    said = asyncio.run(ask())

    assert said.code != 0
    assert "donnez un autre nom à --html" in said.err
