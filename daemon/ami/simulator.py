"""A simulated PBX: speaks AMI on a real loopback socket and plays recorded calls. For the demo and the tests only."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import ssl
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any

from daemon.ami.framing import END_OF_MESSAGE
from daemon.ami.scenario import SCENARIOS, Event, Truth
from daemon.ami.simulated_call import SimulatedCall
from daemon.ami.simulated_channels import SimulatedChannels
from daemon.ami.simulated_house import SimulatedHouse
from daemon.ami.simulated_media import SimulatedMedia

Headers = dict[str, str]

_MAX_ACTION = 1 << 16
_STORE = "Local/put@callwarden-store/n"
_PARTING = frozenset({"HangupRequest", "SoftHangupRequest", "BridgeLeave", "Hangup"})
_NEVER = frozenset({"pjsipshowendpoints", "pjsipshowcontacts"})  # our manager user has no `system`


class Client:
    """One manager session."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.logged_in = False
        self.challenge = secrets.token_hex(4)

    def send(self, *headers: tuple[str, str]) -> None:
        if not self.writer.is_closing():
            self.writer.write(encoded(headers))


class SimulatedPbx:
    """Start it, connect to its port, `play` as many calls at once as you like; `actions` keeps what it was asked."""

    def __init__(self, username: str = "callwarden", secret: str = "simulated") -> None:  # noqa: S107 - on loopback
        self.username = username
        self.secret = secret
        self.port = 0
        self.actions: list[Headers] = []
        self.channels = SimulatedChannels()
        self.house = SimulatedHouse()
        self.media = SimulatedMedia(self.channels)
        self.processed = 0
        self.clients: list[Client] = []
        self.variables: Headers = {}
        self.database: Headers = {}
        """What was written below the family of our own context, by key."""
        self._server: asyncio.Server | None = None
        self._calls: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._sessions: set[asyncio.Task[Any]] = set()

    @property
    def scenarios(self) -> tuple[str, ...]:
        return tuple(SCENARIOS)

    async def start(self, port: int = 0, tls: ssl.SSLContext | None = None) -> int:
        """Listen on loopback, return the port."""
        self._server = await asyncio.start_server(self._client, "127.0.0.1", port, ssl=tls, limit=_MAX_ACTION)
        self.port = self._server.sockets[0].getsockname()[1]
        return self.port

    async def close(self) -> None:
        for client in list(self.clients):
            client.writer.transport.abort()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, *self._sessions, return_exceptions=True)
        if self._server:
            self._server.close()
            await self._server.wait_closed()

    async def play(
        self,
        scenario: str,
        *,
        customer: str | None = None,
        agents: Mapping[str, str] | None = None,
        speed: float = 1.0,
    ) -> Truth:
        """Play one call to its end and return the truth about it."""
        truth, task = self.begin(scenario, customer=customer, agents=agents, speed=speed)
        await asyncio.wait([task])
        return truth

    def begin(
        self,
        scenario: str,
        *,
        customer: str | None = None,
        agents: Mapping[str, str] | None = None,
        speed: float = 1.0,
        action_id: str = "",
        channel_id: str | None = None,
        stays: bool = False,
    ) -> tuple[Truth, asyncio.Task[None]]:
        """Begin a call; return the truth about it and the task that plays it. One that `stays` ends by no phone."""
        call = SimulatedCall(
            SCENARIOS[scenario],
            began=time.time(),
            speed=speed,
            customer=customer,
            agents=agents,
            action_id=action_id,
            channel_id=channel_id,
        )
        task = self._task(self._play(call, stays=stays))
        self._calls[call.truth.call_id] = task
        self.processed += 1
        return call.truth, task

    def emit(self, event: Event) -> None:
        """Send an event to everybody who is logged in."""
        self.channels.note(event)
        for client in self.clients:
            if client.logged_in:
                client.send(*event)

    def report(self) -> None:
        """Tell how the media of all calls is; a real PBX does it every five seconds."""
        for event in self.media.reports():
            self.emit(event)

    async def _play(self, call: SimulatedCall, *, stays: bool) -> None:
        began = time.monotonic()
        for timed in call:
            if stays and dict(timed.event)["Event"] in _PARTING:
                return
            if (wait := timed.after - (time.monotonic() - began)) > 0:
                await asyncio.sleep(wait)
            self.emit(timed.event)
        self._calls.pop(call.truth.call_id, None)

    def _task(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = Client(reader, writer)
        self.clients.append(client)
        if session := asyncio.current_task():
            self._sessions.add(session)
            session.add_done_callback(self._sessions.discard)
        try:
            await self.serve(client)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            self.clients.remove(client)
            writer.close()

    async def serve(self, client: Client) -> None:
        """Talk to one client until it goes."""
        client.writer.write(b"Asterisk Call Manager/11.0.0\r\n")
        while not client.writer.is_closing():
            text = (await client.reader.readuntil(END_OF_MESSAGE)).decode("utf-8", "replace")
            lines = [line.split(": ", 1) for line in text.split("\r\n") if ": " in line]
            action = dict(lines)
            if variables := [value for name, value in lines if name == "Variable"]:
                action["Variables"] = "\n".join(variables)
            self.actions.append(action)
            self.answer(client, action)
            await client.writer.drain()

    def answer(self, client: Client, action: Headers) -> None:
        """Answer one action as Asterisk 22 was seen to."""
        name = action.get("Action", "").lower()
        if name == "challenge":
            self._respond(client, action, ("Challenge", client.challenge))
        elif name == "login":
            self._log_in(client, action)
        elif not client.logged_in or name in _NEVER or not self.house.allows(name):
            self._refuse(client, action, "Permission denied")
        elif handler := self._handlers().get(name):
            handler(client, action)
        else:
            self._refuse(client, action, f"Invalid/unknown command: {action.get('Action')}.")

    def _handlers(self) -> dict[str, Callable[[Client, Headers], None]]:
        return {
            "ping": self._ping,
            "coreshowchannels": self._core_show_channels,
            "coresettings": self._core_settings,
            "corestatus": self._core_status,
            "listcommands": self._list_commands,
            "devicestatelist": self._device_states,
            "queuestatus": self._queue_status,
            "hangup": self._hangup,
            "playdtmf": self._on_channel,
            "blindtransfer": self._blind_transfer,
            "atxfer": self._on_channel,
            "cancelatxfer": self._on_channel,
            "queuepause": self._queue_pause,
            "messagesend": self._respond,
            "pjsipnotify": self._press_key,
            "originate": self._originate,
            "getvar": self._getvar,
            "setvar": self._setvar,
            "dbgettree": self._database_tree,
            "logoff": lambda client, _action: client.writer.close(),
        }

    def _log_in(self, client: Client, action: Headers) -> None:
        key = hashlib.md5((client.challenge + self.secret).encode(), usedforsecurity=False).hexdigest()
        proven = action.get("Key") == key or action.get("Secret") == self.secret
        if action.get("Username") != self.username or not proven:
            self._refuse(client, action, "Authentication failed")
            client.writer.close()
            return
        client.logged_in = True
        self._respond(client, action, ("Message", "Authentication accepted"))
        client.send(("Event", "FullyBooted"), ("Privilege", "system,all"), ("Status", "Fully Booted"))

    def _core_show_channels(self, client: Client, action: Headers) -> None:
        self._list(client, action, "Channels will follow", self.channels.rows(), "CoreShowChannelsComplete")

    def _ping(self, client: Client, action: Headers) -> None:
        self._respond(client, action, ("Ping", "Pong"), ("Timestamp", f"{time.time():.6f}"))

    def _core_settings(self, client: Client, action: Headers) -> None:
        self._respond(client, action, ("AMIversion", "11.0.0"), ("AsteriskVersion", "22.10.1"), ("SystemName", ""))

    def _core_status(self, client: Client, action: Headers) -> None:
        living = len({dict(row)["Linkedid"] for row in self.channels.rows()})
        done = self.processed - living
        self._respond(client, action, ("CoreCurrentCalls", str(living)), ("CoreProcessedCalls", str(done)))

    def _list_commands(self, client: Client, action: Headers) -> None:
        named = sorted(self.house.commands)
        self._respond(client, action, *((name, "What it does.  (Priv: call,reporting,all)") for name in named))

    def _device_states(self, client: Client, action: Headers) -> None:
        rows = list(self.house.device_states())
        self._list(client, action, "Device State Changes will follow", rows, "DeviceStateListComplete")

    def _queue_status(self, client: Client, action: Headers) -> None:
        self._list(client, action, "Queue status will follow", list(self.house.queue_status()), "QueueStatusComplete")

    def _list(self, client: Client, action: Headers, words: str, rows: Sequence[Event], last: str) -> None:
        action_id = ("ActionID", action.get("ActionID", ""))
        self._respond(client, action, ("EventList", "start"), ("Message", words))
        for row in rows:
            client.send(row[0], action_id, *row[1:])
        client.send(("Event", last), action_id, ("EventList", "Complete"), ("ListItems", str(len(rows))))

    def _hangup(self, client: Client, action: Headers) -> None:
        linked = self.channels.linked_of(action.get("Channel", ""))
        if linked is None:
            self._refuse(client, action, "No such channel")
            return
        self._respond(client, action, ("Message", "Channel Hungup"))
        self._end(linked, action.get("Cause", "16"))

    def _end(self, linked: str, cause: str) -> None:
        if task := self._calls.pop(linked, None):
            task.cancel()
        for event in self.channels.farewell(linked, cause):
            self.emit(event)

    def _on_channel(self, client: Client, action: Headers) -> None:
        """What is done to a channel without an event that we read."""
        if self.channels.linked_of(action.get("Channel", "")) is None:
            self._refuse(client, action, "Channel specified does not exist")
        else:
            self._respond(client, action, ("Message", f"{action['Action']} successfully queued"))

    def _blind_transfer(self, client: Client, action: Headers) -> None:
        """The other end goes where nobody of this house is: here the call is over."""
        if (linked := self.channels.linked_of(action.get("Channel", ""))) is None:
            self._refuse(client, action, "No such channel")
            return
        self._respond(client, action, ("Message", "Transfer succeeded"))
        self._end(linked, "16")

    def _press_key(self, client: Client, action: Headers) -> None:
        """`hold` and `talk` of a call that is up; who answers is the recording's business."""
        channel = action.get("Channel", "")
        if self.channels.linked_of(channel) is None:
            self._refuse(client, action, "No such channel")
            return
        self._respond(client, action, ("Message", "NOTIFY sent"))
        if action.get("Variable") == "Event=hold":
            self.house.held.add(channel)
            self.emit((("Event", "Hold"), ("Privilege", "call,all"), ("Uniqueid", channel)))
        elif channel in self.house.held:
            self.house.held.remove(channel)
            self.emit((("Event", "Unhold"), ("Privilege", "call,all"), ("Uniqueid", channel)))

    def _queue_pause(self, client: Client, action: Headers) -> None:
        paused, reason = action.get("Paused", "") in {"1", "true"}, action.get("Reason", "")
        events = self.house.pause(action.get("Interface", ""), paused=paused, reason=reason)
        if not events:
            self._refuse(client, action, "Interface not found")
            return
        for event in events:
            self.emit(event)
        self._respond(client, action, ("Message", "Interface paused successfully"))

    def _originate(self, client: Client, action: Headers) -> None:
        self._respond(client, action, ("Message", "Originate successfully queued"))
        if action.get("Channel") == _STORE:
            self._write_database(client, action)
            return
        phone = action.get("Channel", "").rpartition("/")[2]
        self.begin(
            "click_to_call",
            customer=action.get("Exten"),
            agents={"1001": phone},
            action_id=action.get("ActionID", ""),
            channel_id=action.get("ChannelId"),
        )

    def _getvar(self, client: Client, action: Headers) -> None:
        name = action.get("Variable", "")
        value = self.media.function(name, action.get("Channel", ""))
        if value is None and name.startswith("DB_EXISTS(") and self.house.tells_keys:
            value = str(int(name.removeprefix("DB_EXISTS(callwarden/")[:-1] in self.database))
        if value is None:
            value = self.house.function(name)
        if name == "CHANNEL(rtp,hold)" and action.get("Channel") in self.house.held:
            value = "1"
        if value is None:
            value = self.variables.get(name, "")
        self._respond(client, action, ("Variable", name), ("Value", value))

    def _write_database(self, client: Client, action: Headers) -> None:
        """As our own context does: nobody answers the call."""
        given = dict(line.split("=", 1) for line in action["Variables"].split("\n"))
        for name, key in given.items():
            if name.startswith("CW_K"):
                self.database[key] = given[name.replace("CW_K", "CW_V")]
        ids = (("ActionID", action.get("ActionID", "")), ("Response", "Failure"), ("Channel", _STORE), ("Reason", "0"))
        client.send(("Event", "OriginateResponse"), *ids, ("Uniqueid", "<unknown>"))

    def _database_tree(self, client: Client, action: Headers) -> None:
        keys = sorted(self.database)
        rows = [
            (("Event", "DBGetTreeResponse"), ("Key", f"/callwarden/{key}"), ("Val", self.database[key])) for key in keys
        ]
        self._list(client, action, "Result will follow", rows, "DBGetTreeComplete")

    def _setvar(self, client: Client, action: Headers) -> None:
        if (name := action.get("Variable", "")).startswith("DB_DELETE(callwarden/"):
            self.database.pop(name.removeprefix("DB_DELETE(callwarden/")[:-1], None)
        self.variables[action.get("Variable", "")] = action.get("Value", "")
        self._respond(client, action, ("Message", "Variable Set"))

    def _respond(self, client: Client, action: Headers, *more: tuple[str, str]) -> None:
        client.send(("Response", "Success"), ("ActionID", action.get("ActionID", "")), *more)

    def _refuse(self, client: Client, action: Headers, why: str) -> None:
        client.send(("Response", "Error"), ("ActionID", action.get("ActionID", "")), ("Message", why))


def encoded(headers: Iterable[tuple[str, str]]) -> bytes:
    return "\r\n".join(f"{name}: {value}" for name, value in headers).encode() + END_OF_MESSAGE
