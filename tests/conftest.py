"""Fixtures that every test may use."""

import pytest

pytest.register_assert_rewrite("syndicator.testing")
