"""Validators that nobody here wrote: each says what is wrong with files, nothing when all is well."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import feedparser
import geojson
import jsonschema

from interop import install

NPM = {
    "vnu-jar": "26.9.27",
    "sitemap": "9.0.1",
    "schema-dts": "2.1.0",
    "@json-feed-types/1_1": "1.0.2",
    "typescript": "5.9.3",
}
"""The Nu Html Checker; the sitemaps' own schema; schema.org and JSON Feed 1.1 as types, and what checks data against types."""
PROGRAMS = {"java": "default-jre-headless", "jing": "jing", "xmllint": "libxml2-utils", "vobjectvalidate": "php-sabre-vobject"}
ICAL = ("ical", "14.3.1")
HERE = Path(__file__).parent
ATOM = ("raptor2", "tests/feeds/atom.rnc")
"""The schema of RFC 4287, appendix B, among the tests of another project."""
VNU_AT_ONCE = 100


@dataclass(frozen=True)
class Tools:
    """Where they are."""

    modules: Path
    atom_schema: Path
    calendar_python: Path
    work: Path
    """For what they are given to read."""

    async def nu(self, paths: Sequence[Path]) -> list[str]:
        """The Nu Html Checker, on pages and style sheets; its information is left out, its warnings are not."""
        found: list[str] = []
        jar = self.modules / "vnu-jar" / "build" / "dist" / "vnu.jar"
        for index in range(0, len(paths), VNU_AT_ONCE):
            some = [str(path) for path in paths[index : index + VNU_AT_ONCE]]
            _, said = await _said("java", "-jar", str(jar), "--format", "json", "--stdout", "--also-check-css", *some)
            found += [_message(one) for one in json.loads(said)["messages"] if one["type"] != "info" or one.get("subType")]
        return found

    async def atom(self, paths: Sequence[Path]) -> list[str]:
        """RFC 4287 by its own schema through jing, and what feedparser makes of it."""
        code, said = await _said("jing", "-c", str(self.atom_schema), *map(str, paths))
        return [*(said.splitlines() if code else []), *await self.rss(paths)]

    async def rss(self, paths: Sequence[Path]) -> list[str]:
        """Any feed, as feedparser reads it."""
        found: list[str] = []
        for path in paths:
            parsed = feedparser.parse(path.read_bytes())
            found += [f"{path.name}: {parsed.bozo_exception}"] if parsed.bozo else []
            found += [f"{path.name}: no entry"] if not parsed.entries else []
        return found

    async def sitemap(self, paths: Sequence[Path]) -> list[str]:
        """The schema of sitemaps.org through libxml2."""
        schema = self.modules / "sitemap" / "schema" / "sitemap.xsd"
        code, said = await _said("xmllint", "--nonet", "--noout", "--schema", str(schema), *map(str, paths))
        return [line for line in said.splitlines() if not line.endswith(" validates")] if code else []

    async def calendars(self, paths: Sequence[Path]) -> list[str]:
        """RFC 5545 as Nextcloud and Baïkal (sabre/vobject) and Home Assistant (ical) read it."""
        # The command that Debian's package has cannot find its own library.
        _, said = await _said("php", str(HERE / "php" / "calendars.php"), *map(str, paths))
        _, too = await _said(str(self.calendar_python), str(HERE / "validators_calendar.py"), *map(str, paths))
        return [*said.splitlines(), *too.splitlines()]

    async def vocabulary(self, texts: Mapping[str, str]) -> list[str]:
        """schema.org: a term, type or value that it does not know does not fit its types."""
        return await self._typed('import type {{ {type}, WithContext }} from "schema-dts"', "WithContext<{type}>", texts)

    async def json_feeds(self, paths: Sequence[Path]) -> list[str]:
        """JSON Feed 1.1, without the extensions that any program may add."""
        texts = {path.name: json.dumps(json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_plain)) for path in paths}
        return await self._typed('import type Feed from "@json-feed-types/1_1"', "Feed", texts)

    async def _typed(self, imported: str, shape: str, texts: Mapping[str, str]) -> list[str]:
        """Whether data fit a type, as the TypeScript compiler sees it: one module for each."""
        folder = self.work / "typed"
        await asyncio.to_thread(_modules, folder, self.modules, imported, shape, list(texts.values()))
        names = sorted(path.name for path in folder.glob("*.ts"))
        options = ("--noEmit", "--strict", "--skipLibCheck", "--module", "esnext", "--moduleResolution", "bundler", "--pretty", "false")
        _, said = await _said("node", str(self.modules / "typescript" / "bin" / "tsc"), *options, *names, cwd=folder)
        titles = list(texts)
        lines = [line for line in said.splitlines() if line.strip()]
        return [f"{titles[int(line[1:5])]}: {line}" if line.startswith("m") and line[1:5].isdigit() else line for line in lines]

    async def maps(self, paths: Sequence[Path]) -> list[str]:
        """RFC 7946, by the package geojson."""
        found: list[str] = []
        for path in paths:
            loaded = geojson.loads(path.read_text(encoding="utf-8"))
            found += [] if loaded.is_valid else [f"{path.name}: {loaded.errors()}"]
            found += [f"{path.name}: {one}" for feature in loaded["features"] for one in [feature["geometry"].errors()] if one]
        return found


def by_schema(text: str, schema: Mapping[str, object]) -> list[str]:
    """What a JSON Schema finds wrong."""
    validator = jsonschema.validators.validator_for(schema)
    validator.check_schema(schema)
    return [f"{one.json_path}: {one.message}"[:300] for one in validator(schema).iter_errors(json.loads(text))]


async def tools(work: Path) -> Tools:
    """All of them, installed."""
    await install.debian(PROGRAMS)
    folder = await install.npm_packages("validators", NPM)
    return Tools(folder / "node_modules", await install.debian_source(*ATOM), await install.python_with(*ICAL), work)


def _plain(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    """JSON Feed: what begins with an underscore is a program's own."""
    return {name: value for name, value in pairs if not name.startswith("_")}


def _message(one: Mapping[str, object]) -> str:
    name = "/".join(urlsplit(str(one.get("url", ""))).path.rsplit("/", 2)[-2:])
    return f"{name}:{one.get('lastLine', 0)}: {one['message']} — {str(one.get('extract', ''))[:160]!r}"


def _modules(folder: Path, modules: Path, imported: str, shape: str, texts: Sequence[str]) -> None:
    folder.mkdir(exist_ok=True)
    for path in folder.glob("*.ts"):
        path.unlink()
    link = folder / "node_modules"
    if not link.exists():
        link.symlink_to(modules)
    for number, text in enumerate(texts):
        kind = str(json.loads(text).get("@type", ""))
        lines = [imported.format(type=kind), f"export const one: {shape.format(type=kind)} = {text}"]
        (folder / f"m{number:04}.ts").write_text("\n".join(lines) + "\n", encoding="utf-8")


async def _said(*command: str, cwd: Path | None = None) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=cwd, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode(errors="replace")
