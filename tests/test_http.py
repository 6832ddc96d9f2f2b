"""The one HTTP client: what it refuses, what it follows, what its failures mean."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy

from syndicator import arriving
from syndicator.errors import AuthExpired, Gone, OutcomeUnknown, RateLimited, Rejected, Transient
from syndicator.http import Http, PrivateAddress, Response, Sessions, error_for, is_public, retry_after
from syndicator.sandbox.server import Fault, Simulator
from syndicator.testing import NOW

LOOPBACK = frozenset({"127.0.0.1"})


class Site(Simulator):
    """Answers what the tests ask for."""

    def __init__(self) -> None:
        super().__init__()
        self.redirects: dict[str, tuple[int, str]] = {}
        self.app.add_routes([web.route("*", "/ok", self._ok), web.get("/endless", self._endless), web.get("/bomb", self._bomb)])
        self.app.router.add_route("*", "/to/{name}", self._redirect)

    async def _ok(self, request: web.Request) -> web.Response:
        return web.json_response({"headers": dict(request.headers)})

    async def _redirect(self, request: web.Request) -> web.Response:
        status, location = self.redirects[request.match_info["name"]]
        return web.Response(status=status, headers={"Location": location})

    async def _endless(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(10_000):
            await response.write(b"x" * 10_000)
        return response

    async def _bomb(self, _: web.Request) -> web.Response:
        return web.Response(body=gzip.compress(b"0" * 50_000_000), headers={"Content-Encoding": "gzip"})


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with Site() as site:
        yield site


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    sessions = Sessions()
    yield Http(sessions=sessions, now=lambda: NOW, user_agent="syndicator-tests", allow_private=LOOPBACK)
    await sessions.close()


@pytest.mark.parametrize(("address", "public"), [
    ("9.9.9.9", True), ("2a00:1450:4007:80e::200e", True),
    ("127.0.0.1", False), ("10.1.2.3", False), ("192.168.1.1", False), ("172.16.0.1", False), ("169.254.169.254", False),
    ("100.64.0.1", False), ("0.0.0.0", False), ("224.0.0.1", False), ("255.255.255.255", False),
    ("::1", False), ("::", False), ("fe80::1%eth0", False), ("fd00::1", False), ("ff02::1", False),
    ("::ffff:127.0.0.1", False), ("::ffff:9.9.9.9", True), ("2002:7f00:1::", False), ("2002:909:909::", True),
    ("64:ff9b::7f00:1", False), ("64:ff9b::909:909", True), ("2001:0:53aa:64c::1", False),
])  # fmt: skip
def test_what_is_public(address: str, public: bool) -> None:
    """Seen through every wrapping that leads to an address of ours."""
    assert is_public(address) is public


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_what_changes_something_is_sent_once(http: Http, site: Site, method: str) -> None:
    """A lost answer is told, also for the methods that HTTP calls idempotent: nobody below sends it a second time."""
    site.fault(Fault(action="drop", method=method))
    with pytest.raises(OutcomeUnknown):
        await http.request(method, f"{site.url}/ok")

    assert [seen.method for seen in site.requests] == [method]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_private_address_is_refused_before_a_byte_leaves(http: Http, site: Site, host: str, method: str) -> None:
    """Literal or by name: nothing arrives, and the advice names the option."""
    guarded = replace(http, allow_private=frozenset())
    with pytest.raises(Rejected) as caught:
        await guarded.request(method, f"http://{host}:{site.host.partition(':')[2]}/ok")

    assert site.requests == []
    assert caught.value.hint is not None
    assert "allow_private" in caught.value.hint["fr"]


@pytest.mark.parametrize("header", ["Authorization", "X-Auth-Token", "Api-Key"])
async def test_no_secret_goes_out_without_tls(http: Http, site: Site, header: str) -> None:
    """But to a host of the local network that a person named; without a secret, an old feed may still be read."""
    with pytest.raises(Rejected) as caught:
        await http.get("http://192.0.2.1/", headers={header: "Bearer s3cret"})
    assert caught.value.hint is not None
    assert "https://" in caught.value.hint["fr"]
    assert "s3cret" not in str(caught.value)
    with pytest.raises(Rejected, match="not a public address"):
        await http.get("http://192.0.2.1/")

    assert (await http.get(f"{site.url}/ok", headers={header: "Bearer s3cret"})).status == 200


async def test_a_secret_in_two_pieces_is_told(http: Http, site: Site) -> None:
    """A line break in the middle of what was pasted is neither sent nor taken for a wrong address."""
    with pytest.raises(AuthExpired) as caught:
        await http.get(f"{site.url}/ok", headers={"Authorization": "Bearer s3c\nret"})

    assert site.requests == []
    assert caught.value.hint is not None
    assert "retour à la ligne" in caught.value.hint["fr"]
    assert "s3c" not in str(caught.value)


async def test_a_redirect_inwards_is_refused(http: Http, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stranger's page does not send us to our own network, not even to a host that is trusted when asked for by name."""
    site.redirects["in"] = (302, f"{site.url}/ok")
    monkeypatch.setattr("syndicator.http.addresses.is_public", lambda address: address == "127.0.0.2")
    sessions = Sessions()
    stranger = Http(sessions=sessions, now=lambda: NOW, user_agent="t", allow_private=LOOPBACK)
    port = site.host.partition(":")[2]
    async with _listening_everywhere(site) as other_port:
        with pytest.raises(Rejected):
            await stranger.get(f"http://127.0.0.2:{other_port}/to/in")
        assert (await stranger.get(f"http://127.0.0.1:{port}/to/in")).status == 200
    await sessions.close()


