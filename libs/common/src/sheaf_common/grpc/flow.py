"""How far a stream's sender may run ahead of its receiver.

gRPC measures the connection and widens the window to as much as fits on the wire, up to
16 MiB a stream, all of which the receiver holds when it is the slower one: a large upload
through storage grew it by 20-30 MiB so, and was no faster. With a fixed window what a stream
holds is known. At 512 KiB it carries 500 MB/s where a round trip takes a millisecond.
"""

from typing import Final

STREAM_WINDOW_BYTES: Final = 512 * 1024

WINDOW_OPTIONS: Final = (
    ("grpc.http2.bdp_probe", 0),
    ("grpc.http2.lookahead_bytes", STREAM_WINDOW_BYTES),
)
"""For servers and channels alike: each bounds what it receives."""
