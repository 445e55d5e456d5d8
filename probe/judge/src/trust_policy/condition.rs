//! Condition operators: their names, and whether one holds for a key of the request. Pure, three-valued.
//! Source: IAM user guide, "Condition operators", "Single-valued vs. multivalued context keys", "Variables".

use super::context::{Context, Value};
use super::pattern::{Expanded, Pattern};

/// Whether something holds, as far as it can be known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    /// It holds.
    Yes,
    /// It does not hold.
    No,
    /// It cannot be known here.
    Unknown,
}

impl Truth {
    pub(crate) fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::Unknown => Self::Unknown,
        }
    }

    /// One `Yes` is enough.
    pub(crate) fn any(all: impl IntoIterator<Item = Self>) -> Self {
        let mut so_far = Self::No;
        for truth in all {
            match truth {
                Self::Yes => return Self::Yes,
                Self::Unknown => so_far = Self::Unknown,
                Self::No => {}
            }
        }
        so_far
    }

    /// One `No` is enough.
    pub(crate) fn all(all: impl IntoIterator<Item = Self>) -> Self {
        Self::any(all.into_iter().map(Self::not)).not()
    }
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }
}

/// The parts of an operator such as `ForAnyValue:StringNotLikeIfExists`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Operator {
    set: Option<Set>,
    pub(crate) test: Test,
    pub(crate) negated: bool,
    if_exists: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Set {
    Any,
    All,
}

/// How values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Test {
    Equals,
    EqualsIgnoreCase,
    Like,
    /// `ArnEquals` and `ArnLike`, which are the same.
    Arn,
    Bool,
    Null,
    Number(Order),
    Date(Order),
    /// Addresses and binary values. This request is not known to have any.
    Foreign,
}

/// The order of the request's value relative to the policy's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Same,
    Less,
    LessOrSame,
    Greater,
    GreaterOrSame,
}

/// Name, test, negated.
const TESTS: &[(&str, Test, bool)] = &[
    ("StringEquals", Test::Equals, false),
    ("StringNotEquals", Test::Equals, true),
    ("StringEqualsIgnoreCase", Test::EqualsIgnoreCase, false),
    ("StringNotEqualsIgnoreCase", Test::EqualsIgnoreCase, true),
    ("StringLike", Test::Like, false),
    ("StringNotLike", Test::Like, true),
    ("ArnEquals", Test::Arn, false),
    ("ArnLike", Test::Arn, false),
    ("ArnNotEquals", Test::Arn, true),
    ("ArnNotLike", Test::Arn, true),
    ("Bool", Test::Bool, false),
    ("Null", Test::Null, false),
    ("NumericEquals", Test::Number(Order::Same), false),
    ("NumericNotEquals", Test::Number(Order::Same), true),
    ("NumericLessThan", Test::Number(Order::Less), false),
    ("NumericLessThanEquals", Test::Number(Order::LessOrSame), false),
    ("NumericGreaterThan", Test::Number(Order::Greater), false),
    ("NumericGreaterThanEquals", Test::Number(Order::GreaterOrSame), false),
    ("DateEquals", Test::Date(Order::Same), false),
    ("DateNotEquals", Test::Date(Order::Same), true),
    ("DateLessThan", Test::Date(Order::Less), false),
    ("DateLessThanEquals", Test::Date(Order::LessOrSame), false),
    ("DateGreaterThan", Test::Date(Order::Greater), false),
    ("DateGreaterThanEquals", Test::Date(Order::GreaterOrSame), false),
    ("IpAddress", Test::Foreign, false),
    ("NotIpAddress", Test::Foreign, true),
    ("BinaryEquals", Test::Foreign, false),
];

