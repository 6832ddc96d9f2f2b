"""The repository that the site's folder is in: only files of ours are added, nothing is forced, nobody else's work is touched."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from connectors.website.static.commands import NOT_FOUND, Ended, run
from syndicator.errors import Rejected, Transient, Words, words

LOCAL_S, NETWORK_S = 60.0, 180.0
TRAILER = "Made-by"
"""Marks commits of ours, so that a push publishes no one else's."""
_ELSEWHERE = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE")
"""What git tells the programs that it runs itself."""


@dataclass(frozen=True, kw_only=True)
class Repository:
    """One, seen from the site's folder."""

    site: Path
    author: str
    """``Name <address>``."""

    async def check(self, *, push: bool) -> None:
        """Raise Rejected when nothing could be committed, or pushed, here. Asks nobody but the disk."""
        inside = await self._git("rev-parse", "--is-inside-work-tree")
        if inside.code == NOT_FOUND:
            raise Rejected("git: not found", hint=words(fr='Installez git, ou écrivez git = "no".', en='Install git, or write git = "no".'))
        if inside.code != 0 or inside.out.strip() != b"true":
            raise Rejected(f"{self.site}: {inside.tail()}", hint=_no_repository(self.site))
        await self._branch()
        if push:
            await self._upstream()

    async def commit(self, ours: Collection[str], within: Collection[str], message: str) -> bool:
        """Commit what differs of ``ours`` (paths below the site, all of them below ``within``), if anything does; whether it did.

        What somebody else changed or staged stays as it is.
        """
        await self._branch()
        changed = await self._changed(frozenset(ours), within)
        if not changed:
            return False
        there = [name for name in changed if (self.site / name).is_file()]
        paths = ("--pathspec-from-file=-", "--pathspec-file-nul")
        if there:
            self._done(await self._git("add", *paths, given=_listed(there)))
        text = ("-m", message, "-m", f"{TRAILER}: syndicator")
        self._done(await self._git("commit", "--quiet", "--no-verify", "--no-gpg-sign", "--only", *text, *paths, given=_listed(changed)))
        return True

    async def push(self) -> None:
        """Push commits of ours that the upstream has not; on top of what others pushed in the meantime, if nothing stands in the way."""
        upstream = await self._upstream()
        if not (mine := await self._ahead(upstream)):
            return
        branch = await self._branch()
        remote = (await self._git("config", f"branch.{branch}.remote")).out.decode().strip()
        target = (await self._git("config", f"branch.{branch}.merge")).out.decode().strip()
        self._reached(await self._git("fetch", "--quiet", remote, time_s=NETWORK_S), remote)
        mine = await self._ahead(upstream)
        if not all(mine.values()):
            raise Rejected("commits of somebody else are not pushed yet", hint=_unpushed(branch))
        behind = (await self._git("rev-list", "--count", f"HEAD..{upstream}")).out.strip()
        if behind != b"0":
            await self._rebase(upstream)
        self._reached(await self._git("push", "--quiet", remote, f"HEAD:{target}", time_s=NETWORK_S), remote)

    async def _branch(self) -> str:
        found = await self._git("symbolic-ref", "--quiet", "--short", "HEAD")
        if found.code == 1:
            raise Rejected(f"{self.site}: HEAD is on no branch", hint=_no_branch(self.site))
        if found.code != 0:
            raise Rejected(f"{self.site}: {found.tail()}", hint=_no_repository(self.site))
        return found.out.decode().strip()

    async def _upstream(self) -> str:
        found = await self._git("rev-parse", "--abbrev-ref", "--symbolic-full-name", "@{upstream}")
        if found.code != 0:
            branch = await self._branch()
            raise Rejected(
                f"{self.site}: the branch {branch} has no upstream",
                hint=words(
                    fr=f"La branche {branch} n'a pas de dépôt distant : envoyez-la une fois vous-même, git push -u origin {branch}.",
                    en=f"The branch {branch} has no remote: push it once yourself, git push -u origin {branch}.",
                ),
            )
        return found.out.decode().strip()

    async def _changed(self, ours: frozenset[str], within: Collection[str]) -> list[str]:
        """Those of ours that differ from the last commit, as paths below the site."""
        prefix = (await self._git("rev-parse", "--show-prefix")).out.decode("utf-8", "surrogateescape").rstrip("\n")
        asked = ("status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=all", "--", *sorted(within))
        found = self._done(await self._git(*asked)).out.decode("utf-8", "surrogateescape")
        names = (entry[3:].removeprefix(prefix) for entry in found.split("\0") if entry)
        return sorted(name for name in names if name in ours)

    async def _ahead(self, upstream: str) -> dict[str, bool]:
        """Commits that the upstream has not: whether each is ours."""
        form = f"--format=%H %(trailers:key={TRAILER},valueonly,separator=%x20)"
        lines = self._done(await self._git("log", form, f"{upstream}..HEAD")).out.decode("utf-8", "replace").splitlines()
        return {line.partition(" ")[0]: line.partition(" ")[2].strip() == "syndicator" for line in lines if line.strip()}

    async def _rebase(self, upstream: str) -> None:
        dirty = self._done(await self._git("status", "--porcelain=v1", "--untracked-files=no")).out.strip()
        if dirty:
            raise Rejected("the remote moved, and the folder holds changes that are not committed", hint=_dirty(self.site))
        done = await self._git("rebase", "--quiet", "--no-autostash", upstream)
        if done.code != 0:
            await self._git("rebase", "--abort")
            raise Rejected(f"the remote moved, and our commit does not go on top of it: {done.tail()}", hint=_conflict(self.site))

    def _done(self, ended: Ended) -> Ended:
        if ended.code != 0:
            raise Transient(f"git: {ended.tail()}", hint=_refused(self.site))
        return ended

    def _reached(self, ended: Ended, remote: str) -> None:
        if ended.code != 0:
            raise Transient(
                f"git: {ended.tail()}",
                hint=words(
                    fr=f"Le dépôt distant « {remote} » ne répond pas ou refuse : vérifiez la connexion et la clé de dépôt du compte qui "
                    "fait tourner le syndicator. Ce qui n'est pas parti le sera plus tard.",
                    en=f'The remote "{remote}" does not answer or refuses: check the connection, and the deploy key of the account that '
                    "runs the syndicator. What did not leave will, later.",
                ),
            )

    async def _git(self, *arguments: str, given: bytes = b"", time_s: float = LOCAL_S) -> Ended:
        name, _, address = self.author.rpartition(" <")
        settings = ("-c", f"user.name={name}", "-c", f"user.email={address.rstrip('>')}", "-c", "core.quotePath=false")
        return await run(
            *("git", "--no-optional-locks", "--literal-pathspecs", *settings, *arguments),
            cwd=self.site, time_s=time_s, given=given, without=_ELSEWHERE, env=("LC_ALL=C", "GIT_TERMINAL_PROMPT=0"),
        )  # fmt: skip


