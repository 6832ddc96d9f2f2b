"""Never twice, never lost: a process killed at every step of every delivery, restarted on what it left, and the posts counted.

Steps are every ledger transaction (before it begins, after its commit, and inside it when it writes) and every request to the destination
(before it is carried out, after that and before the answer, in the middle of the answer). ``docs/exactly-once.md`` explains what is seen
here and holds the table that the last test prints: ``SYNDICATOR_WRITE_TABLE=1 ./run test tests/test_kill.py`` writes it anew. With
``SYNDICATOR_KILL_ALL=1`` no step is left out, and the table is another.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import pytest

from tests.kill_networks import HTTP_STAGES, NetworkName, Shown
from tests.kill_scene import LEDGER_STAGES, ROOT, ForkServer, Lab, Saved, Step, differences, lab, uid_of, undecidable

NETWORKS: tuple[NetworkName, ...] = get_args(NetworkName)
CREATION = {"mastodon": "POST /api/v1/statuses", "gotosocial": "POST /api/v1/statuses", "wall": "POST /hook"}
SERVICE = {"mastodon": "Mastodon (clé)", "gotosocial": "GoToSocial (recherche)", "wall": "webhook (ni l'un ni l'autre)"}
NOTE = f"Mis à jour\u00a0:\n\nBonsoir\n\n{uid_of('1')}"
SAMPLE = 1 if os.environ.get("SYNDICATOR_KILL_ALL") else len(NETWORKS)
"""All but ``create`` is made of steps that are killed there already: of these, one in so many on each network, another one on each."""
TABLE_DOC = ROOT / "docs" / "exactly-once.md"


@dataclass(frozen=True, kw_only=True)
class Operation:
    """Something that happens at the origin, and what must be seen elsewhere in the end."""

    title: str
    happens: Callable[[Lab], None]
    expected: tuple[Shown, ...]
    before: Callable[[Lab], None] | None = None
    """What was mirrored already when it happens."""
    edit: str = "update"
    """What the route wants of edits."""
    every: int = 1
    """Of so many steps one is taken, on each network another: between them they take all."""


def _one(lab: Lab, text: str = "Bonjour", pictures: int = 0) -> None:
    lab.origin(lab.post("1", text, pictures=pictures))


def _thread(lab: Lab) -> None:
    lab.origin(lab.post("1", "Un"), lab.post("2", "Deux", answers="1"))


OPERATIONS = {
    "create": Operation(title="publier", happens=_one, expected=(Shown(text="Bonjour"),)),
    "picture": Operation(
        title="publier une image", every=SAMPLE, happens=lambda lab: _one(lab, pictures=1), expected=(Shown(text="Bonjour", pictures=1),)
    ),
    "thread": Operation(
        title="publier un fil de deux", every=SAMPLE, happens=_thread, expected=(Shown(text="Un"), Shown(text="Deux", answers="Un"))
    ),
    "update": Operation(
        title="corriger",
        every=SAMPLE,
        before=lambda lab: _one(lab, pictures=1),
        happens=lambda lab: _one(lab, "Bonsoir", pictures=1),
        expected=(Shown(text="Bonsoir", pictures=1),),
    ),
    "replace": Operation(
        title="corriger en remplaçant",
        edit="replace",
        every=SAMPLE,
        before=_one,
        happens=lambda lab: _one(lab, "Bonsoir"),
        expected=(Shown(text="Bonsoir"),),
    ),
    "note": Operation(
        title="corriger par une note",
        edit="note",
        every=SAMPLE,
        before=_one,
        happens=lambda lab: _one(lab, "Bonsoir"),
        expected=(Shown(text="Bonjour"), Shown(text=NOTE, answers="Bonjour")),
    ),
    "delete": Operation(title="retirer", every=SAMPLE, before=_one, happens=lambda lab: lab.origin(gone=["1"]), expected=()),
}


@dataclass(kw_only=True)
class Tally:
    """What came of one operation on one network, killed at each of its steps."""

    killed: int = 0
    lost: int = 0
    doubled: int = 0
    parked: int = 0
    undecidable: int = 0
    """Steps at which, by the order of events alone, nobody can know."""
    faults: tuple[str, ...] = ()
    """What was not as it must be, and at which step."""

    def blame(self, step: Step, what: object) -> None:
        self.faults += (f"{step.label}: {what}",)


TALLIES: dict[tuple[str, NetworkName], Tally] = {}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkServer]:
    server = ForkServer(tmp_path_factory.mktemp("fork"))
    yield server
    server.stop()


async def ready(scene: Lab, operation: Operation) -> Saved:
    """Everything as it is at the moment when the origin has news and nobody has looked yet."""
    if operation.before is not None:
        operation.before(scene)
        await scene.run()
        scene.page.set_now(scene.page.now() + timedelta(hours=1))
    operation.happens(scene)
    return scene.save()


async def tally(folder: Path, server: ForkServer, name: NetworkName, operation: Operation) -> Tally:
    """Die at every step, restart, count; where a person must decide, do what ``outbox list`` says."""
    async with lab(folder, server, name, operation.edit) as scene:
        saved = await ready(scene, operation)
        steps = await scene.count(saved)
        seen = list(scene.network.killer.seen)
        assert differences(scene.network.shown(), operation.expected) == (0, 0)
        blind = undecidable(steps, seen, CREATION[name]) if name == "wall" else set()
        chosen = steps[NETWORKS.index(name) % operation.every :: operation.every]
        found = Tally(undecidable=len(blind & {step.label for step in chosen}))
        for step in chosen:
            await scene.kill(saved, step)
            found.killed += 1
            await scene.run()
            await _judge(scene, operation, step, found, blind=step.label in blind)
        return found


async def _judge(scene: Lab, operation: Operation, step: Step, found: Tally, *, blind: bool) -> None:
    parked = await scene.parked() if scene.rows("select 1 from delivery where state = 'parked'") else []
    expected: Sequence[Shown] = operation.expected
    if bool(parked) != blind:
        found.blame(step, f"parked {parked}, {scene.network.shown()}")
    if parked:
        found.parked += 1
        expected = await _decide(scene, expected, parked)
    lost, doubled = differences(scene.network.shown(), expected)
    found.lost, found.doubled = found.lost + lost, found.doubled + doubled
    if lost or doubled:
        found.blame(step, scene.network.shown())
    unfinished = scene.rows("select id, purpose, state, reason from delivery where state not in ('done', 'dropped')")
    receipts = {str(row[0]) for row in scene.rows("select remote_id from receipt where deleted_at is null")}
    if unfinished or (not parked and receipts != scene.network.ids()):
        found.blame(step, f"unfinished {unfinished}, receipts {receipts} of {scene.network.ids()}")


async def _decide(scene: Lab, expected: Sequence[Shown], parked: Sequence[dict[str, Any]]) -> Sequence[Shown]:
    """Look at the network and do what a person is told: tell what is there, send again what is not. What must be seen then."""
    (one,) = parked
    note = one["purpose"] == "announce-change"
    assert (note or one["purpose"] == "create", one["reason"], one["outcome_unknown"]) == (True, "unknown", True)
    said = await scene.command("outbox", "list")
    for advice in (f"syndicator outbox done {one['id']}", f"syndicator outbox retry {one['id']}"):
        assert advice in said, said
    there = [shown for shown in scene.network.shown() if shown.text == (NOTE if note else one["title"])]
    await scene.command("outbox", "done" if there else "retry", str(one["id"]))
    await scene.run()
    # Nobody told us the id of what is there: what answers it stands alone.
    return [replace(shown, answers="") if there and shown.answers == one["title"] else shown for shown in expected]


async def tallies(folder: Path, server: ForkServer, key: str) -> dict[NetworkName, Tally]:
    """Of one operation, on all networks at once."""
    missing = [name for name in NETWORKS if (key, name) not in TALLIES]
    for name, found in zip(
        missing, await asyncio.gather(*(tally(folder / name, server, name, OPERATIONS[key]) for name in missing)), strict=True
    ):
        TALLIES[key, name] = found
    return {name: TALLIES[key, name] for name in NETWORKS}


@pytest.mark.parametrize("key", OPERATIONS)
async def test_killed_at_every_step(tmp_path: Path, server: ForkServer, key: str) -> None:
    """Nothing is lost, nothing is doubled; what nobody can know is parked, there and nowhere else, and one word of a person ends it."""
    found = await tallies(tmp_path, server, key)

    assert [fault for each in found.values() for fault in each.faults] == []
    for name, each in found.items():
        assert (each.lost, each.doubled, each.parked) == (0, 0, each.undecidable), name
        assert each.killed > 10


@pytest.mark.parametrize("name", NETWORKS)
async def test_killed_and_killed_again(tmp_path: Path, server: ForkServer, name: NetworkName) -> None:
    """The successor may die as well, anywhere on its way."""
    operation, rng, found = OPERATIONS["thread"], random.Random(name), Tally()
    async with lab(tmp_path / name, server, name) as scene:
        saved = await ready(scene, operation)
        for step in (await scene.count(saved))[::4]:
            await scene.kill(saved, step)
            if rng.random() < 0.5:
                again = await scene.run(kill=(rng.randrange(1, 25), rng.choice(LEDGER_STAGES)))
            else:
                scene.network.killer.point = (rng.randrange(10), rng.choice(HTTP_STAGES))
                again = await scene.run()
                scene.network.killer.point = None
            found.killed += 1 + again.killed
            await scene.run()
            parked = bool(scene.rows("select 1 from delivery where state = 'parked'"))
            await _judge(scene, operation, step, found, blind=parked and name == "wall")

    assert found.faults == ()
    assert found.killed > 15


@pytest.mark.parametrize("key", ["create", "thread"])
async def test_a_key_that_is_too_old(tmp_path: Path, server: ForkServer, key: str) -> None:
    """Two hours pass before it is started again: the service has forgotten its key, so it is asked, and nothing is sent on trust."""
    operation, found = OPERATIONS[key], Tally()
    async with lab(tmp_path / key, server, "mastodon") as scene:
        saved = await ready(scene, operation)
        steps = await scene.count(saved)
        blind = undecidable(steps, scene.network.killer.seen, CREATION["mastodon"])
        for step in (step for step in steps if step.label in blind):
            await scene.kill(saved, step)
            scene.page.set_now(scene.page.now() + timedelta(hours=2))
            await scene.run()
            if "delivery.looked-for" not in (scene.folder / "log").read_text():
                found.blame(step, "was not looked for")
            await _judge(scene, operation, step, found, blind=False)

    assert found.faults == ()
    assert len(blind) == 6 * len(operation.expected)


@pytest.mark.parametrize("name", NETWORKS)
async def test_a_request_that_outlives_its_sender(tmp_path: Path, server: ForkServer, name: NetworkName) -> None:
    """It is carried out a quarter of a minute after the one who sent it died, when its successor has long been at work."""
    operation, found = OPERATIONS["create"], Tally()
    async with lab(tmp_path / name, server, name) as scene:
        saved = await ready(scene, operation)
        step = await _request(scene, saved, CREATION[name])
        scene.restore(saved)
        scene.network.killer.late_by = timedelta(seconds=15)
        await scene.kill_here(step)
        assert scene.network.shown() == []
        await scene.run()
        await scene.network.killer.catch_up(scene.page.now() + timedelta(days=1))
        await _judge(scene, operation, step, found, blind=name == "wall")

    assert found.faults == ()


@pytest.mark.parametrize("name", NETWORKS)
async def test_an_edit_that_outlives_its_sender(tmp_path: Path, server: ForkServer, name: NetworkName) -> None:
    """It comes late, and there has been another edit since: the last word is the author's."""
    operation = replace(OPERATIONS["update"], expected=(Shown(text="Bonne nuit", pictures=1),))
    found, edit = Tally(), {"wall": "PATCH /hook/"}.get(name, "PUT /api/v1/statuses/")
    async with lab(tmp_path / name, server, name) as scene:
        saved = await ready(scene, operation)
        step = await _request(scene, saved, edit)
        scene.restore(saved)
        scene.network.killer.late_by = timedelta(seconds=15)
        await scene.kill_here(step)
        _one(scene, "Bonne nuit", pictures=1)
        await scene.run()
        await scene.network.killer.catch_up(scene.page.now() + timedelta(days=1))
        await _judge(scene, operation, step, found, blind=False)

    assert found.faults == ()


