"""Numbers and names in AMI messages replaced by steady pseudonyms, so that a recording of real calls may be shown.

Digits are permuted, not hashed: two customers never become one. What is free text is left out altogether.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

# Their values are whatever the dialplan's author put there: customers' names, tokens, anything.
_FREE_TEXT = frozenset({b"VarSet", b"Newexten", b"CEL", b"UserEvent", b"AsyncAGIExec", b"AGIExecStart", b"AGIExecEnd"})

_KEPT = re.compile(
    r"Event|Privilege|ActionID|Timestamp|EventTV|SessionTV|SessionID|.*Uniqueid|.*Linkedid|UniqueID|LinkedID"
    r"|.*BridgeUniqueid|BridgeI[dD]|.*Time|.*State|.*StateDesc|Duration|BillableSeconds|Cause|ListItems",
)
_NAME = re.compile(r".*(?:CallerIDName|ConnectedLineName|CallerIDname)|MemberName|Name")
# Six digits is the shortest public number; extensions stay, agents are known by them.
_NUMBER = re.compile(r"(\+?)([0-9]{6,})")
_INSTANCE = re.compile(r"-[0-9a-f]{8}(?=;[12]|$)")  # of a channel: PJSIP/trunk-00000012
_QUOTED_NAME = re.compile(r'"[^"]*"')

_ROUNDS = 4


class Masker:
    """One key makes one set of pseudonyms: give the same key to recordings that belong together."""

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key or secrets.token_bytes(16)

    def message(self, raw: bytes) -> bytes:
        """Return the message with pseudonyms, empty where it is free text."""
        if raw.startswith(b"Event: ") and raw[7:].partition(b"\r")[0] in _FREE_TEXT:
            return b""
        lines = raw.decode("utf-8", "replace").split("\r\n")
        return "\r\n".join(map(self._line, lines)).encode()

    def number(self, digits: str) -> str:
        """Return another number of the same length that begins the same; +84…, 84… and 0… stay one customer."""
        tail = 7 if len(digits) >= 9 else len(digits) - 2
        return digits[:-tail] + self._permuted(digits[-tail:])

    def name(self, name: str) -> str:
        return f"Person {self._digest(name)[:2].hex()}"

    def _line(self, line: str) -> str:
        header, colon, value = line.partition(": ")
        if not colon or not value or value == "<unknown>" or _KEPT.fullmatch(header):
            return line
        if _NAME.fullmatch(header):
            return f"{header}: {self.name(value)}"
        if header == "CallerID":  # of a Cdr: "name" <number>
            value = _QUOTED_NAME.sub(lambda found: f'"{self.name(found[0])}"', value)
        instance = _INSTANCE.search(value) if header.endswith("Channel") else None
        end = instance.start() if instance else len(value)
        return f"{header}: {_NUMBER.sub(self._found, value[:end])}{value[end:]}"

    def _found(self, found: re.Match[str]) -> str:
        return found[1] + self.number(found[2])

    def _permuted(self, digits: str) -> str:
        """Return the digits through a small Feistel network: every number has exactly one image."""
        half = len(digits) // 2
        left, right = digits[:half], digits[half:]
        for turn in range(_ROUNDS):
            left = self._shifted(left, f"{turn}l{right}")
            right = self._shifted(right, f"{turn}r{left}")
        return left + right

    def _shifted(self, digits: str, by: str) -> str:
        shift = int.from_bytes(self._digest(by)[:8], "big")
        return str((int(digits) + shift) % 10 ** len(digits)).zfill(len(digits))

    def _digest(self, text: str) -> bytes:
        return hmac.digest(self._key, text.encode(), hashlib.sha256)
