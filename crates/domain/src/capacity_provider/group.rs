//! Which instances a capacity provider has: how an Auto Scaling group, or ECS's own management of instances, becomes
//! a group of nodes.
//!
//! An instance is a node, and a node's labels are its attributes. One that is labelled with a provider's name belongs
//! to that provider alone. One of a node group with the name of a provider's Auto Scaling group belongs to that
//! provider. Where no instance belongs to a provider, all those serve it that no label gives to another one: so a
//! provider works on a cluster whose nodes nobody has labelled.

use std::collections::BTreeSet;

use super::{Capacity, CapacityProvider};
use crate::generated::Attribute;
use crate::name::HexId;

/// The attribute, and the label of a node, that gives it to the capacity provider that it names.
pub const PROVIDER_ATTRIBUTE: &str = "kecs.dev/capacity-provider";

/// The labels that hold the name of a node's group: our own, and those of Amazon EKS, Google GKE, Azure AKS and
/// Karpenter.
pub const GROUP_ATTRIBUTES: [&str; 5] = [
    "kecs.dev/auto-scaling-group",
    "eks.amazonaws.com/nodegroup",
    "cloud.google.com/gke-nodepool",
    "kubernetes.azure.com/agentpool",
    "karpenter.sh/nodepool",
];

fn value<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a str> {
    attributes.iter().find(|one| one.name == name).and_then(|one| one.value.as_deref())
}

/// How the nodes of a capacity provider are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group<'a> {
    /// The provider's name.
    pub provider: &'a str,
    /// The name of its Auto Scaling group, if it is known to have one.
    pub scaling_group: Option<&'a str>,
}

impl Group<'_> {
    /// Whether an instance with these attributes belongs to it.
    pub fn owns(&self, attributes: &[Attribute]) -> bool {
        match value(attributes, PROVIDER_ATTRIBUTE) {
            Some(named) => named == self.provider,
            None => self.scaling_group.is_some_and(|group| {
                GROUP_ATTRIBUTES.iter().any(|label| value(attributes, label) == Some(group))
            }),
        }
    }

    /// Which of `instances` it has.
    pub fn instances<'a>(
        &self,
        instances: impl IntoIterator<Item = (HexId, &'a [Attribute])> + Clone,
    ) -> BTreeSet<HexId> {
        let of = |matches: &dyn Fn(&[Attribute]) -> bool| {
            let matching = instances.clone().into_iter().filter(|(_, attributes)| matches(attributes));
            matching.map(|(id, _)| id).collect::<BTreeSet<_>>()
        };
        let owned = of(&|attributes| self.owns(attributes));
        if owned.is_empty() {
            of(&|attributes| value(attributes, PROVIDER_ATTRIBUTE).is_none())
        } else {
            owned
        }
    }
}

impl CapacityProvider {
    /// How its nodes are known.
    pub fn group(&self) -> Group<'_> {
        let scaling_group = match &self.capacity {
            Capacity::AutoScalingGroup(group) => {
                let arn = group.auto_scaling_group_arn.as_str();
                Some(arn.split_once(":autoScalingGroupName/").map_or(arn, |(_, name)| name))
            }
            Capacity::ManagedInstances(_) => None,
        };
        Group { provider: &self.name, scaling_group }
    }

    /// Whether an instance with these attributes belongs to it.
    pub fn owns(&self, attributes: &[Attribute]) -> bool {
        self.group().owns(attributes)
    }

    /// Which of `instances` it has.
    pub fn instances<'a>(
        &self,
        instances: impl IntoIterator<Item = (HexId, &'a [Attribute])> + Clone,
    ) -> BTreeSet<HexId> {
        self.group().instances(instances)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capacity_provider::tests::group_provider;

    fn attribute(name: &str, value: &str) -> Attribute {
        Attribute { name: name.to_owned(), value: Some(value.to_owned()), ..Attribute::default() }
    }

    /// The numbers of the instances that `provider` has of those with these attributes.
    fn instances(provider: &CapacityProvider, nodes: &[Vec<Attribute>]) -> Vec<u128> {
        let numbered =
            nodes.iter().zip(0..).map(|(node, number)| (HexId::from_bits(number), node.as_slice()));
        provider.instances(numbered).into_iter().map(HexId::bits).collect()
    }

    #[test]
    fn a_label_with_the_providers_name_comes_before_the_name_of_the_group() {
        let mine = group_provider("mine");
        let nodes = [
            vec![attribute(PROVIDER_ATTRIBUTE, "mine")],
            vec![attribute("eks.amazonaws.com/nodegroup", "asg-mine")],
            vec![
                attribute("kecs.dev/auto-scaling-group", "asg-mine"),
                attribute(PROVIDER_ATTRIBUTE, "other"),
            ],
            vec![attribute("eks.amazonaws.com/nodegroup", "asg-other")],
            vec![],
        ];
        assert_eq!(instances(&mine, &nodes), [0, 1]);
    }

    #[test]
    fn without_instances_of_its_own_a_provider_has_those_that_nobody_else_has() {
        let nodes = [vec![], vec![attribute(PROVIDER_ATTRIBUTE, "other")], vec![attribute("zone", "a")]];
        assert_eq!(instances(&group_provider("mine"), &nodes), [0, 2]);
        assert_eq!(instances(&group_provider("mine"), &nodes[1..2]), [0_u128; 0]);
    }

    #[test]
    fn the_group_is_the_last_part_of_its_arn() {
        let mut mine = group_provider("mine");
        let arn =
            "arn:aws:autoscaling:eu-central-1:123456789012:autoScalingGroup:6f:autoScalingGroupName/nodes";
        if let Capacity::AutoScalingGroup(group) = &mut mine.capacity {
            group.auto_scaling_group_arn = arn.to_owned();
        }
        assert_eq!(instances(&mine, &[vec![], vec![attribute("karpenter.sh/nodepool", "nodes")]]), [1]);
    }
}
