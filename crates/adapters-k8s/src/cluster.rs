//! Clusters as namespaces.

use std::time::Duration;

use k8s_openapi::api::core::v1::{Namespace, Pod};
use kecs_domain::arn::ClusterKey;
use kecs_usecases::ports::PortError;
use kube::api::{Api, DeleteParams, ListParams, ObjectMeta, Patch, PatchParams, PostParams};
use kube::{Client, ResourceExt as _};
use tokio::time::Instant;

use crate::error::{is_status, port_error, refusal};
use crate::identity::{CLUSTER_ARN, FINALIZER, Identity};
use crate::names::namespace_name;

/// How long a namespace of ours may take to be gone before its cluster can be made anew. An empty one takes some
/// five seconds.
const NAMESPACE_GONE: Duration = Duration::from_secs(25);
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// Makes the namespace of a cluster unless it is there. One of that name that isn't ours is left alone.
pub(crate) async fn ensure(
    client: &Client,
    identity: &Identity,
    cluster: &ClusterKey,
) -> Result<(), PortError> {
    let api: Api<Namespace> = Api::all(client.clone());
    let name = namespace_name(identity.installation(), cluster);
    let (labels, annotations) = identity.of_cluster(cluster);
    let namespace = Namespace {
        metadata: ObjectMeta {
            name: Some(name.clone()),
            labels: Some(labels),
            annotations: Some(annotations),
            ..ObjectMeta::default()
        },
        ..Namespace::default()
    };
    // A cluster of that name that was just deleted may still be on its way out.
    let end = Instant::now() + NAMESPACE_GONE;
    loop {
        match api.create(&PostParams::default(), &namespace).await {
            Ok(_) => return Ok(()),
            Err(error) if is_status(&error, 409) => {}
            Err(error) => return Err(refusal("making a namespace", &error)),
        }
        let found = api.get_opt(&name).await.map_err(|error| port_error("reading a namespace", &error))?;
        let Some(found) = found else { continue };
        check(identity, cluster, &found)?;
        if found.metadata.deletion_timestamp.is_none() {
            return Ok(());
        }
        if Instant::now() > end {
            return Err(PortError::transient(format!("the namespace {name} is still being deleted")));
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// Deletes the namespace of a cluster, with whatever is left in it. One that isn't ours is left alone.
pub(crate) async fn delete(
    client: &Client,
    identity: &Identity,
    cluster: &ClusterKey,
) -> Result<(), PortError> {
    let api: Api<Namespace> = Api::all(client.clone());
    let name = namespace_name(identity.installation(), cluster);
    let found = api.get_opt(&name).await.map_err(|error| port_error("reading a namespace", &error))?;
    let Some(found) = found else { return Ok(()) };
    if let Err(error) = check(identity, cluster, &found) {
        // There is nothing of ours to give back.
        tracing::warn!(%error, "a namespace was not deleted with its cluster");
        return Ok(());
    }
    // Pods of tasks whose end is stored, but which nobody let go of: their finalizers would hold the namespace.
    let pods: Api<Pod> = Api::namespaced(client.clone(), &name);
    let ours = ListParams::default().labels(&identity.selector());
    let left = pods.list(&ours).await.map_err(|error| port_error("listing Pods", &error))?;
    for pod in left {
        release(&pods, &pod.name_any()).await?;
    }
    match api.delete(&name, &DeleteParams::default()).await {
        Ok(_) => Ok(()),
        // Gone already, or going.
        Err(error) if is_status(&error, 404) || is_status(&error, 409) => Ok(()),
        Err(error) => Err(port_error("deleting a namespace", &error)),
    }
}

/// Deletes a Pod at once and takes our finalizer off it.
pub(crate) async fn release(pods: &Api<Pod>, name: &str) -> Result<(), PortError> {
    let immediately = DeleteParams { grace_period_seconds: Some(0), ..DeleteParams::default() };
    purge(pods, name, &immediately).await
}

/// Deletes a Pod and takes our finalizer off it.
pub(crate) async fn purge(pods: &Api<Pod>, name: &str, how: &DeleteParams) -> Result<(), PortError> {
    // Deleted first: a Pod without its finalizer would otherwise stay for ever.
    match pods.delete(name, how).await {
        Ok(_) => {}
        Err(error) if is_status(&error, 404) => return Ok(()),
        Err(error) => return Err(port_error("ending a Pod", &error)),
    }
    unfinalize(pods, name).await
}

/// Takes our finalizer off a Pod. Others' finalizers are theirs to take off.
pub(crate) async fn unfinalize(pods: &Api<Pod>, name: &str) -> Result<(), PortError> {
    let patch = serde_json::json!({"metadata": {"$deleteFromPrimitiveList/finalizers": [FINALIZER]}});
    match pods.patch(name, &PatchParams::default(), &Patch::Strategic(&patch)).await {
        Ok(_) => Ok(()),
        Err(error) if is_status(&error, 404) => Ok(()),
        Err(error) => Err(port_error("releasing a Pod", &error)),
    }
}

/// Refuses a namespace that isn't ours.
fn check(identity: &Identity, cluster: &ClusterKey, found: &Namespace) -> Result<(), PortError> {
    let name = found.name_any();
    let of = found.annotations().get(CLUSTER_ARN);
    if !identity.owns(&found.metadata) || of != Some(&cluster.arn()) {
        return Err(PortError::permanent(format!(
            "The namespace {name} exists and does not belong to the cluster {} of the kecs installation {}: it is \
             left alone. Delete it, or give kecs another name with --installation.",
            cluster.name,
            identity.installation()
        )));
    }
    Ok(())
}
