"""PeerTube: the source contract, and what only PeerTube does."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.peertube import PeertubeSource
from connectors.peertube.videos import Unreadable, listed_from, post_from_video
from connectors.website.pictures import stills
from syndicator.contract import Association, Context, Limits, MediaLimits
from syndicator.errors import AuthExpired, RateLimited, Rejected, Transient
from syndicator.http import Sessions
from syndicator.media import fetch_file
from syndicator.model import Actor, Attachment, Batch, Post, Tombstone
from syndicator.render import render
from syndicator.route import Style
from syndicator.sandbox.peertube import PeertubeSimulator
from syndicator.sandbox.server import Fault, Simulator
from syndicator.testing import NOW, SourceContract, make_context

DATA = Path(__file__).parent / "data" / "peertube"
SECRET = "Réunion du bureau"


def hours_ago(hours: float) -> datetime:
    return NOW - timedelta(hours=hours)


def fill(simulator: PeertubeSimulator, videos: int = 3) -> None:
    simulator.add_channel("velo", "Les Amis du Vélo")
    for number in range(videos):
        simulator.publish("velo", f"Vidéo {number}", at=hours_ago(videos - number), description="Une **belle** vidéo", tags=("vélo",))


def only(batch: Batch) -> Post:
    (item,) = batch.changed
    assert isinstance(item, Post)
    return item


class TestPeertubeContract(SourceContract):
    connector = PeertubeSource

    async def start(self) -> Simulator:
        simulator = await PeertubeSimulator(now=lambda: NOW).start()
        fill(simulator)
        return simulator

    def options(self, simulator: Simulator) -> Any:
        return PeertubeSource.Options(channel=f"{simulator.url}/c/velo/videos")

    async def add(self, simulator: Simulator) -> str:
        assert isinstance(simulator, PeertubeSimulator)
        return simulator.uid(simulator.publish("velo", "Nouvelle vidéo"))

    async def edit(self, simulator: Simulator) -> str:
        assert isinstance(simulator, PeertubeSimulator)
        return simulator.uid(simulator.edit(next(iter(simulator.videos)), name="Vidéo corrigée"))

    async def remove(self, simulator: Simulator) -> str:
        assert isinstance(simulator, PeertubeSimulator)
        video = next(iter(simulator.videos.values()))
        simulator.delete(video.uuid)
        return simulator.uid(video)

    async def hide(self, simulator: Simulator) -> str:
        assert isinstance(simulator, PeertubeSimulator)
        for privacy in (2, 3, 4, 5):
            simulator.publish("velo", SECRET, privacy=privacy)
        simulator.publish("velo", SECRET, state=2, wait_transcoding=True)
        simulator.publish("velo", SECRET, nsfw=True)
        simulator.publish("velo", SECRET, is_live=True, state=4)
        simulator.add_channel("autre", "Une autre chaîne")
        simulator.publish("autre", SECRET)
        return SECRET


class TestAccountContract(TestPeertubeContract):
    """The same of an account, on a version that knows neither ``thumbnails`` nor scheduled lives."""

    async def start(self) -> Simulator:
        simulator = await PeertubeSimulator(now=lambda: NOW, version="6.3.0").start()
        fill(simulator)
        return simulator

    def options(self, simulator: Simulator) -> Any:
        return PeertubeSource.Options(account=f"{simulator.url}/a/asso")

    async def hide(self, simulator: Simulator) -> str:
        assert isinstance(simulator, PeertubeSimulator)
        simulator.publish("velo", SECRET, privacy=3)
        simulator.add_channel("autre", "La chaîne d'un autre compte", account="voisin")
        simulator.publish("autre", SECRET)
        return SECRET


@pytest.fixture
async def simulator() -> AsyncIterator[PeertubeSimulator]:
    simulator = PeertubeSimulator(now=lambda: NOW)
    fill(simulator)
    async with simulator:
        yield simulator


@pytest.fixture
async def context(tmp_path: Path) -> AsyncIterator[Context]:
    sessions = Sessions()
    yield make_context(tmp_path, sessions)
    await sessions.close()


@pytest.fixture
def source(simulator: PeertubeSimulator, context: Context) -> PeertubeSource:
    return PeertubeSource(PeertubeSource.Options(channel=f"{simulator.url}/c/velo"), context)


def paths(simulator: PeertubeSimulator) -> list[str]:
    return [seen.path for seen in simulator.requests]


async def test_a_video_becomes_one_whole_post() -> None:
    """Every field of a published answer has its place, and dates of import or statistics have none."""
    raw = json.loads((DATA / "detail-8.1.json").read_text())
    link = '<a href="https://weblate.framasoft.org/projects/what-is-peertube-video/">Want to help to translate this video?</a>'

    post = post_from_video(raw, base="https://framatube.org", p2p=False, now=NOW)

    assert post.html.startswith(f"<p><strong>{link}</strong></p>\n<p><strong>Take back the control of your videos! ")
    assert replace(post, html="") == Post(
        uid="https://framatube.org/videos/watch/9c9de5e8-0a1e-484a-b099-e80766180a6d",
        url="https://framatube.org/w/kkGMgK9ZtnKfYAgnEtQxbv",
        kind="video",
        title="What is PeerTube?",
        summary="Want to help to translate this video? Take back the control of your videos! #JoinPeertube "
        "*A decentralized video hosting network, based on fr...",
        published_at=datetime(2018, 10, 1, 10, 52, 46, 396000, tzinfo=UTC),
        language="en",
        author=Actor(
            name="A propos de PeerTube",
            url="https://framatube.org/video-channels/joinpeertube",
            handle="joinpeertube@framatube.org",
            avatar_url="https://framatube.org/lazy-static/avatars/big.png",
        ),
        tags=("framasoft", "peertube"),
        attachments=(Attachment(url="https://framatube.org/lazy-static/thumbnails/5e1f8f2b.jpg", width=850, height=480),),
        duration_s=113.0,
        embed_url="https://framatube.org/videos/embed/kkGMgK9ZtnKfYAgnEtQxbv?title=0&warningTitle=0&p2p=0",
    )


@pytest.mark.parametrize("name", ["url", "uuid", "publishedAt"])
def test_what_is_missing_is_named(name: str) -> None:
    """A video without an id or a date names the field that is missing."""
    raw = json.loads((DATA / "detail-8.1.json").read_text()) | {name: None}
    with pytest.raises(Unreadable, match=name):
        listed_from(raw)


def video_file(lines: int, name: str = "", **changes: Any) -> dict[str, Any]:
    """As PeerTube lists it."""
    known = {"resolution": {"id": lines, "label": f"{lines}p"}, "size": lines * 1000, "fps": 25}
    urls = {"fileUrl": f"https://v.example/{name or lines}.mp4", "fileDownloadUrl": f"https://v.example/download/{lines}.mp4"}
    return known | urls | changes


def shown(**fields: Any) -> tuple[Attachment, ...]:
    """What the published answer would show if it had these fields."""
    raw = json.loads((DATA / "detail-8.1.json").read_text()) | fields
    return post_from_video(raw, base="https://framatube.org", p2p=False, now=NOW).attachments


STILL = "https://framatube.org/lazy-static/thumbnails/5e1f8f2b.jpg"


def test_the_video_itself_goes_along_with_its_still() -> None:
    """The best file of at most 1080 lines; whoever does not take it shows the still."""
    assert shown(files=[video_file(2160), video_file(480), video_file(1080), video_file(1080, "slow", fps=10), video_file(0)]) == (
        Attachment(
            url="https://v.example/1080.mp4",
            type="video",
            media_type="video/mp4",
            height=1080,
            size_bytes=1_080_000,
            duration_s=113.0,
            preview_url=STILL,
        ),
    )


@pytest.mark.parametrize("fields", [
    {"files": []},
    {"files": [video_file(480)], "downloadEnabled": False},
    {"files": [video_file(480)], "downloadEnabled": None},
    {"files": [video_file(480)], "isLive": True},
    {"files": [video_file(2160)]},
    {"files": [video_file(0)]},
    {"files": [video_file(480, fileUrl="https://v.example/480.webm")]},
    {"files": [video_file(480, fileUrl="ftp://v.example/480.mp4")]},
    {"files": [video_file(480, size=None)]},
    {"files": [video_file(480, hasVideo=False)]},
    {"streamingPlaylists": [{"files": [video_file(480, hasAudio=False)]}]},
    {"streamingPlaylists": [{}]},
])  # fmt: skip
def test_without_a_file_for_everybody_there_is_the_still(fields: dict[str, Any]) -> None:
    """Downloads not allowed, a live, no file, too large, of another form, or sound kept apart from pictures."""
    assert shown(**fields) == (Attachment(url=STILL, width=850, height=480),)


def test_files_for_streaming_do_where_there_are_no_others() -> None:
    """Whole files first, even smaller ones; an instance of before 6.1 tells no sizes of pictures, one may give only the download."""
    streamed = [{"files": [video_file(720, "720-fragmented")]}, {"files": [video_file(1080, fileUrl=None)]}]
    found = [
        shown(files=[video_file(480, width=854, height=480)], streamingPlaylists=streamed),
        shown(files=[], streamingPlaylists=streamed),
    ]

    assert [(one.url, one.width, one.height) for [one] in found] == [
        ("https://v.example/480.mp4", 854, 480),
        ("https://v.example/download/1080.mp4", None, 1080),
    ]


@pytest.mark.parametrize("streamed", [False, True])
async def test_the_file_is_there(simulator: PeertubeSimulator, source: PeertubeSource, context: Context, streamed: bool) -> None:
    """As the source says it: its type, its size and how long it lasts."""
    simulator.publish("velo", "Avec fichier", lines=(360, 1080, 2160), streamed=streamed, duration=3)
    [post] = [post for post in (await source.fetch(None)).changed if isinstance(post, Post) and post.title == "Avec fichier"]
    [video] = post.attachments
    limits = MediaLimits(videos_max=1, video_max_bytes=10_000_000)
    file = await fetch_file(context.http, video, limits, cache_dir=context.state_dir)

    assert "-1080" in video.url
    assert (file.media_type, file.size_bytes, file.duration_s) == (video.media_type, video.size_bytes, video.duration_s)


async def test_views_of_a_video_with_a_file_are_no_edit(simulator: PeertubeSimulator, source: PeertubeSource) -> None:
    """Read again, it is the same post: nothing of the file's address changes by itself."""
    video = simulator.publish("velo", "Avec fichier", lines=(720,))
    uid = simulator.uid(video)
    before = (await source.read([uid])).changed
    simulator.view(video.uuid)

    assert (await source.read([uid])).changed == before


