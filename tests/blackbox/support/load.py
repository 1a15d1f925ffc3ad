"""Clients that change everything that can be changed, and remember what was acknowledged.

Each client owns what it makes, so that its own memory is enough to know what must be there: for every resource the
state after the last acknowledged change, and the one change that was under way when the server died.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError

from .account import Account
from .shapes import container

CLUSTER = "shared"
JOB, SERVER = "job", "server"
EXIT_CODE = 7

# What kind of thing, and which.
Key = tuple[str, str]
State = Any


@dataclass
class Change:
    """A request, what it changes, and the state that it leaves behind."""

    operation: str
    key: Key
    after: Callable[[Any], State]
    arguments: dict[str, Any]


def families(client: int) -> dict[str, str]:
    """The families that a client runs tasks of: they are never deregistered."""
    return {kind: f"{kind}-{client}" for kind in (JOB, SERVER)}


def prepare(account: Account, clients: list[int]) -> None:
    """What these clients need before they begin."""
    account.ecs.create_cluster(clusterName=CLUSTER)
    for client in clients:
        names = families(client)
        job = container(sim={"run_for": "150ms", "exit_code": EXIT_CODE})
        account.ecs.register_task_definition(family=names[JOB], containerDefinitions=[job])
        account.ecs.register_task_definition(family=names[SERVER], containerDefinitions=[container()])


class Client(threading.Thread):
    """Sends changes one after the other until the server is gone."""

    def __init__(self, account: Account, number: int, seed: int, acknowledged: Callable[[], None]) -> None:
        super().__init__(name=f"client-{number}", daemon=True)
        self.account = account
        self.number = number
        self.random = random.Random(seed)
        self.acknowledged = acknowledged
        self.made = 0
        self.states: dict[Key, State] = {}
        self.pending: Change | None = None
        self.error: BaseException | None = None
        self.counts: dict[str, int] = {}
        # What was sent with a token, to be sent again.
        self.tokens: dict[Key, Change] = {}

    def run(self) -> None:
        """Until the connection breaks. Everything else that goes wrong is the server's fault, or ours."""
        try:
            while True:
                self.pending = self.next()
                if "clientToken" in self.pending.arguments:
                    self.tokens[self.pending.key] = self.pending
                answer = getattr(self.account.ecs, self.pending.operation)(**self.pending.arguments)
                self.states[self.pending.key] = self.pending.after(answer)
                self.counts[self.pending.operation] = self.counts.get(self.pending.operation, 0) + 1
                self.pending = None
                self.acknowledged()
        except BotoCoreError:
            pass
        except BaseException as error:  # noqa: BLE001
            self.error = error

    def fresh(self, kind: str) -> str:
        """A name that this client has not used."""
        self.made += 1
        return f"{kind}-{self.number}-{self.made}"

    def pick(self, kind: str, good: Callable[[State], bool] = lambda _: True) -> str | None:
        """One of the things of this kind in such a state."""
        names = sorted(name for (of, name), state in self.states.items() if of == kind and good(state))
        return self.random.choice(names) if names else None

    def next(self) -> Change:
        """The next change: any that is possible now."""
        makers = [
            *(self.create_cluster, self.update_cluster, self.update_cluster_settings, self.delete_cluster),
            *(self.register, self.register, self.deregister, self.delete_definition),
            *(self.run_task, self.run_task, self.run_task, self.stop_task),
            *(self.create_service, self.update_service, self.delete_service),
            *(self.tag, self.untag),
        ]
        while True:
            change = self.random.choice(makers)()
            if change is not None:
                return change

    # Clusters: (status, containerInsights).

    def create_cluster(self) -> Change | None:
        name = self.fresh("cluster")
        return Change("create_cluster", ("cluster", name), lambda _: ("ACTIVE", "disabled"), {"clusterName": name})

    def _setting(self, operation: str) -> Change | None:
        name = self.pick("cluster", lambda state: state[0] == "ACTIVE")
        if name is None:
            return None
        value = self.random.choice(["enabled", "enhanced", "disabled"])
        settings = [{"name": "containerInsights", "value": value}]
        return Change(
            operation,
            ("cluster", name),
            lambda _: ("ACTIVE", value),
            {"cluster": name, "settings": settings},
        )

    def update_cluster(self) -> Change | None:
        return self._setting("update_cluster")

    def update_cluster_settings(self) -> Change | None:
        return self._setting("update_cluster_settings")

    def delete_cluster(self) -> Change | None:
        name = self.pick("cluster", lambda state: state[0] == "ACTIVE")
        if name is None:
            return None
        value = self.states["cluster", name][1]
        return Change("delete_cluster", ("cluster", name), lambda _: ("INACTIVE", value), {"cluster": name})

    # Task definitions: the status of each revision.

    def register(self) -> Change | None:
        name = self.pick("family") if self.random.random() < 0.5 else None
        name = name or self.fresh("family")
        before = self.states.get(("family", name), ())
        return Change(
            "register_task_definition",
            ("family", name),
            lambda _: (*before, "ACTIVE"),
            {"family": name, "containerDefinitions": [container()]},
        )

    def _revision(self, operation: str, status: str, after: str) -> tuple[Change, str] | None:
        name = self.pick("family", lambda state: status in state)
        if name is None:
            return None
        before = list(self.states["family", name])
        index = before.index(status)
        before[index] = after
        change = Change(operation, ("family", name), lambda _: tuple(before), {})
        return change, f"{name}:{index + 1}"

    def deregister(self) -> Change | None:
        found = self._revision("deregister_task_definition", "ACTIVE", "INACTIVE")
        if found is None:
            return None
        found[0].arguments = {"taskDefinition": found[1]}
        return found[0]

    def delete_definition(self) -> Change | None:
        found = self._revision("delete_task_definitions", "INACTIVE", "DELETE_IN_PROGRESS")
        if found is None:
            return None
        found[0].arguments = {"taskDefinitions": [found[1]]}
        return found[0]

    # Tasks: (kind, ARNs, those that were told to stop) by their token, which is their startedBy as well.

    def run_task(self) -> Change | None:
        token = self.fresh("run")
        kind = self.random.choice([JOB, SERVER])
        return Change(
            "run_task",
            ("run", token),
            lambda answer: (kind, tuple(sorted(task["taskArn"] for task in answer["tasks"])), ()),
            {
                "cluster": CLUSTER,
                "taskDefinition": families(self.number)[kind],
                "count": self.random.randint(1, 4),
                "startedBy": token,
                "clientToken": token,
            },
        )

    def stop_task(self) -> Change | None:
        token = self.pick("run", lambda state: state[0] == SERVER and len(state[2]) < len(state[1]))
        if token is None:
            return None
        kind, arns, stopped = self.states["run", token]
        arn = next(one for one in arns if one not in stopped)
        return Change(
            "stop_task",
            ("run", token),
            lambda _: (kind, arns, (*stopped, arn)),
            {"cluster": CLUSTER, "task": arn, "reason": token},
        )

    # Services: (status, desired count, revision of its family).

    def create_service(self) -> Change | None:
        name = self.fresh("service")
        count = self.random.randint(0, 3)
        return Change(
            "create_service",
            ("service", name),
            lambda _: ("ACTIVE", count),
            {
                "cluster": CLUSTER,
                "serviceName": name,
                "taskDefinition": families(self.number)[SERVER],
                "desiredCount": count,
                "clientToken": name,
            },
        )

    def update_service(self) -> Change | None:
        name = self.pick("service", lambda state: state[0] == "ACTIVE")
        if name is None:
            return None
        count = self.random.randint(0, 3)
        arguments: dict[str, Any] = {"cluster": CLUSTER, "service": name, "desiredCount": count}
        if self.random.random() < 0.5:
            arguments["forceNewDeployment"] = True
        return Change("update_service", ("service", name), lambda _: ("ACTIVE", count), arguments)

    def delete_service(self) -> Change | None:
        name = self.pick("service", lambda state: state[0] == "ACTIVE")
        if name is None or self.random.random() < 0.5:
            return None
        arguments = {"cluster": CLUSTER, "service": name, "force": True}
        return Change("delete_service", ("service", name), lambda _: ("DELETED", 0), arguments)

    # Tags: those of a task definition, by its ARN.

    def tag(self) -> Change | None:
        arn = self.account.arn(f"task-definition/{families(self.number)[SERVER]}:1")
        before = self.states.get(("tags", arn), {})
        tag = {"key": f"k{self.random.randrange(5)}", "value": str(self.random.randrange(1000))}
        after = {**before, tag["key"]: tag["value"]}
        return Change("tag_resource", ("tags", arn), lambda _: after, {"resourceArn": arn, "tags": [tag]})

    def untag(self) -> Change | None:
        arn = self.pick("tags", bool)
        if arn is None:
            return None
        before = self.states["tags", arn]
        gone = self.random.choice(sorted(before))
        after = {key: value for key, value in before.items() if key != gone}
        return Change("untag_resource", ("tags", arn), lambda _: after, {"resourceArn": arn, "tagKeys": [gone]})
