"""Media that fail: waited for, then left behind with the way home; never in silence, and nothing else waits for them."""

from __future__ import annotations

import contextlib
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from aiohttp import web

from syndicator import media, steps
from syndicator.alerts import describe
from syndicator.config import Network
from syndicator.contract import Context, Limits, MediaLimits
from syndicator.errors import Rejected, Transient
from syndicator.gathering import FAILED, as_before, without
from syndicator.model import Attachment, Event, Item, Post, Receipt, Rendition
from syndicator.route import Style
from syndicator.sandbox.server import Fault, Simulator
from syndicator.testing import make_event
from syndicator.text.notes import describe as explain
from tests.engine_scene import (
    FindableWall,
    MuteWall,
    Scene,
    Screen,
    Wall,
    WallOptions,
    World,
    configuration,
    destination,
    post,
    projection,
    route,
    source,
    stage,
)

NOWHERE = Fault(action="answer", status=404, path="/gone", times=1000)


class Origin(Simulator):
    """Serves pictures, as many as wanted, and one thing that is none."""

    def __init__(self) -> None:
        super().__init__()
        self.app.router.add_get("/{name}.png", self._picture)
        self.app.router.add_get("/{name}.txt", self._text)

    async def _picture(self, request: web.Request) -> web.Response:
        from PIL import Image

        out = io.BytesIO()
        Image.new("RGB", (32, 24), (len(request.match_info["name"]) * 9 % 255, 90, 20)).save(out, "PNG")
        return web.Response(body=out.getvalue(), content_type="image/png")

    async def _text(self, request: web.Request) -> web.Response:
        return web.Response(text="no picture")

    def picture(self, name: str = "velo") -> Attachment:
        return Attachment(url=f"{self.url}/{name}.png", description="Un vélo")

    @property
    def asked(self) -> list[str]:
        """What was asked of it, in order."""
        return [seen.path for seen in self.requests]


@dataclass(kw_only=True)
class Album(Wall):
    """A wall with pictures: what went out, with what."""

    renditions: list[Rendition] = field(default_factory=list)
    bytes_seen: int = 0


@dataclass(frozen=True, kw_only=True)
class AlbumOptions(WallOptions):
    wall: Album


class PictureWall(FindableWall):
    """Takes two pictures and a video; fetches them itself, from the cache that the core filled."""

    Options: ClassVar[type[Any]] = AlbumOptions
    limits = Limits(text_max=200, threads=True, media=MediaLimits(images_max=2, videos_max=1, video_max_bytes=1_000_000))

    def __init__(self, options: AlbumOptions, context: Context) -> None:
        super().__init__(options, context)
        self.album, self.context = options.wall, context

    async def publish(self, rendition: Rendition, key: str, *, parent: Receipt | None = None, prepared: str | None = None) -> Receipt:
        await self._take(rendition)
        return await super().publish(rendition, key, parent=parent, prepared=prepared)

    async def update(self, receipt: Receipt, rendition: Rendition) -> Receipt:
        self.album.renditions.append(rendition)
        return await super().update(receipt, rendition)

    async def _take(self, rendition: Rendition) -> None:
        for one in rendition.attachments:
            file = await media.fetch(self.context.http, one, self.limits.media, cache_dir=self.context.state_dir / "media")
            self.album.bytes_seen += len(file.data)
        self.album.renditions.append(rendition)


class OwnWayWall(PictureWall):
    """Knows better how it wants its media."""

    gathered: ClassVar[list[tuple[str, int]]] = []
    trouble: ClassVar[list[Exception]] = []

    async def gather(self, attachment: Attachment, rendition: Rendition) -> None:
        self.gathered.append((attachment.url.rpartition("/")[2], len(rendition.attachments)))
        if self.trouble:
            raise self.trouble.pop(0)

    async def _take(self, rendition: Rendition) -> None:
        self.album.renditions.append(rendition)


class PreparedPictureWall(PictureWall):
    """Uploads beforehand, and needs more than one look until it is ready."""

    async def prepare(self, rendition: Rendition, key: str, *, parent: Receipt | None = None) -> str:
        await self._take(rendition)
        return await self.wall.do("prepare", lambda: "container")

    async def publish(self, rendition: Rendition, key: str, *, parent: Receipt | None = None, prepared: str | None = None) -> Receipt:
        return await MuteWall.publish(self, rendition, key, parent=parent, prepared=prepared)


