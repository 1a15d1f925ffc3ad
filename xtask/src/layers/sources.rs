//! What the sources of the inner layers must not say: effects that no dependency is needed for.
//!
//! A textual check. It can be fooled on purpose; it is there for the slip.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::tidy::rust_files;

/// Each with what to use instead.
const FORBIDDEN: &[(&str, &str)] = &[
    ("tokio::", "the caller has the runtime"),
    ("thread::spawn", "the caller drives what runs in the background"),
    ("thread::sleep", "time is told by the port Clock"),
    ("Instant::now", "time is told by the port Clock"),
    ("SystemTime::now", "time is told by the port Clock"),
    ("Timestamp::now", "time is told by the port Clock"),
    ("Zoned::now", "time is told by the port Clock"),
    ("std::env", "configuration is an argument"),
    ("std::fs", "effects have ports"),
    ("std::net", "effects have ports"),
    ("std::process", "effects have ports"),
    ("println!", "tell it with tracing, or return it"),
];

/// The violations in all files under `dir`, which is relative to `root`.
pub(super) fn check(root: &Path, dir: &Path) -> Result<Vec<String>> {
    let mut violations = Vec::new();
    for file in rust_files(&root.join(dir))? {
        let shown = file.strip_prefix(root).unwrap_or(&file).display().to_string();
        let text = fs::read_to_string(&file).with_context(|| format!("can't read {shown}"))?;
        if file.file_stem().is_none_or(|stem| stem != "tests") {
            violations.extend(check_text(&shown, &text));
        }
    }
    Ok(violations)
}

fn check_text(file: &str, text: &str) -> Vec<String> {
    let mut violations = Vec::new();
    for (number, line) in product_lines(text) {
        for (word, instead) in FORBIDDEN {
            if line.contains(word) {
                violations.push(format!("{file}:{number}: no `{word}` in this layer: {instead}"));
            }
        }
    }
    violations
}

/// The numbered lines that are neither comments nor in a test module at the end of the file.
fn product_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines: Vec<&str> = text.lines().collect();
    let tests = (0..lines.len()).find(|&n| {
        lines[n].trim() == "#[cfg(test)]" && lines.get(n + 1).is_some_and(|next| next.starts_with("mod "))
    });
    let end = tests.unwrap_or(lines.len());
    lines
        .into_iter()
        .enumerate()
        .take(end)
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .map(|(n, l)| (n + 1, l))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_planted_effect_is_found_with_its_line() {
        let text = "//! Rules.\nfn now() -> Instant {\n    std::time::Instant::now()\n}\n";
        let violations = check_text("crates/domain/src/x.rs", text);
        assert_eq!(
            violations,
            ["crates/domain/src/x.rs:3: no `Instant::now` in this layer: time is told by the port Clock"]
        );
    }

    #[test]
    fn comments_and_test_modules_may_say_it() {
        let text = "// unlike Instant::now\nfn f() {}\n\n#[cfg(test)]\nmod tests {\n    fn g() { std::env::args(); }\n}\n";
        assert_eq!(check_text("x.rs", text), Vec::<String>::new());
    }

    #[test]
    fn a_cfg_test_item_does_not_hide_what_follows_it() {
        let text = "#[cfg(test)]\nuse x::Y;\nfn f() { std::env::args(); }\n";
        assert_eq!(check_text("x.rs", text).len(), 1);
    }
}
