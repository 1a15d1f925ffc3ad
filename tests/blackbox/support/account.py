"""An account in a region, through boto3. Every response on the way is judged by the API model."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

from .judge import judge
from .patience import until

REGIONS = ["us-east-1", "us-west-2", "eu-central-1", "eu-west-1", "ap-northeast-1", "sa-east-1"]

# One session for all clients: it keeps the loaded API model.
_SESSION = boto3.Session(
    aws_access_key_id="AKIDEXAMPLE",
    aws_secret_access_key="secret",
    region_name="us-east-1",
    botocore_session=botocore.session.Session(),
)


def random_account() -> str:
    """An account that no other test has, in all likelihood."""
    return f"{random.SystemRandom().randrange(10**12):012}"


class Account:
    """Calls in one account and region.

    `ecs` is boto3's client as it comes, without retries; `lax` is the same without boto3's own checks of
    parameters, for requests that only the server can refuse. `raw` is the JSON of the last response.
    """

    def __init__(self, endpoint: str, account: str | None = None, region: str = "us-east-1") -> None:
        self.endpoint = endpoint
        self.account = account or random_account()
        self.region = region
        self.raw: Any = None
        self.ecs = self._client(validate=True)
        self.lax = self._client(validate=False)

    def _client(self, *, validate: bool) -> Any:
        client = _SESSION.client(
            "ecs",
            endpoint_url=self.endpoint,
            region_name=self.region,
            aws_access_key_id=self.account,
            aws_secret_access_key="secret",
            config=Config(
                retries={"total_max_attempts": 1},
                parameter_validation=validate,
                connect_timeout=10,
                read_timeout=30,
                max_pool_connections=32,
            ),
        )
        models = client.meta.service_model

        def received(response_dict: Any, event_name: str, **_: Any) -> None:
            if response_dict is None:  # No response at all: the exception says enough.
                return
            model = models.operation_model(event_name.rsplit(".", 1)[1])
            status, body = response_dict["status_code"], response_dict["body"]
            faults = judge(model, status, response_dict["headers"], body)
            assert not faults, f"{model.name} answered {status}:\n" + "\n".join(faults)
            self.raw = json.loads(body)

        client.meta.events.register("response-received.ecs", received)
        return client

    def arn(self, resource: str) -> str:
        """The ARN of one of this account's resources."""
        return f"arn:aws:ecs:{self.region}:{self.account}:{resource}"

    def clear(self) -> None:
        """Ends and deletes what is in the account's clusters."""
        for cluster in self.all("list_clusters", "clusterArns"):
            for service in self.all("list_services", "serviceArns", cluster=cluster):
                self.ecs.delete_service(cluster=cluster, service=service, force=True)
            for daemon in self.ecs.list_daemons(clusterArn=cluster)["daemonSummariesList"]:
                self.ecs.delete_daemon(daemonArn=daemon["daemonArn"])
            running = lambda cluster=cluster: self.all("list_tasks", "taskArns", cluster=cluster)  # noqa: E731
            for task in running():
                self.ecs.stop_task(cluster=cluster, task=task)
            until(running, lambda it: not it, what="every task is stopped")

    def pages(self, operation: str, member: str, **arguments: Any) -> Iterator[list[Any]]:
        """The pages of a list, walked by hand. The token is there exactly while there is more."""
        token: dict[str, str] = {}
        seen: set[str] = set()
        while True:
            answer = getattr(self.ecs, operation)(**arguments, **token)
            yield answer[member]
            if "nextToken" not in answer:
                return
            assert answer["nextToken"] not in seen, "the same token again"
            seen.add(answer["nextToken"])
            token = {"nextToken": answer["nextToken"]}

    def all(self, operation: str, member: str, **arguments: Any) -> list[Any]:
        """All pages of a list as one."""
        return [item for page in self.pages(operation, member, **arguments) for item in page]


def refused(
    call: Callable[..., Any],
    code: str | tuple[str, ...],
    message: str | re.Pattern[str] | None = None,
    /,
    **arguments: Any,
) -> ClientError:
    """Calls and expects the typed exception `code`, or one of several where it is not known which ECS picks.

    A text is the whole message; a pattern is searched in it.
    """
    codes = (code,) if isinstance(code, str) else code
    try:
        answer = call(**arguments)
    except ClientError as error:
        told = error.response["Error"]
        assert told["Code"] in codes, f"{told['Code']}: {told['Message']}"
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        assert status == (500 if told["Code"] == "ServerException" else 400)
        typed = call.__self__.exceptions.from_code(told["Code"])  # type: ignore[attr-defined]
        assert typed is not ClientError, f"{told['Code']} is not typed"
        assert isinstance(error, typed)
        if isinstance(message, str):
            assert told["Message"] == message
        elif message is not None:
            assert message.search(told["Message"]), told["Message"]
        return error
    raise AssertionError(f"answered {answer}, where {codes} was expected")


def naming(*words: str) -> re.Pattern[str]:
    """A message in which these words stand somewhere, in this order."""
    return re.compile(".*".join(re.escape(word) for word in words), re.IGNORECASE | re.DOTALL)