impl Operator {
    /// `None`: this version does not know the operator.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let (set, name) = match name.split_once(':') {
            Some(("ForAnyValue", rest)) => (Some(Set::Any), rest),
            Some(("ForAllValues", rest)) => (Some(Set::All), rest),
            Some(_) => return None,
            None => (None, name),
        };
        let (name, if_exists) = name.strip_suffix("IfExists").map_or((name, false), |name| (name, true));
        let (_, test, negated) = TESTS.iter().find(|(known, ..)| *known == name)?;
        // `Null` asks whether the key exists, so neither affix would make sense.
        if *test == Test::Null && (set.is_some() || if_exists) {
            return None;
        }
        Some(Self { set, test: *test, negated: *negated, if_exists })
    }

    /// Whether the condition holds for `key` of the request. `variables`: `${…}` in a value is replaced by the value of a key.
    pub(crate) fn holds(self, key: &str, values: &[String], context: &Context, variables: bool) -> Truth {
        let present = context.value(key);
        if self.test == Test::Null {
            return is_null(values, &present);
        }
        let presented = match present {
            Value::Unknown(_) => return Truth::Unknown,
            Value::Begins(begin) => return self.holds_for_beginning(&begin, values, context, variables),
            // An empty list counts as a missing key ("ForAllValues also returns true if there are no keys in the request").
            Value::Present(presented) if !presented.is_empty() => presented,
            Value::Present(_) | Value::Absent => return Truth::from(self.holds_without_key()),
        };
        let expanded: Vec<Expanded> = values
            .iter()
            .map(|value| match self.test {
                Test::Equals | Test::EqualsIgnoreCase => Pattern::literal(value, context, variables),
                Test::Like | Test::Arn => Pattern::wildcards(value, context, variables),
                // Only strings and ARNs may have variables.
                _ => Expanded::Pattern(Pattern::plain(value)),
            })
            .collect();
        let hit = |presented: &String| {
            Truth::any(values.iter().zip(&expanded).map(|(value, expanded)| match expanded {
                Expanded::Pattern(pattern) => self.test.compare(presented, value, pattern),
                Expanded::Nothing => Truth::No,
                Expanded::Unknown => Truth::Unknown,
            }))
        };
        let hits = presented.iter().map(hit);
        match (self.set, self.negated) {
            (Some(Set::All), false) => Truth::all(hits),
            (Some(Set::All), true) => Truth::all(hits.map(Truth::not)),
            (Some(Set::Any) | None, false) => Truth::any(hits),
            (Some(Set::Any), true) => Truth::any(hits.map(Truth::not)),
            (None, true) => Truth::any(hits).not(),
        }
    }

    /// The key has one value, so a set operator makes no difference.
    fn holds_for_beginning(
        self,
        begin: &str,
        values: &[String],
        context: &Context,
        variables: bool,
    ) -> Truth {
        let hit = Truth::any(values.iter().map(|value| {
            let expanded = match self.test {
                Test::Equals => Pattern::literal(value, context, variables),
                Test::Like | Test::Arn => Pattern::wildcards(value, context, variables),
                _ => Expanded::Unknown,
            };
            match expanded {
                Expanded::Pattern(pattern) if self.test == Test::Arn => {
                    pattern.matches_beginning_of_arn(begin)
                }
                Expanded::Pattern(pattern) => pattern.matches_beginning(begin),
                Expanded::Nothing => Truth::No,
                Expanded::Unknown => Truth::Unknown,
            }
        }));
        if self.negated { hit.not() } else { hit }
    }

    /// A missing key matches nothing, so a negated operator holds. With a set operator, that operator decides.
    fn holds_without_key(self) -> bool {
        self.if_exists
            || match self.set {
                Some(Set::All) => true,
                Some(Set::Any) => false,
                None => self.negated,
            }
    }
}

fn is_null(values: &[String], present: &Value) -> Truth {
    let absent = match present {
        Value::Present(values) => values.is_empty(),
        Value::Begins(_) => false,
        Value::Absent => true,
        Value::Unknown(_) => return Truth::Unknown,
    };
    Truth::from(values.iter().any(|value| value.eq_ignore_ascii_case(if absent { "true" } else { "false" })))
}

impl Test {
    fn compare(self, presented: &str, value: &str, pattern: &Pattern) -> Truth {
        match self {
            Self::Equals | Self::Like => pattern.matches(presented).into(),
            Self::EqualsIgnoreCase => pattern.matches_ignoring_case(presented).into(),
            Self::Arn => pattern.matches_arn(presented).into(),
            Self::Bool => presented.eq_ignore_ascii_case(value).into(),
            Self::Number(order) => order.between(number(presented), number(value)),
            Self::Date(order) => order.between(date(presented), date(value)),
            Self::Foreign | Self::Null => Truth::Unknown,
        }
    }
}

impl Order {
    fn between<T: PartialOrd>(self, presented: Option<T>, value: Option<T>) -> Truth {
        // How STS reads a value that is neither number nor date is not known.
        let Some((presented, value)) = presented.zip(value) else { return Truth::Unknown };
        Truth::from(match self {
            Self::Same => presented == value,
            Self::Less => presented < value,
            Self::LessOrSame => presented <= value,
            Self::Greater => presented > value,
            Self::GreaterOrSame => presented >= value,
        })
    }
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok()
}

/// A W3C date and time, or seconds since the epoch.
fn date(text: &str) -> Option<i64> {
    let text = text.trim();
    let seconds = || text.parse().ok();
    let time = || crate::text::parse_rfc3339(text);
    let day = || crate::text::parse_rfc3339(&format!("{text}T00:00:00Z"));
    seconds().or_else(time).or_else(day)
}
