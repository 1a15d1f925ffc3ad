"""The examples that come with botocore: each input is accepted, each output has at least the example's members."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import botocore.loaders
import pytest
from botocore import xform_name

from support.account import Account
from support.patience import until
from support.shapes import container, register

BUILT = [
    *("CreateCluster", "DescribeClusters", "ListClusters", "UpdateCluster", "UpdateClusterSettings", "DeleteCluster"),
    *("RegisterTaskDefinition", "DeregisterTaskDefinition", "DescribeTaskDefinition", "ListTaskDefinitions"),
    *("ListTaskDefinitionFamilies", "DeleteTaskDefinitions", "RunTask", "StopTask", "DescribeTasks", "ListTasks"),
    *("CreateService", "UpdateService", "DescribeServices", "ListServices", "DeleteService"),
    *("ListServiceDeployments", "DescribeServiceDeployments", "DescribeServiceRevisions"),
    *("TagResource", "UntagResource", "ListTagsForResource"),
]


def load() -> dict[str, list[dict[str, Any]]]:
    loader = botocore.loaders.create_loader()
    return dict(loader.load_service_model("ecs", "examples-1")["examples"])


EXAMPLES = [(name, example) for name, examples in load().items() if name in BUILT for example in examples]


def web(account: Account, family: str = "hello_world", port: int = 80) -> None:
    """A family with the containers that the examples speak of."""
    register(account, container("simple-app", portMappings=[{"containerPort": port}]), family=family)


def serve(account: Account, service: str, desired: int, family: str = "hello_world") -> None:
    web(account, family)
    account.ecs.create_service(serviceName=service, taskDefinition=family, desiredCount=desired)


def families(*names: str) -> Callable[[Account], None]:
    def prepare(account: Account) -> None:
        for name in names:
            register(account, family=name)

    return prepare


def revisions(family: str, count: int) -> Callable[[Account], None]:
    return families(*[family] * count)


def wordpress(account: Account) -> None:
    revisions("hello_world", 7)(account)
    mysql = container(
        "mysql",
        cpu=10,
        environment=[{"name": "MYSQL_ROOT_PASSWORD", "value": "password"}],
    )
    front = container("wordpress", cpu=10, links=["mysql"], portMappings=[{"containerPort": 80, "hostPort": 80}])
    register(account, front, mysql, family="hello_world")


def dev(account: Account) -> None:
    account.ecs.create_cluster(clusterName="dev", tags=[{"key": "team", "value": "dev"}])


def update(account: Account) -> None:
    serve(account, "my-http-service", 1)
    web(account, "amazon-ecs-sample")


def tasks(account: Account) -> None:
    register(account, family="amazon-ecs-sample")
    account.ecs.run_task(taskDefinition="amazon-ecs-sample", count=3)


# What an example's input names must be there. The cluster `default` is, for all.
PREPARE: dict[str, Callable[[Account], None]] = {
    "ecs-simple-service": web,
    "ecs-simple-service-elb": lambda account: web(account, "console-sample-app-static"),
    "my_cluster": lambda account: account.ecs.create_cluster(clusterName="my_cluster"),
    "DeleteService": lambda account: serve(account, "my-http-service", 0),
    "DescribeServices": lambda account: serve(account, "ecs-simple-service", 1),
    "UpdateService": update,
    "ListServices": lambda account: serve(account, "my-http-service", 1),
    "DescribeTaskDefinition": wordpress,
    "ListTaskDefinitionFamilies": families("node-js-app", "web-timer", "hpcc", "hpcc-c4-8xlarge"),
    "ListTaskDefinitions": families("sleep300", "sleep360", "wordpress", "wordpress"),
    "RunTask": revisions("sleep360", 1),
    "DescribeTasks": tasks,
    "ListTasks": tasks,
    "TagResource": dev,
    "UntagResource": dev,
    "ListTagsForResource": dev,
}


def shape(example: Any, actual: Any, path: str) -> list[str]:
    """Which members of the example the answer lacks. Values differ, and lists may have other lengths."""
    if isinstance(example, dict):
        if not isinstance(actual, dict):
            return [path]
        return [
            fault
            for name, value in example.items()
            for fault in (shape(value, actual[name], f"{path}.{name}") if name in actual else [f"{path}.{name}"])
        ]
    if isinstance(example, list):
        if not isinstance(actual, list):
            return [path]
        # The answer's items are of one kind: each has what all items of the example have.
        return [fault for item in actual for fault in shape(common(example), item, f"{path}[]")]
    return []


def common(items: list[Any]) -> Any:
    """The members that all items have, as the first one has them."""
    if not all(isinstance(item, dict) for item in items):
        return None
    names = set.intersection(*(set(item) for item in items)) if items else set()
    return {name: items[0][name] for name in names}


def given(example: dict[str, Any], account: Account) -> dict[str, Any]:
    """The input, with the account and region of this test in its ARNs."""
    return {
        name: value.replace("arn:aws:ecs:region:aws_account_id:", account.arn(""))
        if isinstance(value, str)
        else value
        for name, value in example.get("input", {}).items()
    }


@pytest.mark.parametrize(
    ("operation", "example"), EXAMPLES, ids=[f"{name}-{index}" for index, (name, _) in enumerate(EXAMPLES)]
)
def test_an_example_is_accepted_and_answered_as_it_shows(
    account: Account, operation: str, example: dict[str, Any]
) -> None:
    account.ecs.create_cluster()
    members = given(example, account)
    if operation == "CreateService":
        PREPARE[members["serviceName"]](account)
    elif operation == "DeleteCluster":
        PREPARE[members["cluster"]](account)
    elif operation in PREPARE:
        PREPARE[operation](account)
    getattr(account.ecs, xform_name(operation))(**members)
    expected = example.get("output", {})
    if operation == "DescribeServices":
        # The example's service has events, so it has been there for a while.
        answer = until(
            lambda: (account.ecs.describe_services(**members), account.raw)[1],
            lambda raw: raw["services"][0]["events"],
        )
    else:
        answer = account.raw
    assert shape(expected, answer, operation) == []


def test_most_of_the_examples_are_of_operations_that_are_built() -> None:
    assert len(EXAMPLES) >= 24
    assert {name for name, _ in EXAMPLES} >= {"CreateService", "RunTask", "RegisterTaskDefinition"}
