"""DeleteService: from ACTIVE over DRAINING to INACTIVE, and what each of them still shows."""

from __future__ import annotations

from support.account import Account, refused
from support.patience import until
from support.shapes import cluster, container, create_service, register, service, stable


def wait_inactive(account: Account, name: str, service_name: str) -> None:
    account.ecs.get_waiter("services_inactive").wait(
        cluster=name, services=[service_name], WaiterConfig={"Delay": 0.05, "MaxAttempts": 400}
    )


def test_an_empty_service_is_deleted_and_stays_describable(account: Account) -> None:
    name = cluster(account)
    made = create_service(account, name, register(account), desiredCount=0)
    deleted = account.ecs.delete_service(cluster=name, service=made["serviceArn"])["service"]
    assert deleted["status"] in ("DRAINING", "INACTIVE")
    wait_inactive(account, name, made["serviceName"])
    found = service(account, name, made["serviceName"])
    assert (found["status"], found["desiredCount"], found["runningCount"]) == ("INACTIVE", 0, 0)
    assert found["events"] == []


def test_the_answer_lacks_what_ecs_leaves_out(account: Account) -> None:
    name = cluster(account)
    made = create_service(account, name, register(account), desiredCount=0)
    deleted = account.ecs.delete_service(cluster=name, service=made["serviceName"])["service"]
    assert "currentServiceRevisions" not in deleted
    configuration = deleted["deploymentConfiguration"]
    assert "bakeTimeInMinutes" not in configuration
    assert not {"resetOnHealthyTask", "thresholdConfiguration"} & set(
        configuration.get("deploymentCircuitBreaker", {})
    )


def test_force_sets_the_count_to_zero_at_once_and_stops_the_tasks(account: Account) -> None:
    name = cluster(account)
    made = create_service(account, name, register(account, container(sim={"stop_delay": "400ms"})), desiredCount=2)
    stable(account, name, made["serviceName"])
    deleted = account.ecs.delete_service(cluster=name, service=made["serviceName"], force=True)["service"]
    assert (deleted["status"], deleted["desiredCount"]) == ("DRAINING", 0)
    assert deleted["runningCount"] == 2
    wait_inactive(account, name, made["serviceName"])
    assert account.all("list_tasks", "taskArns", cluster=name) == []


def test_a_draining_service_is_no_active_one_of_its_cluster(account: Account) -> None:
    name = cluster(account)
    made = create_service(account, name, register(account, container(sim={"stop_delay": "2s"})))
    stable(account, name, made["serviceName"])
    account.ecs.delete_service(cluster=name, service=made["serviceName"], force=True)
    (found,) = account.ecs.describe_clusters(clusters=[name])["clusters"]
    assert found["activeServicesCount"] == 0
    refused(
        account.ecs.delete_cluster,
        "ClusterContainsTasksException",
        "The Cluster cannot be deleted while Tasks are active.",
        cluster=name,
    )
    wait_inactive(account, name, made["serviceName"])
    assert account.ecs.delete_cluster(cluster=name)["cluster"]["status"] == "INACTIVE"


def test_deleting_again_is_no_error(account: Account) -> None:
    name = cluster(account)
    made = create_service(account, name, register(account), desiredCount=0)
    for _ in range(2):
        account.ecs.delete_service(cluster=name, service=made["serviceName"])
    wait_inactive(account, name, made["serviceName"])
    again = account.ecs.delete_service(cluster=name, service=made["serviceName"])["service"]
    assert again["status"] == "INACTIVE"


def test_scaling_down_first_is_how_terraform_does_it(account: Account) -> None:
    name = cluster(account)
    made = create_service(account, name, register(account), desiredCount=3)
    stable(account, name, made["serviceName"])
    account.ecs.update_service(cluster=name, service=made["serviceName"], desiredCount=0)
    account.ecs.delete_service(cluster=name, service=made["serviceName"])
    until(
        lambda: service(account, name, made["serviceName"])["status"],
        lambda status: status == "INACTIVE",
    )
    assert account.ecs.delete_cluster(cluster=name)["cluster"]["status"] == "INACTIVE"
