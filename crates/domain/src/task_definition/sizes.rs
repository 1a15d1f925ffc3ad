//! The sizes of tasks: how `cpu` and `memory` are written, and which pairs Fargate has.

/// The CPU units that a task off Fargate can ask for: an eighth of a vCPU to 192 vCPUs. (API model)
pub(crate) const TASK_CPU: std::ops::RangeInclusive<i32> = 128..=196_608;
/// The least memory of a container that a container runtime can start, in MiB. (API model)
pub(crate) const LEAST_MEMORY: i32 = 4;
/// What storage of its own a Fargate task can ask for, in GiB. (API model)
pub(crate) const STORAGE: std::ops::RangeInclusive<i32> = 21..=200;

/// `cpu` as CPU units: `256`, or `.25 vCPU` in whatever case. None if it is neither.
pub fn parse_cpu(text: &str) -> Option<i32> {
    parse(text, "vcpu")
}

/// `memory` as MiB: `512`, or `0.5 GB` in whatever case. None if it is neither.
pub fn parse_memory(text: &str) -> Option<i32> {
    parse(text, "gb")
}

/// A positive whole number, or a decimal number of `unit`, which is 1024 of them.
fn parse(text: &str, unit: &str) -> Option<i32> {
    let text = text.trim();
    let split = text.len().checked_sub(unit.len()).filter(|at| text.is_char_boundary(*at));
    let number = match split.map(|at| text.split_at(at)) {
        Some((number, suffix)) if suffix.eq_ignore_ascii_case(unit) => thousandths(number.trim())?,
        _ => return text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?.filter(|n| *n > 0),
    };
    // In thousandths, so that 0.25 and 1.5 are exact. What is no whole number of units is refused.
    let units = number.checked_mul(1024)?;
    (units > 0 && units % 1000 == 0).then(|| i32::try_from(units / 1000).ok())?
}

/// A decimal number with at most three decimals, in thousandths.
fn thousandths(text: &str) -> Option<i64> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.len() + decimals.len() == 0 || whole.len() > 9 || !digits(whole) || !digits(decimals) {
        return None;
    }
    let decimals = decimals.trim_end_matches('0');
    if decimals.len() > 3 {
        return None;
    }
    let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let parts: i64 = format!("{decimals:0<3}").parse().ok()?;
    Some(whole * 1000 + parts)
}

/// A size of Fargate tasks: the CPU units, and which MiB go with them.
struct Fargate {
    cpu: i32,
    /// Smallest, largest and step.
    memory: (i32, i32, i32),
    windows: bool,
}

const fn row(cpu: i32, memory: (i32, i32, i32), windows: bool) -> Fargate {
    Fargate { cpu, memory, windows }
}

const GB: i32 = 1024;

/// AWS documentation, "Task size". 256 CPU units are special: 512, 1024 or 2048 MiB.
const FARGATE: [Fargate; 7] = [
    row(256, (512, 2 * GB, 512), false),
    row(512, (GB, 4 * GB, GB), false),
    row(1024, (2 * GB, 8 * GB, GB), true),
    row(2048, (4 * GB, 16 * GB, GB), true),
    row(4096, (8 * GB, 30 * GB, GB), true),
    row(8192, (16 * GB, 60 * GB, 4 * GB), false),
    row(16384, (32 * GB, 120 * GB, 8 * GB), false),
];

/// Whether Fargate has a task of `cpu` units and `memory` MiB.
pub fn is_fargate_size(cpu: i32, memory: i32, windows: bool) -> bool {
    let Some(row) = FARGATE.iter().find(|row| row.cpu == cpu && (row.windows || !windows)) else {
        return false;
    };
    let (least, most, step) = row.memory;
    let exists = (least..=most).contains(&memory) && (memory - least) % step == 0;
    exists && !(cpu == 256 && memory == 1536)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_whole_numbers_or_decimals_with_a_unit() {
        for (text, units) in [
            ("256", 256),
            ("0.25 vCPU", 256),
            (".25 vCPU", 256),
            ("1 vcpu", 1024),
            ("1vCPU", 1024),
            ("1.50 VCPU", 1536),
            (" 16 vCPU ", 16384),
            ("0.125 vCPU", 128),
        ] {
            assert_eq!(parse_cpu(text), Some(units), "{text}");
        }
        for (text, mib) in [("512", 512), ("0.5 GB", 512), ("1GB", 1024), ("30 gb", 30720)] {
            assert_eq!(parse_memory(text), Some(mib), "{text}");
        }
    }

    #[test]
    fn anything_else_is_no_size() {
        for text in [
            "", " ", "0", "-256", "+256", "2.5", "1 GB", "x", "vCPU", ". vCPU", "0.1 vCPU", "1e3",
            "NaN vCPU", "é",
        ] {
            assert_eq!(parse_cpu(text), None, "{text}");
        }
        for text in ["1 vCPU", "512 MB", "0 GB", "99999999999", "9999999 GB", "1.0001 GB"] {
            assert_eq!(parse_memory(text), None, "{text}");
        }
    }

    #[test]
    fn fargate_has_these_pairs_and_no_others() {
        let pairs = |cpu: i32, windows| -> Vec<i32> {
            (0..=200).map(|n| n * 512).filter(|memory| is_fargate_size(cpu, *memory, windows)).collect()
        };
        let gb = |numbers: &[i32]| numbers.iter().map(|n| n * 1024).collect::<Vec<_>>();
        assert_eq!(pairs(256, false), [512, 1024, 2048]);
        assert_eq!(pairs(512, false), gb(&[1, 2, 3, 4]));
        assert_eq!(pairs(1024, false), gb(&[2, 3, 4, 5, 6, 7, 8]));
        assert_eq!(pairs(2048, false), gb(&(4..=16).collect::<Vec<_>>()));
        assert_eq!(pairs(4096, false), gb(&(8..=30).collect::<Vec<_>>()));
        assert_eq!(pairs(8192, false), gb(&[16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60]));
        assert_eq!(pairs(16384, false), gb(&[32, 40, 48, 56, 64, 72, 80, 88, 96]), "of those up to 100 GB");
        assert!(is_fargate_size(16384, 120 * 1024, false) && !is_fargate_size(16384, 122 * 1024, false));
        assert!(pairs(128, false).is_empty());
    }

    #[test]
    fn windows_tasks_on_fargate_have_one_to_four_vcpus() {
        for (cpu, memory, exists) in [
            (256, 512, false),
            (512, 1024, false),
            (1024, 2048, true),
            (4096, 8192, true),
            (8192, 16384, false),
        ] {
            assert_eq!(is_fargate_size(cpu, memory, true), exists, "{cpu}");
        }
    }
}
