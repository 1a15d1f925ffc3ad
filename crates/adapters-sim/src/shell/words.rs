//! The little that the shell understands of a line: commands between `;`, words, quotes, and variables.

/// A quote that doesn't end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unbalanced;

/// The commands of a line, each as its words. `value` is asked for variables, `?` among them.
pub(super) fn commands(line: &str, value: &dyn Fn(&str) -> String) -> Result<Vec<Vec<String>>, Unbalanced> {
    let mut all = vec![Vec::new()];
    let mut word: Option<String> = None;
    let mut quoted = false;
    let mut rest = line.chars().peekable();
    let end = |all: &mut Vec<Vec<String>>, word: &mut Option<String>| {
        if let (Some(last), Some(word)) = (all.last_mut(), word.take()) {
            last.push(word);
        }
    };
    while let Some(character) = rest.next() {
        match character {
            '"' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            '\'' if !quoted => {
                let word = word.get_or_insert_default();
                loop {
                    match rest.next().ok_or(Unbalanced)? {
                        '\'' => break,
                        other => word.push(other),
                    }
                }
            }
            '\\' => word.get_or_insert_default().push(rest.next().ok_or(Unbalanced)?),
            '$' => {
                let mut name = String::new();
                if rest.next_if_eq(&'?').is_some() {
                    name.push('?');
                } else if rest.next_if_eq(&'{').is_some() {
                    loop {
                        match rest.next().ok_or(Unbalanced)? {
                            '}' => break,
                            other => name.push(other),
                        }
                    }
                } else {
                    while let Some(letter) = rest.next_if(|next| next.is_ascii_alphanumeric() || *next == '_')
                    {
                        name.push(letter);
                    }
                }
                let value = if name.is_empty() { "$".to_owned() } else { value(&name) };
                // Nothing outside of quotes is no word.
                if quoted || !value.is_empty() {
                    word.get_or_insert_default().push_str(&value);
                }
            }
            ' ' | '\t' if !quoted => end(&mut all, &mut word),
            ';' | '\n' | '\r' if !quoted => {
                end(&mut all, &mut word);
                all.push(Vec::new());
            }
            other => word.get_or_insert_default().push(other),
        }
    }
    if quoted {
        return Err(Unbalanced);
    }
    end(&mut all, &mut word);
    all.retain(|command| !command.is_empty());
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Result<Vec<Vec<String>>, Unbalanced> {
        commands(line, &|name| match name {
            "?" => "3".to_owned(),
            "A" => "a b".to_owned(),
            _ => String::new(),
        })
    }

    #[test]
    fn a_line_is_commands_of_words() {
        assert_eq!(of("  ").unwrap(), Vec::<Vec<String>>::new());
        assert_eq!(of("echo a;; exit 3 ;").unwrap(), [["echo", "a"], ["exit", "3"]]);
        assert_eq!(
            of(r#"echo "x;$A" '$A' $? ${A}c $B "$B" a\;b $"#).unwrap(),
            [["echo", "x;a b", "$A", "3", "a bc", "", "a;b", "$"]]
        );
        for line in ["echo 'a", "echo \"a", "echo \\", "echo ${A"] {
            assert_eq!(of(line), Err(Unbalanced));
        }
    }
}
