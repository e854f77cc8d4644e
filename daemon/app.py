"""The wiring: builds every part from the configuration, starts them in order, stops them in reverse."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import Self

import structlog

from daemon import call_log, live_feed
from daemon.acts import AgentState, CallOrder, Ordered, Why
from daemon.agent_states import QueueStates
from daemon.agent_times import AgentTimes
from daemon.ami.link import AmiLink, LinkState
from daemon.ami.settings import AmiConfig
from daemon.bus import Bus, EffectsCommitted
from daemon.call.model import Call, PbxName
from daemon.call.signals import Snapshot, UnixMs
from daemon.call.tracker import Tracker
from daemon.catch_ups import CatchUps, call_records
from daemon.clock import now_ms
from daemon.coalesced import Coalesced
from daemon.config import Config, PbxConfig
from daemon.delivery.http_sender import HttpSender
from daemon.delivery.outbox import Outbox
from daemon.delivery.summary_sender import SummarySender
from daemon.delivery.target_guard import TargetGuard, guard_from_config
from daemon.delivery_desk import DeliveryDesk
from daemon.desk_board import DeskBoard
from daemon.dispatch import Dispatcher, PbxSignal
from daemon.doctor.checks import inside_daemon
from daemon.errors import CallwardenError, ConfigError, TryAgain
from daemon.known_customers import KnownCustomers
from daemon.lost_connections import LostConnections
from daemon.metrics import Metrics
from daemon.metrics_read import metrics_text, observe
from daemon.pbx_acts import PbxActs
from daemon.pbx_desk import PbxDesk
from daemon.pbx_ringtones import PbxRingtones
from daemon.pbx_sink import PbxSink
from daemon.phone_messages import PhoneMessages
from daemon.retention import clean_every_night
from daemon.ringtone_facts import TABLES as RINGTONE_TABLES
from daemon.ringtone_facts import RingtoneBook
from daemon.rules import Rules, SigningSecrets
from daemon.store.live_calls import ended_lately, heartbeat, last_alive, living_calls
from daemon.store.outbox import Settlement, read_disabled_webhooks
from daemon.store.set_up import new_link_token, offer_set_up
from daemon.store.store import Store
from daemon.store.values import Committed
from daemon.summaries import Summaries
from daemon.version import program_version
from daemon.wallboard import wallboard_of
from daemon.web.feed import EventFeed
from daemon.web.server import WebServer, build_app, start_web
from daemon.web.services import Check, Services

_HEARTBEAT_S = 15.0
_READ_AGAIN_S = 1.0
_IN_FORCE_WITHIN_S = 5.0
_LONGEST_CALL_MS = 6 * 3_600_000  # how far back a call may have begun whose last leg still hangs on

_log = structlog.get_logger(__name__)


class Daemon:
    """All parts of a running Callwarden. `async with Daemon(config) as daemon: await daemon.run()`."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self._rules = Rules()
        self.bus = Bus()
        self.feed = EventFeed()
        self.desks = DeskBoard(self.bus)
        self.metrics = Metrics(now_ms)
        self.links = {PbxName(pbx.name): AmiLink(ami_config(pbx)) for pbx in config.pbx}
        self.customers = KnownCustomers(self.bus, partial(live_feed.customer_known, self.feed))
        self.phone_messages = PhoneMessages(self.bus, self.links, self.customers.known)
        phones_reach_us = config.http.phone_url or config.http.public_url
        self.ringtones = PbxRingtones(self.links, RingtoneBook(lambda: self.store, phones_reach_us, now_ms))
        self.catch_ups = CatchUps(call_records(config.pbx), lambda: self.dispatcher, lambda: self._rules, now_ms)
        self.pbx_desk = PbxDesk(
            self.links,
            self._rung_strangers,
            lambda: self._rules.rulebook.settings,
            self.ringtones.findings,
            self.catch_ups.state,
        )
        contexts = {PbxName(pbx.name): pbx.originate_context for pbx in config.pbx}
        self.acts = PbxActs(
            self.links,
            contexts,
            lambda: self.dispatcher,
            self._order_failed,
            now_ms,
            self.ringtones.alert_info,
            partial(live_feed.keys_changed, self.feed),
            partial(live_feed.part_changed, self.feed),
        )
        self.acts.phone_keys.follow(self.bus)
        self.lost_connections = LostConnections(self.links, lambda: self.dispatcher, now_ms)
        wrap_ups = {PbxName(pbx.name): pbx.wrap_up_seconds for pbx in config.pbx}
        self.agent_times = AgentTimes(lambda: self.store, now_ms)
        self.states = QueueStates(self.links, wrap_ups, self._state_changed, now_ms, self.agent_times.note)
        self.wall = wallboard_of(self, now_ms)
        self.guard: TargetGuard = guard_from_config(
            [str(n) for n in config.delivery.allow_networks], [str(n) for n in config.delivery.deny_networks]
        )
        self.summaries = Summaries(lambda: self.store, SummarySender(self.guard), now_ms, config.http.public_url)
        self.secrets = SigningSecrets()
        self._paused: frozenset[str] = frozenset()
        self._reload = Coalesced(self._read_again)
        self._parts = AsyncExitStack()
        self._failed: asyncio.Future[None]
        self.store: Store
        self.sender: HttpSender
        self.outbox: Outbox
        self.dispatcher: Dispatcher
        self.web: WebServer

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._parts.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._parts.aclose()

    async def run(self) -> None:
        """Until cancelled. Raises when a part without which nothing is safe has failed: the store, our own task."""
        await asyncio.shield(self._failed)

    async def set_up_link(self) -> str | None:
        """The address that makes the first admin, once and for a day; None: there is an account. Older ones end."""
        token = new_link_token()
        if not await self.store.writer.change(lambda: offer_set_up(token, now_ms())):
            return None
        listen = self.config.http.listen
        host = f"[{listen.host}]" if ":" in listen.host else listen.host or "localhost"
        return f"{self.config.http.public_url or f'http://{host}:{self.web.port}'}/set-up/{token}"

    async def rules_changed(self) -> None:
        """Put what the store says now in force: for the next signal and the next signature.

        What was saved is saved: it comes into force even when the one who waits is gone, and he waits only so long.
        """
        reload = self._reload.ask()
        done, _ = await asyncio.wait([reload], timeout=_IN_FORCE_WITHIN_S)
        if done:
            await reload
        else:
            _log.warning("rules_not_in_force_yet", after_seconds=_IN_FORCE_WITHIN_S)

    async def _read_again(self) -> None:
        """Tried until the store can be read."""
        while True:
            try:
                await self.secrets.load(self.store, now_ms())
                await self._pause_disabled()
                if await self._rules.read(self.store):
                    await self.dispatcher.change_rules(self._rules.rulebook, self._rules.directory)
                    self.states.know(self._rules.directory)
                self.ringtones.changed(self.store.written(*RINGTONE_TABLES))
            except TryAgain as error:
                _log.warning("rules_not_read", error=str(error))
                await asyncio.sleep(_READ_AGAIN_S)
            else:
                return

    # -- starting, in order; each part says here how it stops --------------------------------------------------

    async def _start(self) -> None:
        self._failed = asyncio.get_running_loop().create_future()
        live_feed.connect(self.bus, self.feed, self.customers.known)
        call_log.connect(self.bus)
        self.store = await Store.open(self.config.store.url, self._committed, alone=True)
        self._parts.push_async_callback(self.store.close)
        observe(self.metrics, self)
        await self._start_delivery()
        await self._start_dispatch()
        self._start_links()
        await self._start_web()
        self._watch(asyncio.create_task(self.store.watch(), name="store"))
        self._watch(asyncio.create_task(self._beat(), name="heartbeat"))
        self._watch(asyncio.create_task(self.pbx_desk.watch(), name="pbx desk"))
        self._watch(asyncio.create_task(self.ringtones.run(), name="ringtones"))
        self._watch(asyncio.create_task(clean_every_night(self.store, now_ms), name="retention"))
        self._watch(asyncio.create_task(self.wall.run(), name="wallboard"))
        self._watch(asyncio.create_task(self.summaries.run(), name="summaries"))

    async def _start_delivery(self) -> None:
        await self.secrets.load(self.store, now_ms())
        agent = f"callwarden/{program_version()}"
        self.sender = HttpSender(self.guard, agent)
        await self._parts.enter_async_context(self.sender)
        self.outbox = Outbox(
            writes=self.store.writer,
            reads=self.store.reader,
            sender=self.sender,
            secrets=self.secrets,
            clock=now_ms,
            on_settled=self._settled,
            on_attempt=self.metrics.attempted,
        )
        self._parts.push_async_callback(self.outbox.stop)
        await self.outbox.start()
        asking = self.customers.asking(self.guard, agent, self.secrets.popup_secret, now_ms)
        await self._parts.enter_async_context(asking)
        self._watch(asyncio.create_task(self.outbox.watch(), name="outbox"))
        self._paused = await read_disabled_webhooks(self.store.reader)

    async def _start_dispatch(self) -> None:
        await self._rules.read(self.store)
        rules, directory = self._rules.rulebook, self._rules.directory
        calls = await living_calls(self.store.reader)
        ended = await ended_lately(self.store.reader, UnixMs(now_ms() - _LONGEST_CALL_MS))
        alive = await last_alive(self.store.reader)
        await self.catch_ups.begin(self.store, alive, self._committed)
        trackers = {name: Tracker(name, directory) for name in {*self.links, *(call.pbx for call in calls)}}
        for name, tracker in trackers.items():
            mine = [call for call in calls if call.pbx == name]
            over = [call_id for pbx, call_id in ended if pbx == name]
            tracker.restore(mine, alive.get(name, _last_change(mine)), over)
        self.desks.restore(calls)
        self.customers.restore(calls, rules, now_ms())
        await self.agent_times.begin(self.states.seen)
        self._parts.push_async_callback(self.agent_times.close)
        self._watch(asyncio.create_task(self.agent_times.run(), name="agent times"))
        self.states.know(directory)
        live_feed.on_end(self.bus, self.acts.note_end, self.states.note_end)
        hang_up = self.lost_connections.hang_up
        self.dispatcher = Dispatcher(
            trackers, rules, self.store.writer, self.bus, now_ms, hang_up, self.catch_ups.keep_back
        )
        self._watch(asyncio.create_task(self.dispatcher.run(), name="dispatch"))
        self._parts.push_async_callback(self.dispatcher.stop)
        self._parts.push_async_callback(self._reload.close)
        for name in trackers.keys() - self.links.keys():
            await self.dispatcher.queue.put(PbxSignal(name, Snapshot(now_ms(), ())))  # a PBX no longer configured

    def _start_links(self) -> None:
        self._parts.push_async_callback(self.acts.close)
        self._parts.push_async_callback(self.phone_messages.close)
        self._parts.push_async_callback(self.states.close)
        self._parts.push_async_callback(self.catch_ups.close)
        for name, link in self.links.items():
            sink = PbxSink(name, self.dispatcher, self.states.hear, self.ringtones.hear, self.catch_ups.hear)
            self._watch(asyncio.create_task(link.run(sink), name=f"pbx {name}"))
            self._parts.push_async_callback(link.close)
        self._watch(asyncio.create_task(self.lost_connections.watch(), name="lost connections"))

    async def _start_web(self) -> None:
        listen = self.config.http.listen
        self.doctor = inside_daemon(self.config, self.store.reader, self.links, self.pbx_desk, self.guard, now_ms)
        self._parts.push_async_callback(self.doctor.close)
        try:
            self.web = await start_web(build_app(self._services()), listen.host, listen.port)
        except OSError as error:
            where = f"{listen.host or '*'}:{listen.port}"
            raise CallwardenError(
                f"cannot listen on {where}: {error.strerror}; free it or change http.listen"
            ) from error
        self._parts.push_async_callback(self.web.stop)

    def _watch(self, task: asyncio.Task[None]) -> None:
        """A part that ends with an error ends the daemon, and is cancelled when the daemon stops."""
        task.add_done_callback(self._ended)
        self._parts.push_async_callback(_cancel, task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None and not self._failed.done():
            _log.error("part_failed", part=task.get_name(), error=str(error) or repr(error))
            self._failed.set_exception(error)

    # -- between the parts ---------------------------------------------------------------------------------------

    def _committed(self, group: Sequence[Committed]) -> None:
        """Called by the writer right after a commit: what is durable may leave. Who only watches comes after it."""
        for committed in group:
            self.outbox.offer(committed.deliveries)
        asyncio.get_running_loop().call_soon(self._publish, group)

    def _publish(self, group: Sequence[Committed]) -> None:
        for committed in group:
            self.bus.publish(EffectsCommitted(committed))

    def _settled(self, settlement: Settlement) -> None:
        """Remember which webhooks the outbox itself switched off, to resume them when an admin switches them on."""
        if settlement.disable is not None:
            self._paused |= {settlement.webhook_id}

    async def _pause_disabled(self) -> None:
        disabled = await read_disabled_webhooks(self.store.reader)
        for webhook_id in disabled:
            self.outbox.pause(webhook_id)
        for webhook_id in self._paused - disabled:
            self.outbox.resume(webhook_id)
        self._paused = disabled

    async def _beat(self) -> None:
        """Keep the last moment at which calls were seen, so that a crash does not lengthen them."""
        while True:
            await asyncio.sleep(_HEARTBEAT_S)
            followed = [
                name
                for name, link in self.links.items()
                if link.state is LinkState.CONNECTED and self.catch_ups.may_beat(name)
            ]
            await self.store.writer.change(lambda followed=followed: heartbeat(now_ms(), followed))  # type: ignore[misc]

    def _services(self) -> Services:
        deliveries = DeliveryDesk(
            writes=self.store.writer, outbox=self.outbox, sender=self.sender, guard=self.guard, clock=now_ms
        )
        return Services(
            writes=self.store.writer,
            reads=self.store.reader,
            feed=self.feed,
            desks=self.desks,
            wall=self.wall,
            customers=self.customers,
            summaries=self.summaries,
            clock=now_ms,
            rules_changed=self.rules_changed,
            readiness=self._readiness,
            announced=self.outbox.offer,
            replay=deliveries.replay,
            replay_failed=deliveries.replay_failed,
            try_target=deliveries.try_target,
            try_lookup=self.customers.try_out,
            refuse_target=deliveries.refuse_target,
            page_head=deliveries.page_head,
            pbxs=self.pbx_desk,
            doctor=self.doctor,
            acts=self.acts,
            states=self.states,
            public_url=self.config.http.public_url,
            phone_url=self.config.http.phone_url,
            trusted_proxies=self.config.http.trusted_proxies,
            metrics=lambda: metrics_text(self.metrics, self),
            metrics_from=self.config.http.metrics_from,
        )

    def _order_failed(self, order: CallOrder, ordered: Ordered, why: Why) -> None:
        live_feed.order_failed(self.feed, order, ordered, why)

    def _state_changed(self, user_id: str, state: AgentState) -> None:
        live_feed.state_changed(self.feed, user_id, state)
        self.wall.note(user_id)

    def _rung_strangers(self, pbx: PbxName) -> dict[str, UnixMs]:
        return self.dispatcher.rung_strangers(pbx)

    async def _readiness(self) -> list[Check]:
        writer = self.store.writer
        store = Check("store", writer.healthy, None if writer.healthy else "the disk refuses writes; see the log")
        return [store, *(_link_check(name, link) for name, link in self.links.items())]


def ami_config(pbx: PbxConfig) -> AmiConfig:
    """The part of the configuration that the AMI link needs; refuses a PBX of a kind we cannot follow yet."""
    if pbx.kind != "asterisk":
        raise ConfigError(f'pbx {pbx.name}: this version follows Asterisk only; remove it or write kind = "asterisk"')
    return AmiConfig(
        name=pbx.name,
        username=pbx.username,
        secret=pbx.secret.reveal(),
        host=pbx.host,
        port=pbx.port,
        tls=pbx.tls,
        tls_verify=pbx.tls_verify,
        ca_file=pbx.tls_ca_file,
    )


def _link_check(name: PbxName, link: AmiLink) -> Check:
    connected = link.state is LinkState.CONNECTED
    why = (link.last_error or "").partition(": ")[2]  # not where the PBX is: this page is open to everybody
    words = f"{link.state.value}: {why}" if why else link.state.value
    return Check(f"pbx {name}", connected, None if connected else words)


def _last_change(calls: Iterable[Call]) -> UnixMs:
    return max((call.answered_at or call.started_at for call in calls), default=UnixMs(0))


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
