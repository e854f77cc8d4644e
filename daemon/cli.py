"""The command `callwarden`: what can be asked, and the exit codes (0 fine, 1 failed, 2 wrong usage or config)."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from daemon.ami.dialplan import Kind
from daemon.cli_account import account_app
from daemon.cli_data import backup, check_database, restore
from daemon.cli_doctor import doctor
from daemon.cli_options import ConfigFile, MaybeConfigFile, operator
from daemon.cli_privacy import compact, customer_app, retention
from daemon.cli_summary import summary
from daemon.errors import CallwardenError, ConfigError
from daemon.store.role import Role

app = typer.Typer(
    name="callwarden",
    help="Follows every call of your PBX: tickets, merged missed calls, screen pops, signed webhooks.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
token_app = typer.Typer(help="Tokens for the API.", no_args_is_help=True)
app.add_typer(token_app, name="token")
app.add_typer(account_app, name="account")
app.command()(doctor)
app.add_typer(customer_app, name="customer")

_DEMO_UNWATCHED_S = 20.0
_BIG_TRACE = 5_000_000  # bytes; below it a progress bar would only flash


def _country(text: str) -> str:
    from phonenumbers import SUPPORTED_REGIONS

    if text.upper() not in SUPPORTED_REGIONS:
        raise typer.BadParameter("must be an ISO 3166 country of two letters, as VN")
    return text.upper()


def _one_line(text: str) -> str:
    """As the API would take it: bytes that are no UTF-8 arrive as half surrogate pairs, which no store keeps."""
    from daemon.web.query import unusable

    if unusable(text, 255):
        raise typer.BadParameter("must be one line of UTF-8 text, at most 255 characters long")
    return text


@app.command()
def serve(config: ConfigFile) -> None:
    """Follow the PBXs of the configuration until told to stop (SIGTERM, Ctrl-C)."""
    from daemon.config import load_config
    from daemon.log import configure_logging
    from daemon.service import serve as follow

    settings = load_config(config)
    if not settings.pbx:
        raise ConfigError(f"{config}: name at least one PBX in a [[pbx]] table")
    configure_logging(settings.log.level, settings.log.format)
    _run(follow(config, settings))


@app.command()
def demo(
    port: Annotated[int, typer.Option(help="Port of the API and pages; 0 takes a free one.")] = 8088,
    seconds: Annotated[
        float | None, typer.Option(help="Stop after so long, 0: at Ctrl-C. Without a terminal it stops after 20.")
    ] = None,
) -> None:
    """Show it at work: a simulated PBX plays calls, a little CRM page gets the popups."""
    from daemon.demo.run import run_demo

    limit = seconds if seconds is not None else (0.0 if sys.stdout.isatty() else _DEMO_UNWATCHED_S)
    _run(run_demo(port, limit))


@app.command()
def replay(
    traces: Annotated[
        list[Path], typer.Argument(metavar="TRACE...", help="Raw AMI bytes or `record` output, in order.")
    ],
    agent: Annotated[list[str] | None, typer.Option(metavar="USERID=ENDPOINT", help="Whose phone is whose.")] = None,
    country: Annotated[str, typer.Option(help="Country of numbers without a country code.", callback=_country)] = "VN",
    config: MaybeConfigFile = None,
) -> None:
    """Tell what a recorded AMI stream means: one JSON object a line, a summary last. No network."""
    from daemon.ami.trace import refuse_foreign
    from daemon.replay import print_line
    from daemon.replay import replay as play

    for trace in traces:
        if not trace.is_file():
            raise ConfigError(f"{trace}: there is no such trace")
        refuse_foreign(trace)
    scene = asyncio.run(_scene(agent or [], country, config))
    with _progress(traces) as advance:
        _run(play(traces, scene, print_line, advance))


@app.command()
def record(
    out: Annotated[Path, typer.Argument(help="The file to write (JSON Lines; .gz is compressed).")],
    config: ConfigFile,
    pbx: Annotated[str | None, typer.Option(help="Which PBX, when the configuration has several.")] = None,
    mask: Annotated[bool, typer.Option("--mask", help="Replace numbers and names by consistent false ones.")] = False,
    seconds: Annotated[float, typer.Option(help="Stop after so long; 0 runs until Ctrl-C.")] = 0.0,
) -> None:
    """Record what a PBX sends, to replay it later or to report a bug with it."""
    from daemon.app import ami_config
    from daemon.config import load_config
    from daemon.record import record as keep

    chosen = _choose_pbx(load_config(config).pbx, pbx)
    _run(keep(ami_config(chosen), out, mask=mask, seconds=seconds))


@app.command("check-config")
def check_config(config: ConfigFile) -> None:
    """Say whether the configuration is right, and change nothing."""
    from daemon.app import Daemon
    from daemon.config import load_config
    from daemon.store.store import database_path

    settings = load_config(config)
    database_path(settings.store.url)
    Daemon(settings)
    names = ", ".join(pbx.name for pbx in settings.pbx) or "no PBX yet"
    typer.echo(f"{config}: fine ({names})")


@app.command("asterisk-config")
def asterisk_config(
    config: MaybeConfigFile = None,
    pbx: Annotated[str | None, typer.Option(help="Which PBX, when the configuration has several.")] = None,
    phone_messages: Annotated[
        bool, typer.Option("--phone-messages", help="Also the right to show on ringing phones who calls.")
    ] = False,
    phone_keys: Annotated[
        bool, typer.Option("--phone-keys", help="Also the right to answer and hold on phones: system, a wide one.")
    ] = False,
    dialplan: Annotated[Kind | None, typer.Option(help="Print the dialplan for ringtones instead.")] = None,
) -> None:
    """Print what to paste into Asterisk: the manager user with the least rights, or the dialplan for ringtones."""
    from daemon.ami.dialplan import printed
    from daemon.ami.manager_conf import ManagerUser, Wishes, stanza
    from daemon.config import load_config

    if dialplan is not None:
        typer.echo(printed(dialplan), nl=False)
        return
    wishes = Wishes(phone_messages, phone_keys)
    user = ManagerUser(wishes=wishes)
    if config is not None:
        chosen = _choose_pbx(load_config(config).pbx, pbx)
        user = ManagerUser(chosen.username, chosen.secret.reveal(), wishes=wishes)
    typer.echo(stanza(user), nl=False)


@app.command("install-service")
def install_service(
    root: Annotated[Path, typer.Option(help="Write below this folder instead of the machine's own root.")] = Path("/"),
    show: Annotated[bool, typer.Option("--print", help="Print the files and write nothing.")] = False,
    command: Annotated[Path | None, typer.Option(help="The command that the unit starts; without: this one.")] = None,
) -> None:
    """Make a systemd service of this installation: unit, user, folders and a configuration to fill in."""
    from daemon.service_files import NEXT_STEPS, install, service_files, this_command

    files = service_files(command or this_command())
    if show:
        typer.echo("\n".join(f"# {file.path}\n{file.text}" for file in files if file.text is not None), nl=False)
        return
    for path in install(files, root):
        typer.echo(f"wrote {path}")
    typer.echo("next:\n" + "\n".join(f"  {number}. {step}" for number, step in enumerate(NEXT_STEPS, 1)))


@app.command("catch-up")
def catch_up(
    config: ConfigFile,
    since: Annotated[str, typer.Option("--from", help="As 2026-11-22T10:00, in the call settings' time zone.")],
    until: Annotated[str, typer.Option("--to", help="The same; without: now.")] = "",
    pbx: Annotated[str | None, typer.Option(help="Which PBX, when several have records.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and write nothing.")] = False,
) -> None:
    """Read what the PBX wrote of a span and make the calls and tickets that are missing. Again is harmless."""
    from daemon.catch_up_command import catch_up_span, on_terminal
    from daemon.config import load_config

    said: list[str] = []
    with on_terminal() as told:
        _run(catch_up_span(load_config(config), since, until, pbx, dry=dry_run, say=said.append, told=told))
    typer.echo("\n".join(said))


@token_app.command("create")
def token_create(
    config: ConfigFile,
    role: Annotated[Role, typer.Option(help="What the token may do.")],
    label: Annotated[str, typer.Option(help="What it is for, as shown in lists.", callback=_one_line)] = "",
) -> None:
    """Make a token and print it alone, once; only its hash is kept."""
    from daemon.config import load_config

    typer.echo(asyncio.run(_new_token(load_config(config).store.url, role, label)))


app.command()(backup)
app.command()(restore)
app.command("check-database")(check_database)
app.command()(retention)
app.command()(compact)
app.command()(summary)


def main() -> None:
    """Run the command; every failure, wrong usage too, is one line on stderr."""
    try:
        sys.exit(app(standalone_mode=False))  # None, or the code of an early exit as of --help
    except typer.TyperException as error:
        _fail_usage(error)
    except typer.Abort:
        _fail(CallwardenError("stopped"), 1)
    except ConfigError as error:
        _fail(error, 2)
    except CallwardenError as error:
        _fail(error, 1)
    except BrokenPipeError:
        _quiet_exit()


async def _scene(agents: list[str], country: str, config: Path | None) -> Any:
    from daemon.replay import Scene, agents_from

    if config is None:
        return Scene(agents_from(agents, country))
    from daemon.config import load_config
    from daemon.rules import read_rules
    from daemon.store.store import Store

    store = await Store.open(load_config(config).store.url)
    try:
        rules, directory = await read_rules(store)
    finally:
        await store.close()
    return Scene(agents_from(agents, country) if agents else directory, rules)


async def _new_token(url: str, role: Role, label: str) -> str:
    from daemon.clock import now_ms
    from daemon.store.audit import audited
    from daemon.store.store import Store
    from daemon.store.tokens import TOKEN, add_token, new_token, token_id_of

    token, who = new_token(), operator(now_ms())
    store = await Store.open(url)
    try:
        await store.writer.change(
            lambda: audited(who, TOKEN, token_id_of(token), lambda: add_token(token, role, label, who.at, who.name))
        )
    finally:
        await store.close()
    return token


def _choose_pbx(found: Any, name: str | None) -> Any:
    chosen = [pbx for pbx in found if name is None or pbx.name == name]
    if len(chosen) != 1:
        names = ", ".join(pbx.name for pbx in found) or "none"
        raise ConfigError(f"say which PBX with --pbx NAME (the configuration has: {names})")
    return chosen[0]


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Run until done, or until SIGTERM or Ctrl-C ask to stop, which is a good end. uvloop where it is installed."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_stoppable(work))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


async def _stoppable(work: Coroutine[Any, Any, None]) -> None:
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    with suppress(asyncio.CancelledError):
        await task


@contextmanager
def _progress(traces: Sequence[Path]) -> Iterator[Callable[[Path, int], None] | None]:
    """A bar on stderr for traces long enough to wait for; None where nobody would see it."""
    total = sum(trace.stat().st_size for trace in traces)
    if total < _BIG_TRACE or not sys.stderr.isatty():
        yield None
        return
    done: dict[Path, int] = {}
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Replaying", total=total)

        def advance(trace: Path, read: int) -> None:
            done[trace] = read
            bar.update(task, completed=sum(done.values()))

        yield advance


def _fail(error: Exception, code: int) -> NoReturn:
    sys.stderr.write(f"callwarden: {' '.join(str(error).split())}\n")
    sys.exit(code)


def _fail_usage(error: typer.TyperException) -> NoReturn:
    message, context = error.format_message().rstrip("."), getattr(error, "ctx", None)
    if not message:  # no command was given: typer has shown the help instead
        sys.exit(error.exit_code)
    advice = f"; see {context.command_path} --help" if context else ""
    _fail(CallwardenError(message + advice), error.exit_code)


def _quiet_exit() -> NoReturn:
    """Whoever read our output has gone (`| head`): no error worth words."""
    with suppress(OSError):
        sys.stdout = None  # or the interpreter flushes into the closed pipe
    sys.exit(1)
