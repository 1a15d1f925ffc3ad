"""A server of its own in memory, without any node: only FARGATE finds a place."""

from __future__ import annotations

from support.account import Account, refused
from support.patience import until
from support.shapes import (
    NETWORK,
    cluster,
    create_service,
    messages,
    reach,
    register,
    register_fargate,
    run,
    service,
)

STORAGE = "memory"
FLAGS = ["--sim-nodes", "0", "--account-id", "111122223333", "--region", "eu-north-1"]


def test_a_task_that_needs_an_instance_is_refused(account: Account) -> None:
    refused(
        account.ecs.run_task,
        "InvalidParameterException",
        "No Container Instances were found in your cluster.",
        cluster=cluster(account),
        taskDefinition=register(account),
    )


def test_a_fargate_task_runs(account: Account) -> None:
    name = cluster(account)
    (task,) = run(account, name, register_fargate(account), launchType="FARGATE", networkConfiguration=NETWORK)
    assert reach(account, name, task["taskArn"])["launchType"] == "FARGATE"


def test_a_service_without_instances_tells_why_it_waits(account: Account) -> None:
    name = cluster(account)
    made = create_service(account, name, register(account), desiredCount=2)
    text = (
        f"(service {made['serviceName']}) was unable to place a task because no container instance met all of its"
        " requirements. Reason: No Container Instances were found in your cluster. For more information, see the"
        " Troubleshooting section of the Amazon ECS Developer Guide."
    )
    until(lambda: messages(service(account, name, made["serviceName"])), lambda texts: text in texts)


def test_account_and_region_of_the_flags_are_those_of_the_unsigned(account: Account) -> None:
    other = Account(account.endpoint, "AKIDEXAMPLE", "us-east-2")
    arn = other.ecs.create_cluster(clusterName="web")["cluster"]["clusterArn"]
    assert arn == "arn:aws:ecs:us-east-2:111122223333:cluster/web"
