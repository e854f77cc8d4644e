"""The objects of the answers about people, programs and what they changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from daemon.store.accounts import Language
from daemon.store.role import Role
from daemon.web.description.answers import Time


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Who asks."""

    name: Annotated[str, Field(description="An account's, or `token:` with its label and id.")]
    role: Role
    user_id: str | None
    language: Language | None
    csrf_token: Annotated[str | None, Field(description="What changes of this session carry; null for a token.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLanguage:
    language: Language


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSession:
    """A browser in which somebody is signed in."""

    session_id: Annotated[str, Field(description="Names it; opens nothing.")]
    user_agent: Annotated[str, Field(description="What the browser says it is.")]
    remote: Annotated[str | None, Field(description="The address from which it signed in.")]
    created_at: Time
    last_seen_at: Time
    current: Annotated[bool, Field(description="The one that asks.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A person who signs in."""

    name: str
    role: Role
    user_id: Annotated[str | None, Field(description="The agent that this account is.")]
    language: Language
    disabled: bool
    created_at: Time


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """The key of a program, without the key."""

    token_id: str
    role: Role
    label: str
    created_at: Time
    created_by: Annotated[str | None, Field(description="The account or command that answers for it; null: unknown.")]
    last_used_at: Annotated[Time | None, Field(description="To the minute.")]
    revoked_at: Time | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken(Token):
    """A token just made."""

    token: Annotated[str, Field(description="Shown this once.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """Who changed what, from what to what."""

    audit_id: str
    at: Time
    by: str
    action: Annotated[str, Field(examples=["agent.change"])]
    object: Annotated[str, Field(examples=["agent:an"])]
    old: Annotated[dict[str, Any] | None, Field(description="What was other before; null: it was not there.")]
    new: Annotated[dict[str, Any] | None, Field(description="What it is now; null: it is gone.")]
    remote: Annotated[str | None, Field(description="The address that asked; null: the machine itself.")]
