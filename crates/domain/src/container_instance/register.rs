//! Registration: what an agent says of its instance, checked and put together.

use serde::Deserialize;

use super::{ContainerInstance, InstanceState, Registration, amounts, attributes, resources};
use crate::generated as model;
use crate::model::RegisterContainerInstanceRequest;
use crate::name::HexId;
use crate::{EcsError, Timestamp};

/// What matters of an EC2 instance identity document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct IdentityDocument {
    /// The EC2 instance's id. Without one the document says nothing.
    pub instance_id: Option<String>,
    /// `ecs.availability-zone`
    pub availability_zone: Option<String>,
    /// `ecs.instance-type`
    pub instance_type: Option<String>,
    /// `ecs.ami-id`
    pub image_id: Option<String>,
    /// `x86_64` or `arm64`
    pub architecture: Option<String>,
}

impl IdentityDocument {
    /// Reads a document. Its signature is AWS's, and can't be checked here.
    ///
    /// # Errors
    /// `InvalidParameterException` for what is none.
    pub fn parse(text: &str) -> Result<Self, EcsError> {
        let invalid =
            || EcsError::invalid_parameter("instanceIdentityDocument is not a valid identity document.");
        let document: Self = serde_json::from_str(text).map_err(|_| invalid())?;
        document.instance_id.as_deref().filter(|id| !id.is_empty()).ok_or_else(invalid)?;
        Ok(document)
    }

    /// The attributes that follow from it.
    fn attributes(&self) -> Vec<model::Attribute> {
        [
            ("ecs.availability-zone", &self.availability_zone),
            ("ecs.instance-type", &self.instance_type),
            ("ecs.ami-id", &self.image_id),
            ("ecs.cpu-architecture", &self.architecture),
        ]
        .into_iter()
        .filter_map(|(name, value)| {
            value.clone().map(|value| model::Attribute {
                name: name.to_owned(),
                value: Some(value),
                ..Default::default()
            })
        })
        .collect()
    }
}

/// What an agent says, checked.
///
/// # Errors
/// `InvalidParameterException` that names the member.
pub fn check_registration(
    request: &RegisterContainerInstanceRequest,
    now: Timestamp,
) -> Result<Registration, EcsError> {
    let document = match request.instance_identity_document.as_deref().filter(|text| !text.is_empty()) {
        Some(text) => IdentityDocument::parse(text)?,
        None => IdentityDocument::default(),
    };
    let mut given: Vec<model::Attribute> = Vec::new();
    for attribute in request.attributes.iter().flatten() {
        attributes::check_name(&attribute.name)?;
        // The agent's capabilities have no value, or an empty one.
        let value = attribute.value.clone().filter(|value| !value.is_empty());
        value.as_deref().map_or(Ok(()), attributes::check_value)?;
        if given.iter().any(|other| other.name == attribute.name) {
            let message = format!("Attribute '{}' is specified twice.", attribute.name);
            return Err(EcsError::invalid_parameter(message));
        }
        given.push(model::Attribute { name: attribute.name.clone(), value, ..Default::default() });
    }
    let mut totals = resources::check(request.total_resources.as_deref().unwrap_or_default())?;
    let gpus: Vec<String> = request
        .platform_devices
        .iter()
        .flatten()
        .filter(|device| device.r#type == model::PlatformDeviceType::Gpu)
        .map(|device| device.id.clone())
        .collect();
    if !gpus.is_empty() && totals.iter().all(|resource| resource.name.as_deref() != Some("GPU")) {
        totals.push(model::Resource {
            name: Some("GPU".to_owned()),
            r#type: Some("STRINGSET".to_owned()),
            double_value: Some(0.0),
            long_value: Some(0),
            integer_value: Some(0),
            string_set_value: Some(gpus),
        });
    }
    Ok(Registration {
        attributes: attributes::merged(document.attributes(), &given),
        host: document.instance_id,
        registered_at: now,
        connected: true,
        resources: totals,
        versions: request.version_info.clone(),
        update: None,
    })
}

impl Registration {
    /// An attribute's value.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|attribute| attribute.name == name)?.value.as_deref()
    }
}

