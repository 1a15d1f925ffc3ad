//! Volumes, where they are mounted, and the size of the task's own storage.

use std::collections::BTreeSet;

use super::{Outcome, Subject, client, each, name_of};
use crate::model::{
    Compatibility, EFSAuthorizationConfigIAM, EFSTransitEncryption, EFSVolumeConfiguration,
    S3FilesVolumeConfiguration, Volume,
};
use crate::name::FamilyName;
use crate::task_definition::sizes::STORAGE;

pub(super) fn check(subject: &Subject<'_>) -> Outcome {
    let mut names = BTreeSet::new();
    for volume in each(&subject.request.volumes) {
        let name = volume.name.as_deref().unwrap_or_default();
        if name.is_empty() {
            return client("Volume.name should not be null or empty.");
        }
        // Volumes are named by the same rule as families. (API model)
        if FamilyName::parse(name).is_none() {
            return client("Volume name contains invalid characters.");
        }
        if !names.insert(name) {
            return client("Volume names must be unique within a task definition");
        }
        check_kind(subject, volume, name)?;
    }
    check_mounts(subject, &names)?;
    check_launch_volumes(subject)?;
    check_storage(subject)
}

fn check_kind(subject: &Subject<'_>, volume: &Volume, name: &str) -> Outcome {
    let kinds = [
        volume.host.as_ref().is_some_and(|host| host.source_path.is_some()),
        volume.docker_volume_configuration.is_some(),
        volume.efs_volume_configuration.is_some(),
        volume.s3files_volume_configuration.is_some(),
        volume.fsx_windows_file_server_volume_configuration.is_some(),
        volume.configured_at_launch == Some(true),
    ];
    if kinds.iter().filter(|kind| **kind).count() > 1 {
        return client(format!("Volume '{name}' can have only one kind of configuration."));
    }
    if let Some(efs) = &volume.efs_volume_configuration {
        check_efs(efs)?;
    }
    if let Some(files) = &volume.s3files_volume_configuration {
        check_s3_files(subject, files)?;
    }
    Ok(())
}

fn check_efs(efs: &EFSVolumeConfiguration) -> Outcome {
    let encrypted = efs.transit_encryption == Some(EFSTransitEncryption::Enabled);
    if let Some(authorization) = &efs.authorization_config {
        if authorization.iam == Some(EFSAuthorizationConfigIAM::Enabled) && !encrypted {
            return client("EFS IAM authorization requires TransitEncryption to be enabled");
        }
        if authorization.access_point_id.is_some() {
            check_root("an EFS", efs.root_directory.as_deref())?;
            if !encrypted {
                return client("EFS access points require TransitEncryption to be enabled");
            }
        }
    }
    if efs.transit_encryption_port.is_some() && !encrypted {
        return client("TransitEncryptionPort requires that TransitEncryption is enabled");
    }
    check_port(efs.transit_encryption_port)
}

fn check_s3_files(subject: &Subject<'_>, files: &S3FilesVolumeConfiguration) -> Outcome {
    if subject.request.task_role_arn.as_deref().unwrap_or_default().is_empty() {
        return client(
            "When you are specifying S3 Files volumes, you must also specify a value for 'taskRoleArn'.",
        );
    }
    if files.access_point_arn.is_some() {
        check_root("an S3 Files", files.root_directory.as_deref())?;
    }
    check_port(files.transit_encryption_port)
}

fn check_root(kind: &str, root: Option<&str>) -> Outcome {
    if matches!(root, None | Some("" | "/")) {
        return Ok(());
    }
    client(format!(
        "When using {kind} access point, the root directory must either be set to \"/\" or be omitted"
    ))
}

fn check_port(port: Option<i32>) -> Outcome {
    if port.is_none_or(|port| (1..=65535).contains(&port)) {
        return Ok(());
    }
    client("TransitEncryptionPort must be between 1 and 65535")
}

fn check_mounts(subject: &Subject<'_>, volumes: &BTreeSet<&str>) -> Outcome {
    for container in subject.containers {
        let name = name_of(container);
        let mut paths = BTreeSet::new();
        for mount in each(&container.mount_points) {
            // ECS says 'null' where nothing is said.
            let volume = mount.source_volume.as_deref().unwrap_or("null");
            if !volumes.contains(volume) {
                return client(format!("Unknown volume '{volume}'."));
            }
            let path = mount.container_path.as_deref().unwrap_or_default();
            if path.is_empty() {
                return client(format!(
                    "Invalid 'mountPoints' setting for container '{name}'. 'containerPath' must be specified."
                ));
            }
            if !paths.insert(path) {
                return client(format!(
                    "Invalid 'mountPoints' setting for container '{name}'. Duplicate 'containerPath': '{path}'."
                ));
            }
        }
        for from in each(&container.volumes_from) {
            let source = from.source_container.as_deref().unwrap_or("null");
            if source == name || subject.container(source).is_none() {
                return client(format!("Invalid 'volumesFrom' setting. Unknown container: '{source}'."));
            }
        }
    }
    Ok(())
}

/// A volume that is configured at launch is there at most once, and for something.
fn check_launch_volumes(subject: &Subject<'_>) -> Outcome {
    let mut volumes =
        each(&subject.request.volumes).filter(|volume| volume.configured_at_launch == Some(true));
    let Some(name) = volumes.next().and_then(|volume| volume.name.as_deref()) else {
        return Ok(());
    };
    if volumes.next().is_some() {
        return client("Only one volume can be configured at launch.");
    }
    let mounted = subject.containers.iter().any(|container| {
        each(&container.mount_points).any(|mount| mount.source_volume.as_deref() == Some(name))
    });
    if mounted {
        return Ok(());
    }
    client(format!("Volumes [{name}] are not referenced by any of the containers"))
}

fn check_storage(subject: &Subject<'_>) -> Outcome {
    let Some(storage) = &subject.request.ephemeral_storage else {
        return Ok(());
    };
    let required = each(&subject.request.requires_compatibilities);
    if required.len() > 0 && !subject.requires(Compatibility::Fargate) {
        return client("Tasks using the EC2 launch type do not support EphemeralStorage");
    }
    if storage.size_in_gib < *STORAGE.start() {
        return client(format!("EphemeralStorage size should be at least {}", STORAGE.start()));
    }
    if storage.size_in_gib > *STORAGE.end() {
        return client(format!("EphemeralStorage size should be at most {}", STORAGE.end()));
    }
    Ok(())
}
