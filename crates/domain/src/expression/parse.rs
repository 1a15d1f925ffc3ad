//! From text to [`Node`]s: a recursive descent over the characters. There's no separate list of tokens, because what
//! a character means depends on what is expected: `(t3|m5).*` is one pattern, `(` before a subject is a group.
//!
//! ```text
//! any       = all { ("or" | "||") all }
//! all       = not { ("and" | "&&") not }
//! not       = ("not" | "!") not | "(" any ")" | condition
//! condition = subject ("exists" | "!exists" | operator argument | ("in" | "!in") "[" argument { "," argument } "]")
//! ```

use regex::{Regex, RegexBuilder};

use super::value::Value;
use super::{Field, MAX_LENGTH, Node, ParseError, Test};

/// How deep parentheses and negations nest: enough for people, and too little for the stack.
const MAX_DEPTH: usize = 50;

/// Bytes that one compiled pattern may take: a pattern like `(\w{50}){50}` would take hundreds of megabytes.
const MAX_PATTERN_SIZE: usize = 256 * 1024;

const SUBJECT: &str = "a subject (attribute:NAME, agentConnected, agentVersion, ec2InstanceId, registeredAt, \
                       runningTasksCount or task:group)";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equals,
    Above,
    AtLeast,
    Below,
    AtMost,
    In,
    Matches,
    Exists,
}

/// The operators that are signs, longer ones first; and whether they negate.
const SIGNS: [(&str, Operator, bool); 8] = [
    ("==", Operator::Equals, false),
    ("!=", Operator::Equals, true),
    ("=~", Operator::Matches, false),
    ("!~", Operator::Matches, true),
    (">=", Operator::AtLeast, false),
    ("<=", Operator::AtMost, false),
    (">", Operator::Above, false),
    ("<", Operator::Below, false),
];

/// The operators that the documentation lists for a field, and how they are written.
fn operators_of(field: &Field) -> (&'static [Operator], &'static str) {
    use Operator::{Above, AtLeast, AtMost, Below, Equals, Exists, In, Matches};
    match field {
        Field::Attribute(_) => (
            &[Equals, Above, AtLeast, Below, AtMost, In, Matches, Exists],
            "==, !=, >, >=, <, <=, in, !in, =~, !~, exists or !exists",
        ),
        Field::AgentVersion | Field::RegisteredAt | Field::RunningTasksCount => {
            (&[Equals, Above, AtLeast, Below, AtMost], "==, !=, >, >=, < or <=")
        }
        Field::AgentConnected | Field::Ec2InstanceId | Field::TaskGroup => {
            (&[Equals, In, Matches], "==, !=, in, !in, =~ or !~")
        }
    }
}

pub(super) fn expression(text: &str) -> Result<Node, ParseError> {
    let mut parser = Parser { text: text.chars().collect(), at: 0, depth: 0 };
    if parser.text.len() > MAX_LENGTH {
        parser.at = MAX_LENGTH;
        return Err(parser.expected(&format!("at most {MAX_LENGTH} characters, thus the end,")));
    }
    let node = parser.any()?;
    parser.space();
    if parser.at < parser.text.len() { Err(parser.expected("and, or, or the end")) } else { Ok(node) }
}

struct Parser {
    text: Vec<char>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn expected(&self, what: &str) -> ParseError {
        self.expected_at(self.at, what)
    }

    fn expected_at(&self, at: usize, what: &str) -> ParseError {
        let rest = &self.text[at.min(self.text.len())..];
        let stop =
            rest.iter().skip(1).position(|c| c.is_whitespace()).map_or(rest.len(), |end| end + 1).min(20);
        let found: String = rest.iter().take(stop).collect();
        ParseError {
            position: at + 1,
            expected: what.to_owned(),
            found: if found.is_empty() { "the end".to_owned() } else { format!("\"{found}\"") },
        }
    }

