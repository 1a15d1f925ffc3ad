//! What a terminal makes of keystrokes before a program sees them: lines, with an echo. Pure.

use std::collections::VecDeque;

/// What a program gets to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Typed {
    /// A line, without its end.
    Line(Vec<u8>),
    /// Control-D on an empty line.
    End,
    /// Control-C.
    Interrupt,
}

/// The line that is being typed, and what was typed before.
#[derive(Debug, Default)]
pub(super) struct Discipline {
    line: Vec<u8>,
    typed: VecDeque<Typed>,
}

impl Discipline {
    /// Takes keystrokes, and returns what the terminal shows of them.
    pub(super) fn feed(&mut self, keys: &[u8]) -> Vec<u8> {
        let mut echo = Vec::with_capacity(keys.len() + 2);
        for key in keys {
            match key {
                b'\r' | b'\n' => {
                    echo.extend(b"\r\n");
                    self.typed.push_back(Typed::Line(std::mem::take(&mut self.line)));
                }
                0x03 => {
                    echo.extend(b"^C\r\n");
                    self.line.clear();
                    // What was typed before isn't read any more.
                    self.typed.clear();
                    self.typed.push_back(Typed::Interrupt);
                }
                0x04 if self.line.is_empty() => self.typed.push_back(Typed::End),
                0x04 => {}
                0x08 | 0x7f => {
                    let mut erased = false;
                    while let Some(byte) = self.line.pop() {
                        erased = true;
                        // The first byte of a character ends the character.
                        if byte & 0xc0 != 0x80 {
                            break;
                        }
                    }
                    if erased {
                        echo.extend(b"\x08 \x08");
                    }
                }
                key => {
                    echo.push(*key);
                    self.line.push(*key);
                }
            }
        }
        echo
    }

    /// The next thing that was typed.
    pub(super) fn next(&mut self) -> Option<Typed> {
        self.typed.pop_front()
    }

    /// Whether the user wants an end of what runs. The interrupt is taken.
    pub(super) fn take_interrupt(&mut self) -> bool {
        let there = self.typed.front() == Some(&Typed::Interrupt);
        if there {
            self.typed.pop_front();
        }
        there
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Option<Typed> {
        Some(Typed::Line(text.as_bytes().to_vec()))
    }

    #[test]
    fn keys_become_lines_and_are_shown() {
        let mut discipline = Discipline::default();
        assert_eq!(discipline.feed(b"ec"), b"ec");
        assert_eq!(discipline.next(), None);
        assert_eq!(discipline.feed(b"ho\r\n"), b"ho\r\n\r\n");
        assert_eq!((discipline.next(), discipline.next(), discipline.next()), (line("echo"), line(""), None));
    }

    #[test]
    fn a_character_is_erased_whole() {
        let mut discipline = Discipline::default();
        assert_eq!(discipline.feed("aé\x7f\x08\x7fb\r".as_bytes()), "aé\x08 \x08\x08 \x08b\r\n".as_bytes());
        assert_eq!(discipline.next(), line("b"));
    }

    #[test]
    fn control_c_drops_what_was_typed_and_control_d_ends() {
        let mut discipline = Discipline::default();
        discipline.feed(b"a\rb\x03");
        assert!(discipline.take_interrupt());
        assert!(!discipline.take_interrupt());
        discipline.feed(b"x\x04\r\x04");
        assert_eq!((discipline.next(), discipline.next()), (line("x"), Some(Typed::End)));
    }
}
