"""Free loopback ports, so that benches run side by side."""

from __future__ import annotations

import random
import socket

LOOPBACK = "127.0.0.1"
# The trunk's peer has an address of its own: Asterisk tells it from the phones by that.
TRUNK_HOST = "127.0.0.2"
RTP_PORTS = 1000


def free_udp_port(host: str = LOOPBACK) -> int:
    return _free_port(socket.SOCK_DGRAM, host)


def quiet_udp_port(host: str = LOOPBACK) -> int:
    """One that is used later: below the ephemeral ports and those for RTP, where no other bench gets it meanwhile."""
    for port in random.sample(range(6_000, 10_000), 50):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    raise OSError("no free UDP port from 6000 to 9999")


def free_tcp_port(host: str = LOOPBACK) -> int:
    return _free_port(socket.SOCK_STREAM, host)


def rtp_range() -> tuple[int, int]:
    """A block for RTP below the ephemeral ports; Asterisk itself skips what is taken in it."""
    first = random.randrange(10_000, 31_000, RTP_PORTS)
    return first, first + RTP_PORTS - 1


def phone_rtp_port() -> int:
    """Where a phone starts to look for free RTP ports."""
    return random.randrange(61_000, 65_000, 20)


def _free_port(kind: socket.SocketKind, host: str) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
