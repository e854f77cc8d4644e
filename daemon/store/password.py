"""How passwords are kept: argon2id (RFC 9106). Hashing takes a tenth of a second: never on the event loop's thread."""

from __future__ import annotations

import unicodedata
from typing import Final

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from daemon.errors import CallwardenError
from daemon.message import Message

SHORTEST: Final = 10
LONGEST: Final = 256
_DIFFERENT: Final = 5

# The second choice of RFC 9106 §4, but one lane: the other cores are the telephones'.
hasher = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=1, type=Type.ID)


class WeakPassword(CallwardenError):
    """This password is too easy to guess; take a longer one."""


def hash_password(password: str) -> str:
    """Blocks; the salt is in the result."""
    return hasher.hash(_normal(password))


def verify_password(password_hash: str, password: str) -> bool:
    """Blocks as long as hashing."""
    try:
        return hasher.verify(password_hash, _normal(password))
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(password_hash: str) -> bool:
    """Made with other costs than today's."""
    return hasher.check_needs_rehash(password_hash)


def refuse_weak(password: str, account: str) -> None:
    """Length is what counts (NIST SP 800-63B §3.1.1.2). Raises WeakPassword with what to do."""
    text = _normal(password)
    if not SHORTEST <= len(text) <= LONGEST:
        raise WeakPassword(Message("must have {least} to {most} characters", least=SHORTEST, most=LONGEST))
    if any(0xD800 <= ord(char) < 0xE000 or char in "\x00\r\n" for char in text):
        raise WeakPassword(Message("must be one line of text"))
    if len(set(text)) < _DIFFERENT:
        raise WeakPassword(Message("must have at least {n} different characters", n=_DIFFERENT))
    if account.casefold() in text.casefold() and len(text) - len(account) < SHORTEST // 2:
        raise WeakPassword(Message("must be more than the account's name"))


def _normal(password: str) -> str:
    """Keyboards compose Vietnamese letters differently; the same text must be the same password."""
    return unicodedata.normalize("NFKC", password[: 4 * LONGEST])
