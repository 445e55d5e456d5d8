//! Finds lines and entries that nearly name the principal, and the difference. Pure.
//! The nearest comes first: the same role written differently, then another account, then a name with a mistake.

use super::aws_auth::{AwsAuth, Place};
use super::entries::Entry;
use super::mapping::{By, same};
use super::principal::{Kind, Principal};

/// A line or entry that nearly names the principal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Near {
    pub(crate) by: By,
    /// The ARN in it.
    pub(crate) entry: String,
    pub(crate) why: String,
    rank: u8,
}

/// Further ones would not help.
const SHOWN: usize = 5;

pub(crate) fn near(
    principal: &Principal,
    auth: Option<&AwsAuth>,
    entries: Option<&[Entry]>,
    winner: Option<&By>,
) -> Vec<Near> {
    let mut found = Vec::new();
    let mut add = |by: By, entry: &str, difference: Option<(u8, String)>| {
        if let Some((rank, why)) = difference
            && winner != Some(&by)
        {
            found.push(Near { by, entry: entry.to_owned(), why, rank });
        }
    };
    for entry in entries.unwrap_or_default() {
        add(By::Entry(entry.arn.clone()), &entry.arn, in_entry(&entry.arn, principal));
    }
    if let Some(auth) = auth {
        for line in auth.roles.iter().chain(&auth.users) {
            let by = By::Line(line.place.clone());
            let difference = if same(&line.arn, &principal.canonical) {
                Some((0, "a later line for the same ARN counts, or an earlier mapping wins".to_owned()))
            } else {
                difference(&line.arn, principal)
            };
            add(by, &line.arn, difference);
        }
        for (place, account) in &auth.accounts {
            let digits = |text: &str| text.trim_start_matches('0').to_owned();
            if *account != principal.account && digits(account) == digits(&principal.account) {
                let why = "the account has twelve digits, its zeros included: put it in quotes".to_owned();
                add(By::Account(place.clone()), account, Some((2, why)));
            }
        }
        for dropped in &auth.dropped {
            for (number, text) in dropped.text.lines().enumerate() {
                let Some(at) = text.find("arn:aws") else { continue };
                let arn = text[at..].trim_end_matches(['"', '\'', ',', ' ', '}']);
                let fits = same(arn, &principal.canonical);
                if fits || difference(arn, principal).is_some_and(|(rank, _)| rank <= 1) {
                    let whole_section = dropped.text.lines().count() > 1;
                    let place = Place { line: dropped.place.line, ..dropped.place.clone() };
                    let why = match whole_section {
                        true => {
                            format!("line {} of the section names it, and EKS drops the section", number + 1)
                        }
                        false => format!("EKS drops this entry: {}", dropped.why),
                    };
                    add(By::Line(place), arn, Some((0, why)));
                }
            }
        }
    }
    found.sort_by_key(|near| near.rank);
    found.truncate(SHOWN);
    found
}

fn in_entry(arn: &str, principal: &Principal) -> Option<(u8, String)> {
    let theirs = Principal::parse(arn).ok()?;
    if principal.is_same_but_path(&theirs) {
        let differ = principal.whole().zip(theirs.whole()).is_some_and(|(asked, theirs)| asked != theirs);
        return differ.then(|| (1, "its path differs: a role's name is taken once in an account".to_owned()));
    }
    difference(arn, principal)
}

/// How the ARN of a line differs from the one that EKS compares. `None`: it concerns another principal.
fn difference(arn: &str, principal: &Principal) -> Option<(u8, String)> {
    let wanted = &principal.canonical;
    let trimmed = arn.trim().trim_matches(['"', '\'']);
    if trimmed != arn && same(trimmed, wanted) {
        return Some((0, "a blank or a quotation mark is part of the ARN".to_owned()));
    }
    if let Ok(theirs) = Principal::parse(trimmed) {
        if principal.is_same_but_path(&theirs) {
            let why = match theirs.session {
                Some(_) => "it is the ARN of a session, EKS compares the role's own ARN",
                None => "it has the role's path, EKS compares the ARN without the path",
            };
            return Some((0, why.to_owned()));
        }
        let last = |arn: &str| arn.rsplit('/').next().map(str::to_lowercase);
        if theirs.kind == Kind::User && principal.kind != Kind::User && last(trimmed) == last(wanted) {
            return Some((1, "it is the ARN of a user, and a role asks".to_owned()));
        }
        if let (Kind::Role { name: asked, .. }, Kind::Role { name, .. }) = (&principal.kind, &theirs.kind) {
            if same(asked, name) && theirs.account != principal.account {
                let why =
                    format!("it is of account {}, the role is of {}", theirs.account, principal.account);
                return Some((1, why));
            }
            if same(asked, name) && theirs.partition != principal.partition {
                let why = format!(
                    "it is of partition {}, the role is of {}",
                    theirs.partition, principal.partition
                );
                return Some((1, why));
            }
        }
    }
    if let Some((before, _)) = trimmed.split_once('*')
        && wanted.to_lowercase().starts_with(&before.to_lowercase())
    {
        return Some((1, "EKS takes the asterisk as a letter".to_owned()));
    }
    let distance = distance(trimmed, wanted, 3)?;
    let at = trimmed.bytes().zip(wanted.bytes()).take_while(|(a, b)| a.eq_ignore_ascii_case(b)).count();
    Some((2, format!("{distance} characters differ, the first is number {}", at + 1)))
}

/// The number of characters that differ, if it is at most `limit`.
fn distance(one: &str, other: &str, limit: usize) -> Option<usize> {
    if one.len().abs_diff(other.len()) > limit || one.len() > 2_048 {
        return None;
    }
    let other: Vec<char> = other.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.to_lowercase().chars().enumerate() {
        let mut diagonal = i;
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
        let mut left = i + 1;
        for (cell, b) in row.iter_mut().skip(1).zip(&other) {
            let cost = (diagonal + usize::from(a != *b)).min(left + 1).min(*cell + 1);
            diagonal = *cell;
            *cell = cost;
            left = cost;
        }
    }
    row.last().copied().filter(|distance| (1..=limit).contains(distance))
}
