//! The scenarios that are embedded in the binary, and what they need of the machine.
//! `build.rs` embeds the files of `tests/scenarios`: one file per family, each an object of scenarios by name.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::Value;

use crate::{
    error::{Doing as _, Error, Result},
    scenario::{Family, Fault, ISSUER, Layout, Scenario, target::Proc},
};

static FAMILIES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/families.rs"));

/// A scenario with its name.
#[derive(Clone, Debug)]
pub struct Case {
    /// The name, unique over all files.
    pub name: String,
    /// The file that contains it, without `.json`.
    pub family: &'static str,
    /// The scenario itself.
    pub scenario: Scenario,
}

impl Scenario {
    /// All embedded cases, sorted by name.
    ///
    /// # Errors
    /// If this version does not understand a case, or if two cases have the same name.
    pub fn all() -> Result<Vec<Case>> {
        let mut cases = Vec::new();
        for (family, text) in FAMILIES {
            for (name, scenario) in named(family, text)? {
                let scenario = Self::of(&name, scenario)?;
                cases.push(Case { name, family, scenario });
            }
        }
        cases.sort_by(|one, other| one.name.cmp(&other.name));
        match cases.windows(2).find(|pair| pair[0].name == pair[1].name) {
            Some(pair) => Err(Error::new(format!("two scenarios are called `{}`", pair[0].name))),
            None => Ok(cases),
        }
    }

    /// The case with this name.
    ///
    /// # Errors
    /// If there is none, or if this version does not understand a file.
    pub fn by_name(name: &str) -> Result<Self> {
        let case = find(name)?;
        Self::of(name, case.ok_or_else(|| Error::new(format!("there is no scenario `{name}`")))?)
    }

    pub(crate) fn exists(name: &str) -> bool {
        find(name).is_ok_and(|case| case.is_some())
    }

    /// Why a process that has to keep its ids cannot provide this scenario.
    pub(crate) fn needs_root(&self, uid: u32, gid: u32) -> Option<String> {
        let wants = |what: &str, asked: Option<u32>, own: u32| {
            asked.filter(|asked| *asked != own).map(|asked| format!("{what} {asked}"))
        };
        wants("the command runs as user", self.process.uid, uid)
            .or_else(|| wants("the command runs as group", self.process.gid, gid))
            .or_else(|| self.process.groups.as_ref().map(|_| "the command has groups of its own".into()))
            .or_else(|| self.needs_more_than_ids().map(Into::into))
            .or_else(|| wants("the token file belongs to user", self.token_file.owner, uid))
            .or_else(|| wants("the token file belongs to group", self.token_file.group, gid))
    }

    fn needs_more_than_ids(&self) -> Option<&'static str> {
        if !self.targets.is_empty() {
            return Some("other processes run beside the command");
        }
        if !self.process.capabilities.is_empty() || !self.process.bounding.is_empty() {
            return Some("the command has capabilities");
        }
        (self.proc != Proc::Mounted).then_some("the command has a /proc of its own")
    }

    /// Why loopback cannot provide this scenario.
    pub(crate) fn needs_pod(&self) -> Option<&'static str> {
        if !self.dns.is_empty() {
            return Some("its DNS fails");
        }
        if !self.regions_not_enabled.is_empty() {
            return Some("STS of several regions");
        }
        if !self.files.is_empty() {
            return Some("files in the pod's own /run");
        }
        if self.proxy.is_some() {
            return Some("a proxy with a name");
        }
        if self.api_server.is_some() {
            return Some("the API server's address and mount");
        }
        if self.hostile.is_some() {
            return Some("a server that breaks the rules");
        }
        if self.agent.is_some() {
            return Some("the Pod Identity agent's address");
        }
        if self.issuer.url != ISSUER {
            return Some("an issuer with a name of its own");
        }
        if self.sts_families != [Family::Ipv4] || !self.no_route.is_empty() {
            return Some("addresses of STS's own");
        }
        if self.token_file.layout == Layout::SubPath {
            return Some("a mount of one file");
        }
        match self.fault {
            Fault::NoRoute => Some("an address without a route"),
            _ => None,
        }
    }
}

fn find(name: &str) -> Result<Option<Value>> {
    for (family, text) in FAMILIES {
        if let Some((_, case)) = named(family, text)?.into_iter().find(|(case, _)| case == name) {
            return Ok(Some(case));
        }
    }
    Ok(None)
}

fn named(family: &str, text: &str) -> Result<Vec<(String, Value)>> {
    let Named(named) = serde_json::from_str(text).doing(|| format!("failed to read {family}.json"))?;
    Ok(named)
}

/// The scenarios of one file, in the file's order. A name that is written twice appears twice.
struct Named(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Named {
    fn deserialize<D: Deserializer<'de>>(input: D) -> std::result::Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Named;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of scenarios by name")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Named, A::Error> {
                let mut named = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    named.push(entry);
                }
                Ok(Named(named))
            }
        }
        input.deserialize_map(Entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_case_is_understood_and_described() {
        let cases = Scenario::all().unwrap();
        assert!(cases.len() > 90);
        for case in cases {
            assert!(!case.scenario.description.is_empty(), "{}", case.name);
            assert!(case.scenario.expect.get("class").is_some(), "{}", case.name);
        }
    }

    #[test]
    fn every_trust_policy_is_understood() {
        for case in Scenario::all().unwrap() {
            assert!(crate::registry::Registry::of(&case.scenario).is_ok(), "{}", case.name);
        }
    }

    #[test]
    fn neighbours_and_capabilities_need_root_even_of_root() {
        for scenario in [
            r#"{"targets": [{}]}"#,
            r#"{"process": {"capabilities": ["CAP_SYS_PTRACE"]}}"#,
            r#"{"process": {"bounding": ["CAP_SYS_PTRACE"]}}"#,
            r#"{"proc": "missing"}"#,
        ] {
            assert!(Scenario::parse("x", scenario).unwrap().needs_root(0, 0).is_some(), "{scenario}");
        }
    }

    #[test]
    fn names_addresses_and_mounts_of_their_own_need_a_pod() {
        for scenario in [
            r#"{"dns": {"x": "nxdomain"}}"#,
            r#"{"proxy": "down"}"#,
            r#"{"files": {"/run/app/config": ""}}"#,
            r#"{"api_server": {}}"#,
            r#"{"mechanism": "pod-identity"}"#,
            r#"{"hostile": {"peer": "sts", "misdeed": "silence"}}"#,
            r#"{"issuer": {"url": "https://issuer.example"}}"#,
            r#"{"sts_families": ["ipv6"]}"#,
            r#"{"no_route": ["ipv4"]}"#,
            r#"{"token_file": {"layout": "sub-path"}}"#,
            r#"{"fault": "no-route"}"#,
        ] {
            assert!(Scenario::parse("x", scenario).unwrap().needs_pod().is_some(), "{scenario}");
        }
        for scenario in ["{}", r#"{"issuer": {"status": 404}}"#, r#"{"token_file": {"layout": "copy"}}"#] {
            assert_eq!(Scenario::parse("x", scenario).unwrap().needs_pod(), None, "{scenario}");
        }
    }
}
