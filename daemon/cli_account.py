"""`callwarden account …`: people who sign in to the pages. A password is never taken from the command line's words."""

from __future__ import annotations

import asyncio
import getpass
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import typer

from daemon.cli_options import ConfigFile, operator
from daemon.errors import CallwardenError, ConfigError
from daemon.store.role import Role

if TYPE_CHECKING:
    from daemon.store.accounts import Account
    from daemon.store.store import Store

T = TypeVar("T")

account_app = typer.Typer(help="Accounts: the people who sign in.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The account: letters, digits and . _ @ + -")]
PasswordFile = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="Read the password from this file, or from standard input (-), not from here."),
]
_FILE_LIMIT = 4096


@account_app.command("add")
def account_add(
    name: Name,
    config: ConfigFile,
    role: Annotated[Role, typer.Option(help="What the account may do.")],
    user_id: Annotated[str | None, typer.Option(help="The agent who this person is.")] = None,
    language: Annotated[
        Literal["vi", "en"] | None, typer.Option(help="Language of the pages; else that of the call settings.")
    ] = None,
    password_file: PasswordFile = None,
) -> None:
    """Make an account; the password is asked for twice."""
    kept = _checked_name(name, new=True)
    password = _password(kept, password_file)

    async def add(store: Store) -> None:
        from daemon.clock import now_ms
        from daemon.store.accounts import ACCOUNT, Account, add_account
        from daemon.store.audit import audited
        from daemon.store.password import hash_password
        from daemon.store.settings import read_settings

        spoken = language or (await read_settings(store.reader)).settings.language
        account = Account(name=kept, role=role, user_id=user_id, language=spoken, created_at=now_ms())
        who, password_hash = operator(now_ms()), hash_password(password)
        await store.writer.change(lambda: audited(who, ACCOUNT, kept, lambda: add_account(account, password_hash)))

    _with_store(config, add)
    typer.echo(f"{kept}: added as {role.value}")


@account_app.command("list")
def account_list(config: ConfigFile) -> None:
    """Print every account on a line: name, role, agent, language, state."""

    async def read(store: Store) -> list[Account]:
        from daemon.store.accounts import read_accounts

        return await read_accounts(store.reader)

    rows = [("NAME", "ROLE", "AGENT", "LANGUAGE", "STATE"), *(_row(account) for account in _with_store(config, read))]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    for row in rows:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@account_app.command("password")
def account_password(name: Name, config: ConfigFile, password_file: PasswordFile = None) -> None:
    """Set a new password; the account is signed out everywhere."""
    kept = _checked_name(name)
    password = _password(kept, password_file)

    async def change(store: Store) -> Account | None:
        from daemon.clock import now_ms
        from daemon.store.accounts import change_account
        from daemon.store.password import hash_password

        who, password_hash = operator(now_ms()), hash_password(password)
        return await store.writer.change(lambda: change_account(kept, {"password_hash": password_hash}, who))

    if _with_store(config, change) is None:
        raise CallwardenError(f"there is no account {kept}; callwarden account list shows them")
    typer.echo(f"{kept}: new password; signed out everywhere")


def _with_store(config: Path, work: Callable[[Store], Awaitable[T]]) -> T:
    from daemon.config import load_config
    from daemon.store.store import Store

    async def run(url: str) -> T:
        store = await Store.open(url)
        try:
            return await work(store)
        finally:
            await store.close()

    return asyncio.run(run(load_config(config).store.url))


def _checked_name(name: str, *, new: bool = False) -> str:
    from daemon.store.accounts import ACCOUNT_NAMES, account_name, new_account_name

    kept = new_account_name(name) if new else account_name(name)
    if kept is None:
        raise ConfigError(f"the account's NAME {ACCOUNT_NAMES}")
    return kept


def _password(account: str, source: str | None) -> str:
    """From the file, or asked for twice. Raises ConfigError when it will not do, and never says it."""
    from daemon.store.password import WeakPassword, refuse_weak

    password = _typed() if source is None else _read(source)
    try:
        refuse_weak(password, account)
    except WeakPassword as weak:
        raise ConfigError(f"the password {weak}") from weak
    return password


def _typed() -> str:
    if not sys.stdin.isatty():
        raise ConfigError(
            "there is no terminal to ask for the password; use --password-file FILE (- is standard input)"
        )
    first = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != first:
        raise ConfigError("the two passwords differ; start again")
    return first


def _read(source: str) -> str:
    """One line; its end does not belong to the password."""
    try:
        raw = sys.stdin.buffer.read(_FILE_LIMIT) if source == "-" else Path(source).read_bytes()[:_FILE_LIMIT]
        return raw.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except OSError as error:
        raise ConfigError(f"{source}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{source}: this is not UTF-8 text") from error


def _row(account: Account) -> tuple[str, str, str, str, str]:
    state = "disabled" if account.disabled_at is not None else "active"
    return account.name, account.role.value, account.user_id or "-", account.language, state