@dataclass(frozen=True, kw_only=True)
class Gallery:
    """The scene, with its wall and its origin."""

    scene: Scene
    wall: Album
    origin: Origin

    async def show(self, *items: Item) -> None:
        """Publish, read, and let the grace window pass."""
        self.scene.world.show(*items)
        await self.scene.poll()
        self.scene.clock.go(minutes=2)

    async def publish(self, *items: Item) -> None:
        """The same, until all that can leave has left."""
        await self.show(*items)
        await self.scene.settle()

    @property
    def sent(self) -> list[tuple[str, tuple[str, ...], bool]]:
        """(text, pictures, whether it says that some are missing) of what went out."""
        return [
            (one.text, tuple(each.url.rpartition("/")[2] for each in one.attachments), FAILED in one.notes) for one in self.wall.renditions
        ]

    async def told(self) -> list[tuple[str, str]]:
        return [(problem.subject, problem.kind) for problem in await self.scene.problems()]


@contextlib.asynccontextmanager
async def gallery(folder: Path, kind: type[Any] = PictureWall, style: Style | None = None) -> AsyncIterator[Gallery]:
    """An association that publishes pictures."""
    wall = Album()

    def config(world: World, _: Wall, screen: Screen) -> Any:
        one = replace(destination(wall, kind=kind), options=AlbumOptions(wall=wall))
        made = configuration(folder, [source(world)], [one, projection(screen)], [route(style=style or Style())])
        return replace(made, network=Network(allow_private=frozenset({"127.0.0.1"})))

    async with Origin() as origin, stage(folder, config=config) as scene:
        yield Gallery(scene=scene, wall=wall, origin=origin)


def home(number: int) -> str:
    return post(number).url


# what goes well


async def test_media_are_at_hand_before_anything_leaves(tmp_path: Path) -> None:
    """Asked of the origin once, by the core; the connector finds them in its cache, and so does the next post."""
    async with gallery(tmp_path) as it:
        await it.publish(
            post(1, "A", attachments=(it.origin.picture("a"), it.origin.picture("bb"))), post(2, "B", attachments=(it.origin.picture("a"),))
        )
        assert it.sent == [("A", ("a.png", "bb.png"), False), ("B", ("a.png",), False)]
        assert it.origin.asked == ["/a.png", "/bb.png"]
        assert it.wall.bytes_seen > 0
        assert await it.told() == []


async def test_a_place_without_pictures_asks_for_none(tmp_path: Path) -> None:
    """They are behind the link; nobody fetches what nobody shows."""
    async with gallery(tmp_path, kind=FindableWall) as it:
        await it.publish(post(1, "A", attachments=(it.origin.picture(),)))
        assert (it.wall.texts, it.origin.asked) == ([f"A\n\n{home(1)}"], [])


async def test_idle_costs_nothing(tmp_path: Path) -> None:
    """Neither what is out, nor an edit that shows nothing new, asks the origin for a picture again, even with the cache gone."""
    async with gallery(tmp_path) as it:
        await it.publish(post(1, "A", attachments=(it.origin.picture(),)))
        for file in (it.scene.config.state_dir / "destinations" / "wall" / "media").iterdir():
            file.unlink()
        await it.publish(post(1, "A", attachments=(it.origin.picture(),), updated_at=it.scene.clock()))
        await it.publish(post(1, "A2", attachments=(it.origin.picture(),)))
        await it.scene.settle()
        assert it.origin.asked == ["/velo.png"]
        assert it.sent[-1] == ("A2", ("velo.png",), False)


# what fails


async def test_a_failure_that_passes_only_delays(tmp_path: Path) -> None:
    """The post is whole; nobody is told of anything."""
    async with gallery(tmp_path) as it:
        it.origin.fault(Fault(action="answer", status=503, times=2))
        before = it.scene.clock()
        await it.publish(post(1, "A", attachments=(it.origin.picture(),)))
        assert it.sent == [("A", ("velo.png",), False)]
        assert len(it.origin.asked) == 3
        assert it.scene.clock() - before < timedelta(minutes=5)
        assert await it.told() == []


async def test_a_failure_that_lasts_does_not_block_the_text(tmp_path: Path) -> None:
    """After a few tries within minutes the post goes with the way home; a person is told once, and no more when media arrive again."""
    async with gallery(tmp_path) as it:
        it.origin.fault(Fault(action="answer", status=503, path="/velo", times=1000))
        before = it.scene.clock()
        await it.publish(post(1, "A", attachments=(it.origin.picture(), it.origin.picture("ok"))))
        assert it.sent == [(f"A\n\n{home(1)}", ("ok.png",), True)]
        assert it.origin.asked.count("/velo.png") == 5
        assert it.scene.clock() - before < timedelta(minutes=15)
        (problem,) = await it.scene.problems()
        assert (problem.subject, problem.kind) == ("media:wall", "media")
        assert "/velo.png: " in problem.detail
        assert "503" in problem.detail
        assert describe(problem, "fr")[0].startswith("Un message est parti vers « wall » sans une de ses images")

        await it.publish(post(2, "B"))
        assert await it.told() == [("media:wall", "media")]
        await it.publish(post(3, "C", attachments=(it.origin.picture("ok"),)))
        assert await it.told() == []


