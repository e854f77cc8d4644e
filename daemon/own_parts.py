"""How an agent takes part in his call now: muted by us, asking a colleague. So that every tab shows the same.

Whether he asks is what the PBX's bridges say. Nobody tells whether a channel is muted, so that is remembered of what we
did: a restart in mid-call forgets it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Final, Protocol

from daemon.acts import Act, Control, Part
from daemon.call.model import Call, CallId, PbxName, UserId
from daemon.call.parties import Parties
from daemon.call.signals import ChannelId, UnixMs

_TOLD_MS: Final = 3_000  # so long after we had him ask, the PBX's word counts, not ours


class Flow(Protocol):
    def parties(self, pbx: PbxName, call_id: CallId, user_id: UserId) -> Parties | None: ...


class OwnParts:
    """`changed` is told by whom what was done to which call."""

    def __init__(
        self, flow: Callable[[], Flow], changed: Callable[[Act, Part], None], clock: Callable[[], UnixMs]
    ) -> None:
        self._flow = flow
        self._changed = changed
        self._clock = clock
        self._muted: dict[tuple[str, str], set[ChannelId]] = defaultdict(set)
        self._asks_since: dict[tuple[str, str], dict[ChannelId, UnixMs]] = defaultdict(dict)

    def note(self, act: Act, own: ChannelId) -> None:
        """It was done."""
        key = act.pbx, act.call_id
        match act.control:
            case Control.MUTE:
                self._muted[key].add(own)
            case Control.UNMUTE:
                self._muted[key].discard(own)
            case Control.CONSULT:
                self._asks_since[key][own] = self._clock()
            case Control.RETURN:
                self._asks_since[key].pop(own, None)
            case _:
                return
        self._changed(act, self.of(act.pbx, act.call_id, act.user_id))

    def forget(self, call: Call) -> None:
        """It has ended."""
        self._muted.pop((call.pbx, call.call_id), None)
        self._asks_since.pop((call.pbx, call.call_id), None)

    def of(self, pbx: str, call_id: str, user_id: str) -> Part:
        found = self._flow().parties(PbxName(pbx), CallId(call_id), UserId(user_id))
        if found is None:
            return Part()
        key = pbx, call_id
        since = self._asks_since.get(key, {}).get(found.own)
        just_asked = since is not None and self._clock() - since < _TOLD_MS
        return Part(muted=found.own in self._muted.get(key, ()), consulting=found.apart or just_asked)
