"""``python -m syndicator``: the command line, for where its script is not on the path."""

from syndicator.cli import main

raise SystemExit(main())