class _listening_everywhere:  # noqa: N801 - reads as what it does
    """The same application on every address of this machine."""

    def __init__(self, site: Site) -> None:
        self._runner = web.ServerRunner(site._runner.server)  # type: ignore[union-attr,arg-type]

    async def __aenter__(self) -> int:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.2", 0).start()
        return int(self._runner.addresses[0][1])

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()


async def test_redirects_are_followed_and_remembered(http: Http, site: Site) -> None:
    """A chain of permanent ones is where to go from now on; one that is not ends that."""
    site.redirects |= {"a": (301, "/to/b"), "b": (308, "/ok"), "c": (302, "/ok"), "loop": (302, "/to/loop")}

    permanent = await http.get(f"{site.url}/to/a")
    temporary = await http.get(f"{site.url}/to/c")

    assert (permanent.url, permanent.moved_to) == (f"{site.url}/ok", f"{site.url}/ok")
    assert (temporary.url, temporary.moved_to) == (f"{site.url}/ok", None)
    with pytest.raises(Transient):
        await http.get(f"{site.url}/to/loop")


@pytest.mark.parametrize(("encoded", "sent"), [(True, "/ok?author=urn%3Ali%3A1&x=a%2Cb"), (False, "/ok?author=urn:li:1&x=a,b")])
async def test_an_address_can_go_out_as_it_is_written(http: Http, site: Site, encoded: bool, sent: str) -> None:
    """A service that tells ``%3A`` from ``:`` gets what it asked for; others get the usual form."""
    asked: list[str] = []
    site.hooks.append(lambda stage, request: asked.append(request.raw_path) if stage == "before" else None)
    await http.request("GET", f"{site.url}/ok?author=urn%3Ali%3A1&x=a%2Cb", encoded=encoded)

    assert asked == [sent]


async def test_a_write_is_never_redirected(http: Http, site: Site) -> None:
    """What was meant for one address is not sent to another."""
    site.redirects["w"] = (307, "/ok")
    response = await http.request("POST", f"{site.url}/to/w", json={})

    assert response.status == 307
    assert [seen.path for seen in site.requests] == ["/to/w"]


async def test_credentials_stay_with_their_host(http: Http, site: Site) -> None:
    """Another host gets neither Authorization nor any header of our own."""
    async with Site() as other:
        site.redirects["away"] = (302, f"{other.url}/ok")
        await http.get(f"{site.url}/to/away", headers={"Authorization": "Bearer s3cr3t", "Api-Key": "s3cr3t", "Accept": "text/html"})

        (seen,) = other.requests
        assert "s3cr3t" not in str(seen.headers)
        assert seen.headers["Accept"] == "text/html"


