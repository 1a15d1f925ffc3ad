#!/usr/bin/env python3
"""A complete single-node Kubernetes for tests, without any image registry.

    cluster.py up           brings it up and prints the path of its kubeconfig
    cluster.py down         ends it and takes back everything that `up` made
    cluster.py status       says what runs
    cluster.py kubeconfig   prints the path of the kubeconfig (`--role kecs`: the one with kecs's own rights)
    cluster.py stop PART    ends one part (kill, freeze and thaw likewise; `start` starts it again)

`up --for PID` and `down --for PID` are for programs that share it: it goes when the last of them has gone. What was
brought up by hand stays until it is taken down by hand.

It is etcd, kube-apiserver, controller-manager, scheduler, kube-proxy, kubelet, containerd and runc: nothing is
simulated, Pods run real containers. It needs root, Go, and a Debian-like system for the few packages.

Environment:
    KECS_TEST_KUBECONFIG    use this cluster instead: `up` prints it and starts nothing, `down` ends nothing
    KECS_TEST_NODE_BINARY   the built program of node/, instead of building it
    KECS_TEST_CLUSTER_DIR   where its state is (default: /var/tmp/kecs-test-cluster)
    XDG_CACHE_HOME          where the built program is kept (default: ~/.cache)

Exit codes: 0 done, 1 failed, 3 this machine can't run it (no root, no Go, no packages): tests count as skipped.

It deliberately is no general installer: one node, no upgrades, tokens in files, nothing that should outlive a test.
"""

import argparse
import contextlib
import fcntl
import json
import os
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import images
import kwok
import traces
from parts import STATE, hold, holders, let_go, patience, running, start, start_again, stop
from program import CannotRun, install_packages, node_binary, say

HERE = Path(__file__).resolve().parent
PARTS = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "kubelet", "kubectl", "kwok"]
# As they are ended: the kubelet first, or it would start again what ends.
SERVANTS = ["kwok", "kubelet", "kube-proxy", "kube-scheduler", "kube-controller-manager"]
MASTERS = ["kube-apiserver", "etcd", "containerd"]
NODE, ZONE = "kecs-test-node", "test-zone-a"
ADDRESS, SERVICES, PODS = "10.250.0.1", "10.250.1.0/24", "10.250.2.0/24"
PORT = 6443
# The kernel here may have no dummy device: a bridge without members does as well.
NODE_LINK, POD_LINK = "kecs-node", "kecs-pods"
CGROUP = "kecs-test"
USERS = {  # name of the kubeconfig: user, groups
    "admin": ("admin", "system:masters"),
    "kecs": ("kecs", ""),
    "kube-controller-manager": ("system:kube-controller-manager", ""),
    "kube-scheduler": ("system:kube-scheduler", ""),
    "kube-proxy": ("system:kube-proxy", ""),
    "kubelet": (f"system:node:{NODE}", "system:nodes"),
    # It is kubelet of many nodes, and the node authorizer knows only of one each.
    "kwok": ("kwok", "system:masters"),
}


# Configuration

def write(path, text, mode=0o644):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def write_json(path, value):
    # Every part reads JSON where it reads YAML.
    return write(path, json.dumps(value, indent=2) + "\n", 0o600)


def kubeconfig(name):
    return STATE / "kubeconfig" / name


def write_access():
    tokens = {name: secrets.token_hex(16) for name in USERS}
    lines = []
    for index, (name, (user, groups)) in enumerate(USERS.items()):
        lines.append(f'{tokens[name]},{user},{index},"{groups}"' if groups else f"{tokens[name]},{user},{index}")
        write_json(kubeconfig(name), {
            "apiVersion": "v1", "kind": "Config", "current-context": "kecs-test",
            # The API server signs for itself; its certificate is its own authority.
            "clusters": [{"name": "kecs-test", "cluster": {
                "server": f"https://{ADDRESS}:{PORT}", "certificate-authority": str(STATE / "apiserver/apiserver.crt")}}],
            "users": [{"name": name, "user": {"token": tokens[name]}}],
            "contexts": [{"name": "kecs-test", "context": {"cluster": "kecs-test", "user": name}}],
        })
    write(STATE / "tokens.csv", "\n".join(lines) + "\n", 0o600)
    write(STATE / "admin.token", tokens["admin"], 0o600)
    for command in [["genrsa", "-out", "sa.key", "2048"], ["rsa", "-in", "sa.key", "-pubout", "-out", "sa.pub"]]:
        subprocess.run(["openssl", *command], cwd=STATE, check=True, capture_output=True)


