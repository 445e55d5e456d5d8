//! Which known names somebody may have meant who wrote an unknown one.
//! Pure; how that is said, the caller decides.

/// The farthest an edit may be from a known name.
const FARTHEST: usize = 2;

/// More than this many suggestions are no help.
const MOST: usize = 3;

/// The known names nearest to `written`: those that hold it, else those two edits away at most, nearest first.
#[must_use]
pub fn nearest<'a>(written: &str, known: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let written = written.to_lowercase().replace(['_', ' '], "-");
    let mut ranked: Vec<(usize, &str)> =
        known.filter_map(|name| Some((rank(&written, name)?, name))).collect();
    ranked.sort();
    // What is one slip away was meant, whatever else is two away.
    if let Some((best, _)) = ranked.first().copied().filter(|(best, _)| *best <= FARTHEST) {
        ranked.retain(|(edits, _)| *edits == best);
    }
    ranked.truncate(MOST);
    ranked.into_iter().map(|(_, name)| name).collect()
}

fn rank(written: &str, known: &str) -> Option<usize> {
    let edits = distance(written, known);
    // Two letters are part of nearly every name.
    let part = written.len() > 2 && known.contains(written);
    // Half of a short word is another word.
    match (edits <= FARTHEST && edits * 2 <= written.len(), part) {
        (true, _) => Some(edits),
        (false, true) if known.starts_with(written) => Some(FARTHEST + 1),
        (false, true) => Some(FARTHEST + 2),
        (false, false) => None,
    }
}

/// Insertions, deletions, replacements and swaps of neighbours that make one of the other (optimal string alignment).
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let apart = one.len().abs_diff(other.len());
    if apart > FARTHEST {
        return apart;
    }
    let mut rows: Vec<Vec<usize>> = vec![(0..=other.len()).collect()];
    for i in 1..=one.len() {
        let mut row = vec![i];
        for j in 1..=other.len() {
            let same = one[i - 1] == other[j - 1];
            let mut least =
                (rows[i - 1][j - 1] + usize::from(!same)).min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows.last().and_then(|row| row.last()).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 4] = ["access-denied", "agent-access-denied", "throttled", "aws"];

    #[test]
    fn half_of_a_word_is_no_slip() {
        assert!(nearest("foo", ["pod", "transient"].into_iter()).is_empty());
        assert_eq!(nearest("zhs", ["bash", "zsh"].into_iter()), ["zsh"]);
        assert_eq!(nearest("wiat", ["wait", "grace"].into_iter()), ["wait"]);
    }

    #[test]
    fn a_slip_of_two_letters_finds_the_name() {
        assert_eq!(nearest("trottles", KNOWN.into_iter()), ["throttled"]);
    }

    #[test]
    fn a_slip_of_three_letters_finds_nothing() {
        assert!(nearest("trottes", KNOWN.into_iter()).is_empty());
    }

    #[test]
    fn a_beginning_comes_before_a_part() {
        assert_eq!(nearest("access", KNOWN.into_iter()), ["access-denied", "agent-access-denied"]);
    }

    #[test]
    fn case_and_underscores_do_not_matter() {
        assert_eq!(nearest("ACCESS_DENIED", KNOWN.into_iter())[0], "access-denied");
    }

    #[test]
    fn the_distance_counts_slips() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", "abc"), 0);
    }
}
