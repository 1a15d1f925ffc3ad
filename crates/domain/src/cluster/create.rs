//! Creating a cluster: from a request to a cluster, and whether a request is the one that created it.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};

use super::{Cluster, ClusterSpec, ClusterStatus, settings, strategy};
use crate::arn::ClusterKey;
use crate::capacity_provider::Providers;
use crate::error::EcsError;
use crate::generated as model;
use crate::tag;

impl Cluster {
    /// A new ACTIVE cluster in an account whose setting `containerInsights` is `insights`, and which has the `known`
    /// providers among those that the request names. Nothing of an earlier cluster with this name is left in it.
    ///
    /// # Errors
    /// `InvalidParameterException` for tags, settings, configuration, providers and strategy, in this order.
    pub fn create(
        key: ClusterKey,
        request: &model::CreateClusterRequest,
        insights: &str,
        known: &Providers,
    ) -> Result<Self, EcsError> {
        let tags = tag::check(request.tags.as_deref().unwrap_or_default())?;
        let given = request.settings.as_deref().unwrap_or_default();
        let settings = settings::merge(&settings::with_insights(insights), given)?;
        if let Some(configuration) = &request.configuration {
            settings::check_configuration(configuration)?;
        }
        let providers = request.capacity_providers.as_deref().unwrap_or_default();
        let providers = strategy::check_providers(&key, providers, known)?;
        let default_strategy = request.default_capacity_provider_strategy.as_deref().unwrap_or_default();
        let default_strategy = strategy::check_default(&key.scope, default_strategy, &providers, known)?;
        let service_connect = request.service_connect_defaults.as_ref();
        let service_connect = service_connect.map(settings::service_connect).transpose()?.flatten();
        let mut cluster = Self {
            key,
            status: ClusterStatus::Active,
            settings: ClusterSpec {
                settings,
                configuration: request.configuration.clone(),
                capacity_providers: providers,
                default_capacity_provider_strategy: default_strategy,
                attachments: BTreeMap::new(),
                scoped_providers: BTreeSet::new(),
                service_connect_defaults: service_connect,
                created_with: String::new(),
            },
            tags,
        };
        // The account's settings are no argument: the same request is the same after they were changed.
        cluster.settings.created_with = cluster.fingerprint(&settings::merge(&settings::defaults(), given)?);
        Ok(cluster)
    }

    /// Whether CreateCluster for `other` is the request that created this cluster.
    pub fn was_created_like(&self, other: &Self) -> bool {
        self.settings.created_with == other.settings.created_with
    }

    /// What the arguments mean, not how they were written: defaults are filled in, and the order of tags is none.
    fn fingerprint(&self, settings: &[model::ClusterSetting]) -> String {
        let spec = &self.settings;
        let mut tags: Vec<_> = self.tags.iter().map(|tag| (&tag.key, &tag.value)).collect();
        tags.sort();
        let arguments = (
            settings,
            &spec.configuration,
            &spec.capacity_providers,
            &spec.default_capacity_provider_strategy,
            &spec.service_connect_defaults,
            tags,
        );
        // These are structures and lists of strings and numbers: all of them have a JSON form.
        let json = serde_json::to_vec(&arguments).unwrap_or_default();
        format!("{:x}", Sha256::digest(json))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scope;
    use crate::arn::cluster_ref;
    use crate::model::{ClusterSetting, ClusterSettingName, CreateClusterRequest};
    use crate::tag::tag;

    fn create(request: &CreateClusterRequest) -> Cluster {
        let key = cluster_ref(&Scope::new("123456789012", "eu-central-1"), Some("main")).unwrap();
        Cluster::create(key, request, "disabled", &Providers::default()).unwrap()
    }

    fn insights(value: &str) -> Option<Vec<ClusterSetting>> {
        let name = Some(ClusterSettingName::ContainerInsights);
        Some(vec![ClusterSetting { name, value: Some(value.to_owned()) }])
    }

    #[test]
    fn a_cluster_without_settings_has_container_insights_disabled() {
        assert_eq!(Some(create(&CreateClusterRequest::default()).settings.settings), insights("disabled"));
    }

    #[test]
    fn the_accounts_container_insights_are_the_default_and_no_argument() {
        let key = create(&CreateClusterRequest::default()).key;
        let bare = CreateClusterRequest::default();
        let later = Cluster::create(key.clone(), &bare, "enhanced", &Providers::default()).unwrap();
        assert_eq!(Some(later.settings.settings.clone()), insights("enhanced"));
        assert!(create(&bare).was_created_like(&later));
        let explicit = CreateClusterRequest { settings: insights("enabled"), ..bare };
        let explicit = Cluster::create(key, &explicit, "enhanced", &Providers::default()).unwrap();
        assert_eq!(Some(explicit.settings.settings), insights("enabled"));
    }

    #[test]
    fn arguments_are_the_same_whatever_the_order_of_tags_and_whether_a_default_is_written() {
        let tags = |keys: [&str; 2]| Some(keys.map(|key| tag(key, "")).to_vec());
        let one = create(&CreateClusterRequest { tags: tags(["a", "b"]), ..CreateClusterRequest::default() });
        let same = CreateClusterRequest {
            tags: tags(["b", "a"]),
            settings: insights("disabled"),
            capacity_providers: Some(Vec::new()),
            ..CreateClusterRequest::default()
        };
        assert!(one.was_created_like(&create(&same)));
        let others = [
            CreateClusterRequest::default(),
            CreateClusterRequest { tags: tags(["a", "c"]), ..same.clone() },
            CreateClusterRequest { settings: insights("enabled"), ..same.clone() },
            CreateClusterRequest { capacity_providers: Some(vec!["FARGATE".into()]), ..same.clone() },
            CreateClusterRequest { configuration: Some(model::ClusterConfiguration::default()), ..same },
        ];
        for other in others {
            assert!(!one.was_created_like(&create(&other)), "{other:?}");
        }
    }
}
