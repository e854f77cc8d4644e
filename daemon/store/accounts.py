"""People who sign in. The hash of a password leaves this module only to be verified; an account is never deleted."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from sqlalchemy import bindparam, func, insert, select, update

from daemon.call.rendering import iso_utc
from daemon.call.signals import UnixMs
from daemon.errors import CallwardenError
from daemon.message import Message
from daemon.store.audit import By, Facts, Subject, note
from daemon.store.name import key_error
from daemon.store.reader import Reader
from daemon.store.role import Role
from daemon.store.row import compact_json
from daemon.store.statement import each_of
from daemon.store.tables import accounts, agents, sessions
from daemon.store.work import Query, Row, Work

Language = Literal["vi", "en"]
LANGUAGES: Final[tuple[Language, ...]] = ("vi", "en")
_NAME: Final = re.compile(r"[\w.@+-]{1,64}")
ACCOUNT_NAMES: Final = Message("must be 1 to 64 letters, digits and . _ @ + -, and not . or .. alone")


class AccountTaken(CallwardenError):
    """There is an account of this name already; take another name."""


class BadLink(CallwardenError):
    """The account cannot belong to this agent."""


class LastAdmin(CallwardenError):
    """This is the last admin who can sign in; make another one first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account without its password."""

    name: str
    role: Role
    user_id: str | None
    language: Language
    created_at: UnixMs
    disabled_at: UnixMs | None = None

    def as_json(self) -> dict[str, object]:
        return {
            "name": self.name,
            "role": self.role.value,
            "user_id": self.user_id,
            "language": self.language,
            "disabled": self.disabled_at is not None,
            "created_at": iso_utc(self.created_at),
        }

    def facts(self) -> Facts:
        """What people change of it, without the password."""
        shown = self.as_json()
        return {key: shown[key] for key in ("role", "user_id", "language", "disabled")}


@dataclass(frozen=True, slots=True)
class KnownAccount:
    """With the hash, for the one who verifies."""

    account: Account
    password_hash: str

    def __repr__(self) -> str:
        return f"KnownAccount({self.account.name})"


_COLUMNS = tuple(column for column in accounts.c if column.name != "password_hash")
_PAGE = (
    select(*_COLUMNS)
    .where(accounts.c.name > bindparam("b_after"))
    .order_by(accounts.c.name)
    .limit(bindparam("b_limit"))
)
_ALL = select(*_COLUMNS).order_by(accounts.c.name)
_ONE = select(accounts).where(accounts.c.name == bindparam("b_name"))
_COUNT = select(func.count().label("count")).select_from(accounts)
_OTHER_ADMINS = select(func.count().label("count")).where(
    accounts.c.name != bindparam("b_name"), accounts.c.role == Role.ADMIN.value, accounts.c.disabled_at.is_(None)
)
_AGENT = select(agents.c.user_id).where(agents.c.user_id == bindparam("b_user_id"))
_OWNER = select(accounts.c.name).where(
    accounts.c.user_id == bindparam("b_user_id"), accounts.c.name != bindparam("b_name")
)
_OWNERS = select(accounts.c.user_id, accounts.c.name).where(accounts.c.user_id.is_not(None))
_OWNERS_OF = _OWNERS.where(accounts.c.user_id.in_(each_of("b_user_ids")))
_INSERT = insert(accounts)
_UPDATE = (
    update(accounts)
    .where(accounts.c.name == bindparam("b_name"))
    .values(
        password_hash=bindparam("b_hash"),
        role=bindparam("b_role"),
        user_id=bindparam("b_user_id"),
        language=bindparam("b_language"),
        disabled_at=bindparam("b_disabled_at"),
    )
)
_END_SESSIONS = sessions.delete().where(sessions.c.account == bindparam("b_name"))


def account_name(text: str) -> str | None:
    """The name as it is kept, or None when no account can be called so. `ÁN`, `án` and a composed `án` are one."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text[:256]).casefold()).strip()
    return folded if _NAME.fullmatch(folded) else None


def new_account_name(text: str) -> str | None:
    """The same for an account that is to be made: with the rule for all names, see ACCOUNT_NAMES."""
    name = account_name(text)
    return name if name is not None and key_error(name) is None else None


async def find_account(reads: Reader, name: str) -> KnownAccount | None:
    rows = await reads.fetch(_ONE, {"b_name": name})
    return KnownAccount(account_of(rows[0]), rows[0]["password_hash"]) if rows else None