@pytest.mark.parametrize(("limits", "kind"), [
    (Limits(text_max=500, media=MediaLimits(images_max=4, videos_max=1, video_max_bytes=40_000_000)), "video"),
    (Limits(text_max=500, media=MediaLimits(images_max=4, videos_max=1, video_max_bytes=1_000)), "image"),
    (Limits(text_max=500, media=MediaLimits(images_max=4, videos_max=1, video_max_s=10)), "image"),
    (Limits(text_max=500, media=MediaLimits(images_max=4)), "image"),
    (Limits(text_max=500), None),
])  # fmt: skip
def test_networks_show_the_video_or_its_still_and_the_way_home(limits: Limits, kind: str | None) -> None:
    """Within its limits a network shows the video; otherwise the still; always the link."""
    raw = json.loads((DATA / "detail-8.1.json").read_text()) | {"files": [video_file(720)]}
    post = post_from_video(raw, base="https://framatube.org", p2p=False, now=NOW)
    [rendition] = render(post, limits, Style(), association=Association(name="A"))
    expected = {"video": ["https://v.example/720.mp4"], "image": [STILL], None: []}[kind]

    assert [one.url for one in rendition.attachments] == expected
    assert post.url in rendition.text
    assert [still.url for still in stills(post)] == [STILL]


