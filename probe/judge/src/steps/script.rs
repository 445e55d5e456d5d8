//! What a person reads as a shell script: prose behind `# `, wrapped; commands alone at column 0.
//! It can be read, copied by the line and pasted as a whole. What it says, reports and `explain` decide.

use super::Step;
use crate::text::shown::{escaped, prose};
use anstyle::{AnsiColor, Style};

/// Under a label of nine letters.
const INDENT: usize = 13;

/// The first line, whatever the names in it.
const FIRST_LINE: usize = 100;

/// A name that is cut keeps as much as tells it apart.
const SHORTEST_NAME: usize = 16;

/// How wide, and whether in colours.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// Only where a terminal reads it.
    pub colour: bool,
    /// Columns; prose wraps there.
    pub width: usize,
}

impl Default for Look {
    /// A log has no width.
    fn default() -> Self {
        Self { colour: false, width: 80 }
    }
}

/// How the first line begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    /// Nothing is wrong.
    Good,
    /// It works, and something will go wrong.
    But,
    /// Something is wrong.
    Bad,
    /// It only tells.
    None,
}

/// The lines so far.
pub struct Script {
    out: String,
    look: Look,
}

impl Script {
    /// Without a line.
    #[must_use]
    pub fn new(look: Look) -> Self {
        Self { out: String::with_capacity(2_048), look: Look { width: look.width.clamp(40, 100), ..look } }
    }

    /// All of them.
    #[must_use]
    pub fn text(self) -> String {
        self.out
    }

    /// An empty line.
    pub fn blank(&mut self) {
        self.out.push('\n');
    }

    /// Mark and sentence, in one line.
    pub(crate) fn first(&mut self, mark: Mark, line: &str) {
        let (mark, colour) = match mark {
            Mark::Good => ("✓ ", AnsiColor::Green),
            Mark::But => ("! ", AnsiColor::Yellow),
            Mark::Bad => ("✗ ", AnsiColor::Red),
            Mark::None => ("", AnsiColor::White),
        };
        let line = prose(line);
        let (class, rest) =
            line.split_once(':').map_or((line.as_str(), ""), |(class, _)| (class, &line[class.len()..]));
        if self.look.colour {
            let style = Style::new().bold().fg_color(Some(colour.into()));
            self.out.push_str(&format!("# {}{mark}{class}{}{rest}\n", style.render(), style.render_reset()));
        } else {
            self.out.push_str(&format!("# {mark}{class}{rest}\n"));
        }
    }

    /// A sentence of its own.
    pub fn sentence(&mut self, text: &str) {
        self.wrapped("# ", 2, text);
    }

    /// An item of a list.
    pub fn item(&mut self, text: &str) {
        self.wrapped("#   – ", 6, text);
    }

    /// A label with its text, wrapped under the text.
    pub(crate) fn row(&mut self, label: &str, text: &str) {
        let gap = if label.len() < INDENT - 4 { "" } else { " " };
        self.wrapped(&format!("#   {label:<9}{gap}"), INDENT, text);
    }

    /// The links of the chain with their marks, which are not text from outside.
    pub(crate) fn chain(&mut self, links: impl Iterator<Item = String>) {
        self.laid_out("#   chain    ", INDENT, &links.collect::<Vec<_>>().join(" "));
    }

    /// The steps, numbered on; those in a row that have a condition are alternatives.
    pub(crate) fn steps(&mut self, steps: &[Step], number: &mut usize) {
        for Numbered { label, begins, said, run } in numbered(steps, number) {
            if begins {
                self.blank();
            }
            let start = format!("# {label}. ");
            self.wrapped(&start, start.chars().count(), &said);
            if let Some(run) = run {
                self.out.push_str(&escaped(run));
                self.out.push('\n');
            }
        }
    }

    fn wrapped(&mut self, start: &str, indent: usize, text: &str) {
        self.laid_out(start, indent, &prose(text));
    }

