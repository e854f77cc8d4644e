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
from daemon.call.media import NEVER, Media
from daemon.call.model import CallState, ConnectionLoss, LostSide
from daemon.call.signals import (
    ChannelId,
    ChannelKind,
    ChannelMissing,
    ChannelState,
    HangUpOrdered,
    HoldChanged,
    LinkUp,
    PacketsCounted,
    ReportReceived,
    ReportSent,
    SteadyMs,
    UnixMs,
)

LOST_CAUSE: Final = 38
"""Q.850, network out of order: what we have the PBX hang up a call with whose connection is lost."""
FROZEN_MS: Final = 1_500
"""75 packets of the usual 20 ms that did not come."""
ANEW_MS: Final = 8_000
"""A loss known from before this connection is believed again after a look as long as phones take to report."""
MISSING_MS: Final = 5_000
"""So long word of a channel's end may be on its way; then the PBX's answer that there is none is its end."""
_LOOK_EVERY_MS: Final = 450
_LOOK_AT_LOST_MS: Final = 200
_TIRED_AFTER_MS: Final = 30_000
_LOOK_SELDOM_MS: Final = 5_000

_SIDES: Final = {Role.AGENT: LostSide.AGENT, Role.CUSTOMER: LostSide.CUSTOMER}


def report_received(board: Board, signal: ReportReceived) -> None:
    board.now = signal.at
    leg = board.legs.get(signal.channel)
    if leg is None:
        return
    if leg.media.report(signal.at) and leg.role is Role.AGENT:
        board.note_reporter(leg.endpoint, on_hold=leg.media.on_hold)
    if leg.media.suspected or leg.call.lost_unseen:
        lives(board, leg, board.date(signal.at))


def report_sent(board: Board, signal: ReportSent) -> None:
    board.now = signal.at
    leg = board.legs.get(signal.channel)
    if leg is not None:
        leg.media.sent(signal.at, signal.sequence)


def hold_changed(board: Board, signal: HoldChanged) -> None:
    leg = board.leg(signal.channel)
    if leg is not None:
        leg.media.held = signal.held
        _party_changed(board, leg)


def bridge_changed(board: Board, leg: Leg) -> None:
    """It came or goes: those who hear each other may now send straight to each other, and must be heard anew."""
    for one in talk.party(leg, board.bridges):
        one.media.heard = frozenset()
    _party_changed(board, leg)


def bridge_entered(board: Board, leg: Leg) -> None:
    leg.media.bridges += 1
    bridge_changed(board, leg)


def suspects(board: Board, now: SteadyMs, *, anybody: bool) -> list[ChannelId]:
    """The channels whose packets to count now; `anybody` False: only those already known as lost."""
    board.now = now
    return [leg.channel for leg in board.legs.values() if _is_to_be_counted(board, leg, now, anybody=anybody)]


def packets_counted(board: Board, signal: PacketsCounted) -> None:
    board.now = signal.at
    if signal.date is not None:
        board.dates_ahead = signal.date - signal.at
    leg = board.legs.get(signal.channel)
    if leg is None:
        return
    media, at = leg.media, signal.at
    media.counted_at, media.missing_at = at, NEVER
    if signal.packets is None or signal.direct or not _talks(board, leg):
        _moved(board, leg, at)  # it cannot be known: look again later, and ever less often
    elif media.packets != signal.packets:
        if media.suspected or (_is_unseen(leg) and _lost(leg.call).packets != signal.packets):
            _doubt_habit(board, leg, at)
            _moved(board, leg, at)
        else:
            media.freeze(at, signal.packets)
    elif media.loss is not None:
        _still_lost(board, leg, at)
    elif at - media.frozen_at >= FROZEN_MS:
        _judge(board, leg, at, held=signal.held)


