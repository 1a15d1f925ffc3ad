//! Volumes that are more than an empty directory, as claims. Which storage class they are of, the configuration says;
//! without one for their kind they stay empty directories, and a note says so.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    EmptyDirVolumeSource, EphemeralVolumeSource, HostPathVolumeSource, PersistentVolumeClaim,
    PersistentVolumeClaimSpec, PersistentVolumeClaimTemplate, PersistentVolumeClaimVolumeSource, Volume,
    VolumeResourceRequirements,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kecs_domain::model::{self, Scope};
use kecs_domain::task::Task;
use kube::api::ObjectMeta;

use super::Notes;
use crate::identity::Identity;
use crate::names::{digest, dns_label, namespace_name};

/// The storage classes of volumes, by ECS's kinds of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StorageClasses {
    /// Of `efsVolumeConfiguration`: must let many nodes write at once.
    pub efs: Option<String>,
    /// Of `managedEBSVolume`.
    pub ebs: Option<String>,
    /// Of `dockerVolumeConfiguration` with the scope `shared`.
    pub docker: Option<String>,
}

/// What a claim asks for where ECS's kind of volume has no size.
const NO_SIZE: &str = "1Gi";
/// The size of an EBS volume of which none is named, in GiB.
const EBS_SIZE: i32 = 20;

/// The volumes of a task, and the claims that have to be there for them.
pub(super) fn volumes(
    identity: &Identity,
    task: &Task,
    definition: &model::TaskDefinition,
    classes: &StorageClasses,
    notes: &mut Notes,
) -> (Vec<Volume>, Vec<PersistentVolumeClaim>) {
    let (mut volumes, mut claims) = (Vec::new(), Vec::new());
    for (index, volume) in definition.volumes.iter().flatten().enumerate() {
        let Some(name) = &volume.name else { continue };
        let mut note = |what: &str| notes.add(format!("volumes[{index}]"), what);
        let mut made = Volume { name: dns_label(name), ..Volume::default() };
        if let Some(path) = volume.host.as_ref().and_then(|host| host.source_path.clone()) {
            made.host_path = Some(HostPathVolumeSource { path, type_: None });
        } else if let Some((name, spec)) = lasting(volume, classes) {
            made.persistent_volume_claim =
                Some(PersistentVolumeClaimVolumeSource { claim_name: name.clone(), read_only: None });
            claims.push(claim(identity, task, name, spec));
        } else if let (true, Some(class)) = (volume.configured_at_launch == Some(true), &classes.ebs) {
            made.ephemeral = Some(of_task(identity, task, name, class, &mut note));
        } else {
            if volume.efs_volume_configuration.is_some()
                || is_shared(volume)
                || volume.configured_at_launch == Some(true)
            {
                note(
                    "No storage class is configured for this kind of volume: it is empty and ends with the task.",
                );
            }
            if volume.fsx_windows_file_server_volume_configuration.is_some()
                || volume.s3files_volume_configuration.is_some()
            {
                note("This kind of volume is not provided: it is empty and ends with the task.");
            }
            made.empty_dir = Some(EmptyDirVolumeSource::default());
        }
        let docker = volume.docker_volume_configuration.as_ref();
        if docker.is_some_and(|docker| docker.driver.is_some() || docker.driver_opts.is_some()) {
            note("Drivers of Docker are not used.");
        }
        volumes.push(made);
    }
    (volumes, claims)
}

fn is_shared(volume: &model::Volume) -> bool {
    volume.docker_volume_configuration.as_ref().is_some_and(|docker| docker.scope == Some(Scope::Shared))
}

/// A volume that outlives the task: the name of its claim, and what is claimed. Tasks of a cluster that name the same
/// one share it.
fn lasting(volume: &model::Volume, classes: &StorageClasses) -> Option<(String, PersistentVolumeClaimSpec)> {
    if let (Some(efs), Some(class)) = (&volume.efs_volume_configuration, &classes.efs) {
        let access_point = efs.authorization_config.as_ref().and_then(|it| it.access_point_id.as_deref());
        let root = efs.root_directory.as_deref().filter(|root| !root.is_empty()).unwrap_or("/");
        let which = digest(&[&efs.file_system_id, root, access_point.unwrap_or_default()], 10);
        let name = dns_label(&format!("efs-{}-{which}", efs.file_system_id));
        return Some((name, spec(class, "ReadWriteMany", NO_SIZE.to_owned())));
    }
    let (true, Some(class), Some(name)) = (is_shared(volume), &classes.docker, &volume.name) else {
        return None;
    };
    // In ECS it is on one instance, and so are the tasks that share it.
    Some((dns_label(&format!("docker-{name}")), spec(class, "ReadWriteOnce", NO_SIZE.to_owned())))
}

/// A volume of this task alone.
fn of_task(
    identity: &Identity,
    task: &Task,
    name: &str,
    class: &str,
    note: &mut dyn FnMut(&str),
) -> EphemeralVolumeSource {
    let configured = task.launch.volumes.iter().find(|volume| volume.name == name);
    let ebs = configured.and_then(|volume| volume.managed_ebs_volume.as_ref());
    if ebs.is_some_and(|ebs| ebs.snapshot_id.is_some()) {
        note("Snapshots of EBS are not restored: the volume is empty.");
    }
    let keep = ebs.and_then(|ebs| ebs.termination_policy.as_ref()).map(|policy| policy.delete_on_termination);
    if keep == Some(false) {
        note("The volume ends with the task.");
    }
    let gib = ebs.and_then(|ebs| ebs.size_in_gib).unwrap_or(EBS_SIZE);
    let spec = spec(class, "ReadWriteOnce", format!("{gib}Gi"));
    let labels = Some(identity.of_task(task).0);
    let metadata = Some(ObjectMeta { labels, ..ObjectMeta::default() });
    let template = PersistentVolumeClaimTemplate { metadata, spec };
    EphemeralVolumeSource { volume_claim_template: Some(template) }
}

fn spec(class: &str, mode: &str, size: String) -> PersistentVolumeClaimSpec {
    let requests = BTreeMap::from([("storage".to_owned(), Quantity(size))]);
    PersistentVolumeClaimSpec {
        access_modes: Some(vec![mode.to_owned()]),
        storage_class_name: Some(class.to_owned()),
        resources: Some(VolumeResourceRequirements {
            requests: Some(requests),
            ..VolumeResourceRequirements::default()
        }),
        ..PersistentVolumeClaimSpec::default()
    }
}

fn claim(
    identity: &Identity,
    task: &Task,
    name: String,
    spec: PersistentVolumeClaimSpec,
) -> PersistentVolumeClaim {
    let cluster = &task.key.cluster;
    PersistentVolumeClaim {
        metadata: ObjectMeta {
            name: Some(name),
            namespace: Some(namespace_name(identity.installation(), cluster)),
            labels: Some(identity.of_cluster(cluster).0),
            ..ObjectMeta::default()
        },
        spec: Some(spec),
        status: None,
    }
}
