"""What the tests share: clients of a fake server, and a look for what was not freed."""

import gc
import os
import sys

import pytest

from codex_blocking import Client, _library

HERE = os.path.dirname(os.path.abspath(__file__))
FAKE = [sys.executable, os.path.join(HERE, "fake_server.py")]


@pytest.fixture
def connect():
    """Connect to the fake server, with options; the clients are closed at the end."""
    clients = []

    def connect(**options):
        clients.append(Client.stdio(FAKE, **options))
        return clients[-1]

    yield connect
    for client in clients:
        client.close()


@pytest.fixture
def client(connect):
    return connect()


@pytest.fixture
def scripted():
    with Client.scripted() as client:
        yield client


@pytest.fixture(autouse=True)
def nothing_leaks():
    """Every handle and string of the library is freed when its object is gone."""
    gc.collect()
    before = _library.lib.codex_open_count()
    yield
    # The fixtures that are torn down after this one hold at most their clients.
    gc.collect()
    assert _library.lib.codex_open_count() <= before + 2
