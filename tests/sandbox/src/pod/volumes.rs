//! Where the kubelet's volumes are mounted: visible to the command, or only where the targets' roots take them from.
//! `launch` writes their content.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::mounts;
use crate::{
    error::{Doing as _, Result},
    scenario::{Layout, Scenario, TokenFile},
};

/// Without `/var`, because `/var/run` is a link.
const SECRETS: &str = "/run/secrets";
const SERVICE_ACCOUNT: &str = "/run/secrets/kubernetes.io/serviceaccount";

/// The volumes of a pod, still empty.
pub(crate) struct Volumes {
    /// In the order of the mechanism's tokens.
    pub(crate) tokens: Vec<PathBuf>,
    /// Where the service account's token for the API server goes.
    pub(crate) service_account: Option<PathBuf>,
    pub(crate) staged: Vec<Staged>,
}

/// A volume that is mounted below the sandbox's own folder until the targets have it.
pub(crate) struct Staged {
    from: PathBuf,
    at: PathBuf,
    for_command: bool,
}

impl Volumes {
    pub(crate) fn mount(scenario: &Scenario, own: &Path) -> Result<Self> {
        let has_targets = !scenario.targets.is_empty();
        let healthy = TokenFile::default();
        let mut staged = Vec::new();
        let mut place = |name: &str, at: &str| {
            if !has_targets {
                return PathBuf::from(at);
            }
            let from = own.join("volumes").join(name);
            let for_command = scenario.probe_has.token;
            staged.push(Staged { from: from.clone(), at: at.into(), for_command });
            from
        };
        let mut tokens = Vec::new();
        for (kind, file) in scenario.mechanism.tokens().iter().zip([&scenario.token_file, &healthy]) {
            let at = format!("{SECRETS}/{}", file.own_volume.as_deref().unwrap_or(kind.directory()));
            let token = if file.missing { at.into() } else { place(kind.file(), &at) };
            match file.layout {
                _ if file.missing => {}
                // Only the file is a mount; its directory belongs to the container.
                Layout::SubPath if !has_targets => directory(&token)?,
                _ => volume(&token)?,
            }
            tokens.push(token);
        }
        let mounted = scenario.api_server.as_ref().is_some_and(|api_server| !api_server.not_mounted);
        let service_account = mounted.then(|| place("service-account", SERVICE_ACCOUNT));
        service_account.as_deref().map_or(Ok(()), volume)?;
        Ok(Self { tokens, service_account, staged })
    }
}

impl Staged {
    /// The path in the pod, and the path in a target's root.
    pub(crate) fn places(&self) -> (PathBuf, PathBuf) {
        (self.from.clone(), self.at.clone())
    }

    /// Moves it out of the sandbox's folder. The targets keep what they have mounted from it.
    pub(crate) fn hand_over(&self) -> Result<()> {
        if self.for_command {
            directory(&self.at)?;
            mounts::bind_all(&self.from, &self.at)?;
        }
        mounts::detach(&self.from)
    }
}

fn volume(at: &Path) -> Result<()> {
    directory(at)?;
    mounts::tmpfs(at, "1777")
}

fn directory(at: &Path) -> Result<()> {
    fs::create_dir_all(at).doing(|| format!("failed to make {}", at.display()))
}
