//! What is typed: a job, a worker and a service, from the files in `examples/`.

use anyhow::{Context as _, Result};

use super::cli::Aws;
use super::title;

/// The part that is written in Python.
const BOTO3: &str = include_str!("boto3_tour.py");

/// Types it all. Ends at the first command that fails.
pub(super) fn play(aws: &Aws) -> Result<()> {
    aws.shown(&[
        "create-cluster",
        "--cluster-name",
        "shop",
        "--query",
        "cluster.clusterArn",
        "--output",
        "text",
    ])?;

    title("A service");
    register(aws, "web-service.json")?;
    let service = "file://examples/web-service.service.json";
    let created = "service.{service:serviceName,status:status,desired:desiredCount}";
    aws.shown(&[&["create-service", "--cli-input-json", service], IN, &table(created)].concat())?;
    aws.shown(&[&["wait", "services-stable"], IN, WEB].concat())?;
    aws.shown(&[&["describe-services"], IN, WEB, &table(DEPLOYMENTS)].concat())?;

    title("A job that ends by itself");
    register(aws, "batch-job.json")?;
    let network = "awsvpcConfiguration={subnets=[subnet-0a1b2c3d4e5f60718]}";
    let how = ["--launch-type", "FARGATE", "--network-configuration", network];
    let job = run_task(aws, "nightly-report", &how)?;
    aws.shown(&[&["wait", "tasks-stopped"], IN, &["--tasks", &job]].concat())?;
    let ended =
        "tasks[].{status:lastStatus,stopCode:stopCode,exitCode:containers[0].exitCode,reason:stoppedReason}";
    aws.shown(&[&["describe-tasks"], IN, &["--tasks", &job], &table(ended)].concat())?;

    title("A task whose containers wait for each other");
    register(aws, "worker.json")?;
    let worker = run_task(aws, "order-worker", &["--launch-type", "EC2"])?;
    aws.shown(&[&["wait", "tasks-running"], IN, &["--tasks", &worker]].concat())?;
    let containers =
        "tasks[0].containers[].{container:name,status:lastStatus,exitCode:exitCode,health:healthStatus}";
    aws.shown(&[&["describe-tasks"], IN, &["--tasks", &worker], &table(containers)].concat())?;

    title("The service is rolled");
    let roll = ["--service", "web", "--desired-count", "4", "--force-new-deployment"];
    aws.shown(
        &[
            &["update-service"],
            IN,
            &roll,
            &table("service.deployments[].{id:id,status:status,running:runningCount}"),
        ]
        .concat(),
    )?;
    aws.shown(&[&["wait", "services-stable"], IN, WEB].concat())?;
    let events = ["--query", "services[0].events[:5].[message]", "--output", "text"];
    aws.shown(&[&["describe-services"], IN, WEB, &events].concat())?;

    title("The same from Python, with boto3");
    if !aws.python(BOTO3)? {
        println!("There is no boto3 here, so this part is left out.");
    }
    Ok(())
}

const IN: &[&str] = &["--cluster", "shop"];
const WEB: &[&str] = &["--services", "web"];

/// A service's deployments, short.
pub(super) const DEPLOYMENTS: &str = "services[0].deployments[].{id:id,status:status,desired:desiredCount,running:runningCount,rollout:rolloutState}";

/// Output options: a small table of what the query picks.
pub(super) fn table(query: &str) -> [&str; 4] {
    ["--query", query, "--output", "table"]
}

fn register(aws: &Aws, example: &str) -> Result<()> {
    let file = format!("file://examples/{example}");
    let short = ["--query", "taskDefinition.taskDefinitionArn", "--output", "text"];
    aws.shown(&[&["register-task-definition", "--cli-input-json", &file], &short[..]].concat()).map(drop)
}

/// Runs one task; returns its id.
fn run_task(aws: &Aws, definition: &str, how: &[&str]) -> Result<String> {
    let short = ["--query", "tasks[].taskArn", "--output", "text"];
    let arn = aws.shown(&[&["run-task"], IN, &["--task-definition", definition], how, &short].concat())?;
    let id = arn.trim().rsplit('/').next().filter(|id| !id.is_empty());
    Ok(id.context("run-task ran nothing")?.to_owned())
}

/// Everything that was acknowledged, as the API tells it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Inventory {
    clusters: Vec<String>,
    definitions: Vec<String>,
    services: Vec<String>,
    tasks: Vec<String>,
}

impl Inventory {
    /// How much it is.
    pub(super) fn told(&self) -> String {
        let Self { clusters, definitions, services, tasks } = self;
        format!(
            "{} clusters, {} task definitions, {} services, {} running tasks",
            clusters.len(),
            definitions.len(),
            services.len(),
            tasks.len()
        )
    }
}

/// Asks for everything: sorted, so that two answers can be compared.
pub(super) fn inventory(aws: &Aws) -> Result<Inventory> {
    let list = |arguments: &[&str]| -> Result<Vec<String>> {
        let mut found: Vec<String> =
            serde_json::from_str(&aws.quiet(arguments)?).context("the aws CLI's answer")?;
        found.sort();
        Ok(found)
    };
    let clusters = list(&["list-clusters", "--query", "clusterArns", "--output", "json"])?;
    let definitions = list(&["list-task-definitions", "--query", "taskDefinitionArns", "--output", "json"])?;
    let (mut services, mut tasks) = (Vec::new(), Vec::new());
    for cluster in &clusters {
        let query = ["--cluster", cluster, "--output", "json", "--query"];
        services.extend(list(&[&["list-services"], &query[..], &["serviceArns"]].concat())?);
        tasks.extend(list(&[&["list-tasks"], &query[..], &["taskArns"]].concat())?);
    }
    Ok(Inventory { clusters, definitions, services, tasks })
}
