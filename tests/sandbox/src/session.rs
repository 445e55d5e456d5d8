//! Credentials as STS makes them, and the session behind them. STS and EKS Auth use this.
//! The callers decide who may have them, and write the document around them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::{
    error::Unspecified,
    rand::{SecureRandom as _, SystemRandom},
};
use time::{Duration, OffsetDateTime};

use crate::{
    access::policy::Policy,
    key::hex,
    registry::{Account, Role},
    world::World,
};

/// What STS remembers of credentials that it issued, by access key id.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) key_id: String,
    pub(crate) secret: String,
    pub(crate) token: String,
    pub(crate) arn: String,
    pub(crate) user_id: String,
    pub(crate) account: String,
    pub(crate) partition: String,
    /// The ARN of the role itself, with its path.
    pub(crate) role_arn: String,
    /// The session policy that was passed when it was opened.
    pub(crate) policy: Option<Policy>,
    /// The session has tags, which are passed on to every further role.
    pub(crate) transitive_tags: bool,
    pub(crate) expiration: OffsetDateTime,
}

/// What belongs to a session besides its role.
#[derive(Debug, Default)]
pub(crate) struct Bounds {
    pub(crate) policy: Option<Policy>,
    pub(crate) transitive_tags: bool,
}

/// Opens a session, which STS knows from now on. Returns the access key id and the session.
pub(crate) fn open(
    world: &World,
    account: &Account,
    role: &Role,
    name: &str,
    seconds: i64,
    bounds: Bounds,
) -> Result<(String, Session), Unspecified> {
    let role_arn = role.arn.clone();
    let role = world.scenario.answers_as_role.as_deref().unwrap_or(&role.name);
    let access_key_id = format!("ASIA{}", letters(16)?);
    // A role has one id, whatever the session.
    let role_id =
        format!("AROA{:0>17}", role.to_uppercase().replace(|c: char| !c.is_ascii_alphanumeric(), ""));
    let session = Session {
        key_id: access_key_id.clone(),
        secret: STANDARD.encode(random::<30>()?),
        token: STANDARD.encode(random::<510>()?),
        arn: format!("arn:{}:sts::{}:assumed-role/{role}/{name}", account.partition, account.id),
        user_id: format!("{}:{name}", role_id.get(..21).unwrap_or(&role_id)),
        account: account.id.clone(),
        partition: account.partition.clone(),
        role_arn,
        policy: bounds.policy,
        transitive_tags: bounds.transitive_tags,
        expiration: world.clock.now().saturating_add(Duration::seconds(seconds)),
    };
    for secret in [&access_key_id, &session.secret, &session.token] {
        world.record.secret(secret);
    }
    world.sessions().insert(access_key_id.clone(), session.clone());
    Ok((access_key_id, session))
}

/// A random UUID, version 4.
pub(crate) fn uuid() -> Result<String, Unspecified> {
    let mut bytes = random::<16>()?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let text = hex(&bytes);
    Ok([&text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]].join("-"))
}

fn random<const COUNT: usize>() -> Result<[u8; COUNT], Unspecified> {
    let mut buffer = [0; COUNT];
    SystemRandom::new().fill(&mut buffer)?;
    Ok(buffer)
}

/// Random letters of the alphabet that key ids are made of.
fn letters(count: usize) -> Result<String, Unspecified> {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut buffer = vec![0; count];
    SystemRandom::new().fill(&mut buffer)?;
    Ok(buffer.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_says_that_it_is_random() {
        let uuid = uuid().unwrap();
        let lengths: Vec<usize> = uuid.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12], "{uuid}");
        assert_eq!(uuid.as_bytes()[14], b'4', "{uuid}");
    }
}
