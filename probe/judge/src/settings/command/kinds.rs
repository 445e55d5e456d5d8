//! The kinds of names that a command may contain, each defined by its characters and form. Pure.
//! No value of a kind can be an option, a file or more than one word.

use crate::settings::arn::RoleArn;

/// Whether the text begins with an ASCII letter or digit and has only those and `more`.
pub(super) fn is_plain(text: &str, more: &[u8]) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte))
}

pub(super) fn is_label(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&name.len())
        && name.bytes().all(allowed)
        && !name.starts_with('-')
        && !name.ends_with('-')
}

pub(super) fn is_role_name(name: &str) -> bool {
    name.len() <= 64 && is_plain(name.strip_prefix('_').unwrap_or(name), b"_+=,.@-")
}

pub(super) fn is_partition(name: &str) -> bool {
    is_label(name) && name.starts_with(|c: char| c.is_ascii_lowercase())
}

/// Checks partition, account and name. A path may have characters that must not be in a command.
pub(super) fn is_role(role: &RoleArn) -> bool {
    let account = &role.account;
    is_partition(&role.partition)
        && (account.is_empty() || is_plain(account, b""))
        && account.len() <= 64
        && is_role_name(&role.name)
}

pub(super) fn is_audience(name: &str) -> bool {
    let name_of_kind = !name.contains("://") && name.len() <= 255 && is_plain(name, b"._:/+=~-");
    is_url(name, &["https://"]) || (name_of_kind && !has_odd_part(name))
}

/// Whether a part of a path or URN goes up, or would be an option if it stood alone.
pub(super) fn has_odd_part(text: &str) -> bool {
    text.split(['/', ':']).any(|part| part.starts_with('-') || part.starts_with(".."))
}

pub(super) fn is_url(url: &str, schemes: &[&str]) -> bool {
    let Some(rest) = schemes.iter().find_map(|scheme| url.strip_prefix(scheme)) else { return false };
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (name, port) = match host.strip_prefix('[').and_then(|host| host.split_once(']')) {
        Some((address, port)) => (address.parse::<std::net::Ipv6Addr>().is_ok(), port),
        None => {
            let (name, port) = host.split_at(host.find(':').unwrap_or(host.len()));
            (is_plain(name, b".-_"), port)
        }
    };
    let port = port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok());
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"/._~:%+=,-".contains(&byte);
    url.len() <= 255
        && name
        && port
        && path.bytes().all(allowed)
        && !path.contains("//")
        && !has_odd_part(path)
}
