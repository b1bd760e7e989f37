"""The tests. What several of their modules share is in tests/support, whose assertions say as much as theirs."""

import pytest

pytest.register_assert_rewrite("tests.support")
