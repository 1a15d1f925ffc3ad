//! The language, as tables: what holds for one instance, and what is refused where.

use proptest::prelude::*;

use super::{Expression, MAX_LENGTH, Subject};
use crate::generated::Attribute;
use crate::timestamp::Timestamp;

fn attribute(name: &str, value: Option<&str>) -> Attribute {
    Attribute { name: name.to_owned(), value: value.map(str::to_owned), ..Attribute::default() }
}

fn attributes() -> Vec<Attribute> {
    vec![
        attribute("ecs.instance-type", Some("t3.large")),
        attribute("stack", Some("prod")),
        attribute("cores", Some("16")),
        attribute("owner", Some("team a")),
        attribute("path/to", Some("a/b:c@d")),
        attribute("gpu", None),
    ]
}

fn holds(expression: &str) -> bool {
    let attributes = attributes();
    let groups = ["service:web".to_owned(), "family:job".to_owned()];
    let subject = Subject {
        attributes: &attributes,
        instance: "i-0abc",
        zone: "us-east-1a",
        agent_connected: Some(true),
        agent_version: Some("1.97.1"),
        registered_at: Some(Timestamp::from_millis(1_529_360_908_000)), // 2018-06-18T22:28:28Z
        running_tasks: Some(3),
        groups: Some(&groups),
    };
    Expression::parse(expression).unwrap_or_else(|error| panic!("{expression}: {error}")).matches(&subject)
}

/// Each line holds for the instance above, and its negation doesn't.
#[test]
fn these_hold() {
    for expression in [
        "attribute:ecs.instance-type =~ t3.*",
        "attribute:ecs.instance-type =~ (t3|m5).*",
        "(attribute:ecs.instance-type =~ (t3|m5).*)",
        "attribute:ecs.instance-type =~ [a-z]3[.](large|small)",
        "attribute:ecs.instance-type =~ 't3\\..*'",
        "attribute:ecs.instance-type matches t3.large",
        "attribute:ecs.instance-type !~ large",
        "attribute:ecs.instance-type not_matches m5.*",
        "attribute:ecs.availability-zone == us-east-1a",
        "attribute:ecs.availability-zone != us-east-1d",
        "attribute:ecs.availability-zone in [us-east-1a, us-east-1b]",
        "attribute:stack == prod",
        "attribute:stack==prod",
        "attribute:stack equals \"prod\"",
        "attribute:stack not_equals 'test'",
        "attribute:stack in [test,prod]",
        "attribute:stack in ['prod']",
        "attribute:stack not in [test, dev]",
        "attribute:stack not_in [test]",
        "attribute:stack !in [test]",
        "attribute:stack ! in [test]",
        "attribute:stack exists",
        "attribute:gpu exists",
        "attribute:none !exists",
        "attribute:none not_exists",
        "attribute:none not exists",
        "attribute:none != x",
        "attribute:none !in [x]",
        "attribute:none !~ .*",
        "attribute:gpu != x",
        "attribute:owner == 'team a'",
        "attribute:path/to == a/b:c@d",
        "attribute:cores > 8",
        "attribute:cores >= 16",
        "attribute:cores <= 16.0",
        "attribute:cores < 100",
        "attribute:cores greater_than 8",
        "attribute:cores less_than_equal 16",
        "attribute:stack > alpha",
        "ec2InstanceId == i-0abc",
        "ec2InstanceId in ['i-0abc', 'i-1def']",
        "ec2InstanceId =~ i-.*",
        "agentConnected == true",
        "agentConnected != false",
        "agentVersion >= 1.97",
        "agentVersion > 1.9.30",
        "agentVersion < v2",
        "agentVersion == 1.97.1.0",
        "registeredAt == 2018-06-18T22:28:28+00:00",
        "registeredAt <= 2018-06-18T22:28:28Z",
        "registeredAt >= 2018-06-18T22:28:28",
        "registeredAt > 2018-06-18",
        "registeredAt < '2018-06-19'",
        "runningTasksCount == 3",
        "runningTasksCount less_than 4",
        "task:group == service:web",
        "task:group in [service:db, family:job]",
        "task:group != service:db",
        "not (task:group == database)",
        "not(task:group == database)",
        "not attribute:stack == test",
        "!attribute:stack == test",
        "! (attribute:stack == test or attribute:stack == dev)",
        "not not attribute:stack == prod",
        "attribute:stack == prod and attribute:cores == 16",
        "attribute:stack == prod && attribute:cores==16",
        "attribute:stack==prod&&attribute:cores==16",
        "attribute:stack =~ pr.*||attribute:cores==1",
        "attribute:stack == test or attribute:cores == 16",
        "attribute:stack == prod or attribute:none == a and attribute:none == b",
        "not attribute:none exists and attribute:stack exists",
        "  (  attribute:stack   ==  prod  )  ",
    ] {
        assert!(holds(expression), "{expression}");
        assert!(!holds(&format!("not ({expression})")), "not ({expression})");
    }
}

#[test]
fn and_binds_tighter_than_or_and_parentheses_tighter_than_both() {
    assert!(!holds("(attribute:stack == prod or attribute:none == a) and attribute:none == b"));
    assert!(holds("attribute:stack == prod or (attribute:none == a and attribute:none == b)"));
}

