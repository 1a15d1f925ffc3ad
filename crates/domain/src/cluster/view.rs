//! A cluster as the API shows it.

use super::{Cluster, ClusterCounts, ClusterStatus, PerLaunchType};
use crate::capacity_provider::Providers;
use crate::generated as model;
use crate::model::ClusterField;

/// What is shown of a cluster beyond the rest.
///
/// `statistics`, `tags` and `settings` are empty lists where they aren't asked for, the others are left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Include {
    /// `attachments` and, if there are any, `attachmentsStatus`.
    pub attachments: bool,
    /// `configuration`, if it is set.
    pub configurations: bool,
    /// `settings`
    pub settings: bool,
    /// `statistics`: 16 counts.
    pub statistics: bool,
    /// `tags`
    pub tags: bool,
}

impl Include {
    /// What CreateCluster shows: all that was sent.
    pub const CREATED: Self =
        Self { attachments: false, configurations: true, settings: true, statistics: false, tags: true };
    /// What UpdateCluster and UpdateClusterSettings show.
    pub const UPDATED: Self = Self { attachments: true, ..Self::CREATED };

    /// What DescribeClusters was asked for.
    pub fn requested(fields: &[ClusterField]) -> Self {
        let has = |field| fields.contains(&field);
        Self {
            attachments: has(ClusterField::Attachments),
            configurations: has(ClusterField::Configurations),
            settings: has(ClusterField::Settings),
            statistics: has(ClusterField::Statistics),
            tags: has(ClusterField::Tags),
        }
    }
}

impl Cluster {
    /// The cluster as the API shows it. `counts` and `instances` are those of this moment, `providers` the
    /// cluster's own capacity providers; they only matter for the attachments.
    pub fn view(
        &self,
        counts: &ClusterCounts,
        instances: i32,
        providers: &Providers,
        include: Include,
    ) -> model::Cluster {
        let spec = &self.settings;
        let attachments = include.attachments.then(|| self.attachments(providers));
        let attached = attachments.as_ref().is_some_and(|attachments| !attachments.is_empty());
        model::Cluster {
            cluster_arn: Some(self.key.arn()),
            cluster_name: Some(self.key.name.as_str().to_owned()),
            configuration: spec.configuration.clone().filter(|_| include.configurations),
            status: Some(self.status.as_str().to_owned()),
            registered_container_instances_count: Some(instances),
            running_tasks_count: Some(counts.running_tasks.total()),
            pending_tasks_count: Some(counts.pending_tasks.total()),
            active_services_count: Some(counts.active_services.total()),
            statistics: Some(if include.statistics { statistics(counts) } else { Vec::new() }),
            tags: Some(if include.tags { self.tags.clone() } else { Vec::new() }),
            settings: Some(if include.settings { spec.settings.clone() } else { Vec::new() }),
            capacity_providers: Some(spec.capacity_providers.clone()),
            default_capacity_provider_strategy: Some(spec.default_capacity_provider_strategy.clone()),
            attachments,
            // Nothing is ever under way: what is associated is attached.
            attachments_status: attached.then(|| "UPDATE_COMPLETE".to_owned()),
            service_connect_defaults: spec.service_connect_defaults.clone(),
        }
    }

    /// What its capacity providers attach to it.
    fn attachments(&self, providers: &Providers) -> Vec<model::Attachment> {
        let spec = &self.settings;
        let ids = |name: &String| Some((providers.get(name)?, spec.attachments.get(name)?));
        let own = spec.capacity_providers.iter().filter_map(ids);
        own.flat_map(|(provider, ids)| provider.attachments(ids)).collect()
    }

    /// Whether it can be used.
    pub fn is_active(&self) -> bool {
        self.status == ClusterStatus::Active
    }
}

