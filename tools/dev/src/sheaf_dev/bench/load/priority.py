"""The generator's priority: it stands for clients on machines of their own.

What the system under test does must not keep it from its schedule. It needs little of a core, so
that it goes first costs the others little; its CPU time is reported apart.
"""

import os
from typing import Final

_LOWEST_REAL_TIME: Final = 1
_NICE: Final = -10


def raise_priority() -> str:
    """Takes the best priority that this process may have; says which it was.

    Real-time scheduling needs CAP_SYS_NICE or RLIMIT_RTPRIO, a lower niceness the same or
    RLIMIT_NICE; with neither the generator competes as everybody else does.
    """
    if hasattr(os, "sched_setscheduler"):  # not on macOS
        try:
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(_LOWEST_REAL_TIME))
        except OSError:  # may not: the next best
            pass
        else:
            return f"real time (SCHED_RR {_LOWEST_REAL_TIME})"
    try:
        os.setpriority(os.PRIO_PROCESS, 0, _NICE)
    except OSError:  # may not: as it is, and the report says so
        return f"nice {os.getpriority(os.PRIO_PROCESS, 0)}, not raised: not permitted"
    return f"nice {_NICE}"
