"""A TOML file → Config, or everything that is wrong with it."""

from __future__ import annotations

import re
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import syndicator
from syndicator.config.accounts import read_destinations, read_sources
from syndicator.config.credentials import Vault
from syndicator.config.decode import Decoder
from syndicator.config.digest import digest
from syndicator.config.lines import key_lines
from syndicator.config.report import Report, why_unreadable
from syndicator.config.routes import read_routes
from syndicator.config.sections import Folders, read_alerts, read_association, read_network, read_web
from syndicator.config.settings import Config
from syndicator.errors import ConfigError
from syndicator.words import chain, language_of, languages, say

if TYPE_CHECKING:
    from syndicator.letter.newsletter import Newsletter

SECTIONS = ("association", "web", "network", "alerts", "sources", "destinations", "routes", "newsletters")
_SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
_LANGUAGE_LINE = re.compile(r"^\s*language\s*=\s*[\"']([A-Za-z-]+)[\"']", re.MULTILINE)
_SAID = {
    "Cannot overwrite a value": "twice",
    "Cannot declare": "twice",
    "Duplicate inline table key": "twice",
    "Invalid value": "no-quotes",
    "Expected '=' after a key": "no-equals",
    "Invalid statement": "no-equals",
    "Unterminated string": "open-quotes",
    "Illegal character": "open-quotes",
    "Expected newline or end of document": "too-much",
    "Unclosed": "open-bracket",
    "Expected ']'": "open-bracket",
    "Unescaped": "backslash",
    "Invalid hex value": "backslash",
}
"""How tomllib's sentences begin → a word of ``config.syntax-*``; what is not here stays English."""
_WHERE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


def load(path: Path, *, environ: Mapping[str, str], many: bool = False) -> Config:
    """The configuration in ``path``. With ``many``, one of several on this machine: its pages are below ``/<slug>/`` by default.

    Raises ConfigError with all that is wrong, in the association's language.
    """
    report = Report(path=str(path), language=language_of(environ))
    text = _text(path, report)
    raw = _parsed(text, report)
    report.lines = key_lines(text)
    vault = Vault(environ=environ, folder=path.absolute().parent, exposed=bool(path.stat().st_mode & stat.S_IROTH))
    config = _config(path, raw, Decoder(report=report, vault=vault), environ, many=many)
    if config is None or report.problems:
        raise report.error()
    return config


def load_many(folder: Path, *, environ: Mapping[str, str]) -> tuple[list[Config], list[ConfigError]]:
    """Every ``*.toml`` of ``folder``, by name; one that is wrong does not stop the others. Two never share a folder or an address."""
    configs: list[Config] = []
    errors: list[ConfigError] = []
    if not folder.is_dir():
        report = Report(path=str(folder), language=language_of(environ))
        report.add((), "not-a-folder")
        return [], [report.error()]
    taken: dict[object, Path] = {}
    for path in sorted(folder.glob("*.toml")):
        try:
            config = load(path, environ=environ, many=True)
            _keep_apart(config, taken)
        except ConfigError as error:
            errors.append(error)
        else:
            configs.append(config)
    if not configs and not errors:
        report = Report(path=str(folder), language=language_of(environ))
        report.add((), "empty-folder")
        errors.append(report.error())
    return configs, errors


def _keep_apart(config: Config, taken: dict[object, Path]) -> None:
    """Claim what only one association may have; ConfigError when an earlier file has it."""
    report = Report(path=str(config.path), language=config.association.language)
    claims: dict[object, str] = {config.state_dir.resolve(): "shared-state", config.public_dir.resolve(): "shared-public"}
    if config.web is not None and config.web.port:
        claims[config.web.host, config.web.port, config.web.path] = "shared-address"
    for claim, message in claims.items():
        if claim in taken:
            report.add((), message, other=taken[claim].name)
    if report.problems:
        raise report.error()
    taken.update(dict.fromkeys(claims, config.path))


def _text(path: Path, report: Report) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        report.add((), why_unreadable(error), path=path, reason=error.strerror)
        raise report.error() from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        report.add((), "not-utf-8", line=content.count(b"\n", 0, error.start) + 1)
        raise report.error() from error


def _parsed(text: str, report: Report) -> dict[str, Any]:
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        report.language = _known_language(_language_line(text), report.language)
        _syntax(str(error), text, report)
        raise report.error() from error
    section = raw.get("association")
    report.language = _known_language(section.get("language") if isinstance(section, dict) else None, report.language)
    return raw


