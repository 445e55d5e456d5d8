//! All targets of a scenario: describes each, starts them in a PID namespace of their own, and ends them.
//! The command joins that namespace from outside, so its parent there is 0, as that of an ephemeral container.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs,
    os::unix::ffi::OsStringExt as _,
    path::{Path, PathBuf},
    process::Child,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use nix::sched::{CloneFlags, unshare};

use super::{
    ids,
    root::Root,
    target::{self, Image},
    volumes::Staged,
};
use crate::{
    capabilities::{Capabilities, Ids, Rights},
    error::{Doing as _, Result},
    scenario::{
        Scenario,
        target::{PidNamespace, State, Target},
    },
};

/// A container's variables, by name.
pub(crate) type Environment = BTreeMap<String, OsString>;

/// The targets before they run.
pub(crate) struct Targets {
    /// The sandbox's own program, at a path where every user can start it.
    pub(crate) program: PathBuf,
    /// The sandbox's folder. The targets can be given whatever is in it by then.
    pub(crate) own: PathBuf,
    pub(crate) volumes: Vec<Staged>,
}

/// Ends the targets when dropped.
pub(crate) struct Running(Vec<Child>);

impl Targets {
    /// Every further process of the sandbox is in the targets' namespace too, and from here on the sandbox can start no thread.
    pub(crate) fn start(&self, scenario: &Scenario, healthy: &Environment) -> Result<Running> {
        unshare(CloneFlags::CLONE_NEWPID).doing(|| "failed to make a PID namespace".into())?;
        let root = self.own.join("root");
        fs::create_dir(&root).doing(|| format!("failed to make {}", root.display()))?;
        let mut running = Running(Vec::new());
        if scenario.pid_namespace == PidNamespace::Shared {
            running.0.push(target::start(&self.program, &pause(&root))?);
        }
        for target in &scenario.targets {
            let mut image = image(target, healthy)?;
            image.root = Some(Root {
                at: root.clone(),
                volumes: self.volumes.iter().map(Staged::places).collect(),
                files: vec![self.own.join("ca.pem"), self.own.join("corporate-ca.pem")],
                laid: target.files.clone(),
            });
            running.0.push(target::start(&self.program, &image)?);
        }
        self.volumes.iter().try_for_each(Staged::hand_over)?;
        Ok(running)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        for child in &mut self.0 {
            // A target that has already ended needs no signal.
            let _ = child.kill();
        }
        // Wait for PID 1 last. It does not end before its namespace is empty, zombies included.
        for child in self.0.iter_mut().rev() {
            let _ = child.wait();
        }
    }
}

fn image(target: &Target, healthy: &Environment) -> Result<Image> {
    let mut variables = healthy.clone();
    change(&mut variables, &target.env);
    let mut environment: Vec<OsString> = variables.into_iter().map(entry).collect();
    for raw in &target.env_base64 {
        let raw = STANDARD.decode(raw).doing(|| format!("failed to decode `{raw}`"))?;
        environment.push(OsString::from_vec(raw));
    }
    let ids = Ids { real_uid: target.real_uid, ..ids(target.uid, target.gid, target.groups.as_deref()) };
    let rights =
        Rights { ids: Some(ids), held: target.capabilities.clone(), bounding: Capabilities::default() };
    Ok(Image {
        name: target.name.clone(),
        root: None,
        rights,
        environment,
        padding: target.env_bytes,
        user_namespace: target.user_namespace,
        dumpable: target.dumpable,
        state: target.state,
        child: target.child.as_deref().map(|child| image(child, healthy)).transpose()?.map(Box::new),
    })
}

pub(crate) fn change(variables: &mut Environment, changes: &BTreeMap<String, Option<String>>) {
    for (name, change) in changes {
        match change {
            Some(value) => variables.insert(name.clone(), value.into()),
            None => variables.remove(name),
        };
    }
}

fn entry((name, value): (String, OsString)) -> OsString {
    let mut entry = OsString::from(name);
    entry.push("=");
    entry.push(value);
    entry
}

/// The pod's sandbox container, with no volume and only one variable.
fn pause(root: &Path) -> Image {
    const USER: u32 = 65535;
    let ids = Ids { uid: USER, gid: USER, groups: Vec::new(), real_uid: None };
    Image {
        name: "pause".into(),
        root: Some(Root {
            at: root.to_owned(),
            volumes: Vec::new(),
            files: Vec::new(),
            laid: BTreeMap::new(),
        }),
        rights: Rights { ids: Some(ids), ..Rights::default() },
        environment: vec!["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".into()],
        padding: 0,
        user_namespace: false,
        dumpable: true,
        state: State::Running,
        child: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(target: &str) -> Vec<OsString> {
        let scenario = Scenario::parse("x", &format!(r#"{{"targets": [{target}]}}"#)).unwrap();
        let healthy = [("A", "1"), ("B", "2")].map(|(name, value)| (name.to_owned(), value.into()));
        image(&scenario.targets[0], &healthy.into()).unwrap().environment
    }

    #[test]
    fn a_target_has_the_healthy_environment_with_its_changes() {
        assert_eq!(environment("{}"), ["A=1", "B=2"]);
        assert_eq!(environment(r#"{"env": {"A": null, "C": "3"}}"#), ["B=2", "C=3"]);
    }

    #[test]
    fn raw_entries_come_last_as_they_are() {
        let entries = environment(r#"{"env_base64": ["Qz3/"]}"#);
        assert_eq!(entries[2].clone().into_vec(), b"C=\xff");
    }
}
