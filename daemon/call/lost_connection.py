"""Whether the far end of a channel is gone: suspected, lost on evidence, restored. Never a guess.

Lost is a talking channel whose packets stand still while we look, and whose far end stopped to report (RTCP) or left
the registrar. What cannot be known is not lost: media that goes past the PBX, a phone on hold that never reported.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from daemon.call import talk
from daemon.call.board import Board
from daemon.call.events import ConnectionLost, ConnectionRestored, ConnectionStillLost
from daemon.call.live import Leg, LiveCall, Role
from daemon.call.media import Media
from daemon.call.model import CallState, ConnectionLoss, LostSide
from daemon.call.signals import (
    ChannelId,
    ChannelKind,
    ChannelState,
    ContactChanged,
    HangUpOrdered,
    HoldChanged,
    PacketsCounted,
    ReportReceived,
    ReportSent,
    UnixMs,
)

LOST_CAUSE: Final = 38
"""Q.850, network out of order: what we have the PBX hang up a call with whose connection is lost."""
FROZEN_MS: Final = 1_500
"""75 packets of the usual 20 ms that did not come."""
QUIET_MS: Final = 16_000
"""Of a phone that sent no sound before, only its reports tell, and one may get lost: three that did not come."""
ANEW_MS: Final = 8_000
"""A loss known from before this connection is believed again after a look as long as phones take to report."""
_LOOK_EVERY_MS: Final = 700
_TIRED_AFTER_MS: Final = 30_000
_LOOK_SELDOM_MS: Final = 5_000
_MOST_ENDPOINTS: Final = 50_000

_SIDES: Final = {Role.AGENT: LostSide.AGENT, Role.CUSTOMER: LostSide.CUSTOMER}


def contact_changed(board: Board, signal: ContactChanged) -> None:
    contacts = board.contacts.setdefault(signal.endpoint, {})
    if signal.answers is None:
        contacts.pop(signal.contact, None)
    else:
        contacts[signal.contact] = signal.answers
    if any(contacts.values()):
        board.unreachable.pop(signal.endpoint, None)
    else:
        board.unreachable.setdefault(signal.endpoint, signal.at)
    if len(board.contacts) > _MOST_ENDPOINTS:
        board.unreachable.pop(oldest := next(iter(board.contacts)), None)
        del board.contacts[oldest]


def report_received(board: Board, signal: ReportReceived) -> None:
    leg = board.legs.get(signal.channel)
    if leg is None:
        return
    leg.media.report(signal.at)
    if leg.media.suspected or leg.call.lost_unseen:
        lives(board, leg, signal.at)


def report_sent(board: Board, signal: ReportSent) -> None:
    leg = board.legs.get(signal.channel)
    if leg is not None:
        leg.media.sent(signal.at, signal.sequence)


def hold_changed(board: Board, signal: HoldChanged) -> None:
    leg = board.leg(signal.channel)
    if leg is not None:
        leg.media.held = signal.held
        party_changed(board, leg)


def party_changed(board: Board, leg: Leg) -> None:
    """Everybody who hears this leg may send otherwise from now on: on hold, straight to each other."""
    for one in talk.party(leg, board.bridges):
        one.media.change()


def suspects(board: Board, now: UnixMs, *, anybody: bool) -> list[ChannelId]:
    """The channels whose packets to count now; `anybody` False: only those already known as lost."""
    return [leg.channel for leg in board.legs.values() if _is_to_be_counted(board, leg, now, anybody=anybody)]


def packets_counted(board: Board, signal: PacketsCounted) -> None:
    leg = board.legs.get(signal.channel)
    if leg is None:
        return
    media, at = leg.media, signal.at
    media.counted_at = at
    if signal.packets is None or signal.direct or not _talks(board, leg):
        media.moved(at)  # it cannot be known: look again later, and ever less often
        lives(board, leg, at)
    elif media.packets != signal.packets:
        if media.suspected or (_is_unseen(leg) and _lost(leg.call).packets != signal.packets):
            media.moved(at)
            lives(board, leg, at)
        else:
            media.freeze(at, signal.packets)
    elif media.loss is not None:
        _still_lost(board, leg, at)
    elif at - media.frozen_at >= FROZEN_MS:
        _judge(board, leg, at, held=signal.held)


def hang_up_ordered(board: Board, signal: HangUpOrdered) -> None:
    leg = board.legs.get(signal.channel)
    if leg is not None and leg.call.lost is not None and leg.call.lost.channel == leg.channel:
        leg.call.cut, leg.call.hung_up_by = not signal.refused, None


def link_up(board: Board, at: UnixMs) -> None:
    """What was not seen while there was no connection is no evidence: all of it begins anew."""
    board.up_at = at
    board.contacts.clear()
    board.unreachable.clear()
    for leg in board.legs.values():
        leg.media = Media()
        leg.call.lost_unseen = leg.call.lost is not None


def leg_ended(board: Board, leg: Leg, at: UnixMs) -> None:
    """Its lost leg is gone. The call ends with it, or others talk on: the PBX tells that a moment later."""
    call = leg.call
    if call.lost is None or call.lost.channel != leg.channel:
        return
    if any(_talks(board, one) for one in call.legs.values()):
        settle(board, call, at)


def lives(board: Board, leg: Leg, at: UnixMs) -> None:
    """The far end of this leg is there, or it cannot be known any more."""
    leg.media.forget()
    if leg.call.lost is not None and leg.call.lost.channel == leg.channel:
        leg.call.lost_unseen = False
    settle(board, leg.call, at)


def settle(board: Board, call: LiveCall, at: UnixMs) -> None:
    """Let the call say what its legs do: which one is lost, or none any more."""
    if call.ended or not call.confirmed:
        return
    lost = call.lost
    if lost is not None:
        leg = call.legs.get(lost.channel)
        if leg is not None and (leg.media.loss is not None or call.lost_unseen):
            return
        call.lost, call.lost_unseen, call.cut = None, False, False
        board.tell(ConnectionRestored(at, call.snapshot(), lost))
    call.lost = next((leg.media.loss for leg in call.legs.values() if leg.media.loss is not None), None)
    if call.lost is not None:
        board.tell(ConnectionLost(at, call.snapshot()))


def _is_to_be_counted(board: Board, leg: Leg, now: UnixMs, *, anybody: bool) -> bool:
    media = leg.media
    if now - media.counted_at < _LOOK_EVERY_MS:
        return False
    if media.loss is not None or _is_unseen(leg):
        return True
    if not anybody or leg.kind is not ChannelKind.DEVICE or leg.state is not ChannelState.UP:
        return False
    if media.suspected:
        tired = now - media.frozen_at > _TIRED_AFTER_MS
        return not tired or now - media.counted_at >= _LOOK_SELDOM_MS
    if leg.endpoint in board.unreachable:
        late = now - media.alive_at >= media.patience
    else:
        last = max(media.reported_at, media.alive_at, board.up_at)
        late = media.reports and now - last >= media.patience
    return late and _talks(board, leg)


def _judge(board: Board, leg: Leg, at: UnixMs, *, held: bool) -> None:
    media = leg.media
    if _is_unseen(leg):
        if at - max(media.frozen_at, media.reported_at, board.up_at) >= ANEW_MS:
            media.loss, leg.call.lost_unseen = leg.call.lost, False
            _still_lost(board, leg, at)
    elif _is_gone(board, leg, at, held=held):
        media.by_contact = not _stopped_to_report(board, leg, at)
        since = media.since()
        if media.by_contact:  # what went before, on hold or muted, was no loss
            since = max(since, board.unreachable.get(leg.endpoint, since)) if leg.endpoint else since
        media.loss = ConnectionLoss(leg.channel, _SIDES.get(leg.role, LostSide.OTHER), since, media.packets)
        settle(board, leg.call, at)


def _is_gone(board: Board, leg: Leg, at: UnixMs, *, held: bool) -> bool:
    """Whether frozen packets are the silence of nobody. Anybody may stop to send sound, nobody stops to report."""
    media = leg.media
    if at - max(media.reported_at, board.up_at) < media.patience:
        return False
    if _stopped_to_report(board, leg, at):
        return True
    if leg.endpoint not in board.unreachable:
        return False
    if held or any(one.media.held for one in talk.party(leg, board.bridges)):
        return media.reported_at > 0
    return media.packets > 0


def _stopped_to_report(board: Board, leg: Leg, at: UnixMs) -> bool:
    media = leg.media
    silent = at - max(media.reported_at, board.up_at)
    return media.reports and silent >= media.patience and (media.sends or silent >= QUIET_MS)


def _talks(board: Board, leg: Leg) -> bool:
    """A phone in an answered call that another one can hear; not who waits, is parked or listens to the PBX."""
    if leg.kind is not ChannelKind.DEVICE or leg.state is not ChannelState.UP or not leg.mixing or leg.bridge is None:
        return False
    if leg.call.state is not CallState.ANSWERED:
        return False
    return any(one is not leg and one.kind is ChannelKind.DEVICE for one in talk.party(leg, board.bridges))


def _still_lost(board: Board, leg: Leg, at: UnixMs) -> None:
    call, media = leg.call, leg.media
    assert media.loss is not None
    if call.lost is None or call.lost.channel != leg.channel:
        settle(board, call, at)  # another side of the call was lost before
        return
    media.by_contact = media.by_contact and not _stopped_to_report(board, leg, at)
    if media.by_contact and leg.endpoint not in board.unreachable:
        lives(board, leg, at)
        return
    if (
        not media.by_contact and media.loss.since >= board.up_at
    ):  # the PBX's own report of it may have come since, and tell it more exactly
        media.loss = call.lost = replace(media.loss, since=min(media.loss.since, media.since()))
    board.tell(ConnectionStillLost(at, call.snapshot()))


def _is_unseen(leg: Leg) -> bool:
    """The call is known as lost by this leg from before this connection, and that is not confirmed yet."""
    return leg.call.lost_unseen and _lost(leg.call).channel == leg.channel


def _lost(call: LiveCall) -> ConnectionLoss:
    assert call.lost is not None
    return call.lost