def channel_missing(board: Board, signal: ChannelMissing) -> Leg | None:
    """Return the leg when it is over: the PBX said so twice, and word of its end had time to come."""
    leg = board.legs.get(signal.channel)
    if leg is None:
        return None
    media, at = leg.media, signal.at
    media.counted_at, media.missing_at = at, media.missing_at or at
    return leg if at - media.missing_at >= MISSING_MS else None


def hang_up_ordered(board: Board, signal: HangUpOrdered) -> None:
    leg = board.legs.get(signal.channel)
    if leg is not None and leg.call.lost is not None and leg.call.lost.channel == leg.channel:
        leg.call.cut, leg.call.hung_up_by = not signal.refused, None


def link_up(board: Board, signal: LinkUp) -> None:
    """What was not seen while there was no connection is no evidence: all of it begins anew."""
    board.up_at = board.now = signal.steady or SteadyMs(signal.at)
    board.dates_ahead = signal.at - board.up_at
    board.contacts.clear()
    board.unreachable.clear()
    for leg in board.legs.values():
        leg.media = Media()
    for call in board.calls.values():
        if call.lost is not None:
            call.lost_unseen = True
            since = SteadyMs(UnixMs(call.lost.since - board.dates_ahead))
            call.lost_at = call.lost_at or min(since, board.up_at)


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
    call.lost, call.lost_at = None, None
    leg = next((one for one in call.legs.values() if one.media.loss is not None), None)
    if leg is not None:
        call.lost, call.lost_at = leg.media.loss, leg.media.lost_at
        lasting = max(0, leg.media.counted_at - leg.media.lost_at)
        board.tell(ConnectionLost(at, call.snapshot(), lasting))


def _party_changed(board: Board, leg: Leg) -> None:
    """Everybody who hears this leg may send otherwise from now on."""
    party = talk.party(leg, board.bridges)
    on_hold = any(one.media.held for one in party)
    for one in party:
        one.media.change(board.now, on_hold=on_hold)


def _moved(board: Board, leg: Leg, at: SteadyMs) -> None:
    leg.media.moved(at)
    lives(board, leg, board.date(at))


def _is_to_be_counted(board: Board, leg: Leg, now: SteadyMs, *, anybody: bool) -> bool:
    media = leg.media
    lost = media.loss is not None or _is_unseen(leg)
    since_look = now - media.counted_at
    if since_look < (MISSING_MS if media.missing_at else _LOOK_AT_LOST_MS if lost else _LOOK_EVERY_MS):
        return False
    if lost:
        return True
    if not anybody or leg.kind is not ChannelKind.DEVICE or leg.state is not ChannelState.UP:
        return False
    if media.suspected:
        return now - media.frozen_at <= _TIRED_AFTER_MS or since_look >= _LOOK_SELDOM_MS
    return _is_late(board, leg, now) and _talks(board, leg)


def _is_late(board: Board, leg: Leg, now: SteadyMs) -> bool:
    """Something should have been heard of it by now, or the PBX does not reach it."""
    media = leg.media
    calm = max(media.calm, media.one_report)
    if leg.endpoint in board.unreachable:
        return now - media.alive_at >= calm
    quiet = now - max(media.quiet_from, media.alive_at, board.up_at)
    return quiet >= calm if media.reports else quiet >= 2 * calm and _should_report(board, leg)


def _judge(board: Board, leg: Leg, at: SteadyMs, *, held: bool) -> None:
    media = leg.media
    if _is_unseen(leg):
        if at - max(media.frozen_at, media.reported_at, board.up_at) >= ANEW_MS:
            media.loss, leg.call.lost_unseen = leg.call.lost, False
            media.lost_at = leg.call.lost_at or at
            _still_lost(board, leg, at)
    elif _is_gone(board, leg, at, held=held):
        media.by_contact = not _stopped_to_report(board, leg, at)
        media.lost_at = _lost_at(board, leg)
        side = _SIDES.get(leg.role, LostSide.OTHER)
        media.loss = ConnectionLoss(leg.channel, side, board.date(media.lost_at), media.packets)
        settle(board, leg.call, board.date(at))