def test_old_thumbnail_paths_are_read() -> None:
    """Before 8.1 there are only paths, relative to the instance that was asked."""
    raw = json.loads((DATA / "detail-8.1.json").read_text())
    del raw["thumbnails"]

    post = post_from_video(raw, base="https://autre.example", p2p=True, now=NOW)

    assert post.attachments == (Attachment(url="https://autre.example/lazy-static/previews/5e1f8f2b.jpg"),)
    assert post.embed_url == "https://framatube.org/videos/embed/kkGMgK9ZtnKfYAgnEtQxbv?title=0&warningTitle=0"


@pytest.mark.parametrize(("raw", "expected"), [
    ({"views": 9, "updatedAt": "2026-11-22T00:00:00.000Z", "likes": 5, "viewers": 1, "comments": 3}, True),
    ({"name": "Autre"}, False),
    ({"truncatedDescription": "Autre"}, False),
    ({"privacy": {"id": 2, "label": "Unlisted"}}, False),
    ({"thumbnails": [{"fileUrl": "https://framatube.org/lazy-static/thumbnails/neuve.jpg", "width": 850}]}, False),
    ({"licence": {"id": 1, "label": "Attribution"}}, False),
    ({"isLive": True}, False),
    ({"liveSchedules": [{"startAt": "2026-12-01T20:00:00.000Z"}]}, False),
], ids=["counts", "name", "text", "privacy", "picture", "licence", "live", "date"])  # fmt: skip
def test_only_mirrored_fields_count_as_an_edit(raw: dict[str, Any], expected: bool) -> None:
    """Views and the wandering ``updatedAt`` are no edit; what readers see is."""
    before = json.loads((DATA / "detail-8.1.json").read_text())
    assert (listed_from(before).digest == listed_from(before | raw).digest) is expected


