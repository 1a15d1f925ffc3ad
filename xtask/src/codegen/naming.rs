//! Names: from the API's spelling to Rust's, and what serde needs to get back.

use heck::ToSnakeCase;

/// Words that `heck` would cut in the wrong place.
const UNITS: [(&str, &str); 7] = [
    ("GiB", "Gib"),
    ("MiB", "Mib"),
    ("vCpu", "vcpu"),
    ("VCpu", "Vcpu"),
    ("IPv4", "Ipv4"),
    ("IPv6", "Ipv6"),
    ("IDs", "Ids"),
];

/// Rust's reserved words that are possible as raw identifiers.
const KEYWORDS: [&str; 34] = [
    "abstract", "as", "async", "await", "box", "break", "const", "continue", "do", "dyn", "else", "enum",
    "extern", "fn", "for", "if", "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub", "ref",
    "return", "static", "struct", "type", "union", "use", "where", "while",
];

/// `enableECSManagedTags` → `enable_ecs_managed_tags`, for fields, functions and modules.
pub(crate) fn snake(name: &str) -> String {
    let name = UNITS.iter().fold(name.to_owned(), |name, (from, to)| name.replace(from, to));
    name.to_snake_case()
}

/// The field's name in source: `type` → `r#type`.
pub(crate) fn field(name: &str) -> String {
    escape(snake(name))
}

fn escape(name: String) -> String {
    if KEYWORDS.contains(&name.as_str()) { format!("r#{name}") } else { name }
}

/// What serde's `rename_all = "camelCase"` makes of a field.
pub(crate) fn serde_camel(field: &str) -> String {
    let mut out = String::new();
    let mut upper = false;
    for c in field.trim_start_matches("r#").chars() {
        match c {
            '_' => upper = true,
            c if upper => {
                out.extend(c.to_uppercase());
                upper = false;
            }
            c => out.push(c),
        }
    }
    out
}

/// The variant of an enum's value: `MANAGED_INSTANCES` → `ManagedInstances`, `X86_64` → `X86_64`.
pub(crate) fn variant(value: &str) -> String {
    let mut out = String::new();
    for word in snake(value).split('_').filter(|word| !word.is_empty()) {
        let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
        if digit(out.chars().last()) && digit(word.chars().next()) {
            // Without it, `1_11` and `11_1` would be one.
            out.push('_');
        }
        let (first, rest) = word.split_at(word.chars().next().map_or(0, char::len_utf8));
        out.push_str(&first.to_uppercase());
        out.push_str(rest);
    }
    if !out.starts_with(|c: char| c.is_alphabetic()) {
        out.insert(0, 'V');
    }
    if out == "Self" { "Self_".to_owned() } else { out }
}

/// The variant of an error: its name without `Exception`.
pub(crate) fn error_variant(shape: &str) -> String {
    variant(shape.strip_suffix("Exception").unwrap_or(shape))
}

/// A Rust string literal.
pub(crate) fn literal(text: &str) -> String {
    format!("{text:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_snake_case() {
        for (api, rust) in [
            ("clientToken", "client_token"),
            ("privateIpv4Address", "private_ipv4_address"),
            ("privateIPv4Address", "private_ipv4_address"),
            ("sizeInGiB", "size_in_gib"),
            ("memoryGiBPerVCpu", "memory_gib_per_vcpu"),
            ("vCpuCount", "vcpu_count"),
            ("awsvpcConfiguration", "awsvpc_configuration"),
            ("enableECSManagedTags", "enable_ecs_managed_tags"),
            ("managedEBSVolume", "managed_ebs_volume"),
            ("webACLArn", "web_acl_arn"),
            ("bindIP", "bind_ip"),
            ("s3filesVolumeConfiguration", "s3files_volume_configuration"),
            ("ec2InstanceId", "ec2_instance_id"),
            ("totalLocalStorageGB", "total_local_storage_gb"),
            ("type", "r#type"),
            ("LoadBalancerArn", "load_balancer_arn"),
        ] {
            assert_eq!(field(api), rust);
        }
    }

    #[test]
    fn serde_gets_back_to_the_plain_ones() {
        for (field, camel) in
            [("client_token", "clientToken"), ("r#type", "type"), ("size_in_gib", "sizeInGib")]
        {
            assert_eq!(serde_camel(field), camel);
        }
    }

    #[test]
    fn variants_are_upper_camel_case() {
        for (value, name) in [
            ("EC2", "Ec2"),
            ("MANAGED_INSTANCES", "ManagedInstances"),
            ("X86_64", "X86_64"),
            ("ARM64", "Arm64"),
            ("WINDOWS_SERVER_20H2_CORE", "WindowsServer20h2Core"),
            ("WINDOWS_SERVER_2019_FULL", "WindowsServer2019Full"),
            ("json-file", "JsonFile"),
            ("distinctInstance", "DistinctInstance"),
            ("fargateFIPSMode", "FargateFipsMode"),
            ("aws:ecs.thing", "AwsEcsThing"),
            ("$default", "Default"),
            ("http2", "Http2"),
            ("dualstack-without-public-ipv4", "DualstackWithoutPublicIpv4"),
            ("2012-10-17", "V2012_10_17"),
            ("self", "Self_"),
        ] {
            assert_eq!(variant(value), name);
        }
    }

    #[test]
    fn errors_drop_their_suffix() {
        assert_eq!(error_variant("ClusterNotFoundException"), "ClusterNotFound");
        assert_eq!(error_variant("ServerException"), "Server");
        assert_eq!(error_variant("Throttling"), "Throttling");
    }

    #[test]
    fn literals_are_escaped() {
        assert_eq!(literal(r#"[\p{L}"]*"#), r#""[\\p{L}\"]*""#);
    }
}