    fn laid_out(&mut self, start: &str, indent: usize, text: &str) {
        let room = self.look.width.saturating_sub(indent).max(20);
        let mut line = String::new();
        let mut begin = start.to_owned();
        for word in text.split_ascii_whitespace() {
            let length = line.chars().count() + 1 + word.chars().count();
            if !line.is_empty() && length > room {
                self.push(&begin, &line);
                begin = format!("#{}", " ".repeat(indent - 1));
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        self.push(&begin, &line);
    }

    fn push(&mut self, begin: &str, line: &str) {
        self.out.push_str(format!("{begin}{line}").trim_end());
        self.out.push('\n');
    }
}

/// A step as people read it.
pub(crate) struct Numbered<'s> {
    /// `1`; of alternatives `2a`, `2b`.
    pub(crate) label: String,
    /// Whether it is the first of its number.
    pub(crate) begins: bool,
    /// The sentence, behind its condition.
    pub(crate) said: String,
    /// The command.
    pub(crate) run: Option<&'s str>,
}

/// Numbers the steps on from `number`; those in a row that have a condition are alternatives.
pub(crate) fn numbered<'s>(steps: &'s [Step], number: &mut usize) -> Vec<Numbered<'s>> {
    let mut found = Vec::with_capacity(steps.len());
    for group in steps.chunk_by(|one, next| one.when.is_some() && next.when.is_some()) {
        *number += 1;
        for (letter, step) in ('a'..='z').zip(group) {
            let said = match &step.when {
                Some(when) => format!("{}: {}", sentence(when), step.say),
                None => sentence(&step.say),
            };
            let alone = group.len() == 1;
            let label = if alone { number.to_string() } else { format!("{number}{letter}") };
            found.push(Numbered { label, begins: letter == 'a', said, run: step.run.as_deref() });
        }
    }
    found
}

/// With a capital letter, as a sentence begins; a name of a variable or a program keeps its own.
pub(crate) fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first)
            if first.is_ascii_lowercase()
                && text.split(' ').next().is_some_and(|word| {
                    word.chars().all(char::is_alphabetic)
                        && !matches!(word, "credprobe" | "uid" | "gid" | "pid")
                }) =>
        {
            first.to_ascii_uppercase().to_string() + chars.as_str()
        }
        _ => text.to_owned(),
    }
}

/// `label: sentence` in as many columns as a first line has: the longest name is cut in its middle, then the next.
pub(crate) fn fitted(label: &str, sentence: &str) -> String {
    let room = FIRST_LINE.saturating_sub(label.chars().count() + "# ✗ ".chars().count() + 1);
    format!("{label} {}", cut_to(room, sentence))
}

fn cut_to(room: usize, line: &str) -> String {
    let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
    let length = |words: &[String]| words.iter().map(|word| word.chars().count() + 1).sum::<usize>() - 1;
    while length(&words) > room {
        let over = length(&words) - room;
        let longest =
            words.iter_mut().max_by_key(|word| if is_variable(word) { 0 } else { word.chars().count() });
        let Some(longest) = longest.filter(|word| !is_variable(word) && word.chars().count() > SHORTEST_NAME)
        else {
            let cut: String = words.join(" ").chars().take(room - 1).collect();
            return cut + "…";
        };
        let have = longest.chars().count();
        // The next longest one shares the burden.
        let keep = have.saturating_sub(over).max(have / 2).max(SHORTEST_NAME);
        *longest = cut_in_the_middle(longest, keep);
    }
    words.join(" ")
}

fn cut_in_the_middle(word: &str, keep: usize) -> String {
    let chars: Vec<char> = word.chars().filter(|c| *c != '…').collect();
    let (head, tail) = (keep / 2, keep - keep / 2 - 1);
    let head: String = chars.iter().take(head).collect();
    let tail: String = chars.iter().skip(chars.len() - tail).collect();
    format!("{head}…{tail}")
}

/// A variable's name is not shortened: who looks for it must find it.
fn is_variable(word: &str) -> bool {
    let name = word.trim_end_matches([':', ',', '.']);
    name.contains('_')
        && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}
