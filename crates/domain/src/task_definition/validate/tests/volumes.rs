//! Volumes and storage.

use serde_json::{Value, json};

use super::{client_errors, ec2, fargate, passes, with};

#[test]
fn volumes_and_mounts() {
    let mount = |volume: Value| json!({"mountPoints": [{"sourceVolume": volume, "containerPath": "/data"}]});
    let efs = |members: Value| {
        let volume = with(json!({"fileSystemId": "fs-1"}), &members);
        json!({"volumes": [{"name": "v", "efsVolumeConfiguration": volume}]})
    };
    client_errors(
        ec2,
        &[
            (json!({"app": mount(json!("data"))}), "Unknown volume 'data'."),
            (json!({"app": mount(Value::Null)}), "Unknown volume 'null'."),
            (
                json!({"volumes": [{"name": "v"}], "app": {"mountPoints": [{"sourceVolume": "v"}]}}),
                "Invalid 'mountPoints' setting for container 'app'. 'containerPath' must be specified.",
            ),
            (
                json!({"volumes": [{"name": "data"}], "app": {"mountPoints": [
                    {"sourceVolume": "data", "containerPath": "/a"}, {"sourceVolume": "data", "containerPath": "/a"},
                ]}}),
                "Invalid 'mountPoints' setting for container 'app'. Duplicate 'containerPath': '/a'.",
            ),
            (
                json!({"volumes": [{"name": "v"}, {"name": "v"}]}),
                "Volume names must be unique within a task definition",
            ),
            (json!({"volumes": [{}]}), "Volume.name should not be null or empty."),
            (json!({"volumes": [{"name": "a b"}]}), "Volume name contains invalid characters."),
            (
                json!({"volumes": [{"name": "v", "host": {"sourcePath": "/a"}, "configuredAtLaunch": true}]}),
                "Volume 'v' can have only one kind of configuration.",
            ),
            (
                json!({"volumes": [{"name": "v", "configuredAtLaunch": true}]}),
                "Volumes [v] are not referenced by any of the containers",
            ),
            (
                json!({"volumes": [{"name": "v", "configuredAtLaunch": true}, {"name": "w", "configuredAtLaunch": true}]}),
                "Only one volume can be configured at launch.",
            ),
            (
                json!({"app": {"volumesFrom": [{"sourceContainer": "db"}]}}),
                "Invalid 'volumesFrom' setting. Unknown container: 'db'.",
            ),
            (
                efs(json!({"authorizationConfig": {"iam": "ENABLED"}})),
                "EFS IAM authorization requires TransitEncryption to be enabled",
            ),
            (
                efs(json!({"transitEncryptionPort": 2049})),
                "TransitEncryptionPort requires that TransitEncryption is enabled",
            ),
            (
                efs(
                    json!({"rootDirectory": "/a", "transitEncryption": "ENABLED", "authorizationConfig": {"accessPointId": "p"}}),
                ),
                "When using an EFS access point, the root directory must either be set to \"/\" or be omitted",
            ),
            (
                efs(json!({"authorizationConfig": {"accessPointId": "p"}})),
                "EFS access points require TransitEncryption to be enabled",
            ),
            (
                json!({"volumes": [{"name": "v", "s3filesVolumeConfiguration": {"fileSystemArn": "a"}}]}),
                "When you are specifying S3 Files volumes, you must also specify a value for 'taskRoleArn'.",
            ),
        ],
    );
    let mut used = json!({"volumes": [{"name": "data", "configuredAtLaunch": true}]});
    used["app"] = mount(json!("data"));
    passes(ec2(), used);
    passes(ec2(), efs(json!({"transitEncryption": "ENABLED", "transitEncryptionPort": 2049})));
    passes(fargate(), json!({"app": {"volumesFrom": [{"sourceContainer": "side"}]}}));
}

#[test]
fn ephemeral_storage() {
    let storage = |size: i32| json!({"ephemeralStorage": {"sizeInGiB": size}});
    client_errors(
        fargate,
        &[
            (storage(20), "EphemeralStorage size should be at least 21"),
            (storage(201), "EphemeralStorage size should be at most 200"),
            (
                with(storage(21), &json!({"requiresCompatibilities": ["EC2"]})),
                "Tasks using the EC2 launch type do not support EphemeralStorage",
            ),
        ],
    );
    passes(fargate(), storage(21));
    passes(fargate(), storage(200));
}