@pytest.mark.parametrize("name", ["gone.png", "nothing.txt"])
async def test_what_will_never_do_is_left_out_at_once(tmp_path: Path, name: str) -> None:
    """404, or no picture at all: the text goes without delay, with the way home, and a person is told."""
    async with gallery(tmp_path) as it:
        it.origin.fault(NOWHERE)
        await it.show(post(1, "A", attachments=(Attachment(url=f"{it.origin.url}/{name}", description="x"),)))
        before = it.scene.clock()
        await it.scene.deliver()
        assert (it.sent, it.scene.clock()) == ([(f"A\n\n{home(1)}", (), True)], before)
        assert await it.told() == [("media:wall", "media")]
        assert explain(FAILED, "fr") == "un média introuvable reste derrière le lien"


async def test_another_picture_takes_the_place(tmp_path: Path) -> None:
    """Where an author gave more than fit, the next one is fetched too."""
    async with gallery(tmp_path) as it:
        it.origin.fault(NOWHERE)
        pictures = tuple(it.origin.picture(name) for name in ("gone", "b", "ccc"))
        await it.publish(post(1, "A", attachments=pictures))
        assert it.sent == [(f"A\n\n{home(1)}", ("b.png", "ccc.png"), True)]
        assert it.origin.asked == ["/gone.png", "/b.png", "/ccc.png"]


async def test_others_do_not_wait_for_it(tmp_path: Path) -> None:
    """While one post waits for its picture, the account does not rest, and the next post leaves."""
    async with gallery(tmp_path) as it:
        it.origin.fault(Fault(action="answer", status=503, path="/velo", times=1000))
        await it.show(post(1, "A", attachments=(it.origin.picture(),)), post(2, "B"))
        assert await it.scene.deliver() == 2
        assert [text for text, *_ in it.sent] == ["B"]
        assert await it.scene.ask(lambda store: store.accounts.paused("wall")) == (None, "")
        waiting = next(row for row in await it.scene.rows() if row.state == "pending")
        assert waiting.reason.startswith("NotYet: its media cannot be had now")
        assert await it.told() == []


async def test_a_rare_look_waits_no_longer(tmp_path: Path) -> None:
    """Under cron, hours may lie between two tries: then the second is the last; a restart forgets nothing."""
    async with gallery(tmp_path) as it:
        it.origin.fault(Fault(action="answer", status=503, path="/velo", times=1000))
        await it.show(post(1, "A", attachments=(it.origin.picture(),)))
        for _ in range(2):
            await steps.deliver(it.scene.tenant, "wall")
            it.scene.clock.go(hours=1)
            await it.scene.restart()
        assert (it.sent, it.origin.asked) == ([(f"A\n\n{home(1)}", (), True)], ["/velo.png"] * 2)


async def test_an_edit_brings_what_was_missing(tmp_path: Path) -> None:
    """The next edit has the picture, if it can be had by then; else it stays as it is, with its link."""
    async with gallery(tmp_path) as it:
        it.origin.fault(replace(NOWHERE, times=2))
        picture = it.origin.picture("gone")
        await it.publish(post(1, "A", attachments=(picture,)))
        await it.publish(post(1, "A2", attachments=(picture,)))
        await it.publish(post(1, "A3", attachments=(picture,)))
        assert it.sent == [(f"A\n\n{home(1)}", (), True), (f"A2\n\n{home(1)}", (), True), ("A3", ("gone.png",), False)]
        assert await it.told() == []


async def test_an_events_poster_too(tmp_path: Path) -> None:
    """The date goes out on time, without its poster."""
    async with gallery(tmp_path) as it:
        it.origin.fault(NOWHERE)
        event = make_event(
            image=it.origin.picture("gone"), published_at=it.scene.clock(), starts_at=it.scene.clock() + timedelta(days=3), ends_at=None
        )
        await it.publish(event)
        assert [(pictures, failed) for _, pictures, failed in it.sent] == [((), True)]
        assert event.url in it.sent[0][0]