impl ContainerInstance {
    /// An instance that its agent has just registered.
    pub fn registered(id: HexId, registration: Registration, tags: Vec<model::Tag>) -> Self {
        Self { tags, registration: Some(registration), ..Self::of_node(id) }
    }

    /// Takes in what its agent says when it registers again: after a restart, or after an update. Its custom
    /// attributes and its tags stay.
    ///
    /// # Errors
    /// `ClientException` when its CPU or memory has become another: it isn't the same instance then.
    pub fn register_again(&mut self, now: Registration) -> Result<(), EcsError> {
        let Some(before) = &mut self.registration else { return Ok(()) };
        let size = |registration: &Registration| {
            let amounts = amounts(&registration.resources);
            (amounts.cpu, amounts.memory)
        };
        if size(before) != size(&now) {
            return Err(EcsError::client(
                "Container instance type changes are not supported. Delete the container instance and launch a new \
                 container instance instead.",
            ));
        }
        before.set_versions(now.versions);
        before.connected = true;
        before.resources = now.resources;
        before.attributes = now.attributes;
        before.host = now.host.or_else(|| before.host.take());
        self.version += 1;
        Ok(())
    }

    /// Puts a node back into the cluster that it was taken out of.
    pub fn restore(&mut self) {
        if self.is_inactive() {
            self.set_state(InstanceState::Active);
            self.deregistered_at = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(json: serde_json::Value) -> RegisterContainerInstanceRequest {
        serde_json::from_value(json).unwrap()
    }

    fn document() -> String {
        serde_json::json!({
            "instanceId": "i-1", "availabilityZone": "eu-central-1a", "instanceType": "m5.large",
            "imageId": "ami-1", "architecture": "x86_64", "region": "eu-central-1", "kernelId": null,
        })
        .to_string()
    }

    fn cpu(value: i32) -> serde_json::Value {
        serde_json::json!([{"name": "CPU", "type": "INTEGER", "integerValue": value}])
    }

    #[test]
    fn the_document_becomes_attributes_unless_the_agent_says_otherwise() {
        let registration = check_registration(
            &request(serde_json::json!({
                "instanceIdentityDocument": document(),
                "attributes": [{"name": "ecs.ami-id", "value": "ami-2"}, {"name": "ecs.capability.efs", "value": ""}],
            })),
            Timestamp::MIN,
        )
        .unwrap();
        assert_eq!(registration.host.as_deref(), Some("i-1"));
        assert_eq!(registration.attribute("ecs.instance-type"), Some("m5.large"));
        assert_eq!(registration.attribute("ecs.ami-id"), Some("ami-2"));
        assert_eq!(registration.attribute("ecs.capability.efs"), None);
    }

    #[test]
    fn what_is_no_document_or_no_attribute_is_refused() {
        for bad in [
            serde_json::json!({"instanceIdentityDocument": "nonsense"}),
            serde_json::json!({"instanceIdentityDocument": "{}"}),
            serde_json::json!({"attributes": [{"name": "a b"}]}),
            serde_json::json!({"attributes": [{"name": "a"}, {"name": "a"}]}),
            serde_json::json!({"totalResources": [{"name": "CPU", "type": "INTEGER"}]}),
        ] {
            assert!(check_registration(&request(bad.clone()), Timestamp::MIN).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_instance_stays_the_same_only_as_long_as_it_has_the_same_size() {
        let says = |value| {
            let said = request(serde_json::json!({"totalResources": cpu(value)}));
            check_registration(&said, Timestamp::MIN).unwrap()
        };
        let mut instance = ContainerInstance::registered(HexId::from_bits(1), says(1024), Vec::new());
        instance.register_again(says(1024)).unwrap();
        assert_eq!(instance.version, 2);
        assert!(
            instance.register_again(says(2048)).unwrap_err().message.starts_with("Container instance type")
        );
    }
}
