"""The link to a PBX survives everything the PBX and the network do, and says what it is."""

from __future__ import annotations

import asyncio
import io
import json
import shutil
import ssl
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from daemon.ami.backoff import delay
from daemon.ami.link import AmiLink, LinkState
from daemon.ami.recording import Recorder
from daemon.ami.settings import AmiConfig
from daemon.call.signals import ChannelEnded, LinkDown, LinkUp, Signal, Snapshot
from tests.ami.conftest import QUICK, Linked
from tests.fakes.asterisk import FakeAsterisk, event

HANGUP = event("Hangup", Uniqueid="1.1", Cause="16")
BIG = replace(QUICK, ping_every=60.0)


async def test_a_login_gives_link_up_and_then_a_snapshot(make: Callable[..., Linked]) -> None:
    here = make()
    assert isinstance(await here.queue.get(), LinkUp)
    assert isinstance(await here.queue.get(), Snapshot)
    assert (here.link.state, here.link.version, here.link.last_error) == (LinkState.CONNECTED, "11.0.0", None)
    assert here.link.connected_since


async def test_the_secret_itself_is_not_sent_where_a_challenge_is_known(linked: Linked) -> None:
    [login] = [action for action in linked.pbx.actions if action["Action"] == "Login"]
    assert login["AuthType"] == "MD5"
    assert linked.pbx.secret not in str(linked.pbx.actions)


async def test_a_pbx_without_challenge_gets_a_plain_login_on_loopback(
    pbx: FakeAsterisk, make: Callable[..., Linked]
) -> None:
    pbx.no_challenge = True
    await make().connected()


@pytest.mark.parametrize("deaf", ["mute", "empty"])
async def test_a_pbx_that_does_not_answer_the_challenge_gets_a_plain_login_on_loopback(
    pbx: FakeAsterisk, make: Callable[..., Linked], deaf: str
) -> None:
    if deaf == "mute":
        pbx.mute.add("Challenge")
    else:
        pbx.answers["Challenge"] = b"Response: Success\r\nActionID: {id}\r\n\r\n"
    await make().connected()


async def test_nothing_is_pinged_logged_in_or_repeated_behind_our_back(linked: Linked) -> None:
    assert linked.pbx.asked[:3] == ["Challenge", "Login", "CoreShowChannels"]
    assert set(linked.pbx.asked[3:]) <= {"Ping"}


async def test_a_lost_link_is_told_and_made_again(linked: Linked) -> None:
    linked.pbx.drop()
    assert isinstance(await linked.queue.get(), LinkDown)
    assert isinstance(await linked.queue.get(), LinkUp)
    assert isinstance(await linked.queue.get(), Snapshot)
    assert linked.link.logins == 2


async def test_half_a_message_before_the_end_is_no_event_and_does_not_spoil_the_next_connection(linked: Linked) -> None:
    await linked.pbx.half_message_then_close()
    await linked.next(LinkUp)
    linked.pbx.send_raw(HANGUP)
    await linked.next(ChannelEnded)
    assert linked.link.counters.malformed == {}


async def test_a_frozen_pbx_is_noticed_by_its_silence(linked: Linked) -> None:
    linked.pbx.frozen = True
    await linked.next(LinkDown)
    assert "ping" in (linked.link.last_error or "")
    linked.pbx.frozen = False
    await linked.next(Snapshot)


def test_by_default_a_frozen_pbx_is_noticed_within_twenty_seconds() -> None:
    timings = AmiConfig("main", "u", "s").timings
    assert timings.ping_every + timings.ping_answer < 20


async def test_a_refused_login_is_visible_and_tried_again(pbx: FakeAsterisk, make: Callable[..., Linked]) -> None:
    pbx.secret = "changed"
    here = make()
    await here.until(lambda: here.link.state is LinkState.REFUSED)
    assert "refused" in (here.link.last_error or "")
    assert "simulated" not in (here.link.last_error or "")
    pbx.secret = "simulated"
    await here.connected()
    assert here.link.last_error is None


