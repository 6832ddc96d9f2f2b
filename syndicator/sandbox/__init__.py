"""A fediverse in a box: one simulator per service, for ``syndicator demo`` and for tests.

Each is a real HTTP server on loopback that checks what it receives as the service does and refuses what the service refuses. They
speak protocols: they import neither the connectors nor the daemon.
"""