def _is_gone(board: Board, leg: Leg, at: SteadyMs, *, held: bool) -> bool:
    """Whether frozen packets are the silence of nobody. Anybody may stop to send sound, nobody stops to report."""
    media = leg.media
    if at - max(media.reported_at, board.up_at) < media.one_report:
        return False
    if _stopped_to_report(board, leg, at):
        return True
    if leg.endpoint not in board.unreachable:
        return False
    # One unanswered OPTIONS alone ends no call: a muted phone that never reports is as silent as a dead one.
    return media.reported_at > 0 or (not (held or media.on_hold) and _should_report(board, leg))


def _stopped_to_report(board: Board, leg: Leg, at: SteadyMs) -> bool:
    """One report gets lost now and then, perhaps just when its phone is muted: so two, or three without any sound."""
    media = leg.media
    silent = at - max(media.quiet_from, board.up_at)
    if media.reports and media.sends:
        return silent >= media.two_reports
    return silent >= media.three_reports and (media.reports or (_should_report(board, leg) and media.packets > 0))


def _should_report(board: Board, leg: Leg) -> bool:
    """This phone did in an earlier call, so it would soon after its answer; elsewhere in a call it must be heard."""
    return leg.media.bridges == 1 and (leg.endpoint, leg.media.on_hold) in board.reporters


def _doubt_habit(board: Board, leg: Leg, at: SteadyMs) -> None:
    """It talks and does not report: perhaps another phone with the same name."""
    if not leg.media.reports and at - leg.media.quiet_from >= leg.media.three_reports:
        board.reporters.pop((leg.endpoint, leg.media.on_hold), None)


def _lost_at(board: Board, leg: Leg) -> SteadyMs:
    """Where its contact alone tells, what went before, on hold or muted, was no loss."""
    media = leg.media
    unreachable = board.unreachable.get(leg.endpoint)
    since = media.since(unreachable)
    if unreachable is not None and media.by_contact and not (media.reports and media.sends):
        return max(since, unreachable)
    return since


def _talks(board: Board, leg: Leg) -> bool:
    """A phone in an answered call that another one can hear; not who waits, is parked or listens to the PBX."""
    if leg.kind is not ChannelKind.DEVICE or leg.state is not ChannelState.UP or not leg.mixing or leg.bridge is None:
        return False
    if leg.call.state is not CallState.ANSWERED:
        return False
    return any(one is not leg and one.kind is ChannelKind.DEVICE for one in talk.party(leg, board.bridges))


def _still_lost(board: Board, leg: Leg, at: SteadyMs) -> None:
    call, media = leg.call, leg.media
    if call.lost is None or call.lost.channel != leg.channel:
        settle(board, call, board.date(at))  # another side of the call was lost before
        return
    media.by_contact = media.by_contact and not _stopped_to_report(board, leg, at)
    if media.by_contact and leg.endpoint not in board.unreachable:
        lives(board, leg, board.date(at))
        return
    if media.lost_at >= board.up_at:
        _date_again(board, leg)
    board.tell(ConnectionStillLost(board.date(at), call.snapshot(), max(0, at - media.lost_at)))


def _date_again(board: Board, leg: Leg) -> None:
    """The PBX's own report may have come since, and tell it more exactly."""
    call, media = leg.call, leg.media
    if (lost_at := _lost_at(board, leg)) != media.lost_at:
        media.lost_at = call.lost_at = lost_at
        media.loss = call.lost = replace(_lost(call), since=board.date(lost_at))


def _is_unseen(leg: Leg) -> bool:
    """The call is known as lost by this leg from before this connection, and that is not confirmed yet."""
    return leg.call.lost_unseen and _lost(leg.call).channel == leg.channel


def _lost(call: LiveCall) -> ConnectionLoss:
    assert call.lost is not None
    return call.lost
