"""The writer: a process that sends the same bytes to everybody who connects, as fast as they are taken."""

from __future__ import annotations

import socket
from multiprocessing.connection import Connection

LOOPBACK = "127.0.0.1"
_MOST = 1 << 16

READY = b"Action: Ready\r\n\r\n"


def write_to_all(pipe: Connection, data: bytes) -> None:
    """Tell the port, then serve one client after the other.

    Each has to say something first: panoramisk fails over what comes before its connection callback has run.
    """
    with socket.create_server((LOOPBACK, 0)) as server:
        pipe.send(server.getsockname()[1])
        while True:
            client, _ = server.accept()
            with client:
                _serve(client, data)


def _serve(client: socket.socket, data: bytes) -> None:
    try:
        client.recv(_MOST)
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        while client.recv(_MOST):
            pass
    except ConnectionError:
        pass  # it took what it wanted and went