def test_retries_double_spread_and_end_at_their_most() -> None:
    assert all(0.5 <= delay(failures, 0.5, 30.0) <= 30.0 for failures in range(1, 2000))
    assert max(delay(1, 0.5, 30.0) for _ in range(100)) <= 1.0
    assert max(delay(50, 5.0, 60.0) for _ in range(100)) > 30.0


async def test_nobody_listening_is_visible_and_tried_again(make: Callable[..., Linked], pbx: FakeAsterisk) -> None:
    port = pbx.port
    await pbx.close()
    here = make()
    await here.until(lambda: here.link.state is LinkState.LOST)
    assert str(port) in (here.link.last_error or "")
    again = FakeAsterisk()
    await again.start(port)
    await here.connected()
    await again.close()


async def test_closing_ends_a_pending_reconnect(make: Callable[..., Linked], pbx: FakeAsterisk) -> None:
    here = make(timings=replace(QUICK, retry_first=60.0, retry_most=60.0))
    await here.connected()
    pbx.drop()
    await here.next(LinkDown)
    await here.link.close()
    await asyncio.sleep(0.05)
    assert pbx.asked.count("Login") == 1
    assert here.link.state is LinkState.LOST


async def test_a_server_that_speaks_something_else_is_named(pbx: FakeAsterisk, make: Callable[..., Linked]) -> None:
    pbx.greeting = b"SSH-2.0-OpenSSH_9.2\r\n"
    here = make()
    await here.until(lambda: "manager interface" in (here.link.last_error or ""))
    assert here.link.counters.protocol_errors >= 1


async def test_a_server_that_says_nothing_is_left(pbx: FakeAsterisk, make: Callable[..., Linked]) -> None:
    pbx.greeting = b""
    here = make()
    await here.until(lambda: "login" in (here.link.last_error or ""))


async def test_a_message_without_end_closes_the_link_and_is_counted(make: Callable[..., Linked]) -> None:
    here = make(timings=BIG)
    await here.next(Snapshot)
    here.pbx.send_raw(b"Event: VarSet\r\nValue: " + b"x" * (1 << 21))
    await here.next(LinkDown)
    assert here.link.counters.protocol_errors == 1
    await here.next(Snapshot)


async def test_garbage_and_duplicate_headers_leave_the_link_alone(linked: Linked) -> None:
    linked.pbx.send_raw(b"\x00\xff\r\n\r\nEvent: UserEvent\r\nEvent: Hangup\r\n\r\nResponse: Success\r\nMessage: a\r\n")
    linked.pbx.send_raw(b"Message: b\r\nActionID: nobody\r\n\r\n" + HANGUP)
    await linked.next(ChannelEnded)
    assert linked.link.logins == 1


async def test_a_letter_split_between_packets_arrives_whole(linked: Linked) -> None:
    await linked.pbx.drip(event("NewCallerid", Uniqueid="1.1", CallerIDNum="1", CallerIDName="Ánh"))
    signal = await linked.queue.get()
    assert signal.name == "Ánh"  # type: ignore[union-attr]


async def test_while_the_queue_is_full_nobody_reads_and_nothing_is_lost(make: Callable[..., Linked]) -> None:
    here = make(size=2, timings=BIG)
    await here.connected()
    sent = 5000
    here.pbx.send_raw(b"".join(event("Hangup", Uniqueid=str(number)) for number in range(sent)))
    await here.until(lambda: here.link.pauses > 0)
    seen: list[str] = []
    async with asyncio.timeout(10):
        while len(seen) < sent:
            signal = await here.queue.get()
            seen += [signal.channel] if isinstance(signal, ChannelEnded) else []
    assert seen == [str(number) for number in range(sent)]


async def test_a_full_queue_is_no_reason_to_think_the_pbx_is_dead(make: Callable[..., Linked]) -> None:
    here = make(size=3)
    await here.connected()
    here.pbx.send_raw(HANGUP * 10)
    await here.until(lambda: here.link.pauses > 0)
    await asyncio.sleep(4 * QUICK.ping_answer)
    assert here.link.state is LinkState.CONNECTED


