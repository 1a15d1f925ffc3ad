"""Compares a server that was killed and started again with what its clients remember."""

from __future__ import annotations

from typing import Any

from .load import CLUSTER, EXIT_CODE, JOB, Change, Client, Key, State
from .patience import until
from .shapes import is_stable

# The whole life of what the clients make takes less than a second.
WITHIN = 30.0


class Ledger:
    """What one client knows, against what the server shows."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.account = client.account

    def check(self) -> None:
        """Every acknowledged change is there; the pending one is there or isn't, and can be asked for again."""
        if self.client.pending is not None:
            self._settle(self.client.pending)
            self.client.pending = None
        for key, expected in self.client.states.items():
            found = self._look(key)
            assert found == expected, f"{key}: acknowledged {expected!r}, found {found!r}"

    def ask_again(self, most: int) -> None:
        """A few requests sent again with their tokens answer with what they made, and make nothing."""
        alive = [key for key in self.client.tokens if self.client.states[key][0] != "DELETED"]
        for key in self.client.random.sample(sorted(alive), min(most, len(alive))):
            change = self.client.tokens[key]
            answer = getattr(self.account.ecs, change.operation)(**change.arguments)
            if key[0] == "run":
                assert change.after(answer)[1] == self.client.states[key][1], f"{change} made other tasks"
            else:
                assert answer["service"]["desiredCount"] == self.client.states[key][1], f"{change} made another"
            assert self._look(key) == self.client.states[key], f"{change} was done twice"

    def converge(self) -> None:
        """All tasks and services get where they should be."""
        for (kind, name), state in self.client.states.items():
            if kind == "run":
                self._ended(*state)
            elif kind == "service":
                self._service(name, *state)

    def _settle(self, change: Change) -> None:
        """The change that was under way: find out whether it was made, and go on from there."""
        before = self.client.states.get(change.key, {} if change.key[0] == "tags" else None)
        if "clientToken" in change.arguments:
            # Asked again with its token, it is made once, whether it was made before or not.
            answer = getattr(self.account.ecs, change.operation)(**change.arguments)
            self.client.states[change.key] = change.after(answer)
            return
        after = change.after({})
        found = self._look(change.key)
        assert found in (before, after), f"{change}: before {before!r}, after {after!r}, found {found!r}"
        if found is None:
            self.client.states.pop(change.key, None)
        else:
            self.client.states[change.key] = found

    def _look(self, key: Key) -> State:
        kind, name = key
        ecs = self.account.ecs
        if kind == "cluster":
            answer = ecs.describe_clusters(clusters=[name], include=["SETTINGS"])
            return next(((one["status"], one["settings"][0]["value"]) for one in answer["clusters"]), None)
        if kind == "family":
            return self._revisions(name)
        if kind == "tags":
            tags = ecs.list_tags_for_resource(resourceArn=name)["tags"]
            return {tag["key"]: tag["value"] for tag in tags}
        if kind == "service":
            answer = ecs.describe_services(cluster=CLUSTER, services=[name])
            return next((self._state_of(one) for one in answer["services"]), None)
        return self._run(name)

    @staticmethod
    def _state_of(found: dict[str, Any]) -> State:
        return ("ACTIVE" if found["status"] == "ACTIVE" else "DELETED", found["desiredCount"])

    def _revisions(self, family: str) -> State:
        found: dict[int, str] = {}
        for status in ("ACTIVE", "INACTIVE", "DELETE_IN_PROGRESS"):
            arns = self.account.all("list_task_definitions", "taskDefinitionArns", familyPrefix=family, status=status)
            found |= {int(arn.rsplit(":", 1)[1]): status for arn in arns}
        assert sorted(found) == list(range(1, len(found) + 1)), f"{family}: {found}"
        return tuple(found[revision] for revision in sorted(found)) or None

    def _run(self, token: str) -> State:
        """Exactly the tasks that were started with a token, and which of them were told to stop."""
        known = self.client.states.get(("run", token))
        # A task may stop between the two lists and be in both; this order never misses one.
        arns = {
            arn
            for status in ("RUNNING", "STOPPED")
            for arn in self.account.all(
                "list_tasks", "taskArns", cluster=CLUSTER, startedBy=token, desiredStatus=status
            )
        }
        if not arns:
            return None
        tasks = self.account.ecs.describe_tasks(cluster=CLUSTER, tasks=sorted(arns))["tasks"]
        stopped = {task["taskArn"] for task in tasks if task.get("stopCode") == "UserInitiated"}
        kind = JOB if tasks[0]["group"].startswith(f"family:{JOB}") else "server"
        # In the order in which they were told, as far as that is known.
        order = [arn for arn in (known[2] if known else ()) if arn in stopped]
        return kind, tuple(sorted(arns)), (*order, *sorted(stopped - set(order)))

    def _ended(self, kind: str, arns: tuple[str, ...], stopped: tuple[str, ...]) -> None:
        def there(tasks: list[dict[str, Any]]) -> bool:
            return len(tasks) == len(arns) and all(
                task["lastStatus"] == ("STOPPED" if kind == JOB or task["taskArn"] in stopped else "RUNNING")
                for task in tasks
            )

        tasks = until(
            lambda: self.account.ecs.describe_tasks(cluster=CLUSTER, tasks=list(arns))["tasks"],
            there,
            within=WITHIN,
            what=f"{kind} {arns}",
        )
        for task in tasks:
            (app,) = task["containers"]
            if kind == JOB:
                assert task["stopCode"] == "EssentialContainerExited", task
                assert app["exitCode"] == EXIT_CODE, task
            elif task["taskArn"] in stopped:
                assert task["stoppedReason"] == task["startedBy"], task

    def _service(self, name: str, status: str, count: int) -> None:
        def there(answer: dict[str, Any]) -> bool:
            (found,) = answer["services"]
            if status == "DELETED":
                return bool(found["status"] == "INACTIVE")
            done = found["deployments"][0].get("rolloutState") == "COMPLETED"
            return found["runningCount"] == count and is_stable(found) and done

        until(
            lambda: self.account.ecs.describe_services(cluster=CLUSTER, services=[name]),
            there,
            within=WITHIN,
            what=f"{name} {status} with {count}",
        )
        listed = self.account.all("list_tasks", "taskArns", cluster=CLUSTER, serviceName=name)
        assert len(listed) == count, f"{name}: {listed}"
