//! Clusters as namespaces.

use k8s_openapi::api::core::v1::Namespace;
use kecs_domain::arn::ClusterKey;
use kecs_usecases::ports::PortError;
use kube::api::{Api, DeleteParams, ObjectMeta, PostParams};
use kube::{Client, ResourceExt as _};

use crate::error::{is_status, port_error};
use crate::identity::{CLUSTER_ARN, Identity};
use crate::names::namespace_name;

/// Makes the namespace of a cluster unless it is there. One of that name that isn't ours is left alone.
pub(crate) async fn ensure(client: &Client, identity: &Identity, cluster: &ClusterKey) -> Result<(), PortError> {
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
    match api.create(&PostParams::default(), &namespace).await {
        Ok(_) => return Ok(()),
        Err(error) if is_status(&error, 409) => {}
        Err(error) => return Err(port_error("making a namespace", &error)),
    }
    let found = api.get(&name).await.map_err(|error| port_error("reading a namespace", &error))?;
    check(identity, cluster, &found)
}

/// Deletes the namespace of a cluster, with whatever is left in it. One that isn't ours is left alone.
pub(crate) async fn delete(client: &Client, identity: &Identity, cluster: &ClusterKey) -> Result<(), PortError> {
    let api: Api<Namespace> = Api::all(client.clone());
    let name = namespace_name(identity.installation(), cluster);
    let found = api.get_opt(&name).await.map_err(|error| port_error("reading a namespace", &error))?;
    let Some(found) = found else { return Ok(()) };
    check(identity, cluster, &found)?;
    match api.delete(&name, &DeleteParams::default()).await {
        Ok(_) => Ok(()),
        // Gone already, or going.
        Err(error) if is_status(&error, 404) || is_status(&error, 409) => Ok(()),
        Err(error) => Err(port_error("deleting a namespace", &error)),
    }
}

/// Refuses a namespace that isn't ours, and waits for one of ours to be gone that is being deleted.
fn check(identity: &Identity, cluster: &ClusterKey, found: &Namespace) -> Result<(), PortError> {
    let name = found.name_any();
    let of = found.annotations().get(CLUSTER_ARN);
    if !identity.owns(&found.metadata) || of != Some(&cluster.arn()) {
        return Err(PortError::permanent(format!(
            "The namespace {name} exists and is not one of kecs's: it is left alone. Delete or rename it."
        )));
    }
    if found.metadata.deletion_timestamp.is_some() {
        return Err(PortError::transient(format!("the namespace {name} is still being deleted")));
    }
    Ok(())
}