@pytest.mark.parametrize("path", ["endless", "bomb"])
async def test_a_body_has_a_limit(http: Http, site: Site, path: str) -> None:
    """Counted after decompression, whatever the headers say."""
    with pytest.raises(Rejected) as caught:
        await http.get(f"{site.url}/{path}", max_bytes=1_000_000)
    assert caught.value.hint is not None


async def test_an_endless_answer_to_a_write_is_an_unknown_outcome(http: Http, site: Site) -> None:
    """It was done; that we do not read the answer to its end changes nothing of that."""
    site.fault(Fault(action="mask", method="POST", body=b"x" * 2_000_000, status=200))
    with pytest.raises(OutcomeUnknown):
        await http.request("POST", f"{site.url}/ok", json={}, max_bytes=1_000_000)


@pytest.mark.parametrize("action", ["drop", "lose", "truncate"])
async def test_a_lost_connection(http: Http, site: Site, action: Any) -> None:
    """A question can be put again; of anything else nobody knows."""
    site.fault(Fault(action=action, times=9))
    with pytest.raises(Transient):
        await http.get(f"{site.url}/ok")
    with pytest.raises(OutcomeUnknown):
        await http.request("POST", f"{site.url}/ok", json={})


async def test_what_never_left_is_transient(http: Http) -> None:
    """Refused or unresolved: it surely did not happen, whatever the method."""
    for url in ("http://127.0.0.1:1/", "http://nobody.invalid/"):
        for method in ("GET", "POST"):
            with pytest.raises(Transient):
                await http.request(method, url)


@pytest.mark.parametrize("url", ["ftp://example.org/", "http://", "https:///x", "nonsense", "http://[::1", "file:///etc/passwd"])
async def test_what_is_no_web_address_is_refused(http: Http, url: str) -> None:
    """And says so, without a traceback."""
    with pytest.raises(Rejected):
        await http.get(url)


async def test_writes_never_share_a_connection(http: Http, site: Site) -> None:
    """A kept connection that the server closes under a write would leave its outcome unknown: each gets its own."""
    for _ in range(2):
        response = await http.request("POST", f"{site.url}/ok", json={})
        assert response.json()["headers"].get("Connection", "") == "close"


@pytest.mark.parametrize(("value", "expected"), [
    ("120", NOW + timedelta(seconds=120)), ("0", NOW), ("999999999", NOW + timedelta(days=1)),
    ("Sat, 21 Nov 2026 12:02:00 GMT", NOW + timedelta(minutes=2)), ("Sat, 21 Nov 2020 12:00:00 GMT", NOW),
    ("soon", None), ("", None), ("-5", None),
])  # fmt: skip
def test_retry_after(value: str, expected: object) -> None:
    """RFC 9110 10.2.3: seconds or a date; never in the past, never more than a day ahead."""
    assert retry_after({"Retry-After": value}, NOW) == expected


@pytest.mark.parametrize(("status", "headers", "write", "kind"), [
    (200, {}, False, type(None)), (304, {}, False, type(None)), (401, {}, False, AuthExpired), (403, {}, True, AuthExpired),
    (404, {}, False, Rejected), (410, {}, False, Gone), (422, {}, True, Rejected), (429, {}, False, RateLimited),
    (500, {}, False, Transient), (500, {}, True, OutcomeUnknown), (502, {}, True, OutcomeUnknown), (503, {}, True, Transient),
    (503, {"Retry-After": "60"}, False, RateLimited), (408, {}, False, Transient),
])  # fmt: skip
def test_what_a_status_means(status: int, headers: dict[str, str], write: bool, kind: type) -> None:
    """Where a service has no dialect of its own."""
    response = Response(status=status, url="https://x.example/", headers=CIMultiDictProxy(CIMultiDict(headers)), body=b"")

    assert type(error_for(response, NOW, write=write)) is kind


def test_a_private_address_is_an_os_error() -> None:
    """So that the connector's own error handling sees it as a failed connection."""
    assert issubclass(PrivateAddress, OSError)


