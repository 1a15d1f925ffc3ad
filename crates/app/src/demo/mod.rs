//! The demonstration: a service is deployed and updated through the API, and what happens is shown.
//!
//! It is a client like any other. It knows the server's address, and nothing of what is behind it.

mod client;
mod requests;
mod screen;

use std::time::Duration;

use anyhow::{Context, Result, bail};
use kecs_domain::model::{self, op};
use tokio::time::{Instant, sleep};

use crate::runtime::Ready;
use client::EcsClient;
pub(crate) use screen::Screen;

const CLUSTER: &str = "demo";
const SERVICE: &str = "web";
const TASKS: i32 = 3;
/// What the service runs unless told otherwise.
pub(crate) const IMAGE: &str = "public.ecr.aws/nginx/nginx:stable";
/// How often the service is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// How long a service may take to become steady. On a real cluster images have to be pulled.
const PATIENCE: Duration = Duration::from_secs(300);

/// Deploys the service and updates it.
pub(crate) async fn tell(ready: &Ready, screen: &Screen, image: &str) -> Result<()> {
    let ecs = EcsClient::new(format!("http://{}", ready.api));
    screen.say(&format!("kecs serves the ECS API at http://{} ({})", ready.api, ready.orchestrator.as_str()));

    screen.step("create-cluster");
    ecs.call::<op::CreateCluster>(&requests::cluster()).await?;
    screen.done(&format!("cluster {CLUSTER}"));

    let first = register(&ecs, screen, image, "1.0").await?;
    screen.step("create-service");
    let exists = find(&ecs).await?.is_some_and(|service| service.status.as_deref() == Some("ACTIVE"));
    if exists {
        // Left over from another demonstration in this data directory.
        ecs.call::<op::UpdateService>(&requests::update(&first)).await?;
    } else {
        ecs.call::<op::CreateService>(&requests::service(&first)).await?;
    }
    screen.done(&format!("service {SERVICE} of {TASKS} tasks"));
    steady(&ecs, screen, "deployed").await?;

    let second = register(&ecs, screen, image, "2.0").await?;
    screen.step("update-service");
    ecs.call::<op::UpdateService>(&requests::update(&second)).await?;
    screen.done(&format!("service {SERVICE} to {}", short(&second)));
    let service = steady(&ecs, screen, "updated").await?;

    screen.say("What the service says happened (newest first):");
    for event in service.events.iter().flatten().take(8) {
        screen.say(&format!("  {}", event.message.as_deref().unwrap_or_default()));
    }
    Ok(())
}

/// Removes what was made, so that nothing is left where tasks outlive the server.
pub(crate) async fn clear(ready: &Ready, screen: &Screen) -> Result<()> {
    let ecs = EcsClient::new(format!("http://{}", ready.api));
    let begin = Instant::now();
    screen.step("delete-service");
    if find(&ecs).await?.is_some_and(|service| service.status.as_deref() == Some("ACTIVE")) {
        ecs.call::<op::DeleteService>(&requests::delete_service()).await?;
    }
    // Tasks that were tried out beside the service end too.
    loop {
        let running = ecs.call::<op::ListTasks>(&requests::list_tasks()).await?.task_arns.unwrap_or_default();
        for task in &running {
            ecs.call::<op::StopTask>(&requests::stop_task(task)).await?;
        }
        if running.is_empty() {
            break;
        }
        if begin.elapsed() > PATIENCE {
            bail!("the tasks have not stopped after {} s", PATIENCE.as_secs());
        }
        sleep(LOOK).await;
    }
    screen.done(&format!("service {SERVICE} and all tasks"));
    screen.step("delete-cluster");
    // Tasks that are ending still hold it.
    while let Err(error) = ecs.call::<op::DeleteCluster>(&requests::delete_cluster()).await {
        if begin.elapsed() > PATIENCE {
            return Err(error);
        }
        sleep(LOOK).await;
    }
    screen.done(&format!("cluster {CLUSTER}"));
    Ok(())
}

