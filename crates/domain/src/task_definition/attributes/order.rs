//! The order in which ECS lists required attributes.
//!
//! It keeps them in a hash table, and lists them bucket by bucket. What is computed here gives the order of every
//! answer of ECS that was compared, with 4 to 16 attributes. Within a bucket the order is that of insertion, of
//! which only single pairs are known.

/// Entries up to which a table of 16 buckets does; one of more has twice as many.
const SMALL_TABLE: usize = 12;

/// Ends of names that come before others of their bucket, in this order; all others come after them.
const EARLY: [&str; 17] = [
    ".ecr-auth",
    "-api.1.17",
    "-api.1.18",
    ".container-ordering",
    ".task-eni",
    "-api.1.19",
    "-api.1.24",
    "-api.1.25",
    "-api.1.28",
    "-api.1.29",
    ".execution-role-awslogs",
    ".logging-driver.awsfirelens",
    ".secrets.asm.environment-variables",
    ".aws-appmesh",
    ".container-health-check",
    ".selinux",
    ".task-iam-role",
];

/// Names as ECS would list them.
pub(super) fn sorted(mut names: Vec<String>) -> Vec<String> {
    let mut buckets: usize = 16;
    while names.len() > buckets / 16 * SMALL_TABLE {
        buckets *= 2;
    }
    names.sort_by_key(|name| (bucket(name, buckets), rank(name)));
    names
}

fn rank(name: &str) -> usize {
    EARLY.iter().position(|end| name.ends_with(end)).unwrap_or(EARLY.len())
}

/// The bucket of an attribute that has a name and no value.
fn bucket(name: &str, buckets: usize) -> usize {
    let text = name.bytes().fold(0_u32, |hash, byte| hash.wrapping_mul(31).wrapping_add(u32::from(byte)));
    let of_name = text.wrapping_add(59);
    let with_value = of_name.wrapping_mul(59).wrapping_add(43);
    let spread = with_value ^ (with_value >> 16);
    spread as usize & (buckets - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lists as ECS answered them: `a:` for `com.amazonaws.ecs.capability.`, `e:` for `ecs.capability.`, `d:` for a
    /// version of Docker's API.
    const SEEN: [&str; 10] = [
        "a:ecr-auth e:execution-role-ecr-pull d:18 e:task-eni",
        "a:ecr-auth a:selinux a:task-iam-role d:22 e:execution-role-ecr-pull",
        "a:logging-driver.awslogs e:execution-role-awslogs e:efsAuth a:ecr-auth d:19 e:efs a:task-iam-role d:25 \
         e:execution-role-ecr-pull",
        "a:logging-driver.awslogs e:execution-role-awslogs d:19 a:task-iam-role d:25 e:container-health-check d:18 \
         e:task-eni d:29",
        "a:logging-driver.awslogs e:execution-role-awslogs a:ecr-auth d:19 e:secrets.asm.environment-variables \
         a:task-iam-role e:execution-role-ecr-pull d:18 e:task-eni",
        "a:logging-driver.awslogs d:24 e:execution-role-awslogs a:ecr-auth d:19 d:17 a:task-iam-role \
         e:container-health-check e:execution-role-ecr-pull d:18 e:task-eni",
        "a:logging-driver.awslogs e:execution-role-awslogs a:ecr-auth d:19 e:firelens.fluentbit d:17 d:21 \
         a:logging-driver.awsfirelens a:task-iam-role e:execution-role-ecr-pull d:29",
        "e:execution-role-awslogs a:ecr-auth d:28 a:task-iam-role e:execution-role-ecr-pull d:18 e:task-eni d:29 \
         a:logging-driver.awslogs e:efsAuth d:19 e:efs d:25",
        "e:execution-role-awslogs a:ecr-auth d:17 d:21 a:task-iam-role e:aws-appmesh e:container-health-check \
         e:execution-role-ecr-pull d:18 e:task-eni d:29 a:logging-driver.awslogs d:19 e:container-ordering",
        "e:execution-role-awslogs a:ecr-auth d:17 d:28 a:task-iam-role e:execution-role-ecr-pull \
         e:secrets.ssm.environment-variables d:18 e:task-eni a:logging-driver.awslogs e:efsAuth d:19 \
         e:secrets.asm.environment-variables e:efs e:container-ordering d:25",
    ];

    fn full(short: &str) -> String {
        let (kind, rest) = short.split_once(':').unwrap();
        match kind {
            "a" => format!("com.amazonaws.ecs.capability.{rest}"),
            "d" => format!("com.amazonaws.ecs.capability.docker-remote-api.1.{rest}"),
            _ => format!("ecs.capability.{rest}"),
        }
    }

    #[test]
    fn the_order_is_that_of_lists_that_were_seen() {
        for list in SEEN {
            let seen: Vec<String> = list.split_whitespace().map(full).collect();
            let mut shuffled = seen.clone();
            shuffled.sort();
            assert_eq!(sorted(shuffled), seen);
        }
    }
}
