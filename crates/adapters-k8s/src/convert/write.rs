//! Manifests as YAML, with what they don't express as comments in front.

use std::fmt::Write as _;

use super::{Conversion, ConvertError};

/// How long a line of a comment gets.
const WIDTH: usize = 100;

/// Writes all of it, as `kubectl apply -f` reads it.
pub(super) fn yaml(conversions: &[Conversion]) -> Result<String, ConvertError> {
    let mut text = String::new();
    for conversion in conversions {
        for (index, object) in conversion.objects.iter().enumerate() {
            if !text.is_empty() {
                text.push_str("---\n");
            }
            if index == 0 {
                head(&mut text, conversion);
            }
            // Long lines as they are: a folded command is hard to read, and harder to search for.
            let options = serde_saphyr::ser_options! { folded_wrap_chars: 1 << 20 };
            let written = serde_saphyr::to_string_with_options(object, options);
            text.push_str(&written.map_err(|error| ConvertError::Refused {
                place: conversion.of.clone(),
                message: format!("the manifest can't be written as YAML: {error}"),
            })?);
            if !text.ends_with('\n') {
                text.push('\n');
            }
        }
    }
    Ok(text)
}

fn head(text: &mut String, conversion: &Conversion) {
    // Writing to a String can't fail.
    let _ = writeln!(text, "# From {}.", conversion.of);
    if conversion.notes.is_empty() {
        return;
    }
    text.push_str("#\n# What these manifests do not do:\n");
    for note in &conversion.notes {
        comment(text, &format!("{}: {}", note.member, note.what));
    }
}

/// A comment in lines of a readable length. Whatever is in it, it stays a comment.
fn comment(text: &mut String, words: &str) {
    let mut line = String::from("# -");
    for word in words.split_whitespace() {
        if line.chars().count() + 1 + word.chars().count() > WIDTH {
            text.push_str(&line);
            text.push('\n');
            line = String::from("#  ");
        }
        line.push(' ');
        line.push_str(word);
    }
    text.push_str(&line);
    text.push('\n');
}
