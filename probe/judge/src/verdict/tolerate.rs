//! `--tolerate`: the verdicts that the user lets pass with exit code 0.
//! The report stays the same; only the code and `tolerated` change.

use crate::catalog::{Class, Owner, nearest};

/// The word for everything that waiting may heal.
const TRANSIENT: &str = "transient";

/// Classes, owners, or everything that is transient.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tolerate {
    classes: Vec<Class>,
    owners: Vec<Owner>,
    transient: bool,
}

impl Tolerate {
    /// Parses a list such as `transient,probe,access-denied`. An empty list tolerates nothing.
    pub fn parse(list: &str) -> Result<Self, String> {
        let mut tolerate = Self::default();
        for word in list.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            if word == TRANSIENT {
                tolerate.transient = true;
            } else if let Some(owner) = Owner::ALL.into_iter().find(|owner| owner.id() == word) {
                tolerate.owners.push(owner);
            } else if let Some(class) = Class::from_id(word) {
                tolerate.classes.push(class);
            } else {
                return Err(refusal(word));
            }
        }
        Ok(tolerate)
    }

    /// Whether a verdict with this class, owner and transience may pass.
    #[must_use]
    pub fn covers(&self, class: Class, owner: Option<Owner>, transient: bool) -> bool {
        self.classes.contains(&class)
            || owner.is_some_and(|owner| self.owners.contains(&owner))
            || self.transient && transient
    }
}

fn refusal(word: &str) -> String {
    let owners = Owner::ALL.map(Owner::id).join(", ");
    let known =
        Class::all().iter().map(|class| class.id()).chain(Owner::ALL.map(Owner::id)).chain([TRANSIENT]);
    let meant = match nearest(word, known).as_slice() {
        [] => String::new(),
        names => format!(" (perhaps `{}`)", names.join("` or `")),
    };
    format!(
        "`{}` cannot be tolerated{meant}: allowed are `{TRANSIENT}`, the owners {owners}, \
         and the class ids that `credprobe explain` lists",
        word.escape_debug()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_owners_and_transient_are_told_apart() -> Result<(), String> {
        let tolerate = Tolerate::parse("transient, probe,access-denied,")?;
        assert!(tolerate.covers(Class::AccessDenied, Some(Owner::Iam), false));
        assert!(tolerate.covers(Class::Inconclusive, Some(Owner::Probe), false));
        assert!(tolerate.covers(Class::Throttled, Some(Owner::Aws), true));
        assert!(!tolerate.covers(Class::ProviderMissing, Some(Owner::Iam), false));
        Ok(())
    }

    #[test]
    fn the_findings_own_owner_and_transience_count() -> Result<(), String> {
        assert!(!Tolerate::parse("aws")?.covers(Class::IssuerUnavailable, Some(Owner::Cluster), true));
        assert!(Tolerate::parse("cluster")?.covers(Class::IssuerUnavailable, Some(Owner::Cluster), false));
        assert!(!Tolerate::parse("transient")?.covers(Class::ProxyFailed, Some(Owner::Network), false));
        assert!(Tolerate::parse("transient")?.covers(Class::NotSts, Some(Owner::Network), true));
        assert!(Tolerate::parse("org")?.covers(Class::AccessDenied, Some(Owner::Org), false));
        assert!(!Tolerate::parse("org")?.covers(Class::AccessDenied, Some(Owner::Iam), false));
        Ok(())
    }

    #[test]
    fn an_empty_list_tolerates_nothing() -> Result<(), String> {
        assert_eq!(Tolerate::parse("")?, Tolerate::default());
        for class in Class::all() {
            assert!(!Tolerate::parse(" , ")?.covers(*class, class.info().owner, true), "{class}");
        }
        Ok(())
    }

    #[test]
    fn an_unknown_word_is_refused_in_one_line_that_says_what_is_allowed() {
        assert_eq!(
            Tolerate::parse("transient,acess-denied"),
            Err(String::from(
                "`acess-denied` cannot be tolerated (perhaps `access-denied`): allowed are `transient`, \
                 the owners pod, cluster, network, iam, org, aws, probe, and the class ids that \
                 `credprobe explain` lists"
            ))
        );
        let refused = Tolerate::parse("a\nb");
        assert!(refused.is_err_and(|text| !text.contains('\n')));
    }
}