class Shelf(Simulator):
    """One large file, in ranges, as file servers give it."""

    def __init__(self) -> None:
        super().__init__()
        self.body = bytes(range(256)) * 2_000
        self.headers = {"ETag": '"one"', "Accept-Ranges": "bytes"}
        self.ranges = True
        self.stop_after: int | None = None
        """After so many bytes of an answer the connection is cut."""
        self.app.add_routes([web.get("/film", self._film), web.get("/to", self._to)])

    async def _to(self, _: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": self.url.replace("127.0.0.1", "localhost") + "/film"})

    async def _film(self, request: web.Request) -> web.StreamResponse:
        start, asked = 0, request.headers.get("Range")
        if self.ranges and asked and request.headers.get("If-Range") == self.headers.get("ETag", self.headers.get("Last-Modified")):
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            if start >= len(self.body):
                return web.Response(status=416, headers={"Content-Range": f"bytes */{len(self.body)}"})
        response = web.StreamResponse(status=206 if start else 200, headers=self.headers)
        if start:
            response.headers["Content-Range"] = f"bytes {start}-{len(self.body) - 1}/{len(self.body)}"
        response.content_length = len(self.body) - start
        await response.prepare(request)
        stop = len(self.body) if self.stop_after is None else start + self.stop_after
        await response.write(self.body[start:stop])
        if stop < len(self.body) and request.transport:
            request.transport.close()
        return response


@pytest.fixture
async def shelf() -> AsyncIterator[Shelf]:
    async with Shelf() as shelf:
        yield shelf


async def save(http: Http, url: str, path: Path, max_bytes: int = 10_000_000) -> Response:
    return await http.download(url, path, max_bytes=max_bytes, timeout_s=10)


async def test_a_download_is_a_file(http: Http, shelf: Shelf, tmp_path: Path) -> None:
    """The bytes as they are, in a place that only a whole file ever takes; nothing else stays."""
    response = await save(http, f"{shelf.url}/film", tmp_path / "film")
    assert (response.status, response.body) == (200, b"")
    assert (tmp_path / "film").read_bytes() == shelf.body
    assert [path.name for path in tmp_path.iterdir()] == ["film"]
    assert shelf.requests[0].headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("way", ["film", "to"])
async def test_a_broken_download_goes_on_where_it_broke_off(http: Http, shelf: Shelf, tmp_path: Path, way: str) -> None:
    """Twice cut, the third attempt asks for the rest alone, even where a redirect leads; the file is whole."""
    http = replace(http, allow_private=frozenset({"127.0.0.1", "localhost"}))
    shelf.stop_after = 200_000
    for _ in range(2):
        with pytest.raises(Transient):
            await save(http, f"{shelf.url}/{way}", tmp_path / "film")
        assert not (tmp_path / "film").exists()
    shelf.stop_after = None
    assert (await save(http, f"{shelf.url}/{way}", tmp_path / "film")).status == 206
    assert (tmp_path / "film").read_bytes() == shelf.body
    asked = [seen.headers.get("Range", "") for seen in shelf.requests if seen.path == "/film"]
    assert asked[0] == ""
    assert asked[1] < asked[2] <= "bytes=400000-"
    assert [path.name for path in tmp_path.iterdir()] == ["film"]


@pytest.mark.parametrize(("change", "status"), [
    ({"headers": {"ETag": '"two"'}}, 200), ({"ranges": False}, 200), ({"headers": {}}, 200),
])  # fmt: skip
async def test_a_file_that_changed_is_taken_anew(http: Http, shelf: Shelf, tmp_path: Path, change: dict[str, Any], status: int) -> None:
    """Bytes of two files are never put together, and a server without ranges gives all of it again."""
    shelf.stop_after = 200_000
    with pytest.raises(Transient):
        await save(http, f"{shelf.url}/film", tmp_path / "film")
    shelf.stop_after, shelf.body = None, shelf.body[::-1]
    for name, value in change.items():
        setattr(shelf, name, value)
    assert (await save(http, f"{shelf.url}/film", tmp_path / "film")).status == status
    assert (tmp_path / "film").read_bytes() == shelf.body


@pytest.mark.parametrize("headers", [{"ETag": 'W/"weak"'}, {}, {"ETag": '"one"', "Accept-Ranges": "none"}])
async def test_without_a_strong_validator_nothing_is_continued(http: Http, shelf: Shelf, tmp_path: Path, headers: dict[str, str]) -> None:
    """The second attempt asks for everything."""
    shelf.headers, shelf.stop_after = headers, 200_000
    for _ in range(2):
        with pytest.raises(Transient):
            await save(http, f"{shelf.url}/film", tmp_path / "film")
    assert ["Range" in seen.headers for seen in shelf.requests] == [False, False]


async def test_a_file_that_shrank_is_begun_anew(http: Http, shelf: Shelf, tmp_path: Path) -> None:
    """416: what had arrived is thrown away, and the next attempt has the file."""
    shelf.stop_after = 200_000
    with pytest.raises(Transient):
        await save(http, f"{shelf.url}/film", tmp_path / "film")
    shelf.stop_after, shelf.body = None, b"short"
    with pytest.raises(Transient, match="another file"):
        await save(http, f"{shelf.url}/film", tmp_path / "film")
    await save(http, f"{shelf.url}/film", tmp_path / "film")
    assert (tmp_path / "film").read_bytes() == b"short"


@pytest.mark.parametrize("declared", [True, False])
async def test_a_download_has_a_limit(http: Http, shelf: Shelf, site: Site, tmp_path: Path, declared: bool) -> None:
    """To the byte; above it nothing stays on the disk, whether the server says how much it sends or not."""
    size = len(shelf.body)
    await save(http, f"{shelf.url}/film", tmp_path / "film", size)
    with pytest.raises(Rejected):
        await save(http, f"{shelf.url}/film" if declared else f"{site.url}/endless", tmp_path / "more", size - 1)
    assert [path.name for path in tmp_path.iterdir()] == ["film"]


async def test_a_download_leaves_room_on_the_disk(http: Http, shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A nearly full disk is left alone, and a person reads why."""
    monkeypatch.setattr(arriving, "DISK_RESERVE_BYTES", 2**62)
    with pytest.raises(Transient) as caught:
        await save(http, f"{shelf.url}/film", tmp_path / "film")
    assert "disque" in (caught.value.hint or {})["fr"]
    assert list(tmp_path.iterdir()) == []


async def test_a_download_that_cannot_be_written_is_tried_again(http: Http, shelf: Shelf, tmp_path: Path) -> None:
    """A file where the folder should be."""
    (tmp_path / "folder").write_text("")
    with pytest.raises(Transient):
        await save(http, f"{shelf.url}/film", tmp_path / "folder" / "film")


@pytest.mark.parametrize("status", [404, 403, 500])
async def test_what_an_error_says_is_no_file(http: Http, shelf: Shelf, tmp_path: Path, status: int) -> None:
    """It comes back as an answer."""
    shelf.fault(Fault(action="answer", status=status, body=b"no"))
    response = await save(http, f"{shelf.url}/film", tmp_path / "film")
    assert (response.status, response.body) == (status, b"no")
    assert list(tmp_path.iterdir()) == []


async def test_a_download_is_guarded_as_anything(http: Http, shelf: Shelf, site: Site, tmp_path: Path) -> None:
    """No private address, neither at first nor by a redirect."""
    with pytest.raises(Rejected):
        await save(replace(http, allow_private=frozenset()), f"{shelf.url}/film", tmp_path / "film")
    site.redirects["film"] = (302, f"{shelf.url.replace('127.0.0.1', 'localhost')}/film")
    with pytest.raises(Rejected):
        await save(http, f"{site.url}/to/film", tmp_path / "film")
    assert shelf.requests == []
    assert list(tmp_path.iterdir()) == []


async def test_a_compressed_download_is_counted_unpacked(http: Http, site: Site, tmp_path: Path) -> None:
    """A bomb is cut off at the limit."""
    with pytest.raises(Rejected):
        await save(http, f"{site.url}/bomb", tmp_path / "film", 1_000_000)
    assert list(tmp_path.iterdir()) == []
