//! Volumes and where they are mounted.

use k8s_openapi::api::core::v1::{EmptyDirVolumeSource, HostPathVolumeSource, Volume, VolumeMount};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kecs_domain::model::{ContainerDefinition, TaskDefinition};

use super::Notes;
use crate::names::dns_label;

/// A container's own memory-backed volume.
fn memory_name(container: &str, index: usize) -> String {
    dns_label(&format!("{container}-memory-{index}"))
}

/// The volumes of the task, and those that single containers need.
pub(super) fn of_pod(definition: &TaskDefinition, notes: &mut Notes) -> Option<Vec<Volume>> {
    let mut volumes = Vec::new();
    for (index, volume) in definition.volumes.iter().flatten().enumerate() {
        let Some(name) = &volume.name else { continue };
        let path = volume.host.as_ref().and_then(|host| host.source_path.clone());
        let lasting = volume.efs_volume_configuration.is_some()
            || volume.fsx_windows_file_server_volume_configuration.is_some()
            || volume.docker_volume_configuration.is_some()
            || volume.s3files_volume_configuration.is_some()
            || volume.configured_at_launch == Some(true);
        if lasting {
            notes.add(
                format!("volumes[{index}]"),
                "Lasting volumes are not provided yet: the volume is empty and ends with the task.",
            );
        }
        volumes.push(Volume {
            name: dns_label(name),
            host_path: path.clone().map(|path| HostPathVolumeSource { path, type_: None }),
            empty_dir: path.is_none().then(EmptyDirVolumeSource::default),
            ..Volume::default()
        });
    }
    for container in definition.container_definitions.iter().flatten() {
        for (index, (_, mib)) in memory_mounts(container).into_iter().enumerate() {
            volumes.push(Volume {
                name: memory_name(container.name.as_deref().unwrap_or_default(), index),
                empty_dir: Some(EmptyDirVolumeSource {
                    medium: Some("Memory".to_owned()),
                    size_limit: Some(Quantity(format!("{mib}Mi"))),
                    ..EmptyDirVolumeSource::default()
                }),
                ..Volume::default()
            });
        }
    }
    (!volumes.is_empty()).then_some(volumes)
}

/// `tmpfs` and `sharedMemorySize`: path and size in MiB.
fn memory_mounts(container: &ContainerDefinition) -> Vec<(String, i32)> {
    let Some(linux) = &container.linux_parameters else { return Vec::new() };
    let shared = linux.shared_memory_size.map(|mib| ("/dev/shm".to_owned(), mib));
    let tmpfs = linux.tmpfs.iter().flatten().map(|tmpfs| (tmpfs.container_path.clone(), tmpfs.size));
    shared.into_iter().chain(tmpfs).collect()
}

/// The mounts of one container: its own, those it takes over from others, and its memory-backed ones.
pub(super) fn of_container(containers: &[ContainerDefinition], index: usize) -> Option<Vec<VolumeMount>> {
    let container = &containers[index];
    let mut mounts = own_mounts(container, false);
    for from in container.volumes_from.iter().flatten() {
        let source = containers.iter().find(|other| other.name == from.source_container);
        if let Some(source) = source {
            mounts.extend(own_mounts(source, from.read_only == Some(true)));
        }
    }
    for (index, (path, _)) in memory_mounts(container).into_iter().enumerate() {
        mounts.push(VolumeMount {
            name: memory_name(container.name.as_deref().unwrap_or_default(), index),
            mount_path: path,
            ..VolumeMount::default()
        });
    }
    (!mounts.is_empty()).then_some(mounts)
}

fn own_mounts(container: &ContainerDefinition, read_only: bool) -> Vec<VolumeMount> {
    container
        .mount_points
        .iter()
        .flatten()
        .filter_map(|mount| {
            Some(VolumeMount {
                name: dns_label(mount.source_volume.as_deref()?),
                mount_path: mount.container_path.clone()?,
                read_only: (read_only || mount.read_only == Some(true)).then_some(true),
                ..VolumeMount::default()
            })
        })
        .collect()
}