async def read_account(reads: Reader, name: str) -> Account | None:
    known = await find_account(reads, name)
    return known.account if known else None


async def read_accounts(reads: Reader, after: str = "", limit: int | None = None) -> list[Account]:
    """All of them by name, or one page."""
    if limit is None:
        rows = await reads.fetch(_ALL, {})
    else:
        rows = await reads.fetch(_PAGE, {"b_after": after, "b_limit": limit})
    return [account_of(row) for row in rows]


async def read_owners(reads: Reader, user_ids: Collection[str] | None = None) -> dict[str, str]:
    """The account that belongs to each of these agents, or of all; without those who have none."""
    if user_ids is None:
        rows = await reads.fetch(_OWNERS, {})
    else:
        rows = await reads.fetch(_OWNERS_OF, {"b_user_ids": compact_json(list(user_ids))})
    return {row["user_id"]: row["name"] for row in rows}


def no_account() -> Work[bool]:
    """Whether nobody can sign in yet, asked inside a transaction."""
    rows = yield Query(_COUNT)
    return not rows[0]["count"]


def account_facts(name: str) -> Work[Facts | None]:
    rows = yield Query(_ONE, {"b_name": name})
    return account_of(rows[0]).facts() if rows else None


ACCOUNT: Final = Subject("account", account_facts)


def add_account(account: Account, password_hash: str) -> Work[None]:
    """Raises AccountTaken; BadLink when the agent does not exist or has an account."""
    if (yield Query(_ONE, {"b_name": account.name})):
        raise AccountTaken(Message("There is an account of this name already; take another name."))
    yield from _check_link(account.name, account.user_id)
    yield Query(_INSERT, {**_values(account), "password_hash": password_hash})


def change_account(name: str, values: Mapping[str, object], by: By) -> Work[Account | None]:
    """Only the given ones of `role`, `user_id`, `language`, `disabled`, `password_hash`. None: there is no account.

    Raises LastAdmin, BadLink. A new password, and disabling, ends every session.
    """
    rows = yield Query(_ONE, {"b_name": name})
    if not rows:
        return None
    row = {**rows[0], **{key: value for key, value in values.items() if key != "disabled"}}
    if "disabled" in values:
        row["disabled_at"] = (rows[0]["disabled_at"] or by.at) if values["disabled"] else None
    yield from _keep_an_admin(rows[0], row)
    if values.get("user_id") is not None:
        yield from _check_link(name, row["user_id"])
    yield Query(_UPDATE, _update_values(row))
    if "password_hash" in values:
        yield from note(by, "account.password", f"account:{name}")
    if "password_hash" in values or row["disabled_at"] is not None:
        yield Query(_END_SESSIONS, {"b_name": name})
    return account_of(row)


def account_of(row: Row) -> Account:
    return Account(
        name=row["name"],
        role=Role(row["role"]),
        user_id=row["user_id"],
        language="en" if row["language"] == "en" else "vi",
        created_at=row["created_at"],
        disabled_at=row["disabled_at"],
    )


def _keep_an_admin(old: Row, new: Row) -> Work[None]:
    def rules(row: Row) -> bool:
        return row["role"] == Role.ADMIN.value and row["disabled_at"] is None

    if rules(old) and not rules(new):
        others = yield Query(_OTHER_ADMINS, {"b_name": old["name"]})
        if others[0]["count"] == 0:
            raise LastAdmin(Message("This is the last admin who can sign in; make another one first."))


def _check_link(name: str, user_id: str | None) -> Work[None]:
    if user_id is None:
        return
    if not (yield Query(_AGENT, {"b_user_id": user_id})):
        raise BadLink(Message("there is no agent {name}; add the agent first", name=user_id))
    owners = yield Query(_OWNER, {"b_user_id": user_id, "b_name": name})
    if owners:
        raise BadLink(
            Message(
                "the agent {name} has the account {account}; take it away there first",
                name=user_id,
                account=owners[0]["name"],
            )
        )


def _values(account: Account) -> dict[str, object]:
    return {
        "name": account.name,
        "role": account.role.value,
        "user_id": account.user_id,
        "language": account.language,
        "created_at": account.created_at,
    }


def _update_values(row: Row) -> dict[str, object]:
    return {
        "b_name": row["name"],
        "b_hash": row["password_hash"],
        "b_role": row["role"],
        "b_user_id": row["user_id"],
        "b_language": row["language"],
        "b_disabled_at": row["disabled_at"],
    }
