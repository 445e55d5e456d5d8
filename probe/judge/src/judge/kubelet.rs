//! Why kubelet gave the token file its owner, group and mode, and what in the pod spec changes that. Pure.
//! The rules: `FsUserFrom` (pkg/volume/util), `collectData` (pkg/volume/projected), `SetVolumeOwnership` (pkg/volume).

use crate::evidence::TokenFile;

/// What of the pod spec shows in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KubeletRule {
    /// Completes "The kubelet does so with …".
    pub made_by: String,
    /// What of the pod spec opens the file.
    pub repair: Repair,
}

/// What of the pod spec gives another user the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repair {
    /// Nothing: everybody may read it.
    None,
    /// One runAsUser for all containers, or an fsGroup.
    OneUser,
    /// The same, or the mode of the volume.
    Mode,
    /// The user that the others have, or an fsGroup.
    SameUser,
    /// Every container is in the file's group, so whoever dropped it must keep it.
    KeepGroup,
}

/// `None`: the file does not lie in kubelet's layout, or has not the form of any of its rules.
#[must_use]
pub fn rule(file: &TokenFile) -> Option<KubeletRule> {
    file.data_link.as_ref()?;
    let (user, group) = (file.uid?, file.gid?);
    let (made_by, repair) = match (user, group, file.mode? & 0o777) {
        // Also of kubelets up to 1.18, whatever the runAsUser.
        (0, 0, 0o600) => (
            "defaultMode 0600 or runAsUser 0, where there is no fsGroup and no common runAsUser".to_owned(),
            Repair::OneUser,
        ),
        (0, 0, 0o644) => {
            ("defaultMode 0644, where there is no fsGroup and no common runAsUser".to_owned(), Repair::None)
        }
        (0, 0, 0o640) => (
            "defaultMode 0640 without fsGroup and common runAsUser, or with fsGroup 0".to_owned(),
            Repair::Mode,
        ),
        (0, 0, mode) => (
            format!("defaultMode {mode:04o}, where there is no fsGroup and no common runAsUser"),
            Repair::Mode,
        ),
        (user, 0, 0o600) => (format!("runAsUser {user} for all containers and no fsGroup"), Repair::SameUser),
        (0, group, 0o640) => {
            (format!("fsGroup {group}, where the containers share no runAsUser"), Repair::KeepGroup)
        }
        (user, group, 0o640) => {
            (format!("fsGroup {group} and runAsUser {user} for all containers"), Repair::KeepGroup)
        }
        _ => return None,
    };
    Some(KubeletRule { made_by, repair })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn projected(uid: u32, gid: u32, mode: u32) -> TokenFile {
        TokenFile {
            data_link: Some("..2026_11_21_10_00_00.1".to_owned()),
            uid: Some(uid),
            gid: Some(gid),
            mode: Some(mode),
            ..TokenFile::default()
        }
    }

    #[test]
    fn a_file_of_kubelets_volume_has_its_rule() {
        let rule = rule(&projected(65_532, 1234, 0o640)).unwrap();
        assert_eq!(rule.made_by, "fsGroup 1234 and runAsUser 65532 for all containers");
    }

    #[test]
    fn a_file_elsewhere_has_none() {
        assert_eq!(rule(&TokenFile { data_link: None, ..projected(65_532, 1234, 0o640) }), None);
    }

    #[test]
    fn a_file_of_another_form_has_none() {
        assert_eq!(rule(&projected(65_532, 1234, 0o644)), None);
    }
}
