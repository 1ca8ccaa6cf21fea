"""A display for the benches that look at a real window."""

from collections.abc import Iterator

import pytest

from tests.bench.screens import environment, xvfb


@pytest.fixture
def display() -> Iterator[dict[str, str]]:
    """The environment of a window that somebody could look at: on an X server of its own, which nobody else uses."""
    with xvfb() as name:
        if name is None:
            pytest.skip("no Xvfb here")
        yield environment() | {"DISPLAY": name, "QT_QPA_PLATFORM": "xcb"}