/// Tells what to try on the server while it is up.
pub(crate) fn what_next(ready: &Ready, screen: &Screen) {
    screen.say(&format!(
        "\nThe server stays up until Ctrl-C. Try, in another shell:\n\
         \n\
         \x20 export AWS_ENDPOINT_URL_ECS=http://{} AWS_REGION={} AWS_DEFAULT_REGION={}\n\
         \x20 export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test\n\
         \x20 aws ecs list-tasks --cluster {CLUSTER}\n\
         \x20 aws ecs describe-services --cluster {CLUSTER} --services {SERVICE}\n\
         \x20 aws ecs update-service --cluster {CLUSTER} --service {SERVICE} --desired-count 5\n\
         \x20 aws ecs wait services-stable --cluster {CLUSTER} --services {SERVICE}\n\
         \x20 aws ecs run-task --cluster {CLUSTER} --task-definition {SERVICE}\n\
         \x20 kecs logs --admin-url http://{} TASK-ARN\n\
         \n\
         Metrics: http://{}/metrics",
        ready.api, ready.region, ready.region, ready.admin, ready.admin
    ));
}

async fn register(ecs: &EcsClient, screen: &Screen, image: &str, version: &str) -> Result<String> {
    screen.step("register-task-definition");
    let response = ecs.call::<op::RegisterTaskDefinition>(&requests::task_definition(image, version)).await?;
    let arn = response.task_definition.and_then(|definition| definition.task_definition_arn.clone());
    let arn = arn.context("RegisterTaskDefinition: the answer has no ARN")?;
    screen.done(&format!("task definition {}", short(&arn)));
    Ok(arn)
}

async fn find(ecs: &EcsClient) -> Result<Option<model::Service>> {
    let response = ecs.call::<op::DescribeServices>(&requests::describe()).await?;
    Ok(response.services.into_iter().flatten().next().map(kecs_domain::Doc::into_inner))
}

/// Waits, as the waiter `services-stable` of the SDKs does, and shows the deployments meanwhile.
async fn steady(ecs: &EcsClient, screen: &Screen, how: &str) -> Result<model::Service> {
    let begin = Instant::now();
    let mut fewest = i32::MAX;
    screen.step("wait services-stable");
    loop {
        let service = find(ecs).await?.context("DescribeServices: the service is gone")?;
        let deployments = service.deployments.as_deref().unwrap_or_default();
        screen.live(&deployments.iter().map(line).collect::<Vec<_>>().join("   "));
        if deployments
            .iter()
            .any(|deployment| deployment.rollout_state == Some(model::DeploymentRolloutState::Failed))
        {
            bail!("the deployment failed: {}", deployments.iter().map(reason).collect::<Vec<_>>().join("; "));
        }
        let done = deployments
            .iter()
            .all(|deployment| deployment.rollout_state == Some(model::DeploymentRolloutState::Completed));
        let running = service.running_count.unwrap_or_default();
        fewest = fewest.min(running);
        if deployments.len() == 1 && done && service.running_count == service.desired_count {
            let seconds = begin.elapsed().as_secs_f64();
            screen.done(&format!(
                "{how}: {running} tasks run after {seconds:.1} s; never fewer than {fewest} did"
            ));
            return Ok(service);
        }
        if begin.elapsed() > PATIENCE {
            bail!("the service is not steady after {} s; its events say why", PATIENCE.as_secs());
        }
        sleep(LOOK).await;
    }
}

/// `web:2 PRIMARY 1/3 running, 2 pending`
fn line(deployment: &model::Deployment) -> String {
    let count = |count: Option<i32>| count.unwrap_or_default();
    let mut line = format!(
        "{} {} {}/{} running",
        short(deployment.task_definition.as_deref().unwrap_or_default()),
        deployment.status.as_deref().unwrap_or_default(),
        count(deployment.running_count),
        count(deployment.desired_count)
    );
    if count(deployment.pending_count) > 0 {
        line.push_str(&format!(", {} pending", count(deployment.pending_count)));
    }
    line
}

fn reason(deployment: &model::Deployment) -> &str {
    deployment.rollout_state_reason.as_deref().unwrap_or("no reason given")
}

/// The part of an ARN after its last slash.
fn short(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}