def _listed(names: Collection[str]) -> bytes:
    return "\0".join(names).encode("utf-8", "surrogateescape")


def _no_repository(site: Path) -> Words:
    return words(
        fr=f"{site} n'est pas dans un dépôt git, ou ce dépôt appartient à un autre compte que celui du syndicator. "
        'Faites git init, changez son propriétaire, ou écrivez git = "no".',
        en=f"{site} is in no git repository, or in one of another account than the syndicator's. "
        'Do git init, change its owner, or write git = "no".',
    )


def _no_branch(site: Path) -> Words:
    return words(
        fr=f"Le dépôt de {site} n'est sur aucune branche (une opération est peut-être en cours) : git status le dit, git switch y remédie.",
        en=f"The repository of {site} is on no branch (something may be under way): git status tells, git switch mends it.",
    )


def _unpushed(branch: str) -> Words:
    return words(
        fr=f"La branche {branch} contient des commits de quelqu'un d'autre, pas encore envoyés : envoyez-les vous-même (git push), ou "
        "mettez-les sur une autre branche. Les nôtres attendent.",
        en=f"The branch {branch} has commits of somebody else that were not pushed: push them yourself (git push), or move them to "
        "another branch. Ours wait.",
    )


def _dirty(site: Path) -> Words:
    return words(
        fr=f"Quelqu'un a envoyé des commits, et {site} contient des changements qui ne sont pas commités : commitez-les ou rangez-les, "
        "puis git pull --rebase. Nous n'y touchons pas.",
        en=f"Somebody pushed commits, and {site} holds changes that are not committed: commit them or put them away, then "
        "git pull --rebase. We leave them alone.",
    )


def _conflict(site: Path) -> Words:
    return words(
        fr=f"Quelqu'un a changé ailleurs un fichier que nous écrivons, dans {site} : faites git pull --rebase, et gardez notre version.",
        en=f"Somebody changed a file that we write elsewhere, in {site}: do git pull --rebase, and keep our version.",
    )


def _refused(site: Path) -> Words:
    return words(
        fr=f"git n'a pas voulu, dans {site} (une fusion en cours, un verrou, des droits) : git status le dit. Nous réessaierons.",
        en=f"git would not, in {site} (a merge under way, a lock, permissions): git status tells. We will try again.",
    )
