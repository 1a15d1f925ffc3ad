//! Volumes and where they are mounted.

use k8s_openapi::api::core::v1::{EmptyDirVolumeSource, Volume, VolumeMount};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kecs_domain::model::{ContainerDefinition, TaskDefinition};

use super::Notes;
use crate::names::dns_label;

/// A container's own memory-backed volume.
fn memory_name(container: &str, index: usize) -> String {
    dns_label(&format!("{container}-memory-{index}"))
}

/// The volumes that single containers need: those in memory.
pub(super) fn in_memory(definition: &TaskDefinition, notes: &mut Notes) -> Vec<Volume> {
    let mut volumes = Vec::new();
    for (index, container) in definition.container_definitions.iter().flatten().enumerate() {
        let tmpfs = container.linux_parameters.iter().flat_map(|linux| linux.tmpfs.iter().flatten());
        if tmpfs.into_iter().any(|tmpfs| tmpfs.mount_options.as_ref().is_some_and(|all| !all.is_empty())) {
            notes.add(
                format!("containerDefinitions[{index}].linuxParameters.tmpfs"),
                "Mount options are left out.",
            );
        }
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
    volumes
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