def write_containerd():
    write(STATE / "containerd.toml", f"""
version = 2
root = "{STATE}/containerd/root"
state = "{STATE}/containerd/state"
[grpc]
  address = "{STATE}/containerd/sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "{STATE}/containerd/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{images.PAUSE}"
  # Without CAP_SYS_RESOURCE no process can lower its own score.
  restrict_oom_score_adj = true
  # So that every mount of ours is under our own directory.
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{STATE}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
""")
    write_json(STATE / "cni" / "10-pods.conflist", {
        "cniVersion": "1.0.0", "name": "kecs-test",
        "plugins": [
            # No masquerade: Pods reach each other and this node, nothing else.
            {"type": "bridge", "bridge": POD_LINK, "isGateway": True, "hairpinMode": True, "ipam": {
                "type": "host-local", "dataDir": f"{STATE}/ipam", "ranges": [[{"subnet": PODS}]],
                "routes": [{"dst": "0.0.0.0/0"}]}},
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    })


def write_kubelet():
    write_json(STATE / "kubelet.json", {
        "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
        "address": ADDRESS, "readOnlyPort": 0, "healthzPort": 0,
        # Nobody but this machine and its Pods can reach the address.
        "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
        "authorization": {"mode": "AlwaysAllow"},
        "containerRuntimeEndpoint": f"unix://{STATE}/containerd/sock",
        "cgroupDriver": "cgroupfs", "cgroupRoot": f"/{CGROUP}", "failCgroupV1": False,
        # Limits of a whole Pod need the hierarchy.
        "cgroupsPerQOS": True, "enforceNodeAllocatable": [],
        "failSwapOn": False, "oomScoreAdj": 0,
        "evictionHard": {"nodefs.available": "0%", "nodefs.inodesFree": "0%", "imagefs.available": "0%", "memory.available": "50Mi"},
        # Our images come from nowhere a second time.
        "imageGCHighThresholdPercent": 100, "imageGCLowThresholdPercent": 99,
        "podLogsDir": f"{STATE}/pod-logs", "serializeImagePulls": False, "maxPods": 200,
        "syncFrequency": "10s", "nodeStatusUpdateFrequency": "5s",
        # A test wants its Pods soon, not the API server spared.
        "kubeAPIQPS": 200, "kubeAPIBurst": 400, "resolvConf": "/etc/resolv.conf",
    })
    write_json(STATE / "proxy.json", {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1", "kind": "KubeProxyConfiguration",
        "mode": "iptables", "bindAddress": ADDRESS, "healthzBindAddress": "", "metricsBindAddress": "127.0.0.1:10249",
        "hostnameOverride": NODE, "clusterCIDR": PODS, "oomScoreAdj": 0,
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
        "clientConnection": {"kubeconfig": str(kubeconfig("kube-proxy"))},
    })


# Up

def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(path):
    """What the API server answers, or None."""
    try:
        context = ssl.create_default_context(cafile=str(STATE / "apiserver/apiserver.crt"))
        request = urllib.request.Request(
            f"https://{ADDRESS}:{PORT}{path}", headers={"Authorization": f"Bearer {(STATE / 'admin.token').read_text()}"})
        with urllib.request.urlopen(request, context=context, timeout=5) as answer:
            return answer.read()
    except (OSError, ssl.SSLError, urllib.error.URLError):
        return None


def node_is_ready():
    answer = get(f"/api/v1/nodes/{NODE}")
    conditions = json.loads(answer)["status"].get("conditions", []) if answer else []
    return any(it["type"] == "Ready" and it["status"] == "True" for it in conditions)


def await_part(what, name, holds, seconds=120):
    if not patience(lambda: holds() or running(name) is None, seconds) or running(name) is None:
        log = STATE / "log" / f"{name}.log"
        tail = log.read_text(errors="replace").splitlines()[-15:]
        raise RuntimeError("\n".join([f"{what} did not come up; the end of {log}:", *tail]))


def kubectl(*arguments, **options):
    command = [STATE / "bin/kubectl", "--kubeconfig", kubeconfig("admin"), *arguments]
    return subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL, **options)