/// The 16 counts of `STATISTICS`, each a string.
fn statistics(counts: &ClusterCounts) -> Vec<model::KeyValuePair> {
    let rows: [(&str, &PerLaunchType, &str); 4] = [
        ("running", &counts.running_tasks, "TasksCount"),
        ("pending", &counts.pending_tasks, "TasksCount"),
        ("active", &counts.active_services, "ServiceCount"),
        ("draining", &counts.draining_services, "ServiceCount"),
    ];
    let mut statistics = Vec::with_capacity(16);
    for (state, of, what) in rows {
        for (launch_type, count) in [
            ("EC2", of.ec2),
            ("Fargate", of.fargate),
            ("External", of.external),
            ("ManagedInstances", of.managed_instances),
        ] {
            statistics.push(model::KeyValuePair {
                name: Some(format!("{state}{launch_type}{what}")),
                value: Some(count.to_string()),
            });
        }
    }
    statistics
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Scope;
    use crate::arn::cluster_ref;
    use crate::cluster::ClusterSpec;
    use crate::tag::tag;

    fn cluster() -> Cluster {
        Cluster {
            key: cluster_ref(&Scope::new("123456789012", "eu-central-1"), Some("main")).unwrap(),
            status: ClusterStatus::Active,
            settings: ClusterSpec {
                settings: super::super::settings::defaults(),
                configuration: Some(model::ClusterConfiguration::default()),
                ..ClusterSpec::default()
            },
            tags: vec![tag("team", "a")],
        }
    }

    fn counts() -> ClusterCounts {
        ClusterCounts {
            running_tasks: PerLaunchType { ec2: 1, fargate: 2, external: 3, managed_instances: 4 },
            pending_tasks: PerLaunchType { ec2: 5, ..PerLaunchType::default() },
            unfinished_tasks: 99,
            active_services: PerLaunchType { fargate: 6, ..PerLaunchType::default() },
            draining_services: PerLaunchType { managed_instances: 7, ..PerLaunchType::default() },
        }
    }

    #[test]
    fn without_includes_lists_are_empty_and_configuration_and_attachments_are_left_out() {
        let view =
            serde_json::to_value(cluster().view(&counts(), 2, &Providers::default(), Include::default()))
                .unwrap();
        assert_eq!(
            view,
            json!({
                "clusterArn": "arn:aws:ecs:eu-central-1:123456789012:cluster/main",
                "clusterName": "main",
                "status": "ACTIVE",
                "registeredContainerInstancesCount": 2,
                "runningTasksCount": 10,
                "pendingTasksCount": 5,
                "activeServicesCount": 6,
                "statistics": [],
                "tags": [],
                "settings": [],
                "capacityProviders": [],
                "defaultCapacityProviderStrategy": [],
            })
        );
    }

    #[test]
    fn each_include_shows_its_part() {
        let include = Include::requested(ClusterField::ALL);
        let view =
            serde_json::to_value(cluster().view(&counts(), 0, &Providers::default(), include)).unwrap();
        assert_eq!(view["tags"], json!([{"key": "team", "value": "a"}]));
        assert_eq!(view["settings"], json!([{"name": "containerInsights", "value": "disabled"}]));
        assert_eq!(view["configuration"], json!({}));
        assert_eq!(view["attachments"], json!([]));
    }

    #[test]
    fn what_its_own_providers_attach_is_shown_on_request() {
        let mut cluster = cluster();
        cluster.settings.associate(vec!["FARGATE".into(), "mine".into()], Vec::new(), &mut || "id".into());
        let known: Providers =
            [crate::capacity_provider::tests::group_provider("mine")].into_iter().collect();
        let shown = |include| serde_json::to_value(cluster.view(&counts(), 0, &known, include)).unwrap();
        let view = shown(Include { attachments: true, ..Include::default() });
        assert_eq!(
            view["attachments"][0]["details"][0],
            json!({"name": "capacityProviderName", "value": "mine"})
        );
        assert_eq!(view["attachmentsStatus"], "UPDATE_COMPLETE");
        let view = shown(Include::default());
        assert_eq!((view.get("attachments"), view.get("attachmentsStatus")), (None, None));
    }

    #[test]
    fn statistics_are_sixteen_strings() {
        let found: Vec<_> = statistics(&counts())
            .into_iter()
            .map(|pair| format!("{}={}", pair.name.unwrap(), pair.value.unwrap()))
            .collect();
        assert_eq!(
            found,
            [
                "runningEC2TasksCount=1",
                "runningFargateTasksCount=2",
                "runningExternalTasksCount=3",
                "runningManagedInstancesTasksCount=4",
                "pendingEC2TasksCount=5",
                "pendingFargateTasksCount=0",
                "pendingExternalTasksCount=0",
                "pendingManagedInstancesTasksCount=0",
                "activeEC2ServiceCount=0",
                "activeFargateServiceCount=6",
                "activeExternalServiceCount=0",
                "activeManagedInstancesServiceCount=0",
                "drainingEC2ServiceCount=0",
                "drainingFargateServiceCount=0",
                "drainingExternalServiceCount=0",
                "drainingManagedInstancesServiceCount=7",
            ]
        );
    }
}
