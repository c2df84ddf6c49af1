"""Every number that bounds extraction, in one frozen object."""

from typing import Literal

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
    table_cells: int = 2_000_000
    """Most cells of tables and sheets kept; over it the result is partial (OUTPUT_LIMIT)."""
    words: int = 2_000_000
    """Most words with boxes kept; over it the result is partial (OUTPUT_LIMIT)."""
    links: int = 20_000
    """Most links, annotations and form fields kept, each."""
    attachments: int = 100
    """Most attached files of a document that become documents; the rest is only named."""
    attachment_depth: int = 3
    """How deep documents may lie in one another; attachments below are only named."""
    attachment_bytes: int = 128 * MIB
    """Most bytes of all attached files of a document."""
    archive_members: int = 10_000
    """Most members of a zip container; over it ARCHIVE_LIMIT."""
    archive_bytes: int = 512 * MIB
    """Most bytes that a container's members may have when unpacked; over it ARCHIVE_LIMIT."""
    archive_ratio: int = 200
    """Most times by which a member over 1 MiB may grow when unpacked; over it ARCHIVE_LIMIT."""
    image_pixels: int = 100_000_000
    """Most pixels of one picture, half as many of WebP or of over eight bits; over it
    TOO_MANY_PIXELS, before it is decoded."""
    render_pixels: int = 12_000_000
    """Most pixels to which a page is drawn; a larger page is drawn at a lower resolution."""
    render_s: float = 10.0
    """CPU time after which the drawing of a page is given up (TIME_LIMIT)."""
    ocr_dpi: int = 150
    """Resolution at which pages are drawn to be recognised; pictures keep their own."""
    ocr_page_s: float = 20.0
    """CPU time of a page after which no further step of its recognition is begun (TIME_LIMIT)."""
    ocr_engine: Literal["paddle", "tesseract"] = "paddle"
    """Which engine recognises; languages that it cannot read go to the other one."""
    password_rounds: int = 1_000_000
    """Most rounds of hashing that an Office document may ask for to be opened, ten times what
    Office asks for and 1 s of CPU; over it TIME_LIMIT, before any is done."""
    detect_language: bool = True
    """Whether the language of a text is detected, where the document does not name it; the first
    time costs a subprocess about a second of CPU and 90 MiB."""
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
    file_size_bytes: int = 96 * MIB
    """RLIMIT_FSIZE."""
    open_files: int = 64
    """RLIMIT_NOFILE."""
    processes: int = 0
    """RLIMIT_NPROC: 0 means that it can start neither process nor thread (root is exempt)."""
    niceness: int = 0
    """Added to the nice value of the parent, and given to the subprocess's session."""

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
