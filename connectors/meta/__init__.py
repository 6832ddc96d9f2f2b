"""Meta's networks: Facebook, Instagram and Threads, which speak one API, the Graph API (``graph.py``). One module for each network."""
