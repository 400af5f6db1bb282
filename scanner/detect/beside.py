"""Work that goes on beside the main thread's, in order and no more than one step behind."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Beside:
    """Runs steps in a thread of their own, one after the other.

    Array libraries let go of the interpreter while they compute, so that two cores have something to do.
    """

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self._fault: BaseException | None = None

    def run(self, step: Callable[[], None]) -> None:
        """Begin a step, once the one before has ended.

        Raises:
            BaseException: what that one raised.
        """
        self.wait()
        self._thread = threading.Thread(target=self._carry_out, args=(step,), daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Return once nothing is going on.

        Raises:
            BaseException: what the last step raised.
        """
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._fault is not None:
            fault, self._fault = self._fault, None
            raise fault

    def _carry_out(self, step: Callable[[], None]) -> None:
        try:
            step()
        except BaseException as fault:  # noqa: BLE001 # it is raised where somebody waits
            self._fault = fault