    fn space(&mut self) {
        while self.text.get(self.at).is_some_and(|c| c.is_whitespace()) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn sees(&self, sign: &str) -> bool {
        sign.chars().enumerate().all(|(offset, c)| self.text.get(self.at + offset) == Some(&c))
    }

    /// Takes a sign, if it's next.
    fn sign(&mut self, sign: &str) -> bool {
        let sees = self.sees(sign);
        if sees {
            self.at += sign.chars().count();
        }
        sees
    }

    /// Takes a word, if it's next and whole.
    fn word(&mut self, word: &str) -> bool {
        let goes_on = |c: &char| c.is_alphanumeric() || matches!(c, '_' | ':' | '.' | '-');
        self.sees(word) && !self.text.get(self.at + word.len()).is_some_and(goes_on) && self.sign(word)
    }

    fn joins(&mut self, word: &str, sign: &str) -> bool {
        self.space();
        self.word(word) || self.sign(sign)
    }

    fn any(&mut self) -> Result<Node, ParseError> {
        let mut nodes = vec![self.all()?];
        while self.joins("or", "||") {
            nodes.push(self.all()?);
        }
        Ok(only_or(nodes, Node::Any))
    }

    fn all(&mut self) -> Result<Node, ParseError> {
        let mut nodes = vec![self.not()?];
        while self.joins("and", "&&") {
            nodes.push(self.not()?);
        }
        Ok(only_or(nodes, Node::All))
    }

    fn not(&mut self) -> Result<Node, ParseError> {
        self.space();
        if self.depth >= MAX_DEPTH {
            return Err(self.expected(&format!("at most {MAX_DEPTH} nested parentheses and negations")));
        }
        self.depth += 1;
        let node = if self.joins("not", "!") {
            Node::Not(Box::new(self.not()?))
        } else if self.sign("(") {
            let inner = self.any()?;
            self.space();
            if !self.sign(")") {
                return Err(self.expected("and, or, or a closing parenthesis"));
            }
            inner
        } else {
            self.condition()?
        };
        self.depth -= 1;
        Ok(node)
    }

    fn condition(&mut self) -> Result<Node, ParseError> {
        let field = self.field()?;
        let (operator, negated) = self.operator(&field)?;
        let test = match operator {
            Operator::Exists => Test::Exists,
            Operator::Equals => Test::OneOf(vec![self.argument(&field)?]),
            Operator::Above => Test::Above(self.argument(&field)?),
            Operator::AtLeast => Test::AtLeast(self.argument(&field)?),
            Operator::Below => Test::Below(self.argument(&field)?),
            Operator::AtMost => Test::AtMost(self.argument(&field)?),
            Operator::In => Test::OneOf(self.list(&field)?),
            Operator::Matches => Test::Matches(self.pattern()?),
        };
        let node = Node::Is(field, test);
        Ok(if negated { Node::Not(Box::new(node)) } else { node })
    }

    fn field(&mut self) -> Result<Field, ParseError> {
        let start = self.at;
        // The letters of attribute names. (API reference, `Attribute.name`)
        while self
            .peek()
            .is_some_and(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '\\' | ':'))
        {
            self.at += 1;
        }
        let name: String = self.text[start..self.at].iter().collect();
        Ok(match name.as_str() {
            "agentConnected" => Field::AgentConnected,
            "agentVersion" => Field::AgentVersion,
            "ec2InstanceId" => Field::Ec2InstanceId,
            "registeredAt" => Field::RegisteredAt,
            "runningTasksCount" => Field::RunningTasksCount,
            "task:group" => Field::TaskGroup,
            other => match other.strip_prefix("attribute:") {
                Some("") => return Err(self.expected("the name of an attribute")),
                Some(attribute) => Field::Attribute(attribute.to_owned()),
                None => return Err(self.expected_at(start, SUBJECT)),
            },
        })
    }

    /// Reads an operator that the field takes, and whether it negates.
    fn operator(&mut self, field: &Field) -> Result<(Operator, bool), ParseError> {
        self.space();
        let start = self.at;
        let (takes, names) = operators_of(field);
        self.any_operator()
            .filter(|(operator, _)| takes.contains(operator))
            .ok_or_else(|| self.expected_at(start, &format!("an operator for {field} ({names})")))
    }

