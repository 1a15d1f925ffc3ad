//! Resources that are kept, read by key and listed by key, and need no index of their own.
//!
//! Tasks, services and task definitions are many and asked for in many ways: each has its own store port. Everything
//! else is few, and is asked for by its name or by what it belongs to. These share one key and one port.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Scope;
use crate::capacity_provider::CapacityProvider;
use crate::container_instance::ContainerInstance;
use crate::daemon::{Daemon, DaemonDeployment, DaemonFamily, DaemonRevision, DaemonTaskDefinition};
use crate::generated::Setting;
use crate::service::{NamespaceMember, ServiceNamespace};

/// What can be kept as a [`Resource`].
pub trait ResourceValue: Sized {
    /// Its kind.
    const KIND: ResourceKind;
    /// The value of a resource of this kind; None for another kind's.
    fn of(value: &AnyResource) -> Option<&Self>;
    /// As it is kept.
    fn into_any(self) -> AnyResource;
}

macro_rules! resources {
    ($($(#[$doc:meta])* $kind:ident($value:ty)),* $(,)?) => {
        /// The kinds of resources.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum ResourceKind {
            $($(#[$doc])* $kind),*
        }

        impl ResourceKind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$kind),*];

            /// Its name, as stores write it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$kind => stringify!($kind)),*
                }
            }
        }

        /// The value of a resource of any kind.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[allow(clippy::large_enum_variant, reason = "resources are few, and each is kept behind a pointer")]
        pub enum AnyResource {
            $($(#[$doc])* $kind($value)),*
        }

        impl AnyResource {
            /// Its kind.
            pub const fn kind(&self) -> ResourceKind {
                match self {
                    $(Self::$kind(_) => ResourceKind::$kind),*
                }
            }
        }

        $(impl ResourceValue for $value {
            const KIND: ResourceKind = ResourceKind::$kind;

            #[allow(unreachable_patterns, reason = "of a single kind there is no other")]
            fn of(value: &AnyResource) -> Option<&Self> {
                match value {
                    AnyResource::$kind(value) => Some(value),
                    _ => None,
                }
            }

            fn into_any(self) -> AnyResource {
                AnyResource::$kind(self)
            }
        })*
    };
}

resources! {
    /// What an account, or one of its users, has chosen for a setting. Belongs to the principal's ARN; its id is the
    /// setting's name.
    AccountSetting(Setting),
    /// A capacity provider of an account's own. Belongs to nothing; its id is its name.
    CapacityProvider(CapacityProvider),
    /// A Service Connect namespace that a service has named. Belongs to nothing; its id is its name.
    ServiceNamespace(ServiceNamespace),
    /// A service in a Service Connect namespace. Belongs to the namespace; its id is `CLUSTER/SERVICE`.
    NamespaceMember(NamespaceMember),
    /// A gateway. Belongs to nothing; its id is its name.
    Gateway(crate::gateway::Gateway),
    /// That a service is, or has been, connected to a gateway. Belongs to the gateway; its id is `CLUSTER/SERVICE`.
    GatewayRoute(crate::gateway::GatewayRoute),
    /// A revision of a daemon task definition. Belongs to its family; its id is its number, with leading zeros.
    DaemonTaskDefinition(DaemonTaskDefinition),
    /// What is remembered of a family of daemon task definitions. Belongs to nothing; its id is its name.
    DaemonFamily(DaemonFamily),
    /// A daemon. Belongs to its cluster; its id is its name.
    Daemon(Daemon),
    /// A daemon revision. Belongs to `CLUSTER/DAEMON`; its id is its number.
    DaemonRevision(DaemonRevision),
    /// The record of a daemon deployment. Belongs to `CLUSTER/DAEMON`.
    DaemonDeployment(DaemonDeployment),
    /// What is kept of a container instance. Belongs to its cluster's name; its id is its own.
    ContainerInstance(ContainerInstance),
}

impl fmt::Display for ResourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a resource is kept. Keys sort by kind, then scope, then what they belong to, then id.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ResourceKey {
    /// What it is.
    pub kind: ResourceKind,
    /// Whose it is.
    pub scope: Scope,
    /// What it belongs to within the scope, such as a cluster's name; empty if to nothing. Free text.
    pub parent: String,
    /// Its name or id, unique within `parent`. Free text.
    pub id: String,
}

impl ResourceKey {
    /// The key of a `T`.
    pub fn of<T: ResourceValue>(scope: &Scope, parent: impl Into<String>, id: impl Into<String>) -> Self {
        Self { kind: T::KIND, scope: scope.clone(), parent: parent.into(), id: id.into() }
    }
}

/// A resource, and where it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Resource {
    /// Where.
    pub key: ResourceKey,
    /// What. Its kind is the key's.
    pub value: AnyResource,
}

impl Resource {
    /// A resource under a key of its own kind.
    pub fn new<T: ResourceValue>(
        scope: &Scope,
        parent: impl Into<String>,
        id: impl Into<String>,
        value: T,
    ) -> Self {
        Self { key: ResourceKey::of::<T>(scope, parent, id), value: value.into_any() }
    }

    /// The value, if it is a `T`.
    pub fn get<T: ResourceValue>(&self) -> Option<&T> {
        T::of(&self.value)
    }
}
