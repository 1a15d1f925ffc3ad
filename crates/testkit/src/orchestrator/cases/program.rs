//! What a container's program is given: its arguments, its user, its files. Seen from inside, by real programs.

use kecs_domain::model::{
    ContainerDefinition, ContainerOverride, ContainerRestartPolicy, HostEntry, KernelCapabilities,
    LinuxParameters, Tmpfs,
};
use kecs_domain::task::ContainerState;

use super::Scene;
use crate::orchestrator::{Ability, ContainerExt, Recipe, Script};

/// Whether the containers of `recipe` all end with 0. A container of [`Script::Test`] says by that what it found.
pub(super) async fn all_hold(scene: &Scene, recipe: &Recipe) {
    let launch = scene.launch(recipe).await;
    for container in &recipe.containers {
        let name = container.name.as_deref().expect("a container has a name");
        let latest = scene.until_stopped(&launch.task.key, name).await;
        let seen = latest.container(&launch.task.key, name).expect("just seen");
        assert_eq!(seen.exit_code, Some(0), "{name}: {:#?}", latest.task(&launch.task.key));
    }
    scene.end(&launch).await;
}

/// A container that tests `condition`, with what `change` adds to it.
async fn holds(
    scene: &Scene,
    condition: &'static str,
    change: impl FnOnce(ContainerDefinition) -> ContainerDefinition,
) {
    let container = change(scene.container("test", Script::Test(condition)));
    all_hold(scene, &Recipe::fargate("test", [container])).await;
}

fn words(words: &[&str]) -> Option<Vec<String>> {
    Some(words.iter().map(|word| (*word).to_owned()).collect())
}

pub(super) async fn an_entry_point_gets_the_command_as_its_arguments(scene: Scene) {
    if !scene.harness.can(Ability::Programs) {
        return;
    }
    holds(&scene, "false", |container| ContainerDefinition {
        entry_point: words(&["sh", "-c", "test \"$0,$1\" = a,'b c'"]),
        command: words(&["a", "b c"]),
        ..container
    })
    .await;
}

pub(super) async fn a_request_overrides_the_command(scene: Scene) {
    if !scene.harness.can(Ability::Programs) {
        return;
    }
    let container = ContainerDefinition {
        entry_point: words(&["sh", "-c", "test $0 = theirs"]),
        command: words(&["ours"]),
        ..scene.container("test", Script::Test("false"))
    };
    let with = ContainerOverride { command: words(&["theirs"]), ..ContainerOverride::default() };
    all_hold(&scene, &Recipe::fargate("test", [container]).overridden("test", with)).await;
}

pub(super) async fn a_container_runs_as_its_user_in_its_directory(scene: Scene) {
    if !scene.harness.can(Ability::Programs) {
        return;
    }
    let condition = "test \"$(id -u):$(id -g) $PWD\" = '1234:2345 /tmp'";
    holds(&scene, condition, |container| ContainerDefinition {
        user: Some("1234:2345".to_owned()),
        working_directory: Some("/tmp".to_owned()),
        ..container
    })
    .await;
}

pub(super) async fn a_root_filesystem_can_be_read_only(scene: Scene) {
    if !scene.harness.can(Ability::Programs) {
        return;
    }
    let writes = scene.container("writes", Script::Test("touch /file")).non_essential();
    let other = scene.container("reads", Script::Test("! touch /file")).non_essential();
    let reads = ContainerDefinition { readonly_root_filesystem: Some(true), ..other };
    all_hold(&scene, &Recipe::fargate("test", [writes, reads])).await;
}

pub(super) async fn capabilities_are_added_and_dropped(scene: Scene) {
    if !scene.harness.can(Ability::Programs) {
        return;
    }
    // Bits of capabilities(7): CAP_CHOWN is 0, CAP_SYS_PTRACE is 19.
    let condition = "mask=0x$(awk '/^CapEff/ {print $2}' /proc/self/status); test $((mask >> 19 & 1)) = 1 && test $((mask & 1)) = 0";
    holds(&scene, condition, |container| ContainerDefinition {
        linux_parameters: Some(LinuxParameters {
            capabilities: Some(KernelCapabilities { add: words(&["SYS_PTRACE"]), drop: words(&["CHOWN"]) }),
            ..LinuxParameters::default()
        }),
        ..container
    })
    .await;
}

pub(super) async fn extra_hosts_are_known(scene: Scene) {
    if !scene.harness.can(Ability::Programs) {
        return;
    }
    holds(&scene, "grep -q '^10.1.2.3.*db.example' /etc/hosts", |container| ContainerDefinition {
        extra_hosts: Some(vec![HostEntry {
            hostname: "db.example".to_owned(),
            ip_address: "10.1.2.3".to_owned(),
        }]),
        ..container
    })
    .await;
}

pub(super) async fn a_volume_is_shared_by_containers_and_empty_for_the_next_task(scene: Scene) {
    if !scene.harness.can(Ability::Programs) {
        return;
    }
    // Each waits for the other's file. Whatever is there before they began would be of another task.
    let left = "test ! -e /l/left && touch /l/left && for i in 1 2 3 4 5 6 7 8 9; do test -e /l/right && exit 0; sleep 1; done; false";
    let right =
        "touch /r/right && for i in 1 2 3 4 5 6 7 8 9; do test -e /r/left && exit 0; sleep 1; done; false";
    let left = scene.container("left", Script::Test(left)).non_essential().mount("Shared_data", "/l");
    let right = scene.container("right", Script::Test(right)).non_essential().mount("Shared_data", "/r");
    let recipe = Recipe::fargate("test", [left, right]).volume("Shared_data");
    for _ in 0..2 {
        all_hold(&scene, &recipe).await;
    }
}

pub(super) async fn a_tmpfs_is_in_memory(scene: Scene) {
    if !scene.harness.can(Ability::Programs) {
        return;
    }
    let condition = "test \"$(awk '$2 == \"/scratch\" {print $3}' /proc/mounts)\" = tmpfs";
    holds(&scene, condition, |container| ContainerDefinition {
        linux_parameters: Some(LinuxParameters {
            tmpfs: Some(vec![Tmpfs { container_path: "/scratch".to_owned(), size: 8, mount_options: None }]),
            ..LinuxParameters::default()
        }),
        ..container
    })
    .await;
}

pub(super) async fn a_container_may_have_any_name_that_ecs_allows(scene: Scene) {
    let long = "x".repeat(255);
    let names = ["Web_App", "web-app", "-web", long.as_str()];
    let containers: Vec<_> = names.iter().map(|name| scene.container(name, Script::Run)).collect();
    let launch = scene.run(&Recipe::fargate("web", containers)).await;
    let seen = scene.end(&launch).await;
    for name in names {
        let one = seen.containers.iter().find(|it| it.name == name).expect("it is told by its own name");
        assert_eq!((one.state, one.exit_code), (ContainerState::Stopped, Some(0)));
    }
}

pub(super) async fn a_container_with_a_restart_policy_runs_again_until_a_code_is_ignored(scene: Scene) {
    if !scene.harness.can(Ability::Programs) {
        return;
    }
    // It ends with 1 first, and with 0 when it is started again.
    let container = scene.container("test", Script::Test("test -e /v/again || ! touch /v/again"));
    let policy = ContainerRestartPolicy {
        enabled: true,
        ignored_exit_codes: Some(vec![0]),
        restart_attempt_period: None,
    };
    let container = ContainerDefinition { restart_policy: Some(policy), ..container.mount("v", "/v") };
    all_hold(&scene, &Recipe::fargate("test", [container]).volume("v")).await;
}
