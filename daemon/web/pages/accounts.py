"""`/settings/accounts`: people who sign in, what each may do, and the way in for a new one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

from aiohttp import web

from daemon.store.accounts import LANGUAGES, Account, account_name, read_account, read_accounts, read_owners
from daemon.store.agents import Agent, read_agent_names, read_agents
from daemon.store.password import SHORTEST
from daemon.store.role import Role
from daemon.store.session_pages import SignIns, read_last_sign_in, read_open_sessions, read_sign_ins
from daemon.store.settings import read_settings
from daemon.store.tokens import read_live_tokens
from daemon.web.caller import signed_in
from daemon.web.if_match import version
from daemon.web.page import show, words
from daemon.web.pages.browsers import browser_rows
from daemon.web.pages.filters import address_of, cursor, filters
from daemon.web.problem import not_found
from daemon.web.query import pack, path_part
from daemon.web.services import services
from daemon.web.vocabulary import LANGUAGES_CALLED, ROLES, ROLES_MEAN
from daemon.web.words import Translate

_PATH: Final = "/settings/accounts"
_NAME_LIMIT: Final = 256
_ROWS: Final = 100
_NEVER: Final = SignIns()


async def show_accounts(request: web.Request) -> web.Response:
    parts, _, place = services(request), words(request), cursor(request, str)
    after = str(place[0]) if place else ""
    found = await read_accounts(parts.reads, after, _ROWS + 1)
    sign_ins = await read_sign_ins(parts.reads, parts.clock(), after, _ROWS)
    shown = found[:_ROWS]
    agents = await read_agent_names(parts.reads, [one.user_id for one in shown if one.user_id is not None])
    return await show(
        request,
        "accounts.html",
        accounts=[
            {
                "account": one,
                "path": f"{_PATH}/{quote(one.name, safe='')}",
                "role": _(ROLES[one.role]),
                "agent": agents.get(one.user_id or "", one.user_id),
                "sign_ins": sign_ins.get(one.name, _NEVER),
            }
            for one in shown
        ],
        following=address_of(_PATH, {"cursor": pack([shown[-1].name])}) if len(found) > _ROWS else None,
        first=_PATH if place else None,
    )


async def show_new_account(request: web.Request) -> web.Response:
    """The query may bring the `user_id` of the agent it is for."""
    parts, _ = services(request), words(request)
    return await show(
        request,
        "new_account.html",
        chosen=filters(request, ("user_id",)).get("user_id"),
        **_choices(_),
        agents=await _free_agents(request, None),
        language=(await read_settings(parts.reads)).settings.language,
    )


async def show_account(request: web.Request) -> web.Response:
    parts, _ = services(request), words(request)
    account = await read_account(parts.reads, account_name(path_part(request, "name", _NAME_LIMIT)) or "")
    if account is None:
        raise not_found("account")
    session = signed_in(request)
    sessions = [] if account.disabled_at else await read_open_sessions(parts.reads, account.name, parts.clock())
    return await show(
        request,
        "account.html",
        **_choices(_),
        account=account,
        version=version(account.facts()),
        key=quote(account.name, safe=""),
        is_mine=account.name == session.account.name,
        role_word=_(ROLES[account.role]),
        agents=await _free_agents(request, account),
        tokens=[
            {"token": one, "name": one.label or one.token_id, "role": _(ROLES[one.role])}
            for one in await read_live_tokens(parts.reads, account.name)
        ],
        browsers=browser_rows(sessions, session, _),
        last_sign_in=await read_last_sign_in(parts.reads, account.name),
        changes=address_of("/settings/audit", {"object": f"account:{account.name}"}),
    )


def _choices(_: Translate) -> dict[str, Any]:
    return {
        "roles": [(role.value, _(ROLES[role]), _(ROLES_MEAN[role])) for role in reversed(Role)],
        "languages": [(code, LANGUAGES_CALLED[code]) for code in LANGUAGES],
        "shortest": SHORTEST,
    }


async def _free_agents(request: web.Request, account: Account | None) -> list[tuple[str | None, str]]:
    """Nobody, and the agents who have no account but this one."""
    parts, _ = services(request), words(request)
    owners = await read_owners(parts.reads)
    mine = account and account.name
    free: Sequence[Agent] = [
        agent for agent in await read_agents(parts.reads) if owners.get(agent.user_id, mine) == mine
    ]
    options: list[tuple[str | None, str]] = [(agent.user_id, _agent_word(agent)) for agent in free]
    if account and account.user_id and account.user_id not in {agent.user_id for agent in free}:
        options.append((account.user_id, _("{name} (deleted)").format(name=account.user_id)))
    return [(None, _("No agent")), *options]


def _agent_word(agent: Agent) -> str:
    return agent.user_id if agent.name in ("", agent.user_id) else f"{agent.name} ({agent.user_id})"
