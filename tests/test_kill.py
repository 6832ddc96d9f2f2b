"""Never twice, never lost: a process killed at every step of every delivery, restarted on what it left, and the posts counted.

Steps are every ledger transaction (before it begins, inside it, after its commit) and every request to the destination (before it is
carried out, after that and before the answer, in the middle of the answer). ``docs/exactly-once.md`` explains what is seen here and holds
the table that the last test prints.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import pytest

from tests.kill_scene import ROOT, ForkServer, Lab, NetworkName, Saved, Shown, Step, differences, lab, undecidable

NETWORKS: tuple[NetworkName, ...] = get_args(NetworkName)
CREATION = {"mastodon": "POST /api/v1/statuses", "gotosocial": "POST /api/v1/statuses", "wall": "POST /hook"}
SERVICE = {"mastodon": "Mastodon (clé)", "gotosocial": "GoToSocial (recherche)", "wall": "webhook (ni l'un ni l'autre)"}
TABLE_DOC = ROOT / "docs" / "exactly-once.md"


@dataclass(frozen=True, kw_only=True)
class Operation:
    """Something that happens at the origin, and what must be seen elsewhere in the end."""

    title: str
    happens: Callable[[Lab], None]
    expected: tuple[Shown, ...]
    before: Callable[[Lab], None] | None = None
    """What was mirrored already when it happens."""


def _one(lab: Lab, text: str = "Bonjour", pictures: int = 0) -> None:
    lab.origin(lab.post("1", text, pictures=pictures))


def _thread(lab: Lab) -> None:
    lab.origin(lab.post("1", "Un"), lab.post("2", "Deux", answers="1"))


OPERATIONS = {
    "create": Operation(title="publier", happens=_one, expected=(Shown(text="Bonjour"),)),
    "picture": Operation(
        title="publier une image", happens=lambda lab: _one(lab, pictures=1), expected=(Shown(text="Bonjour", pictures=1),)
    ),
    "thread": Operation(title="publier un fil de deux", happens=_thread, expected=(Shown(text="Un"), Shown(text="Deux", answers="Un"))),
    "update": Operation(
        title="corriger",
        before=lambda lab: _one(lab, pictures=1),
        happens=lambda lab: _one(lab, "Bonsoir", pictures=1),
        expected=(Shown(text="Bonsoir", pictures=1),),
    ),
    "delete": Operation(title="retirer", before=_one, happens=lambda lab: lab.origin(gone=["1"]), expected=()),
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
    async with lab(folder, server, name) as scene:
        saved = await ready(scene, operation)
        steps = await scene.count(saved)
        seen = list(scene.network.killer.seen)
        assert differences(scene.network.shown(), operation.expected) == (0, 0)
        blind = undecidable(steps, seen, CREATION[name]) if name == "wall" else set()
        found = Tally(undecidable=len(blind))
        for step in steps:
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
    assert (one["purpose"], one["reason"], one["outcome_unknown"]) == ("create", "unknown", True)
    said = await scene.command("outbox", "list")
    for advice in (f"syndicator outbox done {one['id']}", f"syndicator outbox retry {one['id']}"):
        assert advice in said, said
    there = [shown for shown in scene.network.shown() if shown.text == one["title"]]
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
        assert each.killed > 40


async def test_the_table(tmp_path: Path, server: ForkServer, capsys: pytest.CaptureFixture[str]) -> None:
    """Printed whatever the options, and the same as in the documentation."""
    rows = {(key, name): found for key in OPERATIONS for name, found in (await tallies(tmp_path / key, server, key)).items()}
    text = table(rows)
    with capsys.disabled():
        print(f"\n\n{text}\n")

    assert sum(found.lost + found.doubled for found in rows.values()) == 0
    assert text in TABLE_DOC.read_text(encoding="utf-8")


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
