"""A store that speaks S3's protocol over HTTP, in this process: moto's server on a port of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.request import Request, urlopen

import boto3
import pytest
from moto.server import ThreadedMotoServer

REGION = "eu-north-1"


class S3:
    """The server's address, and a client with which a test fills it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._ask("reset", "")  # all servers of a process share what they hold
        self.client: Any = boto3.client(
            "s3", endpoint_url=url, region_name=REGION, aws_access_key_id="tests", aws_secret_access_key="tests"
        )
        self.client.create_bucket(Bucket="logs", CreateBucketConfiguration={"LocationConstraint": REGION})

    @property
    def environment(self) -> dict[str, str]:
        """What a user sets to read from it."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "tests",
            "AWS_SECRET_ACCESS_KEY": "tests",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",  # nobody else is asked for credentials
            "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
            "AWS_CONFIG_FILE": "/nonexistent",
        }

    def put(self, key: str, content: bytes) -> None:
        """Writes an object into the bucket `logs`."""
        self.client.put_object(Bucket="logs", Key=key, Body=content)

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """While it lasts, every request is refused whose key the server does not know: it knows none."""
        self._let_in("0")
        try:
            yield
        finally:
            self._let_in("inf")

    def _let_in(self, requests: str) -> None:
        self._ask("reset-auth", requests)

    def _ask(self, what: str, said: str) -> None:
        address = f"{self.url}/moto-api/{what}"
        urlopen(Request(address, said.encode(), {"Content-Type": "text/plain"}, method="POST")).close()


@pytest.fixture
def s3() -> Iterator[S3]:
    """The store, empty but for a bucket `logs`."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        yield S3(f"http://127.0.0.1:{server.get_host_and_port()[1]}")
    finally:
        server.stop()
