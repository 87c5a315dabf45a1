"""
Starts a program that file modes hold for, also when root starts it.

Root's capability to pass over modes is taken from everything that is started from here. An
ordinary user has none to begin with.
"""

import ctypes
import os
import sys

_PR_CAPBSET_DROP = 24
_CAP_DAC_OVERRIDE = 1
_CAP_DAC_READ_SEARCH = 2


def main(arguments: list[str]) -> None:
    """Become the program that *arguments* name."""
    if os.geteuid() == 0 and sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        for capability in (_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH):
            if libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0):
                sys.exit(f"capability {capability} cannot be dropped")
    os.execv(arguments[0], arguments)  # noqa: S606 - a launcher launches


if __name__ == "__main__":
    main(sys.argv[1:])
