"""What the tests run: containers of busybox, and what a service of them should come to."""

from __future__ import annotations

from typing import Any

from support.patience import until

from conftest import Scene

# The shell as first process heeds SIGTERM only where it has a trap, and at once only while it waits.
LIVELY = ["sh", "-c", "trap 'exit 0' TERM; echo hello from $NAME; while :; do sleep 3600 & wait $!; done"]
DEAF = ["sh", "-c", "trap '' TERM; while :; do sleep 3600; done"]
# Goes on serving for a while after SIGTERM, as a web server should: who asks may not know yet that it is leaving.
SERVES = (
    "mkdir -p /tmp/www; echo $NAME > /tmp/www/index.html; httpd -p 8080 -h /tmp/www;"
    " trap 'sleep 4; exit 0' TERM; while :; do sleep 3600 & wait $!; done"
)
SERVING = "wget -q -O /dev/null http://127.0.0.1:8080/"


def lively(name: str = "web", **more: Any) -> dict[str, Any]:
    """Runs until it is stopped, and then ends with 0."""
    return {"name": name, "command": LIVELY, "environment": [{"name": "NAME", "value": name}], **more}


def exits(code: int, name: str = "job", after: float = 1, **more: Any) -> dict[str, Any]:
    """Ends by itself."""
    return {"name": name, "command": ["sh", "-c", f"sleep {after}; exit {code}"], **more}


def serves(version: str) -> dict[str, Any]:
    """A web server that says its version at port 8080, with a health check."""
    return {
        "name": "web",
        "command": ["sh", "-c", SERVES],
        "environment": [{"name": "NAME", "value": version}],
        "portMappings": [{"containerPort": 8080}],
        "healthCheck": {"command": ["CMD-SHELL", SERVING], "interval": 5, "timeout": 3, "retries": 3},
        "stopTimeout": 15,
    }


def service(scene: Scene, name: str = "web") -> dict[str, Any]:
    """The service as it is."""
    return scene.ecs.describe_services(cluster="main", services=[name])["services"][0]


def steady(scene: Scene, definition: str, count: int, within: float = 120) -> dict[str, Any]:
    """Waits until the service `web` has this definition and this many tasks, and nothing else."""

    def good(found: dict[str, Any]) -> bool:
        deployments = found["deployments"]
        return (
            len(deployments) == 1
            and deployments[0]["taskDefinition"] == definition
            and deployments[0]["rolloutState"] == "COMPLETED"
            and found["runningCount"] == count
        )

    return until(lambda: service(scene), good, within=within, what="the service is steady")
