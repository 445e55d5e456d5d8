//! What the class table says to people: the command `explain`, the exit codes in the help, the page of classes.
//! Pure: text out, nothing judged.

mod json;
mod layout;
mod page;
mod script;
#[cfg(test)]
mod tests;

pub use json::explain_json;
pub use page::classes_page;

use crate::catalog::{Attribute, Class, ClassInfo, Condition, nearest};
use layout::push_wrapped;
pub use layout::wrap;
use std::fmt::Write as _;

/// No line of prose is longer; commands are not wrapped, so that they can be pasted.
const WIDTH: usize = 100;

/// The table of all classes, or all about the one with this id or code.
pub fn explain(argument: Option<&str>) -> Result<String, String> {
    Ok(match argument {
        None => table(),
        Some(argument) => script::script(find(argument).map_err(|none| none.to_string())?),
    })
}

/// The codes of the classes with this attribute, in ascending order, three and more in a row as a range.
#[must_use]
pub fn codes_with(attribute: Attribute) -> String {
    let mut codes: Vec<u8> =
        Class::all().iter().filter(|class| class.has(attribute)).map(|class| class.code()).collect();
    codes.sort_unstable();
    let runs = codes.chunk_by(|one, next| one + 1 == *next);
    let words = runs.flat_map(|run| match run {
        [first, _, .., last] => vec![format!("{first}-{last}")],
        few => few.iter().map(u8::to_string).collect(),
    });
    words.collect::<Vec<_>>().join(", ")
}

/// What is no class; `Display` says it with the names that were perhaps meant.
#[derive(Debug)]
pub struct NoClass {
    written: String,
    meant: Vec<&'static str>,
}

impl NoClass {
    /// One word that nearly is a class, or a number: no text to look up.
    #[must_use]
    pub fn is_slip(&self) -> bool {
        let is_number = self.written.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        !self.written.contains(char::is_whitespace) && (is_number || !self.meant.is_empty())
    }
}

impl std::fmt::Display for NoClass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let meant = match self.meant.as_slice() {
            [] => String::new(),
            names => format!("; perhaps `{}`", names.join("` or `")),
        };
        write!(f, "no class `{}`{meant}; `credprobe explain` lists all", self.written.escape_debug())
    }
}

/// The class with this id or code.
///
/// # Errors
/// There is none.
pub fn find(argument: &str) -> Result<Class, NoClass> {
    let argument = argument.trim();
    let by_code = argument.parse().ok().and_then(Class::from_code);
    by_code.or_else(|| Class::from_id(argument)).ok_or_else(|| NoClass {
        written: argument.to_owned(),
        meant: match argument.len() {
            // The longest id has 23; looking for names near a whole log costs its square.
            0..=64 => nearest(argument, Class::all().iter().map(|class| class.id())),
            _ => Vec::new(),
        },
    })
}

fn table() -> String {
    let mut out = String::new();
    line(&mut out, format_args!("{:<4}  {:<23}  {:<7}  {:<9}  MEANING", "CODE", "ID", "OWNER", "KIND"));
    for class in Class::all() {
        let info = class.info();
        let kind = kind_words(info);
        let meaning = wrap(info.meaning, WIDTH - 51);
        for row in 0..kind.len().max(meaning.len()) {
            let cell = |cells: &[String]| cells.get(row).cloned().unwrap_or_default();
            let (code, id, owner) = match row {
                0 => (info.code.to_string(), info.id, owner(info)),
                _ => (String::new(), "", ""),
            };
            line(
                &mut out,
                format_args!("{code:>4}  {id:<23}  {owner:<7}  {:<9}  {}", cell(&kind), cell(&meaning)),
            );
        }
    }
    out.push('\n');
    push_wrapped(&mut out, LEGEND, WIDTH);
    out.push_str("Causes and commands: credprobe explain ID\n");
    out
}

const LEGEND: &str = "The first error of this order decides. transient: waiting may heal it. recreate: \
    restarting the container does not heal it, a new pod does. warning: does not decide unless the evidence \
    makes it an error or it explains one.";

fn owner(info: &ClassInfo) -> &'static str {
    info.owner.map_or("", |owner| owner.id())
}

/// The flags as words for a column of nine letters, one a row.
fn kind_words(info: &ClassInfo) -> Vec<String> {
    let words = [
        (Attribute::Transient, "transient"),
        (Attribute::RecreatePod, "recreate"),
        (Attribute::Warning, "warning"),
    ];
    let set = words.into_iter().filter(|(attribute, _)| info.class.has(*attribute));
    set.map(|(_, word)| word.to_owned()).collect()
}

/// The flags as a sentence's part.
fn kind(info: &ClassInfo) -> String {
    let mut parts = vec![if info.class == Class::Ready {
        "success"
    } else if info.class.has(Attribute::Warning) {
        "a warning, unless the evidence makes it an error or it explains one"
    } else {
        "an error"
    }];
    if info.class.has(Attribute::Transient) {
        parts.push("transient: waiting may heal it");
    }
    if info.class.has(Attribute::RecreatePod) {
        parts.push("only a new pod heals it, a container restart does not");
    }
    parts.join("; ")
}

/// The classes that this one explains, with the condition.
fn explains(class: Class) -> Vec<String> {
    let explains = class.info().explains.iter();
    explains.map(|it| named(it.class, it.condition)).collect()
}

/// The classes that explain this one, with the condition.
fn explained_by(class: Class) -> Vec<String> {
    let all = Class::all().iter();
    all.filter_map(|by| Some(named(*by, by.explains(class)?.condition))).collect()
}

fn named(class: Class, condition: Condition) -> String {
    format!("{class}{}", remark(condition))
}

/// The condition in brackets, where there is one.
fn remark(condition: Condition) -> String {
    match condition.words() {
        "" => String::new(),
        words => format!(" ({words})"),
    }
}

/// The link of the chain, as reports name it.
fn stage(info: &ClassInfo) -> Option<&'static str> {
    info.stage.map(|stage| stage.id())
}

/// What depends on the class besides its kind.
fn rules(class: Class) -> Vec<&'static str> {
    let set =
        Attribute::ALL.iter().filter(|(attribute, _, words)| !words.is_empty() && class.has(*attribute));
    set.map(|(.., words)| *words).collect()
}

/// Writing to a `String` cannot fail.
fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    let start = out.len();
    let _infallible = out.write_fmt(text);
    let end = out[start..].trim_end_matches(' ').len();
    out.truncate(start + end);
    out.push('\n');
}
