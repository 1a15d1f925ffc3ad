//! A question before something is done that can't be undone.

use std::io::{BufRead, IsTerminal, Write};

use anyhow::{Result, bail};

/// Asks whether to go on, and takes nothing but a yes for one. Where nobody can be asked, `yes` must have been said on the
/// command line.
///
/// # Errors
/// When the answer is no, or nobody can be asked.
pub(super) fn confirm(question: &str, yes: bool) -> Result<()> {
    if yes {
        return Ok(());
    }
    let input = std::io::stdin();
    if !input.is_terminal() {
        bail!("nobody can be asked here: say --yes to go on");
    }
    ask(question, &mut input.lock(), &mut std::io::stderr().lock())
}

fn ask(question: &str, input: &mut impl BufRead, out: &mut impl Write) -> Result<()> {
    write!(out, "{question} [y/N] ")?;
    out.flush()?;
    let mut answer = String::new();
    input.read_line(&mut answer)?;
    match answer.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => bail!("nothing was done"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_yes_is_a_yes() {
        for (answer, goes_on) in
            [("y\n", true), (" YES \n", true), ("\n", false), ("", false), ("n\n", false), ("yep\n", false)]
        {
            let mut asked = Vec::new();
            let result = ask("Delete it?", &mut answer.as_bytes(), &mut asked);
            assert_eq!(result.is_ok(), goes_on, "{answer:?}");
            assert_eq!(asked, b"Delete it? [y/N] ");
        }
    }
}
