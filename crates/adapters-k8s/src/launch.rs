//! What a launch makes: the claims that a task needs, and its Pod.

use std::time::Duration;

use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};
use kecs_usecases::ports::PortError;
use kube::api::{Api, PostParams};
use kube::{Client, ResourceExt as _};
use tokio::time::Instant;

use crate::error::{already_exists, lacks_account, port_error, refusal};
use crate::identity::{Identity, same_task};
use crate::translate::Translation;

/// A namespace has its service account a moment after it was made; on a busy cluster that moment is long.
const ACCOUNT_THERE: Duration = Duration::from_secs(10);

/// Makes everything that isn't there.
pub(crate) async fn make(
    client: &Client,
    identity: &Identity,
    namespace: &str,
    made: &Translation,
) -> Result<(), PortError> {
    let claims: Api<PersistentVolumeClaim> = Api::namespaced(client.clone(), namespace);
    for claim in &made.claims {
        match claims.create(&PostParams::default(), claim).await {
            Ok(_) => {}
            Err(error) if already_exists(&error) => {}
            Err(error) => return Err(refusal("making a claim", &error)),
        }
    }
    create(&Api::namespaced(client.clone(), namespace), identity, &made.pod).await
}

/// Makes the Pod. A namespace that was just made has no service account yet, and refuses Pods until it has.
async fn create(api: &Api<Pod>, identity: &Identity, pod: &Pod) -> Result<(), PortError> {
    let end = Instant::now() + ACCOUNT_THERE;
    loop {
        match api.create(&PostParams::default(), pod).await {
            Ok(_) => return Ok(()),
            Err(kube::Error::Api(status)) if lacks_account(&status) && Instant::now() < end => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err(error) if already_exists(&error) => return check_same(api, identity, pod).await,
            Err(error) => return Err(refusal("making a Pod", &error)),
        }
    }
}

/// Checks that the Pod that is there under this one's name is the same task's, launched before.
async fn check_same(api: &Api<Pod>, identity: &Identity, pod: &Pod) -> Result<(), PortError> {
    let name = pod.name_any();
    let found = api.get_opt(&name).await.map_err(|error| port_error("reading a Pod", &error))?;
    match found {
        Some(found) if identity.owns(&found.metadata) && same_task(&found.metadata, &pod.metadata) => Ok(()),
        Some(_) => Err(PortError::permanent(format!(
            "The Pod {name} exists and is not one of kecs's: it is left alone"
        ))),
        // Gone in between.
        None => Err(PortError::transient(format!("the Pod {name} was there and is gone"))),
    }
}
