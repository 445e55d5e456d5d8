//! Reads a text or a whole log piece by piece: which lines are known, how many of each class, and what the last one says.
//! Of a recognised line only what the grammar parsed is kept.

use super::forbidden::{self, Forbidden};
use super::plain::{decoded, plain};
use super::rbac;
use super::refusal::Refusal;
use super::texts::{self, Text};
use super::{Explanation, answer};
use crate::catalog::Class;
use crate::denial::{self, Denial};
use crate::settings::arn::RoleArn;
use zeroize::Zeroizing;

/// How much of a text is read, in bytes.
pub const LIMIT: usize = 16 * 1024 * 1024;

/// A longer line is read in pieces of this size, in bytes.
const LINE: usize = 64 * 1024;

/// How many lines one sentence may be broken into.
const BROKEN: usize = 8;

/// Up to how many lines above a text that only wraps its cause may be.
const NEAR: usize = 32;

/// What has been recognised so far.
#[derive(Default)]
pub struct Log {
    taken: usize,
    pub(super) line: Zeroizing<Vec<u8>>,
    /// A sentence that may continue in the next line.
    open: Zeroizing<String>,
    broken: usize,
    counts: Vec<(Option<Class>, usize)>,
    last: Option<Found>,
    /// How many lines ago that was.
    ago: usize,
}

/// The content of one line.
pub(super) enum Found {
    Denial(Denial),
    Forbidden(Forbidden),
    Text(&'static Text),
}

impl Found {
    const fn wraps(&self) -> bool {
        matches!(self, Self::Text(Text { wraps: true, .. }))
    }

    fn class(&self) -> Option<Class> {
        match self {
            Self::Denial(denial) => answer::class(denial),
            Self::Forbidden(forbidden) => answer::class_of_forbidden(forbidden),
            Self::Text(text) => text.class,
        }
    }
}

impl Log {
    /// Takes the next piece, which may begin and end anywhere.
    pub fn take(&mut self, piece: &[u8]) {
        let now = &piece[..piece.len().min(LIMIT.saturating_sub(self.taken))];
        self.taken += piece.len();
        self.read(now);
    }

    /// What was not read, as a sentence.
    #[must_use]
    pub const fn unread(&self) -> Option<&'static str> {
        match self.taken > LIMIT {
            true => {
                Some("only the first 16 MiB were read; of a longer log give the end, as with tail -c 16M")
            }
            false => None,
        }
    }

    fn read(&mut self, mut rest: &[u8]) {
        while let Some(end) = memchr::memchr2(b'\n', b'\r', rest) {
            self.append(&rest[..end]);
            self.end_line();
            rest = &rest[end + 1..];
        }
        self.append(rest);
    }

    fn append(&mut self, mut part: &[u8]) {
        while self.line.len() + part.len() > LINE {
            let (now, rest) = part.split_at(LINE - self.line.len());
            self.line.extend_from_slice(now);
            // A sentence that is broken at a blank is joined again.
            let at = memchr::memrchr(b' ', &self.line).filter(|at| *at > LINE / 2).unwrap_or(LINE);
            let behind = Zeroizing::new(self.line.split_off(at));
            self.end_line();
            self.line = behind;
            part = rest;
        }
        self.line.extend_from_slice(part);
    }

    fn end_line(&mut self) {
        // UTF-16, as PowerShell writes it: all that a grammar looks for is ASCII.
        self.line.retain(|byte| *byte != 0);
        let next = Zeroizing::new(plain(&self.line));
        self.line.clear();
        if self.broken < BROKEN && self.open.len() < LINE && goes_on(&self.open, &next) {
            self.open.push(' ');
            self.open.push_str(&next);
            self.broken += 1;
            return;
        }
        self.end_sentence();
        self.open = next;
    }

    fn end_sentence(&mut self) {
        self.broken = 0;
        self.ago += 1;
        let Some(found) = recognise(&self.open) else { return };
        let class = found.class();
        match self.counts.iter_mut().find(|(counted, _)| *counted == class) {
            Some((_, count)) => *count += 1,
            None => self.counts.push((class, 1)),
        }
        let ago = std::mem::take(&mut self.ago);
        if found.wraps() && ago <= NEAR && self.last.is_some() {
            return;
        }
        self.last = Some(found);
    }

