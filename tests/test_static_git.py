"""The static projection and git: what is ours is committed and pushed; nobody else's work is touched."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connectors.website.static import StaticProjection
from syndicator.errors import ConnectorError, Rejected, Transient
from syndicator.http import Sessions
from syndicator.testing import make_view
from tests.static_scene import event, files, projection

ALICE = ("-c", "user.name=Alice", "-c", "user.email=alice@asso.example", "-c", "init.defaultBranch=main", "-c", "commit.gpgSign=false")
AUTHOR = "L'agenda <agenda@asso.example>"


@pytest.fixture
async def sessions() -> AsyncIterator[Sessions]:
    """One set of sessions per test."""
    sessions = Sessions()
    yield sessions
    await sessions.close()


def git(folder: Path, *arguments: str) -> str:
    """What Alice does."""
    done = subprocess.run(["git", *ALICE, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip("\n")


def alice_writes(folder: Path, name: str, text: str, *, message: str = "Alice écrit") -> None:
    """And commits."""
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    git(folder, "add", name)
    git(folder, "commit", "-qm", message, "--only", name)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Alice's site, in a repository with a remote, and a clone of it elsewhere."""
    subprocess.run(["git", *ALICE, "init", "-q", "--bare", tmp_path / "remote.git"], check=True)
    site = tmp_path / "site"
    subprocess.run(["git", *ALICE, "clone", "-q", tmp_path / "remote.git", site], check=True, capture_output=True)
    git(site, "checkout", "-q", "-B", "main")
    alice_writes(site, "_config.yml", "title: Les Amis\n")
    git(site, "push", "-q", "-u", "origin", "main")
    subprocess.run(["git", *ALICE, "clone", "-q", "-b", "main", tmp_path / "remote.git", tmp_path / "bob"], check=True)
    return site


def make(site: Path, sessions: Sessions, how: str = "push", /, **options: Any) -> StaticProjection:
    """One for Alice's site."""
    return projection(site.parent, sessions, git=how, author=AUTHOR, **options)


def log(folder: Path, *what: str) -> list[str]:
    """Authors and subjects, latest first."""
    return git(folder, "log", "--format=%an: %s", *what).splitlines()


OURS = "L'agenda: Agenda mis à jour"


async def test_a_commit_of_what_we_wrote(site: Path, sessions: Sessions) -> None:
    """By the author asked for, of our files alone; nothing when nothing changed; removals too."""
    connector = make(site, sessions, "commit")
    await connector.open()
    await connector.project(make_view([event(1), event(2)]))
    await connector.project(replace(make_view([event(1), event(2)]), changed=frozenset()))

    assert log(site) == [OURS, "Alice: Alice écrit"]
    assert git(site, "show", "--name-only", "--format=%ae").split() == [
        "agenda@asso.example", "_data/agenda.json", "_events/atelier-velo-54bb9ac1df.md", "_events/atelier-velo-ee844bb68a.md",
    ]  # fmt: skip
    await connector.project(replace(make_view([event(1)]), changed=frozenset({event(2).uid})))
    assert git(site, "show", "--name-status", "--format=").split() == ["M", "_data/agenda.json", "D", "_events/atelier-velo-54bb9ac1df.md"]
    assert git(site, "status", "--porcelain") == ""


def _under_way(site: Path) -> tuple[str, str, str]:
    return git(site, "status", "--porcelain", "--untracked-files=all"), git(site, "diff"), git(site, "diff", "--cached")


async def test_what_alice_has_under_way_stays_as_it_is(site: Path, sessions: Sessions) -> None:
    """What she changed, staged, staged and changed again, added or removed is neither committed nor unstaged."""
    for name in ("change.md", "stage.md", "both.md", "remove.md"):
        alice_writes(site, name, "avant\n")
    (site / "change.md").write_text("après\n")
    (site / "stage.md").write_text("après\n")
    (site / "both.md").write_text("après\n")
    git(site, "add", "stage.md", "both.md")
    (site / "both.md").write_text("encore après\n")
    git(site, "rm", "-q", "--cached", "remove.md")
    (site / "_events").mkdir()
    (site / "_events" / "brouillon.md").write_text("à moi")
    before = _under_way(site)
    await make(site, sessions, "commit").project(make_view([event(1)]))

    assert _under_way(site) == before
    assert git(site, "show", "--name-only", "--format=").split() == ["_data/agenda.json", "_events/atelier-velo-ee844bb68a.md"]


