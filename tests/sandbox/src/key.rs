//! RSA keys of the issuer: made at start, or taken from a folder that the caller keeps between runs.
//! aws-lc makes a key in a tenth of a second, but sometimes takes much longer; therefore several threads race.

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

/// An RS256 key, and what the issuer publishes of it.
///
/// aws-lc makes it, because ring cannot. ring signs, because aws-lc first gathers entropy for 60 ms.
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

/// Finding a key's two primes takes from 50 to 400 ms. The fastest of this many attempts is used.
const RACERS: usize = 2;

impl Key {
    pub(crate) fn generate() -> Result<Self> {
        Self::from_pkcs8(&Self::make()?)
    }

    /// The key with this name in the folder. The first caller makes it and stores it there.
    pub(crate) fn kept_in(folder: &Path, name: &str) -> Result<Self> {
        let path = folder.join(format!("{name}.pkcs8"));
        if let Ok(pkcs8) = fs::read(&path) {
            return Self::from_pkcs8(&pkcs8).doing(|| format!("failed to use the key in {}", path.display()));
        }
        let pkcs8 = Self::make()?;
        let what = || format!("failed to keep a key in {}", path.display());
        fs::create_dir_all(folder).doing(what)?;
        // Rename it into place, because another run may read at any moment. Only the owner can read temporary files.
        let mut file = tempfile::NamedTempFile::new_in(folder).doing(what)?;
        file.write_all(&pkcs8).doing(what)?;
        file.persist(&path).doing(what)?;
        Self::from_pkcs8(&pkcs8)
    }

    /// Makes a key, in PKCS #8.
    pub(crate) fn make() -> Result<Vec<u8>> {
        let (sender, receiver) = mpsc::channel();
        for _ in 0..RACERS {
            let sender = sender.clone();
            // The slower threads find no receiver any more, which is fine.
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

    /// A self-signed certificate of the key, as a JWK has it in `x5c`.
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

    /// Modulus and exponent in a JWK's form.
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