    /// Explains the last recognised line. `None`: nothing in the text is known. `expected`: the role of the pod in which
    /// credprobe runs, or the stated one.
    #[must_use]
    pub fn explain(mut self, expected: Option<&str>) -> Option<Explanation> {
        self.end_line();
        self.end_sentence();
        let expected = expected.and_then(|role| RoleArn::parse(role).ok());
        let found = self.last?;
        let class = found.class();
        let mut explanation = match found {
            Found::Denial(denial) => Refusal::new(denial, expected.as_ref()).explanation(),
            Found::Forbidden(forbidden) => rbac::of_forbidden(forbidden),
            Found::Text(text) => answer::of_text(text),
        };
        // Do not count the line that decides.
        let others = self.counts.into_iter().map(|(of, count)| (of, count - usize::from(of == class)));
        explanation.others = others.filter(|(_, count)| *count > 0).collect();
        Some(explanation)
    }
}

fn recognise(line: &str) -> Option<Found> {
    let of_url = || {
        let once = Zeroizing::new(decoded(line)?);
        known(&once).or_else(|| known(&Zeroizing::new(decoded(&once)?)))
    };
    known(line).or_else(|| known(&completed(line)?)).or_else(of_url)
}

/// The line with the whole verb, if it ends within that.
fn completed(line: &str) -> Option<String> {
    const VERB: &str = " is not authorized to perform";
    let at = line.rfind(" is not auth")?;
    let is_cut =
        line[..at].contains("User: ") && VERB.starts_with(line[at..].trim_end_matches(['.', '…', '"']));
    is_cut.then(|| format!("{}{VERB}", &line[..at]))
}

fn known(line: &str) -> Option<Found> {
    if line.is_empty() {
        return None;
    }
    let text = || texts::find(line).map(Found::Text);
    match denial::read(line) {
        // STS never names the caller or the reason there, so the row about this text says more than the grammar.
        Some(denial) if denial.says_no_more_than_the_action() => text().or(Some(Found::Denial(denial))),
        Some(denial) => Some(Found::Denial(denial)),
        None => forbidden::read(line).map(Found::Forbidden).or_else(text),
    }
}

/// What begins in one line and what continues it in the next, in documents that are printed over several lines.
const DOCUMENTS: &[(&str, &str)] =
    &[("</Code>", "<Message>"), ("\"Unauthorized\",", "\"code\""), ("\"Status\",", "\"message\"")];

/// Whether `next` continues the sentence that `open` begins. Terminals, Terraform and people break sentences at blanks.
fn goes_on(open: &str, next: &str) -> bool {
    // Short lines are no sentences, and a log may have a million of them.
    if open.len() < 12 && !open.ends_with("User:") {
        return false;
    }
    const BEFORE: &str = " User: is not authorized to perform: perform on resource: this because no with an explicit deny \
        in a the service control policy: allows identity-based resource-based permissions session VPC endpoint retrieve ";
    const BEHIND: &str = " is not authorized to perform: on because with explicit deny in policy policy: action action. caused Encoded ";
    let is_one_of = |list: &str, word: &str| {
        list.match_indices(word).any(|(at, _)| {
            !word.is_empty() && list[..at].ends_with(' ') && list[at + word.len()..].starts_with(' ')
        })
    };
    let begun = ["User: ", "authorized", "arn:", "WebIdentityErr"].iter().any(|part| open.contains(part))
        || open.ends_with("User:");
    let word = next.split(' ').next().unwrap_or_default();
    begun && (is_one_of(BEFORE, open.rsplit(' ').next().unwrap_or_default()) || is_one_of(BEHIND, word))
        || DOCUMENTS.iter().any(|(begin, rest)| next.starts_with(rest) && open.contains(begin))
        || (!word.contains('=') && texts::is_broken_between(open, next))
}