    fn any_operator(&mut self) -> Option<(Operator, bool)> {
        for (sign, operator, negated) in SIGNS {
            if self.sign(sign) {
                return Some((operator, negated));
            }
        }
        let mut negated = false;
        if self.word("not") || self.sign("not_") || self.sign("!") {
            self.space();
            negated = true;
        }
        for (word, operator) in [
            ("exists", Operator::Exists),
            ("in", Operator::In),
            ("equals", Operator::Equals),
            ("matches", Operator::Matches),
        ] {
            if self.word(word) {
                return Some((operator, negated));
            }
        }
        for (word, operator) in [
            ("greater_than_equal", Operator::AtLeast),
            ("greater_than", Operator::Above),
            ("less_than_equal", Operator::AtMost),
            ("less_than", Operator::Below),
        ] {
            if !negated && self.word(word) {
                return Some((operator, false));
            }
        }
        None
    }

    fn argument(&mut self, field: &Field) -> Result<Value, ParseError> {
        self.space();
        let start = self.at;
        let text = self.literal()?;
        Value::of_field(field, text).map_err(|what| self.expected_at(start, what))
    }

    fn list(&mut self, field: &Field) -> Result<Vec<Value>, ParseError> {
        self.space();
        if !self.sign("[") {
            return Err(self.expected("a list like [a, b]"));
        }
        let mut values = vec![self.argument(field)?];
        loop {
            self.space();
            if self.sign("]") {
                return Ok(values);
            }
            if !self.sign(",") {
                return Err(self.expected("a comma or a closing bracket"));
            }
            values.push(self.argument(field)?);
        }
    }

    /// A quoted text, or a bare one up to what can't be in it.
    fn literal(&mut self) -> Result<String, ParseError> {
        if let Some(quoted) = self.quoted()? {
            return Ok(quoted);
        }
        let start = self.at;
        while let Some(c) = self.peek() {
            let ends =
                c.is_whitespace() || matches!(c, '(' | ')' | '[' | ']' | ',' | '\'' | '"' | '<' | '>' | '=');
            if ends || self.sees("&&") || self.sees("||") {
                break;
            }
            self.at += 1;
        }
        if self.at == start {
            return Err(self.expected("a value"));
        }
        Ok(self.text[start..self.at].iter().collect())
    }

    /// A backslash only escapes the quote, so that patterns keep theirs.
    fn quoted(&mut self) -> Result<Option<String>, ParseError> {
        let Some(quote) = self.peek().filter(|c| matches!(c, '\'' | '"')) else {
            return Ok(None);
        };
        let mut quoted = String::new();
        self.at += 1;
        loop {
            match self.peek() {
                None => return Err(self.expected("a closing quote")),
                Some('\\') if self.text.get(self.at + 1) == Some(&quote) => {
                    quoted.push(quote);
                    self.at += 2;
                }
                Some(c) => {
                    self.at += 1;
                    if c == quote {
                        return Ok(Some(quoted));
                    }
                    quoted.push(c);
                }
            }
        }
    }

    /// A pattern, which has to match the whole value. Bare ones end at a space, or at a parenthesis that they didn't
    /// open.
    fn pattern(&mut self) -> Result<Regex, ParseError> {
        self.space();
        let start = self.at;
        let text = match self.quoted()? {
            Some(text) => text,
            None => self.bare_pattern(),
        };
        if text.is_empty() {
            return Err(self.expected_at(start, "a regular expression"));
        }
        // Alone first: `a)|(b` is no pattern, though it would be one between our parentheses.
        build(&text).and_then(|_| build(&format!("^(?:{text})$"))).map_err(|_| {
            self.expected_at(start, "a regular expression without look-around and back-references")
        })
    }

    fn bare_pattern(&mut self) -> String {
        let start = self.at;
        let mut open = 0_usize;
        let mut class = false;
        while let Some(c) = self.peek() {
            match c {
                '\\' => self.at += 1,
                c if c.is_whitespace() => break,
                '[' => class = true,
                ']' => class = false,
                '(' if !class => open += 1,
                ')' if !class && open == 0 => break,
                ')' if !class => open -= 1,
                _ if !class && (self.sees("&&") || self.sees("||")) => break,
                _ => {}
            }
            self.at += 1;
        }
        self.at = self.at.min(self.text.len());
        self.text[start..self.at].iter().collect()
    }
}

fn build(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern).size_limit(MAX_PATTERN_SIZE).nest_limit(100).build()
}

fn only_or(mut nodes: Vec<Node>, several: fn(Vec<Node>) -> Node) -> Node {
    match nodes.len() {
        1 => nodes.remove(0),
        _ => several(nodes),
    }
}
