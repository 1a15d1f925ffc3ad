"""Nodes that aren't there: kwok plays their kubelets. Their Pods are Running at once, and run nothing.

They are for questions of scheduling and scale. Each carries the label `kecs.dev/test=fake`, by which kwok knows its
own. A test that adds them has the cluster for itself: other tests' tasks would land on them.
"""

import json

LABEL, VALUE = "kecs.dev/test", "fake"

# What a kubelet would tell, as kwok's stages: what is found, and what becomes of it.
NODE_READY = """
conditions:
{{ range NodeConditions }}
- type: {{ .type | Quote }}
  status: {{ .status | Quote }}
  reason: {{ .reason | Quote }}
  message: {{ .message | Quote }}
  lastHeartbeatTime: {{ Now | Quote }}
  lastTransitionTime: {{ Now | Quote }}
{{ end }}
"""
POD_RUNS = """
{{ $now := Now }}
phase: Running
startTime: {{ $now | Quote }}
hostIP: 10.250.0.9
podIP: {{ with PodIPsWith .spec.nodeName false ( or .metadata.uid "" ) ( or .metadata.name "" ) ( or .metadata.namespace "" ) }}{{ index . 0 | Quote }}{{ end }}
conditions:
{{ range list "Initialized" "Ready" "ContainersReady" }}
- type: {{ . | Quote }}
  status: "True"
  lastTransitionTime: {{ $now | Quote }}
{{ end }}
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  ready: true
  started: true
  restartCount: 0
  state: { running: { startedAt: {{ $now | Quote }} } }
{{ end }}
"""
# As a kubelet leaves a Pod that was deleted: the containers' ends are told before the object goes.
POD_ENDS = """
{{ $now := Now }}
phase: Succeeded
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  ready: false
  started: false
  restartCount: 0
  state: { terminated: { exitCode: 0, reason: Completed, startedAt: {{ $now | Quote }}, finishedAt: {{ $now | Quote }} } }
{{ end }}
"""
READY = '.status.conditions.[] | select( .type == "Ready" ) | .status'
DELETED = ".metadata.deletionTimestamp"


def stage(name, kind, when, then):
    matches = [{"key": key, "operator": operator, **({"values": list(values)} if values else {})}
               for key, operator, *values in when]
    return {
        "apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": "Stage", "metadata": {"name": name},
        "spec": {"resourceRef": {"apiGroup": "v1", "kind": kind}, "selector": {"matchExpressions": matches}, "next": then}}


def stages():
    """The configuration of kwok: documents one after the other. JSON is YAML too."""
    ended = (".status.phase", "In", "Succeeded", "Failed")
    all_of_them = [
        stage("node-ready", "Node", [(READY, "NotIn", "True")], {"statusTemplate": NODE_READY}),
        stage("pod-runs", "Pod", [(DELETED, "DoesNotExist"), (".status.phase", "In", "Pending")],
              {"statusTemplate": POD_RUNS}),
        stage("pod-ends", "Pod", [(DELETED, "Exists"), (".status.phase", "NotIn", *ended[2:])],
              {"statusTemplate": POD_ENDS}),
        stage("pod-goes", "Pod", [(DELETED, "Exists"), ended], {"delete": True}),
    ]
    return "\n---\n".join(json.dumps(it, indent=1) for it in all_of_them) + "\n"


def command(program, state, kubeconfig):
    # Whether a node is alive is told by its lease: no other sign of life is needed.
    return [
        program, f"--kubeconfig={kubeconfig}", f"--config={state}/kwok.yaml", f"--manage-nodes-with-label-selector={LABEL}={VALUE}",
        "--node-lease-duration-seconds=40", "--cidr=10.251.0.0/16", "--node-ip=10.250.0.9"]


def node(name, cpu="32", memory="256Gi", pods="110", zone="test-zone-a", **labels):
    """A node to create; `labels` are further ones."""
    size = {"cpu": cpu, "memory": memory, "pods": pods}
    info = {"architecture": "amd64", "operatingSystem": "linux", "kubeletVersion": "fake", "bootID": "", "machineID": "",
            "containerRuntimeVersion": "kwok://0", "kernelVersion": "", "kubeProxyVersion": "", "osImage": "", "systemUUID": ""}
    return {
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": name, "labels": {
            LABEL: VALUE, "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
            "topology.kubernetes.io/zone": zone, **labels}},
        "status": {"allocatable": size, "capacity": size, "nodeInfo": info}}
