//! Requests that are wrong in one place, at every depth.

use serde_json::{Map, Value, json};

use crate::schema::{Kind, Shape};

/// A place in a request: the steps from its root.
pub(crate) type Path = Vec<Step>;

/// One of them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    Member(String),
    Index(usize),
}

/// One thing that is made wrong.
#[derive(Clone, Debug)]
pub(crate) struct Mutation {
    pub(crate) at: Path,
    /// None: it is taken away.
    pub(crate) to: Option<Value>,
    /// What kind of wrong it is.
    pub(crate) kind: Wrong,
}

impl Mutation {
    /// Where it is, without indexes.
    pub(crate) fn place(&self) -> String {
        let names = self.at.iter().map(|step| match step {
            Step::Member(name) => name.as_str(),
            Step::Index(_) => "[]",
        });
        names.collect::<Vec<_>>().join(".")
    }
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wrong {
    /// Of another type than the model says, or a number that the type can't hold.
    Type,
    /// None of an enum's values.
    Enum,
    /// A required member is missing or null, or an element of a list is null.
    Absent,
    /// Longer, shorter, larger, smaller or of another form than the model says.
    Bound,
    /// Nothing that the model speaks of: an optional member that is missing, an odd text or number.
    Odd,
}

impl Wrong {
    /// Whether a request that is wrong like this can't succeed.
    pub(crate) fn is_refused(self) -> bool {
        self != Self::Odd
    }
}

/// Every mutation of a request.
pub(crate) fn mutations(value: &Value, shape: &Shape) -> Vec<Mutation> {
    let mut out = Vec::new();
    inside(value, shape, &mut Vec::new(), &mut out);
    out
}

/// A request with one thing made wrong.
pub(crate) fn apply(request: &Value, mutation: &Mutation) -> Value {
    let mut mutated = request.clone();
    let Some((last, parents)) = mutation.at.split_last() else {
        return mutation.to.clone().unwrap_or(Value::Null);
    };
    let mut place = &mut mutated;
    for step in parents {
        place = match step {
            Step::Member(name) => &mut place[name],
            Step::Index(index) => &mut place[index],
        };
    }
    match (last, &mutation.to) {
        (Step::Member(name), Some(value)) => place[name] = value.clone(),
        (Step::Member(name), None) => {
            place.as_object_mut().and_then(|entries| entries.remove(name));
        }
        (Step::Index(index), Some(value)) => place[*index] = value.clone(),
        (Step::Index(index), None) => {
            place.as_array_mut().map(|items| items.remove(*index));
        }
    }
    mutated
}

fn inside(value: &Value, shape: &Shape, at: &mut Path, out: &mut Vec<Mutation>) {
    let mut push =
        |at: &Path, to: Option<Value>, kind: Wrong| out.push(Mutation { at: at.clone(), to, kind });
    for wrong in wrong_types(shape) {
        push(at, Some(wrong), Wrong::Type);
    }
    for (odd, kind) in odd_values(value, shape) {
        push(at, Some(odd), kind);
    }
    match (&shape.kind, value) {
        (Kind::Structure { members, .. }, Value::Object(entries)) => {
            at.push(Step::Member("noSuchMember".to_owned()));
            push(at, Some(json!({"a": [1, null]})), Wrong::Odd);
            at.pop();
            for (name, entry) in entries {
                let Some(member) = members.get(name) else { continue };
                let kind = if shape.requires(name) { Wrong::Absent } else { Wrong::Odd };
                at.push(Step::Member(name.clone()));
                out.push(Mutation { at: at.clone(), to: None, kind });
                out.push(Mutation { at: at.clone(), to: Some(Value::Null), kind });
                inside(entry, member, at, out);
                at.pop();
            }
        }
        (Kind::List(element), Value::Array(items)) => {
            for (index, item) in items.iter().enumerate() {
                at.push(Step::Index(index));
                out.push(Mutation { at: at.clone(), to: None, kind: Wrong::Odd });
                out.push(Mutation { at: at.clone(), to: Some(Value::Null), kind: Wrong::Absent });
                inside(item, element, at, out);
                at.pop();
            }
        }
        (Kind::Map(element), Value::Object(entries)) => {
            for (name, entry) in entries {
                at.push(Step::Member(name.clone()));
                out.push(Mutation { at: at.clone(), to: Some(Value::Null), kind: Wrong::Odd });
                inside(entry, element, at, out);
                at.pop();
            }
        }
        _ => {}
    }
}

/// JSON of every type that the shape isn't.
fn wrong_types(shape: &Shape) -> Vec<Value> {
    let huge = json!(1e300);
    match &shape.kind {
        Kind::Text { .. } => vec![json!(7), json!(true), json!([]), json!({}), json!(["a"])],
        Kind::Integer { wide: false } => vec![
            json!("7"),
            json!(1.5),
            json!(true),
            json!([]),
            json!({}),
            json!(2_147_483_648_i64),
            json!(-2_147_483_649_i64),
            json!(u64::MAX),
            huge,
        ],
        Kind::Integer { wide: true } => vec![json!("7"), json!(1.5), json!([]), json!(u64::MAX), huge],
        Kind::Number => vec![json!("1"), json!(true), json!([]), json!({})],
        Kind::Flag => vec![json!("true"), json!(1), json!([]), json!({})],
        Kind::Time => vec![json!("2027-01-15T08:00:00Z"), json!(true), json!([]), json!({})],
        Kind::List(_) => vec![json!({}), json!("a"), json!(1), json!(false)],
        Kind::Structure { .. } | Kind::Map(_) => vec![json!([]), json!("a"), json!(1), json!(true)],
        Kind::Anything => Vec::new(),
    }
}

/// Values of the right type that break a constraint, or that nobody would send.
fn odd_values(value: &Value, shape: &Shape) -> Vec<(Value, Wrong)> {
    let mut odd = Vec::new();
    let (least, most) = (shape.least, shape.most);
    // A value that breaks a bound is refused by the model alone.
    let judged = |size: f64| {
        let breaks = least.is_some_and(|least| size < least) || most.is_some_and(|most| size > most);
        if breaks { Wrong::Bound } else { Wrong::Odd }
    };
    match &shape.kind {
        Kind::Text { values, .. } if !values.is_empty() => {
            let swapped = swap_case(&values[0]);
            for text in ["", "BOGUS", " ", swapped.as_str()] {
                if !values.iter().any(|value| value == text) {
                    odd.push((json!(text), Wrong::Enum));
                }
            }
        }
        Kind::Text { has_pattern, .. } => {
            for text in ["", " ", "a b", "é大\u{1F600}", "\u{0}\u{7f}\n", "arn:aws:ecs:::", "-", "a:b/c"] {
                odd.push((json!(text), judged(text.chars().count() as f64)));
            }
            odd.push((json!("a!b"), if *has_pattern { Wrong::Bound } else { Wrong::Odd }));
            for length in [129, 257, 5000] {
                odd.push((json!("a".repeat(length)), judged(length as f64)));
            }
            if let Some(text) = value.as_str() {
                odd.push((json!(text.to_uppercase()), Wrong::Odd));
                odd.push((json!(format!("{text}/")), Wrong::Odd));
            }
        }
        Kind::Integer { .. } => {
            for number in [0, -1, 1, 65_536, 1_000_000, i64::from(i32::MAX), i64::from(i32::MIN)] {
                odd.push((json!(number), judged(number as f64)));
            }
        }
        Kind::Number => {
            for number in [0.0, -1.0, 0.5, 101.0, 1e9, 1e300, -1e300] {
                odd.push((json!(number), judged(number)));
            }
        }
        Kind::Time => {
            for number in [0.0, -1.0, 1e12, 1e300, -1e300] {
                odd.push((json!(number), Wrong::Odd));
            }
        }
        Kind::List(_) => {
            odd.push((json!([]), judged(0.0)));
            if let Some(first) = value.as_array().and_then(|items| items.first()) {
                for count in [2, 11, 101, 401] {
                    odd.push((vec![first.clone(); count].into(), judged(count as f64)));
                }
            }
        }
        Kind::Structure { required, .. } => {
            odd.push((json!({}), if required.is_empty() { Wrong::Odd } else { Wrong::Absent }));
        }
        Kind::Map(_) => {
            odd.push((json!({}), Wrong::Odd));
            odd.push((json!({"": "", "é": "\u{0}"}), Wrong::Odd));
            let many: Map<_, _> = (0..300).map(|n| (n.to_string(), json!("x"))).collect();
            odd.push((many.into(), Wrong::Odd));
        }
        Kind::Flag => odd.push((json!(value != &json!(true)), Wrong::Odd)),
        Kind::Anything => odd.push((json!([1, "a", null]), Wrong::Odd)),
    }
    odd
}

fn swap_case(text: &str) -> String {
    let swap = |letter: char| {
        if letter.is_ascii_uppercase() { letter.to_ascii_lowercase() } else { letter.to_ascii_uppercase() }
    };
    text.chars().map(swap).collect()
}
