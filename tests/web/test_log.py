"""The log: one line an event, numbers masked above debug, secrets never, line ends of others harmless."""

from __future__ import annotations

import io
import json
import logging
from typing import Any

import pytest
import structlog

from daemon.config import Secret
from daemon.log import configure_logging

TOKEN = "cw_" + "A" * 43


def _logged(level: str, form: str, **fields: object) -> str:
    stream = io.StringIO()
    configure_logging("debug", form, stream)  # type: ignore[arg-type]
    getattr(structlog.get_logger("test"), level)("something_happened", **fields)
    return stream.getvalue()


def _json(level: str, **fields: object) -> dict[str, Any]:
    line = _logged(level, "json", **fields)
    assert line.count("\n") == 1
    found: dict[str, Any] = json.loads(line)
    return found


@pytest.mark.parametrize("key", ["number", "customer_number", "customer_number_raw", "caller", "hotline", "numbers"])
def test_numbers_are_masked_above_debug(key: str) -> None:
    assert _json("info", **{key: "+84901701234"})[key] == "*********234"
    assert _json("debug", **{key: "+84901701234"})[key] == "+84901701234"
    assert _json("error", call={key: ["0901701234", None, 113]})["call"][key] == ["*******234", None, "***"]


@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize("level", ["debug", "error"])
def test_secrets_are_never_shown(form: str, level: str) -> None:
    text = _logged(
        level, form, token=TOKEN, secret="hunter2", popup_secret="hunter2", headers={"Authorization": "hunter2"},
        note=f"Bearer hunter2hunter2 {TOKEN} whsec_hunter2=", pbx=Secret("hunter2"),
    )  # fmt: skip
    assert "hunter2" not in text
    assert TOKEN not in text


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_line_end_of_others_begins_no_line(form: str) -> None:
    text = _logged("info", form, name="a\nERROR forged\x1b[2J\u2028", call_id="1\r2")
    assert text.count("\n") == 1
    assert "\x1b[2J" not in text
    assert "\r" not in text


def test_exceptions_and_the_libraries_lines_are_events_too() -> None:
    stream = io.StringIO()
    configure_logging("info", "json", stream)
    try:
        int("whsec_abc")
    except ValueError:
        structlog.get_logger("test").exception("broke", call_id="1.2")
        logging.getLogger("aiohttp.server").exception("library %s", "broke")
    logging.getLogger("asyncio").info("chatter")
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["event"] for line in lines] == ["broke", "library broke"]
    assert all("Traceback" in line["exception"] for line in lines)
    assert "whsec_abc" not in stream.getvalue()


def test_a_traceback_steers_no_terminal() -> None:
    stream = io.StringIO()
    configure_logging("info", "console", stream)
    structlog.get_logger("test").error("broke", exc_info=ValueError("a name\x1b[2J\x9b2J\r"))
    text = stream.getvalue()
    assert "ValueError: a name" in text
    assert [one for one in text if not one.isprintable() and one != "\n"] == []