async def test_what_came_before_the_end_is_delivered_before_the_end_is_told(make: Callable[..., Linked]) -> None:
    here = make(size=1, timings=BIG)
    assert isinstance(await here.queue.get(), LinkUp)
    assert isinstance(await here.queue.get(), Snapshot)
    here.pbx.send_raw(HANGUP * 5)
    await asyncio.sleep(0.05)
    here.pbx.drop()
    kinds = [type(await here.queue.get()) for _ in range(6)]
    assert kinds == [ChannelEnded] * 5 + [LinkDown]


class RaisingQueue(asyncio.Queue[Signal]):
    """Raises once, as a handler with a bug does."""

    raised = False

    def put_nowait(self, item: Signal) -> None:
        if isinstance(item, ChannelEnded) and not self.raised:
            self.raised = True
            raise RuntimeError("a bug")
        super().put_nowait(item)


async def test_a_raising_handler_does_not_cost_the_link(pbx: FakeAsterisk, config: AmiConfig) -> None:
    link, queue = AmiLink(config), RaisingQueue(100)
    task = asyncio.create_task(link.run(queue))
    here = Linked(pbx, link, queue)
    await here.next(Snapshot)
    pbx.send_raw(HANGUP)
    await here.until(lambda: queue.raised)
    pbx.send_raw(HANGUP)
    await here.next(ChannelEnded)
    assert (link.logins, link.counters.handler_errors) == (1, 1)
    await link.close()
    await task


async def test_a_recording_that_cannot_be_written_does_not_cost_the_link(pbx: FakeAsterisk, config: AmiConfig) -> None:
    def full(_data: bytes, _at: int) -> None:
        raise OSError(28, "No space left on device")

    link, queue = AmiLink(config, tap=full), asyncio.Queue[Signal](100)
    task = asyncio.create_task(link.run(queue))
    await Linked(pbx, link, queue).next(Snapshot)
    await link.close()
    await task


async def test_a_recording_is_everything_the_socket_gave(pbx: FakeAsterisk, config: AmiConfig) -> None:
    stream = io.StringIO()
    recorder = Recorder(stream)
    link = AmiLink(config, tap=lambda data, at: recorder.write(data, at / 1000))
    queue = asyncio.Queue[Signal](100)
    task = asyncio.create_task(link.run(queue))
    await Linked(pbx, link, queue).next(Snapshot)
    await link.close()
    await task
    text = "".join(json.loads(line)["raw"] for line in stream.getvalue().splitlines())
    assert text.startswith("Asterisk Call Manager/11.0.0\r\nResponse: Success\r\n")
    assert "CoreShowChannelsComplete" in text


async def test_a_snapshot_comes_again_when_asked(linked: Linked) -> None:
    linked.link.request_snapshot()
    await linked.next(Snapshot)


async def test_a_user_who_may_not_list_channels_keeps_the_link(pbx: FakeAsterisk, make: Callable[..., Linked]) -> None:
    pbx.answers["CoreShowChannels"] = b"Response: Error\r\nActionID: {id}\r\nMessage: Permission denied\r\n\r\n"
    here = make()
    await here.connected()
    pbx.send_raw(HANGUP)
    await here.next(ChannelEnded)
    assert here.link.logins == 1


def test_panoramisks_agi_server_is_not_used() -> None:
    sources = Path(__file__).parents[2] / "daemon"
    assert not [path for path in sources.rglob("*.py") if "fast_agi" in path.read_text()]


def certificate(folder: Path) -> tuple[Path, Path]:
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=pbx",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    return cert, key


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
async def test_tls_is_verified_by_the_given_authority(tmp_path: Path, make: Callable[..., Linked]) -> None:
    cert, key = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    secure = FakeAsterisk()
    await secure.start(tls=context)
    trusting = make(port=secure.port, tls=True, ca_file=cert)
    await trusting.connected()
    careless = make(port=secure.port, tls=True, tls_verify=False)
    await careless.connected()
    doubting = make(port=secure.port, tls=True)
    await doubting.until(lambda: "certificate" in (doubting.link.last_error or ""))
    assert doubting.link.state is not LinkState.CONNECTED
    await secure.close()
