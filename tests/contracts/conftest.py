"""Failures in the shipped contracts read like those of our own tests."""

import pytest

pytest.register_assert_rewrite("eventsync_core.testing")