def start_all():
    program = lambda name: STATE / "bin" / name
    client, peer = f"http://127.0.0.1:{free_port()}", f"http://127.0.0.1:{free_port()}"
    start("etcd", [
        program("etcd"), "--name=test", f"--data-dir={STATE}/etcd", "--unsafe-no-fsync", "--log-level=warn",
        f"--listen-client-urls={client}", f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}", f"--initial-cluster=test={peer}"])
    start("containerd", ["containerd", "--config", STATE / "containerd.toml"])
    start("kube-apiserver", [
        program("kube-apiserver"), f"--etcd-servers={client}", f"--bind-address={ADDRESS}", f"--advertise-address={ADDRESS}",
        f"--secure-port={PORT}", f"--cert-dir={STATE}/apiserver", f"--token-auth-file={STATE}/tokens.csv",
        "--authorization-mode=Node,RBAC", f"--service-cluster-ip-range={SERVICES}", "--allow-privileged=true",
        "--service-account-issuer=https://kubernetes.default.svc", f"--service-account-key-file={STATE}/sa.pub",
        f"--service-account-signing-key-file={STATE}/sa.key", "--kubelet-preferred-address-types=InternalIP",
        "--profiling=false",
        # What a lost node had running is given up within a test, too.
        "--default-not-ready-toleration-seconds=10", "--default-unreachable-toleration-seconds=10"])
    await_part("the API server", "kube-apiserver", lambda: get("/readyz") is not None)
    say(f"  API ready after {elapsed()}")
    start("kube-controller-manager", [
        program("kube-controller-manager"), f"--kubeconfig={kubeconfig('kube-controller-manager')}", "--secure-port=0",
        "--use-service-account-credentials", "--leader-elect=false", "--kube-api-qps=500", "--kube-api-burst=1000",
        f"--service-account-private-key-file={STATE}/sa.key", f"--root-ca-file={STATE}/apiserver/apiserver.crt",
        # A lost node is to be noticed within a test.
        "--node-monitor-grace-period=20s", "--node-monitor-period=2s"])
    start("kube-scheduler", [
        program("kube-scheduler"), f"--kubeconfig={kubeconfig('kube-scheduler')}", "--secure-port=0", "--leader-elect=false"])
    await_part("containerd", "containerd", lambda: (STATE / "containerd/sock").exists())
    provide_images()
    start("kubelet", [
        program("kubelet"), f"--config={STATE}/kubelet.json", f"--kubeconfig={kubeconfig('kubelet')}",
        f"--root-dir={STATE}/kubelet", f"--hostname-override={NODE}", f"--node-ip={ADDRESS}",
        f"--node-labels=topology.kubernetes.io/zone={ZONE}"])
    start("kube-proxy", [program("kube-proxy"), f"--config={STATE}/proxy.json"])
    start("kwok", kwok.command(program("kwok"), STATE, kubeconfig("kwok")))
    await_part("the node", "kubelet", node_is_ready)
    say(f"  node ready after {elapsed()}")
    # The first Pods of a namespace need it; the controller manager makes it a moment later.
    patience(lambda: get("/api/v1/namespaces/default/serviceaccounts/default") is not None, 30)


def provide_images():
    images.load(STATE, ["ctr", "--address", str(STATE / "containerd/sock")])


STARTED = time.monotonic()


def elapsed():
    return f"{time.monotonic() - STARTED:.1f} s"


def up():
    if os.geteuid() != 0:
        raise CannotRun("it needs root: containers, bridges and cgroups are made")
    if is_up():
        say("it is up already")
        # Of this checkout, whoever brought it up.
        provide_images()
        kubectl("apply", "-f", str(HERE / "rbac.yaml"))
        return
    if STATE.exists():
        say("a former cluster was not taken down, or is broken: taking it down first")
        down()
    install_packages()
    binary = node_binary()
    traces.check(NODE_LINK, CGROUP, STATE.parent)
    for attempt in [1, 2]:
        try:
            bring_up(binary)
            return
        except BaseException as error:
            say(f"bringing it up failed: {error}")
            if os.environ.get("KECS_TEST_KEEP_FAILED"):
                raise
            down()
            if attempt == 2 or not isinstance(error, (RuntimeError, OSError, subprocess.SubprocessError)):
                raise
            say("trying it once more")


def bring_up(binary):
    for directory in ["bin", "log", "run"]:
        (STATE / directory).mkdir(parents=True)
    # Its own name for it: a cache may be cleared at any time.
    try:
        os.link(binary, STATE / "bin/node")
    except OSError:
        shutil.copy2(binary, STATE / "bin/node")
    for part in PARTS:
        (STATE / "bin" / part).symlink_to("node")
    # Before anything is made: what was there stays.
    traces.record(STATE)
    write_access()
    write_containerd()
    write_kubelet()
    write(STATE / "kwok.yaml", kwok.stages())
    traces.make_cgroups(CGROUP)
    for command in [
        ["link", "add", NODE_LINK, "type", "bridge"], ["addr", "add", f"{ADDRESS}/32", "dev", NODE_LINK],
        ["link", "set", NODE_LINK, "up"],
    ]:
        subprocess.run(["ip", *command], check=True)
    start_all()
    kubectl("apply", "-f", str(HERE / "rbac.yaml"))


def is_up():
    return STATE.exists() and running("kubelet") is not None and node_is_ready()


# Down

def down():
    if not STATE.exists():
        return
    for name in SERVANTS:
        stop(name)
    traces.end_containers(CGROUP, STATE)
    for name in MASTERS:
        stop(name)
    traces.unmount(STATE)
    for link in [POD_LINK, NODE_LINK]:
        subprocess.run(["ip", "link", "delete", link], capture_output=True)
    traces.remove_cgroups(CGROUP)
    traces.restore(STATE)
    shutil.rmtree(STATE)


def part(what, name):
    """Ends or starts one part, for tests of what happens then."""
    signals = {"stop": signal.SIGTERM, "kill": signal.SIGKILL, "freeze": signal.SIGSTOP, "thaw": signal.SIGCONT}
    if what in ("freeze", "thaw"):
        os.kill(running(name), signals[what])
    elif what == "start":
        start_again(name)
    else:
        stop(name, first=signals[what])


def status():
    if not STATE.exists():
        print("down")
        return
    for name in MASTERS + SERVANTS:
        pid = running(name)
        print(f"{name:24} {f'runs (pid {pid})' if pid else 'does not run'}")
    print(f"{'node':24} {'ready' if node_is_ready() else 'not ready'}")
    print(f"{'used by':24} {' '.join(holders()) or 'nobody'}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["up", "down", "status", "kubeconfig", "stop", "kill", "freeze", "thaw", "start"])
    parser.add_argument("part", nargs="?", choices=MASTERS + SERVANTS, help="of stop, kill, freeze, thaw and start")
    parser.add_argument("--role", choices=["admin", "kecs"], default="admin", help="whose kubeconfig is printed")
    parser.add_argument("--for", dest="holder", type=int, metavar="PID", help="of up and down: who needs it")
    arguments = parser.parse_args()
    given = os.environ.get("KECS_TEST_KUBECONFIG")
    try:
        if given and arguments.command in ("up", "kubeconfig"):
            print(given)
        elif given:
            say("KECS_TEST_KUBECONFIG names a cluster that is not ours: nothing is done")
        elif arguments.command == "status":
            status()
        elif arguments.command in ("up", "down"):
            with one_at_a_time():
                change(arguments)
        elif not STATE.exists():
            sys.exit("there is no cluster: bring it up first")
        elif arguments.command == "kubeconfig":
            print(kubeconfig(arguments.role))
        elif arguments.part:
            part(arguments.command, arguments.part)
        else:
            parser.error(f"{arguments.command} needs a part")
    except CannotRun as reason:
        say(f"SKIPPED: this machine can't run the test cluster: {reason}")
        sys.exit(3)
    except (RuntimeError, OSError, subprocess.SubprocessError) as error:
        sys.exit(f"failed: {error}")


def change(arguments):
    if arguments.command == "up":
        up()
        hold(arguments.holder)
        print(kubeconfig(arguments.role))
    elif arguments.holder and let_go(arguments.holder):
        say(f"left up: it is used by {' '.join(holders())}")
    else:
        down()
        say(f"down after {elapsed()}")


@contextlib.contextmanager
def one_at_a_time():
    with open(f"{STATE}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    main()
