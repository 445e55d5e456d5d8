//! The token of a case, and the file that holds it.
//! What is left out is as kubelet makes it.

use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::{Map, Value};

/// How the token is minted, and what is done to it afterwards.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Token {
    /// Merged over the claims; `null` removes one.
    pub(crate) claims: Map<String, Value>,
    /// Merged over the header; `null` removes.
    pub(crate) header: Map<String, Value>,
    pub(crate) age_seconds: i64,
    pub(crate) ttl_seconds: i64,
    pub(crate) sign_with: SignWith,
    /// The file's whole content instead of a token.
    pub(crate) bytes: Option<String>,
    /// The token in standard base64, as in a Secret's manifest.
    pub(crate) base64: bool,
    /// Text before the token.
    pub(crate) prepend: String,
    /// Text behind the token.
    pub(crate) append: String,
    /// How often all that is in the file: a script that appends.
    pub(crate) repeat: usize,
}

impl Default for Token {
    fn default() -> Self {
        Self {
            claims: Map::new(),
            header: Map::new(),
            age_seconds: 300,
            ttl_seconds: 86_400,
            sign_with: SignWith::Issuer,
            bytes: None,
            base64: false,
            prepend: String::new(),
            append: String::new(),
            repeat: 1,
        }
    }
}

impl Token {
    /// With that audience, unless the scenario has its own.
    pub(crate) fn meant_for(mut self, audience: &str) -> Self {
        self.claims.entry("aud").or_insert_with(|| vec![audience].into());
        self
    }
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SignWith {
    Issuer,
    /// A key that the issuer does not publish, under the `kid` of one that it does.
    OtherKey,
    /// No signature.
    Nobody,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TokenFile {
    /// Nothing is mounted at all.
    pub(crate) missing: bool,
    /// A directory stands where the file should be.
    pub(crate) directory: bool,
    /// A named pipe stands there.
    pub(crate) fifo: bool,
    pub(crate) layout: Layout,
    /// Below `/var/run/secrets`: a volume of the pod spec's own, instead of the webhook's.
    pub(crate) own_volume: Option<String>,
    /// The volume has another source too, a ConfigMap with a CA.
    pub(crate) other_source: bool,
    /// How long ago kubelet wrote the file, by its directory's name and the time of modification; the token's age by default.
    pub(crate) written_seconds_ago: Option<i64>,
    pub(crate) owner: Option<u32>,
    pub(crate) group: Option<u32>,
    #[serde(deserialize_with = "octal")]
    pub(crate) mode: Option<u32>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Layout {
    /// Kubelet's: the file is a link into a directory that is swapped.
    #[default]
    Projected,
    /// A plain file, which somebody has written: it never rotates.
    Copy,
    /// One file of the volume mounted, which kubelet has rotated and removed since: the old content stays.
    SubPath,
}

/// `"0640"`: JSON has no octal numbers.
fn octal<'de, D: Deserializer<'de>>(input: D) -> Result<Option<u32>, D::Error> {
    let text = String::deserialize(input)?;
    u32::from_str_radix(&text, 8)
        .map(Some)
        .map_err(|_| D::Error::custom(format!("`{text}` is not an octal mode")))
}