async def test_views_cost_no_detail_and_no_write(simulator: PeertubeSimulator, source: PeertubeSource) -> None:
    """Views move the list's ETag: still one request, no item, no cursor to store; afterwards 304 again. All are present."""
    first = await source.fetch(None)
    idle = Batch(present=frozenset(map(simulator.uid, simulator.videos.values())), complete=True)
    for _ in range(2):
        simulator.view(next(iter(simulator.videos)))
        simulator.requests.clear()
        assert await source.fetch(first.cursor) == idle
        assert paths(simulator) == ["/api/v1/video-channels/velo/videos"]

    simulator.requests.clear()
    assert await source.fetch(first.cursor) == idle
    assert simulator.requests[0].headers["If-None-Match"].startswith('W/"')


async def test_other_options_read_the_videos_anew(simulator: PeertubeSimulator, source: PeertubeSource, context: Context) -> None:
    """A change of configuration, or a cursor of another time, shows at the next poll."""
    first = await source.fetch(None)
    other = PeertubeSource(PeertubeSource.Options(channel=f"{simulator.url}/c/velo", embed_p2p=True), context)
    batch = await other.fetch(first.cursor)
    assert {item.embed_url.endswith("warningTitle=0") for item in batch.changed if isinstance(item, Post) and item.embed_url} == {True}

    for cursor in ("", "[]", "{", "12"):
        assert len((await source.fetch(cursor)).changed) == 3


async def test_the_list_is_asked_as_it_must_be(simulator: PeertubeSimulator, source: PeertubeSource) -> None:
    """A page of 100, newest first, the sensitive ones always spoken of."""
    await source.fetch(None)
    assert dict(simulator.requests[0].query) == {
        "start": "0", "count": "100", "sort": "-publishedAt", "skipCount": "true", "nsfw": "false", "includeScheduledLive": "true",
    }  # fmt: skip


async def test_one_detail_per_new_or_changed_video(simulator: PeertubeSimulator, source: PeertubeSource) -> None:
    """After an edit only that video is read again; the others are reported present."""
    first = await source.fetch(None)
    videos = list(simulator.videos.values())
    simulator.edit(videos[1].uuid, description="Texte corrigé")
    simulator.requests.clear()
    batch = await source.fetch(first.cursor)

    assert paths(simulator) == ["/api/v1/video-channels/velo/videos", f"/api/v1/videos/{videos[1].uuid}"]
    assert only(batch).html == "<p>Texte corrigé</p>"
    assert batch.present == {simulator.uid(video) for video in videos if video.uuid != videos[1].uuid}
    assert (batch.complete, batch.complete_since) == (True, None)


async def test_full_description_and_tags(simulator: PeertubeSimulator, source: PeertubeSource) -> None:
    """The list shows 250 characters and no tags; the post has all."""
    simulator.publish("velo", "Longue", description="mot " * 300 + "fin", tags=("réparation", "Vélo"))
    post = next(item for item in (await source.fetch(None)).changed if isinstance(item, Post) and item.title == "Longue")

    assert post.html.endswith("mot fin</p>")
    assert post.summary.endswith("...")
    assert post.tags == ("réparation", "Vélo")


