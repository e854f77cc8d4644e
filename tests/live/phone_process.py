"""One SIP phone as a process: commands come as JSON lines on stdin, what happens goes out on stdout.

pjsua2 allows one endpoint per process, so every phone is one. It must import nothing of ours: it is
started by its file name. Sound is a tone from a null device, so RTP and RTCP flow.
"""

from __future__ import annotations

import heapq
import itertools
import json
import os
import select
import sys
import time
from collections.abc import Callable
from typing import Any

import pjsua2 as pj

POLL_MILLISECONDS = 5
# The limit pjsua is compiled with; a fifth call is answered 486.
MAX_CALLS = 4
Json = dict[str, Any]


# The library writes its log to descriptor 1, so our lines get a copy of it and the log goes to stderr.
TOLD = os.dup(1)


def tell(event: str, **facts: object) -> None:
    line = json.dumps({"event": event, "at": time.time(), **facts}, default=str)
    os.write(TOLD, line.encode() + b"\n")


class Talk(pj.Call):  # type: ignore[misc]
    """One call of this phone, known outside by a number of ours which is never used again."""

    def __init__(self, phone: PhoneProcess, line: Line, pjsua_id: int) -> None:
        super().__init__(line, pjsua_id)
        self.phone, self.line = phone, line
        self.key = phone.keep(self)
        self.is_over = False
        self.is_up = False
        self.is_held = False
        self.invite = ""

    def onCallState(self, prm: Any) -> None:  # noqa: N802
        info = self.getInfo()
        code = int(info.lastStatusCode)
        match info.state:
            case pj.PJSIP_INV_STATE_EARLY:
                tell("ringing", call=self.key, code=code)
            case pj.PJSIP_INV_STATE_CONFIRMED:
                self.is_up = True
                tell("confirmed", call=self.key, code=code)
            case pj.PJSIP_INV_STATE_DISCONNECTED:
                self.is_over = True
                tell("disconnected", call=self.key, code=code, reason=str(info.lastReason))

    def onCallMediaState(self, prm: Any) -> None:  # noqa: N802
        info = self.getInfo()
        states = [medium.status for medium in info.media]
        if pj.PJSUA_CALL_MEDIA_ACTIVE in states:
            self.phone.tone.startTransmit(self.getAudioMedia(-1))
        names = {
            pj.PJSUA_CALL_MEDIA_ACTIVE: "active",
            pj.PJSUA_CALL_MEDIA_LOCAL_HOLD: "held_here",
            pj.PJSUA_CALL_MEDIA_REMOTE_HOLD: "held_there",
        }
        if self.phone.muted:
            self.phone.mute(self)
        state = names.get(states[0], "none") if states else "none"
        self.is_held = state == "held_here"
        tell("media", call=self.key, state=state)

    def onCallTsxState(self, prm: Any) -> None:  # noqa: N802
        """A NOTIFY inside the call is how a server presses a phone's keys; pjsua itself knows nothing of it."""
        change = prm.e.body.tsxState
        if change.type != pj.PJSIP_EVENT_RX_MSG or str(change.tsx.method) != "NOTIFY":
            return
        headers = str(change.src.rdata.wholeMsg).splitlines()
        if event := next((line[6:].strip() for line in headers if line.lower().startswith("event:")), None):
            tell("notify", call=self.key, name=event)
            self.phone.key_pressed(self, event)

    def onDtmfDigit(self, prm: Any) -> None:  # noqa: N802
        tell("digit", call=self.key, digit=str(prm.digit))

    def onCallTransferStatus(self, prm: Any) -> None:  # noqa: N802
        tell("transfer", call=self.key, code=int(prm.statusCode), final=bool(prm.finalNotify))
        # After a REFER that went well the PBX waits for the phone's BYE, and phones send it.
        if prm.finalNotify and prm.statusCode // 100 == 2:
            self.phone.hang_up_later(self)


class Line(pj.Account):  # type: ignore[misc]
    """One SIP identity; what it does with an incoming call is the phone's rule."""

    def __init__(self, phone: PhoneProcess) -> None:
        super().__init__()
        self.phone = phone

    def onRegState(self, prm: Any) -> None:  # noqa: N802
        tell("registered", code=int(prm.code), expires=int(prm.expiration))

    def onInstantMessage(self, prm: Any) -> None:  # noqa: N802
        tell("message", text=str(prm.msgBody), sender=str(prm.fromUri), kind=str(prm.contentType))

    def onIncomingCall(self, prm: Any) -> None:  # noqa: N802
        talk = Talk(self.phone, self, prm.callId)
        talk.invite = str(prm.rdata.wholeMsg)
        tell("incoming", call=talk.key, invite=talk.invite)
        self.phone.follow_rule(talk)


