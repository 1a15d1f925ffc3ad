//! Taking an installation's objects back: its finalizers, and where that is wanted its Pods and Namespaces. Nothing else:
//! what others put into our Namespaces keeps them.

use k8s_openapi::api::core::v1::{Namespace, Pod};
use kecs_usecases::ports::PortError;
use kube::api::{Api, DeleteParams, DynamicObject, ListParams};
use kube::core::discovery::{ApiResource, verbs};
use kube::discovery::{Discovery, Scope};
use kube::{Client, ResourceExt as _};

use crate::calls::careful;
use crate::cluster::{purge, unfinalize};
use crate::error::{ConnectError, is_status, port_error};
use crate::identity::Identity;
use crate::options::KubernetesOptions;

/// What an installation has in Kubernetes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Belongings {
    /// Its Namespaces.
    pub namespaces: Vec<String>,
    /// Its Pods: namespace and name.
    pub pods: Vec<(String, String)>,
}

/// A Namespace that was left alone, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// Which.
    pub namespace: String,
    /// What of others is in it, such as `ConfigMap settings`.
    pub foreign: Vec<String>,
}

/// Takes an installation's objects back.
pub struct Uninstaller {
    client: Client,
    identity: Identity,
}

impl Uninstaller {
    /// Connects.
    ///
    /// # Errors
    /// When there is no usable configuration, or no answer.
    pub async fn connect(options: &KubernetesOptions) -> Result<Self, ConnectError> {
        let unreachable = |error| ConnectError::Unreachable(Box::new(error));
        let client = Client::try_from(options.client_config().await?).map_err(unreachable)?;
        let client = careful(client);
        client.apiserver_version().await.map_err(unreachable)?;
        Ok(Self { client, identity: Identity::new(options.installation.clone()) })
    }

    /// What there is of the installation.
    ///
    /// # Errors
    /// A failure of the API.
    pub async fn belongings(&self) -> Result<Belongings, PortError> {
        let ours = ListParams::default().labels(&self.identity.selector());
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        let namespaces =
            namespaces.list(&ours).await.map_err(|error| port_error("listing Namespaces", &error))?;
        let pods: Api<Pod> = Api::all(self.client.clone());
        let pods = pods.list(&ours).await.map_err(|error| port_error("listing Pods", &error))?;
        Ok(Belongings {
            namespaces: namespaces.iter().map(|it| it.name_any()).collect(),
            pods: pods.iter().map(|it| (it.namespace().unwrap_or_default(), it.name_any())).collect(),
        })
    }

    /// Takes our finalizer off a Pod, which goes on as it is.
    ///
    /// # Errors
    /// A failure of the API.
    pub async fn release(&self, namespace: &str, pod: &str) -> Result<(), PortError> {
        unfinalize(&Api::namespaced(self.client.clone(), namespace), pod).await
    }

    /// Deletes a Pod, which gets its own time to end, and takes our finalizer off it.
    ///
    /// # Errors
    /// A failure of the API.
    pub async fn delete_pod(&self, namespace: &str, pod: &str) -> Result<(), PortError> {
        purge(&Api::namespaced(self.client.clone(), namespace), pod, &DeleteParams::default()).await
    }

    /// Deletes a Namespace unless somebody else has something in it: then that is told.
    ///
    /// # Errors
    /// A failure of the API.
    pub async fn delete_namespace(&self, name: &str) -> Result<Option<Left>, PortError> {
        let foreign = self.foreign(name).await?;
        if !foreign.is_empty() {
            return Ok(Some(Left { namespace: name.to_owned(), foreign }));
        }
        let api: Api<Namespace> = Api::all(self.client.clone());
        match api.delete(name, &DeleteParams::default()).await {
            Ok(_) => Ok(None),
            // Gone already, or going.
            Err(error) if is_status(&error, 404) || is_status(&error, 409) => Ok(None),
            Err(error) => Err(port_error("deleting a Namespace", &error)),
        }
    }

    /// What is in a Namespace that is neither ours nor made by Kubernetes for every Namespace.
    async fn foreign(&self, namespace: &str) -> Result<Vec<String>, PortError> {
        let discovery = Discovery::new(self.client.clone()).run().await;
        let discovery = discovery.map_err(|error| port_error("finding out the kinds of objects", &error))?;
        let others = ListParams::default().labels(&format!("!{}", crate::identity::INSTALLATION));
        let mut foreign = Vec::new();
        for group in discovery.groups() {
            for (resource, capabilities) in group.recommended_resources() {
                let listed =
                    capabilities.scope == Scope::Namespaced && capabilities.supports_operation(verbs::LIST);
                if !listed || is_made_by_kubernetes(&resource, None) {
                    continue;
                }
                let api: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), namespace, &resource);
                let found = match api.list(&others).await {
                    Ok(found) => found,
                    // Kinds that can't be listed after all, such as those of an API that is down.
                    Err(error) if is_status(&error, 404) || is_status(&error, 405) => continue,
                    Err(error) => return Err(port_error("looking for others' objects", &error)),
                };
                let names =
                    found.iter().filter(|it| it.owner_references().is_empty()).map(|it| it.name_any());
                foreign.extend(
                    names
                        .filter(|name| !is_made_by_kubernetes(&resource, Some(name)))
                        .map(|name| format!("{} {name}", resource.kind)),
                );
            }
        }
        Ok(foreign)
    }
}

/// What every Namespace has, or what is only about other objects. `name` is None for all of the kind.
fn is_made_by_kubernetes(resource: &ApiResource, name: Option<&str>) -> bool {
    matches!(
        (resource.kind.as_str(), name),
        ("Event" | "Endpoints" | "EndpointSlice" | "Lease" | "PodMetrics", None)
            | ("ServiceAccount", Some("default"))
            | ("ConfigMap", Some("kube-root-ca.crt"))
    )
}

impl Belongings {
    /// True when there is nothing.
    pub fn is_empty(&self) -> bool {
        self.namespaces.is_empty() && self.pods.is_empty()
    }
}
