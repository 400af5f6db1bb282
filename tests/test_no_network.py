"""The guard that keeps tests off the network works."""

from __future__ import annotations

import socket

import pytest

from tests.conftest import NetworkUsed


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("example.com", 443)])
def test_a_connection_to_another_machine_is_refused(address: tuple[str, int]) -> None:
    """Whatever a test calls, it cannot leave the machine."""
    with pytest.raises(NetworkUsed), socket.socket() as client:
        client.connect(address)


def test_a_name_is_not_looked_up() -> None:
    """Asking for a foreign name's address is refused before any packet is sent."""
    with pytest.raises(NetworkUsed):
        socket.getaddrinfo("example.com", 80)


def test_loopback_works() -> None:
    """A test may talk to its own machine."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
        client.connect(server.getsockname())
