"""Requests byte by byte, for what no SDK would send."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

TARGET = "AmazonEC2ContainerServiceV20141113"


@dataclass
class Answer:
    """A response."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)

    @property
    def error(self) -> tuple[str, str]:
        """Type and message of an error."""
        return self.json["__type"], self.json["message"]


def credential(account: str, region: str, service: str = "ecs") -> str:
    """The header of a signed request. The signature itself is looked at by nobody."""
    scope = f"{account}/20261124/{region}/{service}/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host;x-amz-date, Signature={'0' * 64}"


def post(
    address: tuple[str, int],
    operation: str | None,
    body: bytes | Iterable[bytes] | dict[str, Any] = b"{}",
    *,
    path: str = "/",
    account: str = "123456789012",
    region: str = "us-east-1",
    headers: dict[str, str] | None = None,
) -> Answer:
    """POSTs a body; several pieces go out chunked."""
    sent = {"Content-Type": "application/x-amz-json-1.1", "Authorization": credential(account, region)}
    if operation is not None:
        sent["X-Amz-Target"] = f"{TARGET}.{operation}"
    sent.update(headers or {})
    data: bytes | Iterator[bytes]
    if isinstance(body, dict):
        data = json.dumps(body).encode()
    elif isinstance(body, bytes):
        data = body
    else:
        data = iter(body)
    connection = http.client.HTTPConnection(*address, timeout=30)
    try:
        connection.request("POST", path, data, sent, encode_chunked=not isinstance(data, bytes))
        response = connection.getresponse()
        return Answer(
            response.status,
            {name.lower(): value for name, value in response.getheaders()},
            response.read(),
        )
    finally:
        connection.close()
