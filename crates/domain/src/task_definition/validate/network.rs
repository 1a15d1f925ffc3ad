//! What the network mode leaves room for, links, the App Mesh proxy, and compatibilities that can't be.

use super::{Outcome, Subject, client, each};
use crate::model::{Compatibility, ContainerDefinition, IsolationMode, NetworkMode, ProxyConfigurationType};

pub(super) fn check(subject: &Subject<'_>) -> Outcome {
    check_compatibilities(subject)?;
    for container in subject.containers {
        if subject.network == NetworkMode::Awsvpc {
            check_awsvpc(container)?;
        }
        if each(&container.links).len() > 0 && subject.network != NetworkMode::Bridge {
            return client(format!("Links are not supported when networkMode={}.", subject.network));
        }
        for link in each(&container.links) {
            let target = link.split(':').next().unwrap_or_default();
            if subject.container(target).is_none() {
                return client(format!("Invalid 'links' setting. Unknown container: '{target}'."));
            }
        }
    }
    check_proxy(subject)
}

/// The containers of a task share a network interface, so none of them has a network of its own to be set up.
fn check_awsvpc(container: &ContainerDefinition) -> Outcome {
    let what = if each(&container.links).len() > 0 {
        "Links are not supported"
    } else if each(&container.dns_servers).len() > 0 {
        "DNS servers are not supported on container"
    } else if each(&container.dns_search_domains).len() > 0 {
        "DNS search domains are not supported on container"
    } else if each(&container.extra_hosts).len() > 0 {
        "Extra hosts are not supported on container"
    } else if container.hostname.as_deref().is_some_and(|name| !name.is_empty()) {
        "hostname is not supported on container"
    } else if container.disable_networking == Some(true) {
        "Disable Networking is not supported on container"
    } else {
        return Ok(());
    };
    client(format!("{what} when networkMode=awsvpc."))
}

fn check_compatibilities(subject: &Subject<'_>) -> Outcome {
    if subject.requires(Compatibility::External) && subject.network == NetworkMode::Awsvpc {
        return client("Tasks using the External launch type do not support networkMode=awsvpc.");
    }
    let managed = matches!(subject.network, NetworkMode::Awsvpc | NetworkMode::Host);
    if subject.requires(Compatibility::ManagedInstances) && !managed {
        return client("Managed Instances only supports network modes 'awsvpc' and 'host'.");
    }
    let Some(trusted) = &subject.request.trusted_execution_configuration else {
        return Ok(());
    };
    if each(&subject.request.requires_compatibilities).any(|other| *other != Compatibility::ManagedInstances)
    {
        return client("trustedExecutionConfiguration is only supported on Managed Instances.");
    }
    let policy = trusted.attestation_policy.as_deref().unwrap_or_default();
    if trusted.isolation_mode == IsolationMode::ConfidentialSandbox && policy.is_empty() {
        return client("attestationPolicy is required when isolationMode is CONFIDENTIAL_SANDBOX.");
    }
    Ok(())
}

fn check_proxy(subject: &Subject<'_>) -> Outcome {
    let Some(proxy) = &subject.request.proxy_configuration else {
        return Ok(());
    };
    if subject.network != NetworkMode::Awsvpc {
        let kind = proxy.r#type.unwrap_or(ProxyConfigurationType::Appmesh);
        return client(format!("{kind} proxy configuration is only supported in networkMode=awsvpc."));
    }
    if subject.container(&proxy.container_name).is_none() {
        return client(format!("Proxy container [{}] does not exist", proxy.container_name));
    }
    let has = |name: &str| {
        each(&proxy.properties).any(|property| {
            property.name.as_deref() == Some(name) && property.value.as_deref().is_some_and(|v| !v.is_empty())
        })
    };
    for (property, what) in
        [("ProxyIngressPort", "Ingress port"), ("ProxyEgressPort", "Egress port"), ("AppPorts", "App ports")]
    {
        if !has(property) {
            return client(format!("{what} not found"));
        }
    }
    if !has("IgnoredUID") && !has("IgnoredGID") {
        return client("IgnoredUID or IgnoredGID not found");
    }
    Ok(())
}
