"""Processes of a benchmark: each side in its own, so that none slows another but by using the machine."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Self

_SPAWN = multiprocessing.get_context("spawn")
_ANSWER_WITHIN_S = 120.0


class Side:
    """A process that runs `work(pipe, *arguments)`; ask it through the pipe. It ends with the `with` block.

    `endless` work does not notice that the pipe is closed, and is ended from outside.
    """

    def __init__(self, work: Callable[..., None], *arguments: object, endless: bool = False) -> None:
        self._patience_s = 0.0 if endless else 5.0
        self._pipe, self._far = _SPAWN.Pipe()
        self._process = _SPAWN.Process(target=work, args=(self._far, *arguments), daemon=True)

    def __enter__(self) -> Self:
        self._process.start()
        self._far.close()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._pipe.close()  # what waits for orders then ends by itself
        self._process.join(self._patience_s)
        if self._process.is_alive():
            self._process.terminate()
            self._process.join(5.0)

    def tell(self, message: object) -> None:
        self._pipe.send(message)

    def hear(self) -> Any:
        """What the process says next. EOFError: it failed, and has said why on stderr."""
        if not self._pipe.poll(_ANSWER_WITHIN_S):
            raise TimeoutError("a process of the benchmark does not answer")
        return self._pipe.recv()

    def ask(self, message: object) -> Any:
        self.tell(message)
        return self.hear()


def orders(pipe: Connection) -> Any:
    """Yield what is asked until nobody can ask any more."""
    while True:
        try:
            yield pipe.recv()
        except EOFError:
            return