async def test_an_edit_that_the_listing_does_not_show_is_seen_within_hours(
    simulator: PeertubeSimulator, source: PeertubeSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tags and the end of a description are only in the detail: the newest videos are looked at again now and then."""
    first = await source.fetch(None)
    video = max(simulator.videos.values(), key=lambda one: one.published_at)
    simulator.edit(video.uuid, tags=("vélo", "hiver"))
    soon = await source.fetch(first.cursor)
    later = replace(source._context, now=lambda: NOW + timedelta(hours=7))
    monkeypatch.setattr(source, "_context", later)
    late = await source.fetch(first.cursor)
    again = await source.fetch(first.cursor)

    assert soon.changed == again.changed == ()
    assert {post.uid: post.tags for post in late.changed}[simulator.uid(video)] == ("vélo", "hiver")


async def test_an_old_video_published_late_is_seen(simulator: PeertubeSimulator, source: PeertubeSource) -> None:
    """What matters is when it became public here, not when it was filmed, and not its number."""
    draft = simulator.publish("velo", "Archive", privacy=3, originally_published_at=datetime(2009, 1, 1, tzinfo=UTC), at=hours_ago(48))
    first = await source.fetch(None)
    simulator.edit(draft.uuid, privacy=1, published_at=NOW)

    post = only(await source.fetch(first.cursor))
    assert (post.title, post.published_at) == ("Archive", NOW)


async def test_a_live_is_one_item_from_its_announcement_to_its_replay(simulator: PeertubeSimulator, source: PeertubeSource) -> None:
    """Announced with its date, on air, ended, replayed: one uid; between the end and the replay it is not taken for deleted."""
    starts_at = NOW + timedelta(hours=2)
    live = simulator.schedule_live("velo", "Assemblée générale", starts_at)
    uid = simulator.uid(live)
    batch = await source.fetch(None)
    seen = [next(item for item in batch.changed if item.uid == uid)]

    simulator.start_live(live.uuid)
    batch = await source.fetch(batch.cursor)
    seen.append(only(batch))

    simulator.end_live(live.uuid, replay=True)
    waiting = await source.fetch(batch.cursor)
    asked = await source.read([uid])
    simulator.transcoded(live.uuid, duration=5400)
    seen.append(only(await source.fetch(waiting.cursor)))

    assert uid not in waiting.present
    assert asked == Batch(present=frozenset({uid}))
    facts = [(item.uid, item.kind, item.live, item.starts_at, item.duration_s) for item in seen if isinstance(item, Post)]
    assert facts == [
        (uid, "live", "scheduled", starts_at, None),
        (uid, "live", "live", None, None),
        (uid, "video", None, None, 5400.0),
    ]


async def test_a_live_without_replay_is_ended_not_gone(simulator: PeertubeSimulator, source: PeertubeSource) -> None:
    """It leaves the list, and asked by name it says that it is over."""
    live = simulator.schedule_live("velo", "Direct", NOW + timedelta(hours=1))
    first = await source.fetch(None)
    simulator.start_live(live.uuid)
    simulator.end_live(live.uuid, replay=False)
    batch = await source.fetch(first.cursor)

    assert simulator.uid(live) not in batch.present
    assert only(await source.read([simulator.uid(live)])).live == "ended"


async def test_a_late_live_stays_announced(simulator: PeertubeSimulator, context: Context) -> None:
    """The hour has come and nobody is on air: PeerTube no longer lists it, but it is neither gone nor over."""
    starts_at = NOW + timedelta(minutes=30)
    live = simulator.schedule_live("velo", "Direct", starts_at)
    late = replace(context, now=lambda: NOW + timedelta(hours=1))
    source = PeertubeSource(PeertubeSource.Options(channel=f"{simulator.url}/c/velo"), late)

    post = only(await source.read([simulator.uid(live)]))
    assert (post.live, post.starts_at) == ("scheduled", starts_at)


async def test_lives_can_be_left_out(simulator: PeertubeSimulator, context: Context) -> None:
    """With ``lives = false`` neither a scheduled nor a running live is read."""
    simulator.schedule_live("velo", "Programmé", NOW + timedelta(hours=2))
    simulator.start_live(simulator.schedule_live("velo", "En cours", NOW).uuid)
    source = PeertubeSource(PeertubeSource.Options(channel=f"{simulator.url}/c/velo", lives=False), context)

    assert {item.title for item in (await source.fetch(None)).changed} == {"Vidéo 0", "Vidéo 1", "Vidéo 2"}


async def test_sensitive_videos_by_option(simulator: PeertubeSimulator, context: Context) -> None:
    """With ``nsfw = true`` they are read, and marked."""
    simulator.publish("velo", "Chute", nsfw=True, nsfw_summary="Une chute impressionnante")
    source = PeertubeSource(PeertubeSource.Options(channel=f"{simulator.url}/c/velo", nsfw=True), context)

    marked = [item for item in (await source.fetch(None)).changed if isinstance(item, Post) and item.sensitive]
    assert [(post.title, post.content_warning) for post in marked] == [("Chute", "Une chute impressionnante")]


async def test_a_remote_video_keeps_its_home(simulator: PeertubeSimulator, context: Context) -> None:
    """Read through another instance, link and player are those of the home instance."""
    simulator.add_channel("loin", "Chaîne lointaine", host="autre.example")
    video = simulator.publish("loin@autre.example", "Ailleurs")
    source = PeertubeSource(PeertubeSource.Options(channel=f"{simulator.url}/c/loin@autre.example"), context)

    post = only(await source.fetch(None))
    assert (post.uid, post.url) == (f"https://autre.example/videos/watch/{video.uuid}", f"https://autre.example/w/{video.short}")
    assert post.embed_url == f"https://autre.example/videos/embed/{video.short}?title=0&warningTitle=0&p2p=0"


async def test_a_first_fetch_respects_the_rate_limit(simulator: PeertubeSimulator, source: PeertubeSource) -> None:
    """150 videos: the newest 40 first, the rest of the hundred by the next fetches; what is not read yet is present."""
    for number in range(147):
        simulator.publish("velo", f"Archive {number}", at=hours_ago(100 + number))
    simulator.rate_limit = 10_000
    cursor, seen, requests = None, [], []
    for _ in range(4):
        simulator.requests.clear()
        batch = await source.fetch(cursor)
        cursor = batch.cursor or cursor
        seen.append(len(batch.changed))
        requests.append(len(simulator.requests))

    assert seen == [40, 40, 20, 0]
    assert requests == [41, 41, 21, 1]
    assert (len(batch.present), batch.complete, batch.complete_since) == (100, True, hours_ago(100 + 96))
    assert cursor is not None
    assert len(cursor) < 20_000


async def test_a_full_page_covers_only_its_time(simulator: PeertubeSimulator, source: PeertubeSource) -> None:
    """With a hundred listed, nothing is said of older ones."""
    for number in range(120):
        simulator.publish("velo", f"Archive {number}", at=hours_ago(100 + number))
    batch = await source.fetch(None)

    assert batch.complete_since == (await source.fetch(batch.cursor)).complete_since == hours_ago(100 + 96)
    assert len(batch.present) + len(batch.changed) == 100


async def test_the_rate_limit_ends_at_the_reset(simulator: PeertubeSimulator, source: PeertubeSource) -> None:
    """Without Retry-After, X-RateLimit-Reset says when, in epoch seconds."""
    at = NOW + timedelta(seconds=7)
    simulator.fault(Fault(action="answer", status=429, headers={"X-RateLimit-Reset": str(int(at.timestamp()))}))
    with pytest.raises(RateLimited) as caught:
        await source.fetch(None)
    assert caught.value.at == at


async def test_a_rate_limit_halfway_keeps_what_was_read(simulator: PeertubeSimulator, source: PeertubeSource) -> None:
    """The list and one detail pass, then 429: that video is delivered, the others come next time."""
    simulator.rate_limit = 2
    first = await source.fetch(None)
    simulator.rate_limit = 100
    second = await source.fetch(first.cursor)

    assert [item.title for item in first.changed] == ["Vidéo 2"]
    assert {item.title for item in second.changed} == {"Vidéo 0", "Vidéo 1"}


async def test_one_poison_video_does_not_stop_the_others(simulator: PeertubeSimulator, source: PeertubeSource) -> None:
    """A video that the instance cannot show is left for later and still counts as present."""
    poison = list(simulator.videos.values())[1]
    simulator.fault(Fault(action="answer", status=500, path=poison.uuid, times=9))
    first = await source.fetch(None)
    simulator.faults.clear()
    second = await source.fetch(first.cursor)

    assert {item.title for item in first.changed} == {"Vidéo 0", "Vidéo 2"}
    assert first.present == {simulator.uid(poison)}
    assert only(second).title == "Vidéo 1"


async def test_a_malformed_video_does_not_stop_the_others(simulator: PeertubeSimulator, source: PeertubeSource) -> None:
    """One without id in the list is left out."""
    simulator.publish("velo", "Cassée", extra={"uuid": None})
    assert {item.title for item in (await source.fetch(None)).changed} == {"Vidéo 0", "Vidéo 1", "Vidéo 2"}


@pytest.mark.parametrize("hide", [
    lambda simulator, uuid: simulator.delete(uuid),
    lambda simulator, uuid: simulator.unpublish(uuid, privacy=2),
    lambda simulator, uuid: simulator.unpublish(uuid, privacy=3),
    lambda simulator, uuid: simulator.unpublish(uuid, privacy=4),
    lambda simulator, uuid: simulator.unpublish(uuid, privacy=5),
], ids=["deleted", "unlisted", "private", "internal", "password"])  # fmt: skip
async def test_out_of_sight_is_gone_but_not_for_certain(
    simulator: PeertubeSimulator, source: PeertubeSource, hide: Callable[[PeertubeSimulator, str], None]
) -> None:
    """Deleted or no longer public: asked by name it is gone, and the core asks again before it believes it."""
    video = next(iter(simulator.videos.values()))
    hide(simulator, video.uuid)
    assert await source.read([simulator.uid(video)]) == Batch(gone=(Tombstone(uid=simulator.uid(video)),))


@pytest.mark.parametrize("fault", [
    Fault(action="answer", status=404, headers={"Content-Type": "text/html"}, body=b"<h1>nginx</h1>"),
    Fault(action="answer", status=403, headers={"Content-Type": "text/html"}, body=b"<h1>Access denied</h1>"),
    Fault(action="answer", status=403, body=json.dumps({"status": 403, "code": "does_not_respect_follow_constraints"}).encode()),
], ids=["proxy-404", "firewall-403", "unfollowed"])  # fmt: skip
async def test_a_proxy_never_deletes(simulator: PeertubeSimulator, source: PeertubeSource, fault: Fault) -> None:
    """A refusal that is not PeerTube's own word about the video leaves it unknown."""
    video, other = list(simulator.videos.values())[:2]
    simulator.fault(fault)
    batch = await source.read([simulator.uid(video), simulator.uid(other)])

    assert batch.gone == ()
    assert [item.uid for item in batch.changed] == [simulator.uid(other)]


async def test_open_knows_whose_videos_they_are(simulator: PeertubeSimulator, source: PeertubeSource) -> None:
    """After open the account is known by its handle; one small request."""
    await source.open()
    assert source.account == f"velo@{simulator.host}"
    assert paths(simulator) == ["/api/v1/video-channels/velo"]


async def test_open_refuses_what_is_not_there(simulator: PeertubeSimulator, context: Context) -> None:
    """A channel that does not exist, or a site that is no PeerTube, is Rejected with advice."""
    source = PeertubeSource(PeertubeSource.Options(channel=f"{simulator.url}/c/personne"), context)
    with pytest.raises(Rejected) as caught:
        await source.open()
    assert caught.value.hint is not None

    simulator.fault(Fault(action="answer", status=200, headers={"Content-Type": "text/html"}, body=b"<html>Bienvenue"))
    with pytest.raises(Rejected):
        await source.open()


async def test_an_instance_closed_to_visitors_says_so(simulator: PeertubeSimulator, source: PeertubeSource) -> None:
    """401 for the whole list is not a channel without videos."""
    simulator.fault(Fault(action="answer", status=401))
    with pytest.raises(AuthExpired) as caught:
        await source.fetch(None)
    assert caught.value.hint is not None


async def test_json_of_something_else_is_transient(simulator: PeertubeSimulator, source: PeertubeSource) -> None:
    """A list without ``data`` deletes nothing."""
    simulator.fault(Fault(action="answer", status=200, headers={"Content-Type": "application/json"}, body=b"[]"))
    with pytest.raises(Transient):
        await source.fetch(None)
