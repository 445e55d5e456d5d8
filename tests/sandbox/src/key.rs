//! RSA keys of the issuer: made at start, or taken from a folder that the caller keeps for its runs.
//! aws-lc makes one in a tenth of a second, with a long tail; hence the race.

use std::{fmt, fs, io::Write as _, path::Path, sync::mpsc, thread};

use aws_lc_rs::{
    digest,
    encoding::{AsDer as _, Pkcs8V1Der},
    rsa::{KeyPair, KeySize},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ring::{
    rand::SystemRandom,
    rsa::PublicKeyComponents,
    signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair},
};

use crate::error::{Doing as _, Error, Result};

/// An RS256 key and what the issuer publishes of it.
///
/// Made by aws-lc, which ring cannot do; signs with ring, for aws-lc first gathers entropy of its own for 60 ms.
pub(crate) struct Key {
    pair: RsaKeyPair,
    pkcs8: Vec<u8>,
    /// 40 hex digits, as EKS names its keys.
    pub(crate) kid: String,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("kid", &self.kid).finish_non_exhaustive()
    }
}

/// Finding a key's two primes takes anything from 50 to 400 ms; the faster of so many tries counts.
const RACERS: usize = 2;

impl Key {
    pub(crate) fn generate() -> Result<Self> {
        Self::from_pkcs8(&Self::make()?)
    }

    /// The key of that name in the folder, made and left there by the first who asks.
    pub(crate) fn kept_in(folder: &Path, name: &str) -> Result<Self> {
        let path = folder.join(format!("{name}.pkcs8"));
        if let Ok(pkcs8) = fs::read(&path) {
            return Self::from_pkcs8(&pkcs8).doing(|| format!("failed to use the key in {}", path.display()));
        }
        let pkcs8 = Self::make()?;
        let what = || format!("failed to keep a key in {}", path.display());
        fs::create_dir_all(folder).doing(what)?;
        // Renamed into place: another run may read at any moment. Readable by its owner alone, as temporary files are.
        let mut file = tempfile::NamedTempFile::new_in(folder).doing(what)?;
        file.write_all(&pkcs8).doing(what)?;
        file.persist(&path).doing(what)?;
        Self::from_pkcs8(&pkcs8)
    }

    /// In PKCS #8.
    pub(crate) fn make() -> Result<Vec<u8>> {
        let (sender, receiver) = mpsc::channel();
        for _ in 0..RACERS {
            let sender = sender.clone();
            // The losers' keys have no receiver any more, which is fine.
            thread::spawn(move || sender.send(KeyPair::generate(KeySize::Rsa2048)).ok());
        }
        let pair = receiver.recv().ok().and_then(|made| made.ok());
        let pair = pair.ok_or_else(|| Error::new("failed to make an RSA key"))?;
        let pkcs8: Pkcs8V1Der<'_> = pair.as_der().doing(|| "failed to write an RSA key".into())?;
        Ok(pkcs8.as_ref().to_vec())
    }

    pub(crate) fn from_pkcs8(pkcs8: &[u8]) -> Result<Self> {
        let pair = RsaKeyPair::from_pkcs8(pkcs8)
            .map_err(|cause| Error::new(format!("failed to read an RSA key: {cause}")))?;
        let mut kid = sha256_hex(pair.public_key().as_ref());
        kid.truncate(40);
        Ok(Self { pair, pkcs8: pkcs8.to_vec(), kid })
    }

    /// In a certificate of its own, as `x5c` of a JWK has it.
    pub(crate) fn certificate(&self) -> Result<String> {
        let what = || "failed to put the issuer's key into a certificate".to_owned();
        let pair = rcgen::KeyPair::try_from(self.pkcs8.as_slice()).doing(what)?;
        let params = rcgen::CertificateParams::new(Vec::new()).doing(what)?;
        Ok(STANDARD.encode(params.self_signed(&pair).doing(what)?.der()))
    }

    pub(crate) fn sign(&self, text: &str) -> Result<Vec<u8>> {
        let mut signature = vec![0; self.pair.public().modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)
            .map_err(|_| Error::new("failed to sign a token"))?;
        Ok(signature)
    }

    /// Modulus and exponent as a JWK has them.
    pub(crate) fn components(&self) -> (String, String) {
        let public = PublicKeyComponents::<Vec<u8>>::from(self.pair.public_key());
        (URL_SAFE_NO_PAD.encode(public.n), URL_SAFE_NO_PAD.encode(public.e))
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_key_is_the_same_key() {
        let folder = tempfile::tempdir().unwrap();
        let first = Key::kept_in(folder.path(), "issuer").unwrap();
        let second = Key::kept_in(folder.path(), "issuer").unwrap();
        assert_eq!(first.kid, second.kid);
        assert_eq!(first.kid.len(), 40);
        assert_eq!(first.components(), second.components());
    }
}
