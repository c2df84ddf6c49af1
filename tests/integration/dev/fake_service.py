"""A service that only says that it serves: `python -m fake_service`, for tests of the stack.

FAKE_FAILS makes it complain and exit at once; FAKE_CHILD makes it start a child in a session
of its own, whose id it writes into the named file.
"""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc


def main() -> int:
    """Serves the health service until it is killed."""
    if "FAKE_FAILS" in os.environ:
        sys.stderr.write("the fake has no heart for this\n")
        return 3
    if "FAKE_CHILD" in os.environ:
        child = subprocess.Popen(["sleep", "1000"], start_new_session=True)  # noqa: S607
        with open(os.environ["FAKE_CHILD"], "w", encoding="utf-8") as file:  # noqa: PTH123
            file.write(str(child.pid))
    server = grpc.server(ThreadPoolExecutor(2), options=(("grpc.so_reuseport", 0),))
    servicer = health.HealthServicer()
    servicer.set("", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    server.add_insecure_port(f"{os.environ['STORAGE_HOST']}:{os.environ['STORAGE_PORT']}")
    server.start()
    sys.stderr.write("the fake serves\n")
    server.wait_for_termination()
    return 0


if __name__ == "__main__":
    sys.exit(main())
