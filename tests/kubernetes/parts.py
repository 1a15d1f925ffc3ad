"""The processes of the test cluster: each a session of its own, known by its pid and the time it started.

A pid alone may be somebody else's by the time it is looked at. What is recorded here is all that is ever ended.
"""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

STATE = Path(os.environ.get("KECS_TEST_CLUSTER_DIR", "/var/tmp/kecs-test-cluster"))


def start_time(pid):
    """When a process started, in the kernel's ticks; None if there is none, or it is only waited for."""
    try:
        # The name, in brackets, may hold spaces: what follows the last bracket counts. Field 22 is the start.
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if stat[0] == "Z" else stat[19]


def record_of(name):
    return STATE / "run" / f"{name}.json"


def start(name, command):
    log = open(STATE / "log" / f"{name}.log", "ab")
    environment = {"PATH": os.environ.get("PATH", "") + ":/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(STATE)}
    command = [str(part) for part in command]
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        start_new_session=True, cwd=STATE, env=environment)
    # The command is kept so that a part that was stopped can be started again as it was.
    record = {"pid": process.pid, "start": start_time(process.pid), "command": command}
    unfinished = record_of(name).with_suffix(".new")
    unfinished.write_text(json.dumps(record))
    unfinished.replace(record_of(name))
    return process


def start_again(name):
    """Starts a part that was stopped, with the command it had."""
    if running(name) is None:
        start(name, json.loads(record_of(name).read_text())["command"])


def running(name):
    """The pid of a part that runs."""
    try:
        record = json.loads(record_of(name).read_text())
    except FileNotFoundError:
        return None
    return record["pid"] if record["start"] and start_time(record["pid"]) == record["start"] else None


def stop(name, seconds=10, first=signal.SIGTERM):
    """Ends a part. What it was stays recorded, for `start_again`."""
    pid = running(name)
    if pid is None:
        return
    os.kill(pid, first)
    # A stopped one would not notice.
    os.kill(pid, signal.SIGCONT)
    if not patience(lambda: running(name) is None, seconds):
        os.kill(pid, signal.SIGKILL)
        patience(lambda: running(name) is None, 5)


def patience(holds, seconds):
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


# Who uses the cluster. It is taken down when the last of them has gone: two test runs on one machine share it.

HAND = "by hand"


def holders():
    """Those that are still there; "by hand" is whoever typed `up`, and stays until somebody types `down`."""
    try:
        recorded = json.loads((STATE / "holders.json").read_text())
    except FileNotFoundError:
        return {}
    return {key: start for key, start in recorded.items() if key == HAND or start_time(int(key)) == start}


def hold(pid):
    found = holders()
    found[HAND if pid is None else str(pid)] = "" if pid is None else start_time(pid)
    (STATE / "holders.json").write_text(json.dumps(found))


def let_go(pid):
    """Notes that a process needs it no longer; whether somebody still does."""
    if not STATE.exists():
        return False
    left = {key: start for key, start in holders().items() if key != str(pid)}
    (STATE / "holders.json").write_text(json.dumps(left))
    return bool(left)