async def _request(scene: Lab, saved: Saved, what: str) -> Step:
    """The step at which that request has come in and is not carried out yet."""
    steps = await scene.count(saved)
    return next(step for step in steps if what in step.label and step.stage == "received")


async def test_the_table(tmp_path: Path, server: ForkServer, capsys: pytest.CaptureFixture[str]) -> None:
    """Printed whatever the options, and the same as in the documentation."""
    rows = {(key, name): found for key in OPERATIONS for name, found in (await tallies(tmp_path / key, server, key)).items()}
    text = table(rows)
    with capsys.disabled():
        print(f"\n\n{text}\n")

    assert sum(found.lost + found.doubled for found in rows.values()) == 0
    page = TABLE_DOC.read_text(encoding="utf-8")
    if os.environ.get("SYNDICATOR_WRITE_TABLE"):
        page = re.sub(r"(\| destination \|.*\n)(\|.*\n)+", lambda _: f"{text}\n", page)
        TABLE_DOC.write_text(page, encoding="utf-8")
    assert text in page, "another table than documented: SYNDICATOR_WRITE_TABLE=1 writes it anew"


def table(rows: dict[tuple[str, NetworkName], Tally]) -> str:
    """What came of it, in Markdown."""
    lines = ["| destination | opération | tuée à … étapes | perdus | doublés | à décider par une personne |", "|---|---|--:|--:|--:|--:|"]
    lines += [
        f"| {SERVICE[name]} | {OPERATIONS[key].title} | {found.killed} | {found.lost} | {found.doubled} | {found.parked} |"
        for name in NETWORKS
        for key in OPERATIONS
        for found in [rows[key, name]]
    ]
    return "\n".join(lines)
