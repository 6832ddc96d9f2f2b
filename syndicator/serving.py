"""What the web server shows of the running associations: their public files, their health, their numbers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

import syndicator
from syndicator.alerts import describe
from syndicator.config import Config, Web
from syndicator.daemon import Attendant
from syndicator.logs import event
from syndicator.problems import Problem
from syndicator.web import AssociationHealth, Health, ListenError, PartHealth, PublicServer, Site, Way


class Serving:
    """One server an address, for all the associations that share it; follows them as they come and go."""

    def __init__(self, attendants: Mapping[str, Attendant], now: Callable[[], datetime]) -> None:
        self._attendants = attendants
        self._now = now
        self._since = now()
        self._servers: dict[tuple[str, int], PublicServer] = {}
        self._sites: dict[tuple[str, int], Sequence[Site]] = {}

    async def follow(self, *, strict: bool = False) -> None:
        """Serve what the associations ask for now; where a new address cannot be had, the old ones stay.

        With ``strict`` it raises ListenError when there is one association and its address cannot be had.
        """
        wanted = self._wanted()
        self._sites |= {
            address: tuple(
                _site(self._attendants[slug].tenant.config, web, self._now, partial(self._attendants.get, slug))
                for slug, web in sharing.items()
            )
            for address, sharing in wanted.items()
        }
        for address, sharing in wanted.items():
            public = any(web.public_status for web in sharing.values())
            if address in self._servers:
                self._servers[address].public_status = public
            else:
                await self._listen(address, public=public, strict=strict)
        if wanted.keys() <= self._servers.keys():
            for address in self._servers.keys() - wanted.keys():
                await self._servers.pop(address).stop()
                del self._sites[address]

    def _wanted(self) -> dict[tuple[str, int], dict[str, Web]]:
        wanted: dict[tuple[str, int], dict[str, Web]] = {}
        for slug, attendant in self._attendants.items():
            web = attendant.tenant.config.web
            if web is not None:
                wanted.setdefault((web.host, web.port), {})[slug] = web
        return wanted

    async def _listen(self, address: tuple[str, int], *, public: bool, strict: bool) -> None:
        server = PublicServer(
            sites=lambda: self._sites.get(address, ()),
            health=self.health,
            metrics=self.metrics,
            now=self._now,
            public_status=public,
        )
        try:
            await server.start(*address)
        except ListenError as error:
            if strict and len(self._attendants) == 1:
                raise
            event(logging.getLogger("syndicator"), logging.ERROR, "web.refused", detail=error.detail)
            return
        self._servers[address] = server
        event(logging.getLogger("syndicator"), logging.INFO, "web.listening", address=f"{address[0]}:{server.port}")

    async def stop(self) -> None:
        """Close every server."""
        for server in self._servers.values():
            await server.stop()
        self._servers.clear()

    def health(self) -> Health:
        """How everybody is, from what the attendants last noted."""
        parts = tuple(_association(attendant) for attendant in self._attendants.values())
        alive = all(attendant.lives() for attendant in self._attendants.values())
        return Health(ok=alive and bool(parts), since=self._since, version=syndicator.__version__, associations=parts)

    def metrics(self) -> str:
        """Prometheus text (https://prometheus.io/docs/instrumenting/exposition_formats/)."""
        lines = ["# TYPE syndicator_up gauge", "syndicator_up 1"]
        for what in ("polls", "deliveries", "views"):
            lines.append(f"# TYPE syndicator_{what}_total counter")
            lines += [
                f"syndicator_{what}_total{_labels(association=slug, name=name, outcome=outcome)} {count}"
                for slug, attendant in self._attendants.items()
                for (kind, name, outcome), count in sorted(attendant.tenant.tally.items())
                if kind == what
            ]
        for state in ("pending", "parked"):
            lines.append(f"# TYPE syndicator_{state} gauge")
            lines += [
                f"syndicator_{state}{_labels(association=slug, name=name)} {attendant.unfinished.get((name, state), 0)}"
                for slug, attendant in self._attendants.items()
                for name in attendant.tenant.publishers
            ]
        lines.append("# TYPE syndicator_problems gauge")
        lines += [f"syndicator_problems{_labels(association=slug)} {len(a.problems)}" for slug, a in self._attendants.items()]
        return "\n".join(lines) + "\n"


def _site(config: Config, web: Web, now: Callable[[], datetime], attendant: Callable[[], Attendant | None]) -> Site:
    """What the server shows of an association, and what of it answers a person."""
    lists = lists_of(config)
    ways: dict[str, Way] = {}
    if lists:
        # Memory for those who have a list.
        from syndicator.text.way_out import WAY
        from syndicator.web.leaving import way_out

        ways[WAY] = way_out(lists, config.association.name, now, config.association.language)
    return Site(prefix=web.path, folder=config.public_dir, ways=ways | _reviews(config, attendant))


def _reviews(config: Config, attendant: Callable[[], Attendant | None]) -> dict[str, Way]:
    """The page of the person who sees an issue first, where there is one."""
    if not any(letter.review for letter in config.newsletters.values()):
        return {}
    from syndicator.letter import review
    from syndicator.review_page import Reviews  # letters, for those who have one reviewed

    return {review.WAY: Reviews(attendant)}


def lists_of(config: Config) -> dict[str, Path]:
    """The folders of those destinations that hold a list of readers who may leave by a link."""
    return {
        name: config.state_dir / "destinations" / name
        for name, destination in config.destinations.items()
        if getattr(destination.options, "one_click", False) is not False
    }


def _labels(**labels: str) -> str:
    escaped = {name: value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") for name, value in labels.items()}
    return "{" + ",".join(f'{name}="{value}"' for name, value in escaped.items()) + "}"


def _association(attendant: Attendant) -> AssociationHealth:
    tenant = attendant.tenant
    problems = {problem.subject: problem for problem in attendant.problems}
    sources = tuple(
        PartHealth(
            name=name,
            type=source.type,
            ok=f"source:{name}" not in problems,
            last_success_at=tenant.polled_at.get(name),
            problem=_words(problems.get(f"source:{name}"), tenant.language),
        )
        for name, source in tenant.config.sources.items()
    )
    destinations = tuple(
        PartHealth(
            name=name,
            type=destination.type,
            ok=f"destination:{name}" not in problems and not attendant.unfinished.get((name, "parked")),
            last_success_at=tenant.done_at.get(name),
            problem=_words(problems.get(f"destination:{name}"), tenant.language),
            waiting=attendant.unfinished.get((name, "pending"), 0),
            parked=attendant.unfinished.get((name, "parked"), 0),
        )
        for name, destination in tenant.config.destinations.items()
    )
    whole = " ".join(_words(problem, tenant.language) for subject, problem in problems.items() if ":" not in subject)
    state = attendant.state_problem or whole
    ok = not state and all(part.ok for part in (*sources, *destinations))
    return AssociationHealth(name=tenant.config.association.name, ok=ok, problem=state, sources=sources, destinations=destinations)


def _words(problem: Problem | None, language: str) -> str:
    return " ".join(describe(problem, language)) if problem else ""