def _syntax(said: str, text: str, report: Report) -> None:
    """Say where TOML's grammar was left, and what stands there."""
    where = _WHERE.search(said)
    at_end = where is None or where[1] is None
    rows = text.splitlines() or [""]
    line = len(rows) if where is None or where[1] is None else int(where[1])
    row = rows[min(line, len(rows)) - 1].strip()
    shown = f"{row.split('=')[0]}= …" if "=" in row else row  # what follows may be a secret
    reason = _WHERE.sub("", said)
    known = next((key for start, key in _SAID.items() if reason.startswith(start)), "other")
    why = say(report.language, f"config.syntax-{known}", reason=reason)
    report.add((), "syntax-end" if at_end else "syntax", line=line, reason=why, row=shown)


def _language_line(text: str) -> str | None:
    found = _LANGUAGE_LINE.search(text)
    return found[1] if found else None


def _known_language(tag: Any, otherwise: str) -> str:
    """``tag`` when there is a catalogue for it or its base language."""
    return tag if isinstance(tag, str) and not languages().isdisjoint(chain(tag, otherwise="")) else otherwise


def _config(path: Path, raw: dict[str, Any], decoder: Decoder, environ: Mapping[str, str], *, many: bool) -> Config | None:
    report, slug = decoder.report, path.stem
    if not _SLUG.fullmatch(slug):
        report.add((), "bad-slug", name=path.name)
    report.unknown(raw, (), SECTIONS)
    association = read_association(raw.get("association"), decoder)
    web, public_url = read_web(raw.get("web"), decoder, slug, many=many)
    network, alerts = read_network(raw.get("network"), decoder), read_alerts(raw.get("alerts"), decoder)
    sources = read_sources(raw.get("sources"), decoder)
    destinations = read_destinations(raw.get("destinations"), decoder)
    routes = read_routes(raw.get("routes"), decoder, _keys(raw, "sources"), _keys(raw, "destinations"), needed=not raw.get("newsletters"))
    newsletters: Mapping[str, Newsletter] = {}
    if "newsletters" in raw:
        from syndicator.config.newsletters import read_newsletters  # memory for those who have one

        who_writes = association[0] if association else None
        newsletters = read_newsletters(
            raw["newsletters"],
            decoder,
            who_writes,
            _keys(raw, "sources"),
            destinations,
            has_alerts="alerts" in raw,
            has_pages=(web and public_url) is not None or any(problem.key.startswith("web.") for problem in report.problems),
            named=_keys(raw, "destinations"),
        )
    if association is None or report.problems:
        return None
    who, folders = association
    state_dir, public_dir = _folders(folders, slug, decoder, environ)
    shown = [newsletters] if newsletters else []
    return Config(
        path=path,
        slug=slug,
        association=who,
        state_dir=state_dir,
        public_dir=public_dir,
        public_url=public_url,
        web=web,
        network=network,
        alerts=alerts,
        sources=MappingProxyType(sources),
        destinations=MappingProxyType(destinations),
        routes=MappingProxyType(routes),
        newsletters=MappingProxyType(dict(newsletters)),
        digest=digest(syndicator.__version__, who, public_url, public_dir, sources, destinations, routes, *shown),
    )


def _keys(raw: Mapping[str, Any], section: str) -> tuple[str, ...]:
    table = raw.get(section)
    return tuple(table) if isinstance(table, dict) else ()


def _folders(folders: Folders, slug: str, decoder: Decoder, environ: Mapping[str, str]) -> tuple[Path, Path]:
    """The state folder and the public one, which never holds the other."""
    state_dir = folders.state or default_state_dir(slug, environ)
    public_dir = folders.public or state_dir / "public"
    if state_dir == public_dir or public_dir in state_dir.parents:
        decoder.report.add(("association", "public"), "state-in-public", state=state_dir, public=public_dir)
    return state_dir, public_dir


def default_state_dir(slug: str, environ: Mapping[str, str]) -> Path:
    """``$STATE_DIRECTORY/<slug>`` (systemd; the folder itself when the unit already made one of that name), else
    ``$XDG_STATE_HOME/syndicator/<slug>``, else ``~/.local/state/syndicator/<slug>``."""
    given = environ.get("STATE_DIRECTORY", "").split(":")[0]
    if given:
        return Path(given) if Path(given).name == slug else Path(given) / slug
    xdg = environ.get("XDG_STATE_HOME", "")
    if xdg.startswith("/"):
        return Path(xdg) / "syndicator" / slug
    home = Path(environ["HOME"]) if environ.get("HOME") else Path.home()
    return home / ".local" / "state" / "syndicator" / slug
