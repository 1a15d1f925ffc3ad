"""What `cargo xtask demo` shows of boto3: a task with overrides, and an error as a typed exception."""

import time

import boto3

ecs = boto3.client("ecs")

print(">>> ecs.run_task(taskDefinition='nightly-report', count=2, startedBy='demo', overrides=...)")
run = ecs.run_task(
    cluster="shop",
    taskDefinition="nightly-report",
    count=2,
    startedBy="demo",
    launchType="FARGATE",
    networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-0a1b2c3d4e5f60718"]}},
    overrides={"containerOverrides": [{"name": "report", "environment": [{"name": "DAY", "value": "2026-11-01"}]}]},
)
arns = [task["taskArn"] for task in run["tasks"]]
print(f"{len(arns)} tasks, {len(run['failures'])} failures")

print(">>> ecs.get_waiter('tasks_stopped').wait(...)")
ecs.get_waiter("tasks_stopped").wait(cluster="shop", tasks=arns, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
for task in ecs.describe_tasks(cluster="shop", tasks=arns)["tasks"]:
    took = (task["stoppedAt"] - task["startedAt"]).total_seconds()
    print(f"{task['taskArn'].rsplit('/', 1)[1]}: {task['lastStatus']}, ran for {took:.1f} s")

print(">>> ecs.describe_service_deployments(...), until the newest has ended, as Terraform waits for it")
arns = [d["serviceDeploymentArn"] for d in ecs.list_service_deployments(cluster="shop", service="web")["serviceDeployments"]]
for _ in range(120):
    deployments = ecs.describe_service_deployments(serviceDeploymentArns=arns)["serviceDeployments"]
    if deployments[0]["status"] not in ("PENDING", "IN_PROGRESS"):
        break
    time.sleep(0.5)
for deployment in deployments:
    print(f"{deployment['serviceDeploymentArn'].rsplit('/', 1)[1]}: {deployment['status']}")

print(">>> ecs.run_task(cluster='nowhere', ...)")
try:
    ecs.run_task(cluster="nowhere", taskDefinition="nightly-report")
except ecs.exceptions.ClusterNotFoundException as error:
    print(f"ClusterNotFoundException: {error.response['Error']['Message']}")
else:
    raise SystemExit("a cluster that isn't there was found")