#[test]
fn what_is_not_known_of_an_instance_matches_neither_way() {
    let subject = Subject::default();
    for condition in [
        "agentConnected == true",
        "agentVersion > 1.0",
        "registeredAt > 2018-06-18",
        "runningTasksCount < 1",
        "task:group == service:x",
        "ec2InstanceId == i-1",
    ] {
        for expression in
            [condition.to_owned(), format!("not ({condition})"), format!("{condition} or not {condition}")]
        {
            assert!(!Expression::parse(&expression).unwrap().matches(&subject), "{expression}");
        }
        let other = Expression::parse(&format!("{condition} or attribute:a !exists")).unwrap();
        assert!(other.matches(&subject), "another condition can still decide: {condition}");
        let other = Expression::parse(&format!("not ({condition} and attribute:a exists)")).unwrap();
        assert!(other.matches(&subject), "another condition can still decide: {condition}");
    }
}

/// Expression, position, and a part of what is expected.
#[test]
fn refusals_name_the_position_and_what_is_expected() {
    for (expression, position, expected) in [
        ("", 1, "a subject"),
        ("   ", 4, "a subject"),
        ("stack == prod", 1, "a subject (attribute:NAME"),
        ("attribute: == prod", 11, "the name of an attribute"),
        ("attribute:stack", 16, "an operator for attribute:stack"),
        ("attribute:stack = prod", 17, "an operator for attribute:stack"),
        ("attribute:stack like prod", 17, "an operator"),
        ("attribute:stack ==", 19, "a value"),
        ("attribute:stack == 'prod", 25, "a closing quote"),
        ("attribute:stack in prod", 20, "a list"),
        ("attribute:stack in []", 21, "a value"),
        ("attribute:stack in [a", 22, "a comma or a closing bracket"),
        ("attribute:stack in [a b]", 23, "a comma or a closing bracket"),
        ("attribute:stack =~ ", 20, "a regular expression"),
        ("attribute:stack =~ '('", 20, "a regular expression"),
        ("attribute:stack =~ 'a)|(b'", 20, "a regular expression"),
        ("attribute:stack =~ (?!prod).*", 20, "look-around"),
        ("attribute:stack =~ (\\w{90}){90}", 20, "a regular expression"),
        ("attribute:stack == prod attribute:a exists", 25, "and, or, or the end"),
        ("attribute:stack == prod and", 28, "a subject"),
        ("attribute:stack == prod)", 24, "and, or, or the end"),
        ("(attribute:stack == prod", 25, "closing parenthesis"),
        ("agentConnected == yes", 19, "true or false"),
        ("agentConnected > true", 16, "an operator for agentConnected"),
        ("agentVersion == new", 17, "a version"),
        ("agentVersion =~ 1.*", 14, "an operator for agentVersion (==, !=, >, >=, < or <=)"),
        ("registeredAt > yesterday", 16, "a date"),
        ("runningTasksCount == many", 22, "a whole number"),
        ("runningTasksCount in [1]", 19, "an operator for runningTasksCount"),
        ("ec2InstanceId exists", 15, "an operator for ec2InstanceId"),
        ("task:family == x", 1, "a subject"),
    ] {
        let error = Expression::parse(expression).expect_err(expression);
        assert_eq!(error.position, position, "{expression}: {error}");
        assert!(error.expected.contains(expected), "{expression}: {error}");
    }
}

#[test]
fn a_refusal_reads_as_a_sentence() {
    let refused = |text: &str| Expression::parse(text).unwrap_err().to_string();
    assert_eq!(refused("attribute:stack =~ ["), {
        "expected a regular expression without look-around and back-references at character 20, found \"[\"."
    });
    assert_eq!(refused("attribute:stack in [a"), {
        "expected a comma or a closing bracket at character 22, found the end."
    });
}

#[test]
fn two_thousand_characters_are_allowed_and_no_more() {
    let with = |length: usize| {
        let start = "attribute:stack == ";
        format!("{start}{}", "ä".repeat(length - start.len()))
    };
    assert!(Expression::parse(&with(MAX_LENGTH)).is_ok());
    assert_eq!(Expression::parse(&with(MAX_LENGTH + 1)).unwrap_err().position, MAX_LENGTH + 1);
}

#[test]
fn nesting_is_bounded_so_that_the_stack_is() {
    let nested = |depth: usize| format!("{}attribute:a exists{}", "(".repeat(depth), ")".repeat(depth));
    assert!(Expression::parse(&nested(49)).is_ok());
    assert_eq!(Expression::parse(&nested(50)).unwrap_err().position, 51);
    assert!(Expression::parse(&"!".repeat(MAX_LENGTH)).is_err());
}

proptest! {
    #[test]
    fn parsing_never_panics(text in ".{0,80}") {
        let _ = Expression::parse(&text);
    }

    #[test]
    fn neither_does_parsing_what_looks_like_the_language_nor_asking_it(
        words in proptest::collection::vec(
            proptest::sample::select(vec![
                "attribute:stack", "attribute:", "agentVersion", "registeredAt", "task:group", "runningTasksCount",
                "==", "!=", "=~", "!~", ">", ">=", "<", "in", "!", "not", "not_", "exists", "and", "&&", "or", "||", "(", ")",
                "[", "]", ",", "'", "\"", "\\", "prod", "1.2", "2018-06-18", "t3.*", "é", " ", "{3}", "{2000}", "*", "(?i)",
            ]),
            0..24,
        ),
        spaced: bool,
    ) {
        let text = words.join(if spaced { " " } else { "" });
        match Expression::parse(&text) {
            Ok(expression) => {
                expression.matches(&Subject::default());
            }
            Err(error) => prop_assert!((1..=text.chars().count() + 1).contains(&error.position), "{error}"),
        }
    }
}
