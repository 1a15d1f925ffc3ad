"""Logs of real containers: read while they run, and kept when their Pod is gone."""

from __future__ import annotations

import subprocess

from support.patience import until
from support.server import binary, environment

from conftest import Scene


def logs(scene: Scene, *arguments: str) -> str:
    where = ["--admin-url", scene.kecs.server.admin]
    done = subprocess.run(
        [str(binary()), "logs", *where, *arguments], capture_output=True, text=True, env=environment(), timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_logs_are_followed_to_the_end_and_kept_when_the_pod_is_gone(scene: Scene) -> None:
    command = ["sh", "-c", "echo out; echo err >&2; sleep 3; echo last; exit 3"]
    arn = scene.run(scene.register("talker", {"name": "talker", "command": command}))
    scene.until(arn, "RUNNING")
    assert logs(scene, "-f", arn) == "out\nerr\nlast\n"
    scene.until(arn, "STOPPED")
    until(scene.pods, lambda it: not it, what="the Pod is gone")
    assert logs(scene, arn) == "out\nerr\nlast\n"
    assert logs(scene, "--tail", "1", "-f", arn) == "last\n"
