"""Who hears whom: through bridges that mix and through the two ends of Local wires."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from daemon.call.live import Leg
from daemon.call.signals import BridgeId, ChannelId

Bridges = Mapping[BridgeId, Mapping[ChannelId, Leg]]


def party(leg: Leg, bridges: Bridges) -> list[Leg]:
    """All legs that can hear `leg`, itself included, in the order the wires lead to them."""
    found = {leg.channel: leg}
    frontier = [leg]
    while frontier:
        for neighbour in _neighbours(frontier.pop(), bridges):
            if neighbour.channel not in found:
                found[neighbour.channel] = neighbour
                frontier.append(neighbour)
    return list(found.values())


def _neighbours(leg: Leg, bridges: Bridges) -> Iterable[Leg]:
    if leg.pair is not None:
        yield leg.pair
    if leg.bridge is not None and leg.mixing:
        yield from bridges[leg.bridge].values()
