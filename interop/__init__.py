"""The real thing: a real Radicale and a real WordPress on loopback, the real syndicator between them and its files.

``./run interop`` installs both from their package registries into ``.cache/interop`` (170 MB to download the first time),
starts them on free ports of this machine, plays a scene on each, says what was seen, and ends every process it started. It also asks our
simulators what it asked the real servers, so that they stay alike. No part of ``./run test``: see ``docs/interop.md``.
"""