async def test_a_site_below_the_repository(site: Path, sessions: Sessions) -> None:
    """And one whose folder has a name that git would read as a pattern."""
    below = site / "sous [dossier]*"
    below.mkdir()
    await make(site, sessions, "commit").open()
    await make(site, sessions, "commit", site=below).project(make_view([event(1)]))

    assert log(site)[0] == OURS
    assert git(below, "-c", "core.quotePath=false", "show", "--name-only", "--format=").splitlines() == [
        "sous [dossier]*/_data/agenda.json", "sous [dossier]*/_events/atelier-velo-ee844bb68a.md",
    ]  # fmt: skip


async def test_a_first_commit(tmp_path: Path, sessions: Sessions) -> None:
    """In a repository that has none yet; files that it ignores are written, and not committed."""
    site = tmp_path / "site"
    site.mkdir()
    git(site, "init", "-q")
    (site / ".gitignore").write_text("_data/\n")
    await make(site, sessions, "commit").project(make_view([event(1)]))

    assert git(site, "show", "--name-only", "--format=").split() == ["_events/atelier-velo-ee844bb68a.md"]
    assert "_data/agenda.json" in files(site)


async def test_a_push(site: Path, sessions: Sessions) -> None:
    """To the branch's own upstream; once there, nothing is asked of the remote any more."""
    connector = make(site, sessions)
    await connector.open()
    await connector.project(make_view([event(1)]))
    assert log(site.parent / "remote.git", "main") == [OURS, "Alice: Alice écrit"]

    (site.parent / "remote.git").rename(site.parent / "away.git")
    await connector.project(replace(make_view([event(1)]), changed=frozenset()))


async def test_a_remote_that_is_away(site: Path, sessions: Sessions) -> None:
    """Is told in plain words; the files and the commit are there, and leave when it is back, though nothing changed since."""
    connector = make(site, sessions)
    (site.parent / "remote.git").rename(site.parent / "away.git")
    with pytest.raises(Transient) as told:
        await connector.project(make_view([event(1)]))
    assert "dépôt distant" in (told.value.hint or {})["fr"]
    assert log(site)[0] == OURS

    (site.parent / "away.git").rename(site.parent / "remote.git")
    await make(site, sessions).project(replace(make_view([event(1)]), changed=frozenset()))
    assert log(site.parent / "remote.git", "main")[0] == OURS


async def test_others_pushed_first(site: Path, sessions: Sessions) -> None:
    """Our commit goes on top of theirs, and stays ours; nothing is forced."""
    bob = site.parent / "bob"
    alice_writes(bob, "a-propos.md", "Bob", message="Bob aussi")
    git(bob, "push", "-q")
    await make(site, sessions).project(make_view([event(1)]))

    assert log(site.parent / "remote.git", "main") == [OURS, "Alice: Bob aussi", "Alice: Alice écrit"]
    assert (site / "a-propos.md").read_text() == "Bob"


async def refused(connector: StaticProjection, kind: type[ConnectorError] = Rejected) -> str:
    """What a person is told."""
    with pytest.raises(kind) as told:
        await connector.project(make_view([event(1)]))
    return (told.value.hint or {})["fr"]


async def test_others_pushed_while_alice_has_changes(site: Path, sessions: Sessions) -> None:
    """Nothing of hers is stashed or moved: she is told, and it leaves once she has committed."""
    bob = site.parent / "bob"
    alice_writes(bob, "a-propos.md", "Bob", message="Bob aussi")
    git(bob, "push", "-q")
    (site / "_config.yml").write_text("title: en cours\n")

    assert "pas commités" in await refused(make(site, sessions))
    assert (site / "_config.yml").read_text() == "title: en cours\n"
    assert not (site / "a-propos.md").exists()

    git(site, "checkout", "-q", "--", "_config.yml")
    await make(site, sessions).project(make_view([event(1)]))
    assert log(site.parent / "remote.git", "main")[:2] == [OURS, "Alice: Bob aussi"]