async def test_a_thread_has_its_note_on_every_part_and_leaves_once(tmp_path: Path) -> None:
    """The parts that follow know what the first went without: an edit changes only what it must."""
    long = "Il y a d'abord ceci à dire, et longuement, avec des mots et des mots encore. " * 4
    async with gallery(tmp_path, style=Style(long_text="thread")) as it:
        it.origin.fault(NOWHERE)
        await it.publish(post(1, long, attachments=(it.origin.picture("gone"),)))
        parts = len(it.sent)
        assert parts > 1
        assert all(failed for *_, failed in it.sent)
        await it.publish(post(1, "Enfin. " + long, attachments=(it.origin.picture("gone"),)))
        assert it.wall.calls.count("publish") == len(it.wall.signs)
        assert [row.state for row in await it.scene.rows() if row.state not in ("done", "dropped")] == []


async def test_what_is_prepared_asks_for_nothing_more(tmp_path: Path) -> None:
    """While the service is at it, the origin is left alone, though the cache is gone."""
    async with gallery(tmp_path, kind=PreparedPictureWall) as it:
        it.wall.fail("publish", Transient("still working"), Transient("still working"))
        await it.show(post(1, "A", attachments=(it.origin.picture(),)))
        await it.scene.deliver()
        for file in (it.scene.config.state_dir / "destinations" / "wall" / "media").iterdir():
            file.unlink()
        await it.scene.settle()
        assert (it.wall.calls.count("prepare"), it.wall.calls.count("publish"), it.origin.asked) == (1, 3, ["/velo.png"])


async def test_a_connector_with_a_way_of_its_own(tmp_path: Path) -> None:
    """It is asked instead, each attachment with its rendition; what it says counts the same."""
    OwnWayWall.gathered.clear()
    OwnWayWall.trouble[:] = [Transient("slow disk"), Rejected("too long")]
    async with gallery(tmp_path, kind=OwnWayWall) as it:
        await it.publish(post(1, "A", attachments=(it.origin.picture("a"), it.origin.picture("b"))))
        assert OwnWayWall.gathered == [("a.png", 2), ("b.png", 2), ("a.png", 2), ("b.png", 2)]
        assert (it.origin.asked, it.sent) == ([], [("A", ("a.png", "b.png"), False)])


async def test_a_defect_met_in_a_picture_does_not_stop_the_text(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is in the log with its trace, and the picture is left behind as any other that will not do."""
    OwnWayWall.trouble[:] = [ZeroDivisionError("a defect")]
    async with gallery(tmp_path, kind=OwnWayWall) as it:
        await it.publish(post(1, "A", attachments=(it.origin.picture("a"),)))
        assert it.sent == [(f"A\n\n{home(1)}", (), True)]
        assert "media.bug" in caplog.text
        assert "media.lost" in caplog.text


# what is left of an item


VIDEO = Attachment(url="https://tube.example/v.mp4", type="video", preview_url="https://tube.example/v.jpg", media_type="video/mp4")
PICTURE = Attachment(url="https://tube.example/a.jpg", description="A")


@pytest.mark.parametrize(("attachments", "lost", "left"), [
    ((PICTURE,), (), (PICTURE,)),
    ((PICTURE,), (PICTURE.url,), (replace(PICTURE, type="unknown"),)),
    ((VIDEO,), (VIDEO.url,), (replace(VIDEO, media_type=""),)),
    ((VIDEO,), (VIDEO.url, VIDEO.preview_url), (replace(VIDEO, type="unknown", preview_url=None),)),
    ((VIDEO, PICTURE), (VIDEO.preview_url,), (replace(VIDEO, type="unknown", preview_url=None), PICTURE)),
])  # fmt: skip
def test_what_is_left(attachments: tuple[Attachment, ...], lost: tuple[str, ...], left: tuple[Attachment, ...]) -> None:
    """A picture lost is of no kind that a network takes; a video lost is its picture, while that is there."""
    made = without(post(1, attachments=attachments), lost)
    assert isinstance(made, Post)
    assert made.attachments == left


def test_an_event_without_a_poster_is_itself() -> None:
    """Nothing to lose, nothing changed."""
    event = make_event(image=None)
    assert isinstance(event, Event)
    assert without(event, ("https://x.example/a",)) is event


def test_later_parts_show_what_the_first_went_with() -> None:
    """A part alone does not ask for media, and does not bring back what the first had to leave."""

    def shape(item: Item) -> list[Rendition]:
        assert isinstance(item, Post)
        kept = tuple(one for one in item.attachments if one.type == "image")
        return [Rendition(uid=item.uid, text="1", attachments=kept), Rendition(uid=item.uid, text="2")]

    item = post(1, attachments=(PICTURE, replace(PICTURE, url="https://tube.example/b.jpg")))
    whole = shape(item)
    assert as_before(item, whole[0], shape) == whole
    first = replace(whole[0], attachments=whole[0].attachments[:1], notes=(FAILED,))
    assert as_before(item, first, shape) == [first, replace(whole[1], notes=(FAILED,))]