class PhoneProcess:
    """The endpoint, its line, its calls and the things it will do later."""

    def __init__(self, setup: Json) -> None:
        self.setup = setup
        # Kept for ever: the destructor of an old Call hangs up a new one that got the same pjsua id.
        self.talks: dict[int, Talk] = {}
        self.keys = itertools.count(1)
        self.later: list[tuple[float, int, Callable[[], None]]] = []
        self.rule: Json = {"ring": True}
        self.obeys = False
        # The registration asked for last: a changed one is a new account setting, the same one a refresh.
        self.expires = 0
        self.muted = False
        self.endpoint = self._start_endpoint()
        self.tone = self._start_tone()
        self.lines = [self._open_line(str(setup["identity"]), registrar=None)]

    def keep(self, talk: Talk) -> int:
        key = next(self.keys)
        self.talks[key] = talk
        return key

    def follow_rule(self, talk: Talk) -> None:
        if "silent" in self.rule:
            return
        if self.rule.get("ringing", True):
            self._answer(talk, 180)
        after = float(self.rule.get("after", 0))
        if "code" in self.rule:
            rule = self.rule
            self._do_later(after, lambda: self._answer(talk, int(rule["code"]), rule.get("headers", {})))

    def key_pressed(self, talk: Talk, event: str) -> None:
        """What phones do that let a server press their keys: `talk` answers or takes back, `hold` holds."""
        if not self.obeys:
            return
        if event == "talk" and not talk.is_up:
            self._do_later(0.0, lambda: self._answer(talk, 200, self.rule.get("headers", {})))
        elif event == "talk" and talk.is_held:
            self._do_later(0.0, lambda: self._unhold(talk))
        elif event == "hold" and talk.is_up and not talk.is_held:
            self._do_later(0.0, lambda: talk.setHold(pj.CallOpParam(True)))

    def mute(self, talk: Talk) -> None:
        """Nothing is said; where silence is suppressed nothing is sent either."""
        self.tone.stopTransmit(talk.getAudioMedia(-1))

    def hang_up_later(self, talk: Talk) -> None:
        """A call must not be hung up inside its own callback."""
        self._do_later(0.0, lambda: None if talk.is_over else talk.hangup(pj.CallOpParam()))

    def run(self) -> None:
        tell("ready", port=self.port)
        rest = b""
        while True:
            self.endpoint.libHandleEvents(POLL_MILLISECONDS)
            self._do_what_is_due()
            if not select.select([sys.stdin], [], [], 0)[0]:
                continue
            chunk = os.read(sys.stdin.fileno(), 65536)
            if not chunk:
                return
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                self._obey(json.loads(line))

    # ---- commands ------------------------------------------------------------------------

    def _obey(self, command: Json) -> None:
        try:
            result = getattr(self, "do_" + command["do"])(command)
            tell("reply", id=command["id"], result=result)
        except pj.Error as error:
            tell("reply", id=command["id"], error=f"{error.title}: {error.reason}")
        except (KeyError, ValueError, AttributeError) as error:
            tell("reply", id=command["id"], error=repr(error))

    def do_register(self, command: Json) -> None:
        expires = int(command.get("expires", 60))
        if expires == self.expires:
            self.lines[0].setRegistration(True)
            return
        self.expires = expires
        registrar = f"sip:{self.setup['pbx']}"
        self.lines[0].modify(self._line_config(str(self.setup["identity"]), registrar, expires))

    def do_unregister(self, command: Json) -> None:
        self.lines[0].setRegistration(False)

    def do_rule(self, command: Json) -> None:
        self.rule = command["rule"]

    def do_obey(self, command: Json) -> None:
        self.obeys = bool(command["on"])

    def do_call(self, command: Json) -> int:
        identity = command.get("identity")
        self._close_idle_lines()
        line = self._open_line(identity, registrar=None) if identity else self.lines[0]
        talk = Talk(self, line, pj.PJSUA_INVALID_ID)
        prm = pj.CallOpParam(True)
        _add_headers(prm, command.get("headers", {}))
        talk.makeCall(command["to"], prm)
        return talk.key

    def do_answer(self, command: Json) -> None:
        self._answer(self._talk(command), int(command.get("code", 200)), command.get("headers"))

    def do_hangup(self, command: Json) -> None:
        prm = pj.CallOpParam()
        prm.statusCode = int(command.get("code", 0))
        self._talk(command).hangup(prm)

    def do_hold(self, command: Json) -> None:
        self._talk(command).setHold(pj.CallOpParam(True))

    def do_unhold(self, command: Json) -> None:
        self._unhold(self._talk(command))

    def do_hold_inactive(self, command: Json) -> None:
        """Hold with a=inactive: no sound is sent either way."""
        prm = pj.CallOpParam(True)
        prm.opt.flag = pj.PJSUA_CALL_SET_MEDIA_DIR
        prm.opt.mediaDir = pj.IntVector([pj.PJMEDIA_DIR_NONE])
        self._talk(command).reinvite(prm)

    def do_mute(self, command: Json) -> None:
        self.muted = True
        self.mute(self._talk(command))

    def do_transfer(self, command: Json) -> None:
        self._talk(command).xfer(command["to"], pj.CallOpParam(True))

    def do_transfer_to(self, command: Json) -> None:
        other = self.talks[int(command["other"])]
        self._talk(command).xferReplaces(other, pj.CallOpParam(True))

    def do_dtmf(self, command: Json) -> None:
        self._talk(command).dialDtmf(command["digits"])

    def do_heard(self, command: Json) -> int:
        """How loud the other side is now, 0 to 255; only what goes somewhere is measured, and pjsua calls it tx."""
        sound = self._talk(command).getAudioMedia(-1)
        sound.startTransmit(self.endpoint.audDevManager().getPlaybackDevMedia())
        return int(sound.getTxLevel())

    # ---- inside --------------------------------------------------------------------------

    def _unhold(self, talk: Talk) -> None:
        prm = pj.CallOpParam(True)
        prm.opt.flag = pj.PJSUA_CALL_UNHOLD
        talk.reinvite(prm)

    def _talk(self, command: Json) -> Talk:
        return self.talks[int(command["call"])]

    def _answer(self, talk: Talk, code: int, headers: Json | None = None) -> None:
        if talk.is_over:
            return
        prm = pj.CallOpParam()
        prm.statusCode = code
        _add_headers(prm, headers or {})
        talk.answer(prm)

    def _do_later(self, after: float, what: Callable[[], None]) -> None:
        heapq.heappush(self.later, (time.monotonic() + after, next(self.keys), what))

    def _do_what_is_due(self) -> None:
        while self.later and self.later[0][0] <= time.monotonic():
            try:
                heapq.heappop(self.later)[2]()
            except pj.Error as error:
                tell("failed", reason=str(error.reason))

    def _start_endpoint(self) -> Any:
        endpoint = pj.Endpoint()
        endpoint.libCreate()
        config = pj.EpConfig()
        config.uaConfig.threadCnt = 0
        config.uaConfig.mainThreadOnly = True
        config.uaConfig.maxCalls = MAX_CALLS
        config.uaConfig.userAgent = str(self.setup["user_agent"])
        config.logConfig.level = config.logConfig.consoleLevel = 0
        # Silence suppression would stop RTP, and with it the signs of life.
        config.medConfig.noVad = not self.setup.get("silence_suppressed")
        endpoint.libInit(config)
        endpoint.audDevManager().setNullDev()
        transport = pj.TransportConfig()
        transport.boundAddress = str(self.setup["host"])
        transport.port = int(self.setup["port"])
        self.transport = endpoint.transportCreate(pj.PJSIP_TRANSPORT_UDP, transport)
        endpoint.libStart()
        self.port = int(str(endpoint.transportGetInfo(self.transport).localName).rsplit(":")[-1])
        return endpoint

    def _start_tone(self) -> Any:
        tone = pj.ToneGenerator()
        tone.createToneGenerator()
        desc = pj.ToneDesc()
        desc.freq1, desc.freq2, desc.on_msec, desc.off_msec = 440, 0, 900, 100
        tones = pj.ToneDescVector()
        tones.push_back(desc)
        tone.play(tones, True)
        return tone

    def _open_line(self, identity: str, registrar: str | None) -> Line:
        line = Line(self)
        line.create(self._line_config(identity, registrar, 0))
        if hasattr(self, "lines"):
            self.lines.append(line)
        return line

    def _close_idle_lines(self) -> None:
        """Give back what earlier callers' identities took: pjsua has room for eight, the ninth ends the process."""
        busy = [talk.line for talk in self.talks.values() if not talk.is_over]
        for line in [line for line in self.lines[1:] if line not in busy]:
            self.lines.remove(line)
            line.shutdown()

    def _line_config(self, identity: str, registrar: str | None, expires: int) -> Any:
        config = pj.AccountConfig()
        config.idUri = identity
        config.regConfig.registrarUri = registrar or ""
        config.regConfig.timeoutSec = expires
        config.regConfig.retryIntervalSec = 2
        config.regConfig.firstRetryIntervalSec = 1
        config.sipConfig.transportId = self.transport
        user, password = str(self.setup["user"]), str(self.setup["password"])
        config.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", user, 0, password))
        nat = config.natConfig
        nat.contactRewriteUse = nat.viaRewriteUse = nat.sdpNatRewriteUse = 0
        media = config.mediaConfig.transportConfig
        media.boundAddress = str(self.setup["host"])
        media.port = int(self.setup["rtp_port"])
        return config


def _add_headers(prm: Any, headers: Json) -> None:
    for name, value in headers.items():
        header = pj.SipHeader()
        header.hName, header.hValue = name, value
        prm.txOption.headers.push_back(header)


def main() -> None:
    os.dup2(2, 1)
    phone = PhoneProcess(json.loads(sys.argv[1]))
    phone.run()
    # The library's own shutdown waits for the network; the process simply ends.
    os._exit(0)


if __name__ == "__main__":
    main()
