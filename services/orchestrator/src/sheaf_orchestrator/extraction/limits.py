"""Every number that bounds extraction, in one frozen object."""

import msgspec

MIB = 1024 * 1024
GIB = 1024 * MIB


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The bounds of a pool, its subprocesses and each document.

    Immutable, and the same in the parent and in every subprocess. ``_s`` is seconds and
    ``_bytes`` bytes.
    """

    # --- a document, judged by the extractor: fails at once or completes as partial
    content_bytes: int = 256 * MIB
    """Largest document accepted; over it TOO_LARGE."""
    pages: int = 2_000
    """Most pages; over it TOO_MANY_PAGES, before any page is read."""
    characters: int = 50_000_000
    """Most characters of text kept; over it the result is partial (OUTPUT_LIMIT)."""
    warnings: int = 100
    """Most warnings kept in a result."""
    outline_entries: int = 2_000
    """Most outline entries kept."""
    soft_s: float = 20.0
    """Wall time after which no further page is begun: partial (TIME_LIMIT)."""

    # --- a document, enforced from outside: the subprocess is killed
    wall_s: float = 30.0
    """Wall time of a document, transfer included; then SIGKILL to the process group."""
    cpu_s: int = 25
    """CPU time of a document (RLIMIT_CPU), which holds even when the parent stands still."""
    rss_bytes: int = 1 * GIB
    """Resident memory at which the parent kills the subprocess."""
    reply_bytes: int = 512 * MIB
    """Largest answer that the parent takes from a subprocess."""

    # --- a subprocess, enforced by the kernel
    address_space_bytes: int = 2 * GIB
    """RLIMIT_AS."""
    file_size_bytes: int = 64 * MIB
    """RLIMIT_FSIZE."""
    open_files: int = 64
    """RLIMIT_NOFILE."""
    processes: int = 0
    """RLIMIT_NPROC: 0 means that it can start neither process nor thread (root is exempt)."""
    niceness: int = 0
    """Added to the nice value of the parent."""

    # --- recycling and start
    documents_per_worker: int = 500
    """Documents after which a subprocess is replaced."""
    recycle_rss_bytes: int = 300 * MIB
    """Resident memory after a document from which a subprocess is replaced."""
    start_s: float = 20.0
    """Time for a subprocess to say hello."""
    start_failures: int = 3
    """Failed starts in a row after which callers get WorkersUnavailable instead of waiting."""
    start_backoff_s: float = 0.1
    """Pause after the first failed start; doubles with each further one."""
    start_backoff_max_s: float = 5.0
    """Longest such pause."""
    stderr_tail_bytes: int = 4_096
    """How much of a subprocess's standard error is kept as evidence."""

    # --- callers
    waiting: int = 256
    """Most callers waiting for a subprocess; further ones get PoolBusy at once."""
    wait_s: float = 60.0
    """Longest wait for a subprocess; then PoolBusy."""
