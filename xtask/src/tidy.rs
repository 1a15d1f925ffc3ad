//! What a hand-written source file must look like, as far as a program can tell. Not formatting: rustfmt does that.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// Above this a file has more than one subject.
const MAX_LINES: usize = 500;

/// Where hand-written sources are.
const DIRECTORIES: &[&str] = &["crates", "xtask", "tests"];

/// Written by `cargo xtask codegen`.
const GENERATED: &str = "crates/domain/src/generated";

/// Every violation, as a line for a person. Empty when all is well.
///
/// # Errors
/// When a file can't be read.
pub(crate) fn check(root: &Path) -> Result<Vec<String>> {
    let mut violations = Vec::new();
    for dir in DIRECTORIES {
        for file in sources(&root.join(dir), &["rs", "py", "sh", "sql", "js", "css", "html"])? {
            let shown = file.strip_prefix(root).unwrap_or(&file).to_owned();
            if !shown.starts_with(GENERATED) {
                let text =
                    fs::read_to_string(&file).with_context(|| format!("can't read {}", shown.display()))?;
                violations.extend(check_text(&shown, &text));
            }
        }
    }
    Ok(violations)
}

fn check_text(file: &Path, text: &str) -> Vec<String> {
    let mut violations = Vec::new();
    let lines = text.lines().count();
    if lines > MAX_LINES {
        violations
            .push(format!("{}: {lines} lines, the most is {MAX_LINES}: split it by subject", file.display()));
    }
    if file.extension().is_some_and(|e| e == "rs") {
        if !text.starts_with("//!") {
            violations
                .push(format!("{}: must open with `//!`: what it is, and what it is not", file.display()));
        }
        let ignored = text.lines().position(|line| line.trim_start().starts_with("#[ignore"));
        if let Some(line) = ignored {
            violations.push(format!("{}:{}: an ignored test tests nothing", file.display(), line + 1));
        }
    }
    violations
}

/// The Rust files under a directory, sorted.
///
/// # Errors
/// When the directory can't be read.
pub(crate) fn rust_files(dir: &Path) -> Result<Vec<PathBuf>> {
    sources(dir, &["rs"])
}

/// The files with one of these extensions, sorted. What is hidden or built is left out.
fn sources(dir: &Path, extensions: &[&str]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    if !dir.exists() {
        return Ok(found);
    }
    for entry in fs::read_dir(dir).with_context(|| format!("can't read {}", dir.display()))? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        if entry.file_type()?.is_dir() {
            if !name.starts_with('.') && !matches!(&*name, "target" | "node_modules" | "__pycache__") {
                found.extend(sources(&path, extensions)?);
            }
        } else if path.extension().is_some_and(|e| extensions.iter().any(|wanted| e == *wanted)) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_500_lines_passes_and_one_more_does_not() {
        let fits = "//! x\n".repeat(500);
        assert_eq!(check_text(Path::new("a.rs"), &fits), Vec::<String>::new());
        let violations = check_text(Path::new("a.rs"), &format!("{fits}//\n"));
        assert_eq!(violations, ["a.rs: 501 lines, the most is 500: split it by subject"]);
    }

    #[test]
    fn a_rust_file_without_its_opening_words_fails() {
        assert_eq!(check_text(Path::new("a.rs"), "fn f() {}\n").len(), 1);
        assert_eq!(check_text(Path::new("a.py"), "x = 1\n").len(), 0);
    }

    #[test]
    fn an_ignored_test_fails_with_its_line() {
        let violations = check_text(Path::new("a.rs"), "//! x\n#[test]\n#[ignore = \"slow\"]\nfn t() {}\n");
        assert_eq!(violations, ["a.rs:3: an ignored test tests nothing"]);
    }
}
