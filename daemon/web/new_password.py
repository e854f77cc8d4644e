"""What a person typed into the two fields of a new password: what is wrong with it, field by field."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from daemon.store.password import WeakPassword, refuse_weak


def new_password_errors(form: Mapping[str, str], account: str, _: Callable[[str], str]) -> dict[str, str]:
    """By the names of the fields, `password` and `again`; empty when it can be taken."""
    password = form.get("password", "")
    try:
        refuse_weak(password, account)
    except WeakPassword as weak:
        return {"password": _(weak.message)}
    return {} if form.get("again") == password else {"again": _("The two passwords differ.")}
