//! A command line taken apart into words, by the quoting rules of a POSIX shell: no shell stands between ECS Exec and
//! the container, so `a; b` is one program with odd arguments, and a shell must be asked for by name.

/// A quote without its end, or a backslash with nothing after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the command's quotes are not balanced")]
pub struct Unbalanced;

/// The words of a command.
///
/// # Errors
/// [`Unbalanced`].
pub fn split(command: &str) -> Result<Vec<String>, Unbalanced> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = command.chars();
    while let Some(character) = rest.next() {
        match character {
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            '\\' => word.get_or_insert_default().push(rest.next().ok_or(Unbalanced)?),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match rest.next().ok_or(Unbalanced)? {
                        '\'' => break,
                        other => word.push(other),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match rest.next().ok_or(Unbalanced)? {
                        '"' => break,
                        '\\' => match rest.next().ok_or(Unbalanced)? {
                            escaped @ ('"' | '\\' | '$' | '`') => word.push(escaped),
                            other => word.extend(['\\', other]),
                        },
                        other => word.push(other),
                    }
                }
            }
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_separated_by_blanks_outside_of_quotes() {
        for (command, words) in [
            ("", &[][..]),
            ("  ", &[]),
            ("/bin/sh", &["/bin/sh"]),
            (" sh  -c 'echo \"a  b\"; exit 3' ", &["sh", "-c", "echo \"a  b\"; exit 3"]),
            (r#"echo "a \"b\" \n" c\ d"#, &["echo", r#"a "b" \n"#, "c d"]),
            ("echo '' a''b", &["echo", "", "ab"]),
        ] {
            assert_eq!(split(command).unwrap(), words, "{command}");
        }
    }

    #[test]
    fn a_quote_must_end() {
        for command in ["echo 'a", "echo \"a", "echo \\", "\"\\"] {
            assert_eq!(split(command), Err(Unbalanced), "{command}");
        }
    }
}