async def test_commits_of_alice_are_not_published_for_her(site: Path, sessions: Sessions) -> None:
    """She may not want them out yet; ours wait until hers have left."""
    alice_writes(site, "brouillon.md", "pas fini", message="À finir")

    assert "envoyez-les vous-même" in await refused(make(site, sessions))
    assert log(site.parent / "remote.git", "main") == ["Alice: Alice écrit"]

    git(site, "push", "-q")
    assert log(site.parent / "remote.git", "main") == [OURS, "Alice: À finir", "Alice: Alice écrit"]
    await make(site, sessions).project(make_view([event(1)]))


async def test_somebody_changed_our_file_elsewhere(site: Path, sessions: Sessions) -> None:
    """The two are not mixed: everything is as before the attempt, and a person is told."""
    connector = make(site, sessions)
    await connector.project(make_view([event(1)]))
    bob = site.parent / "bob"
    git(bob, "pull", "-q")
    alice_writes(bob, "_data/agenda.json", "{}", message="Bob s'en mêle")
    git(bob, "push", "-q")
    before = files(site)

    with pytest.raises(Rejected) as told:
        await connector.project(make_view([event(1), event(2)]))
    assert "gardez notre version" in (told.value.hint or {})["fr"]
    assert git(site, "status", "--porcelain=v2", "--branch").splitlines()[1] == "# branch.head main"
    assert before.items() <= {**files(site), "_data/agenda.json": before["_data/agenda.json"]}.items()
    assert log(site.parent / "remote.git", "main")[0] == "Alice: Bob s'en mêle"


async def test_a_merge_under_way(site: Path, sessions: Sessions) -> None:
    """Is hers to end: the files are written, the commit waits."""
    git(site, "checkout", "-q", "-b", "autre")
    alice_writes(site, "_config.yml", "title: autre\n")
    git(site, "checkout", "-q", "main")
    alice_writes(site, "_config.yml", "title: main\n")
    with pytest.raises(subprocess.CalledProcessError):
        git(site, "merge", "-q", "autre")

    assert "fusion en cours" in await refused(make(site, sessions, "commit"), Transient)
    assert "_data/agenda.json" in files(site)
    git(site, "checkout", "-q", "--ours", "_config.yml")
    git(site, "commit", "-qam", "fusion")
    await make(site, sessions, "commit").project(replace(make_view([event(1)]), changed=frozenset()))
    assert git(site, "status", "--porcelain") == ""


async def test_what_cannot_work_is_said_at_once(site: Path, sessions: Sessions, tmp_path: Path) -> None:
    """By ``check``: no repository, no branch, no upstream; each with what to do."""
    (tmp_path / "nu").mkdir()

    async def said(connector: StaticProjection) -> str:
        with pytest.raises(Rejected) as told:
            await connector.open()
        return (told.value.hint or {})["fr"]

    assert "git init" in await said(make(site, sessions, site=tmp_path / "nu"))
    git(site, "checkout", "-q", "-b", "nouvelle")
    assert "git push -u origin nouvelle" in await said(make(site, sessions))
    git(site, "checkout", "-q", "--detach")
    assert "aucune branche" in await said(make(site, sessions))


async def test_hooks_of_the_repository_do_not_stop_us(site: Path, sessions: Sessions) -> None:
    """A check that Alice runs before her own commits is hers; nor is her signature asked for."""
    hook = site / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    git(site, "config", "commit.gpgSign", "true")
    git(site, "config", "gpg.program", "/nonexistent")
    await make(site, sessions).project(make_view([event(1)]))

    assert log(site.parent / "remote.git", "main")[0] == OURS
