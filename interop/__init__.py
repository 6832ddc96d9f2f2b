"""The real thing: real servers on loopback, the real syndicator or its connectors between them and their files.

``./run interop`` installs Radicale, Xandikos, WordPress, Synapse and Bluesky's PDS from their package registries into ``.cache/interop``,
starts each on free ports of this machine, plays a scene or a contract suite of ``syndicator.testing`` on it, says what was seen, and ends
every process it started. It also asks our simulators what it asked the real servers, so that they stay alike. No part of ``./run test``:
see ``docs/interop.md``.
"""
