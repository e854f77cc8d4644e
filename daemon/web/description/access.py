"""Who may use Callwarden: the session, accounts, tokens, and the log of changes."""

from __future__ import annotations

from typing import Final

from daemon.store.password import LONGEST, SHORTEST
from daemon.web.accounts import AccountForm, NewAccount
from daemon.web.description import access_answers as answers
from daemon.web.description.model import (
    PAGING,
    Answer,
    Body,
    Description,
    Descriptions,
    ListOf,
    Schema,
    path,
    text,
    time,
)
from daemon.web.description.seen import ETAG, IF_MATCH, OVERTAKEN
from daemon.web.session import SessionForm
from daemon.web.tokens import TokenForm

_ACCOUNT: Final = path("name", "The name that is typed to sign in.", 256)
_PASSWORD: Final[dict[str, Schema]] = {"password": {"minLength": SHORTEST, "maxLength": LONGEST}}
_NEW: Final[dict[str, Schema]] = {
    "name": {
        "description": "Letters, digits and . _ @ + -; not . or .. alone.",
        "minLength": 1,
        "maxLength": 64,
        "examples": ["an"],
    },
    **_PASSWORD,
}
_LAST_ADMIN: Final = "Somebody must be admin, and nobody sets his own password here. Nothing was changed."

ACCESS: Final[Descriptions] = {
    ("GET", "/session"): Description(
        tag="Session",
        summary="Who asks, and what changes of a signed-in browser must carry.",
        answers={200: Answer("Who asks.", answers.Session)},
    ),
    ("PATCH", "/session"): Description(
        tag="Session",
        summary="Changes the language of your own account; a token has none.",
        body=Body(SessionForm),
        answers={200: Answer("The language as it is now.", answers.SessionLanguage)},
        refusals={409: "A token asked: it has no language."},
    ),
    ("GET", "/sessions"): Description(
        tag="Session",
        summary="The browsers in which one's own account is signed in, the last used first.",
        more="A token has none.",
        answers={200: Answer("At most a hundred of them.", ListOf(answers.OpenSession))},
    ),
    ("DELETE", "/sessions/{session_id}"): Description(
        tag="Session",
        summary="Signs one's own account out in one browser, at once.",
        parameters=(path("session_id", "The id of one of one's own sessions.", 64),),
        answers={204: Answer("Signed out there.")},
    ),
    ("GET", "/accounts"): Description(
        tag="Accounts",
        summary="Accounts, by name.",
        parameters=PAGING,
        answers={200: Answer("A page of accounts.", ListOf(answers.Account))},
    ),
    ("POST", "/accounts"): Description(
        tag="Accounts",
        summary="Makes an account; without a language it gets that of the call settings.",
        body=Body(NewAccount, refined=_NEW),
        answers={201: Answer("The account.", answers.Account, ETAG)},
        refusals={409: "The name is taken. Nothing was changed."},
    ),
    ("GET", "/accounts/{name}"): Description(
        tag="Accounts",
        summary="One account.",
        parameters=(_ACCOUNT,),
        answers={200: Answer("The account.", answers.Account, ETAG)},
    ),
    ("PATCH", "/accounts/{name}"): Description(
        tag="Accounts",
        summary="Changes an account; what is left out stays.",
        more="A new password, and disabling, ends every session of the account; a new role counts at once.",
        parameters=(_ACCOUNT, IF_MATCH),
        body=Body(AccountForm, partial=True, refined=_PASSWORD),
        answers={200: Answer("The account as it is now.", answers.Account, ETAG)},
        refusals={409: _LAST_ADMIN, 412: OVERTAKEN},
    ),
    ("DELETE", "/accounts/{name}/sessions"): Description(
        tag="Accounts",
        summary="Signs an account out everywhere.",
        parameters=(_ACCOUNT,),
        answers={204: Answer("Signed out.")},
    ),
    ("GET", "/tokens"): Description(
        tag="Tokens",
        summary="Tokens, newest first, the revoked ones too.",
        parameters=PAGING,
        answers={200: Answer("A page of tokens.", ListOf(answers.Token))},
    ),
    ("POST", "/tokens"): Description(
        tag="Tokens",
        summary="Makes a token.",
        body=Body(TokenForm),
        answers={201: Answer("The token.", answers.NewToken)},
    ),
    ("DELETE", "/tokens/{token_id}"): Description(
        tag="Tokens",
        summary="Revokes a token: it opens nothing from the next request on, and streams it opened end.",
        parameters=(path("token_id", "The id of a token.", 40),),
        answers={204: Answer("Revoked.")},
    ),
    ("GET", "/audit"): Description(
        tag="Changes",
        summary="Who changed what, newest first.",
        parameters=(
            text("by", "Changed by this account, token or command."),
            text("action", "This action, as `agent.change`."),
            text("object", "Of this thing, as `agent:an`."),
            time("from", "Then or later."),
            time("to", "Before."),
            *PAGING,
        ),
        answers={200: Answer("A page of changes.", ListOf(answers.AuditEntry))},
    ),
}
