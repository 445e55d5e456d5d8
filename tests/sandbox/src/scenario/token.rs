//! The token of a scenario, and the file that contains it.
//! Everything that is left out is as the kubelet makes it.

use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::{Map, Value};

/// How the token is made, and how it is changed afterwards.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Token {
    /// Merged over the claims; `null` removes one.
    pub(crate) claims: Map<String, Value>,
    /// Merged over the header; `null` removes one.
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
    /// How often the file contains all that, as after a script that appends.
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
    /// The token with this audience, unless the scenario sets one.
    pub(crate) fn meant_for(mut self, audience: &str) -> Self {
        self.claims.entry("aud").or_insert_with(|| vec![audience].into());
        self
    }
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SignWith {
    Issuer,
    /// A key that the issuer does not publish, under the `kid` of one that it does publish.
    OtherKey,
    /// No signature.
    Nobody,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TokenFile {
    /// Nothing is mounted at all.
    pub(crate) missing: bool,
    /// There is a directory in place of the file.
    pub(crate) directory: bool,
    /// There is a named pipe in place of the file.
    pub(crate) fifo: bool,
    pub(crate) layout: Layout,
    /// Below `/var/run/secrets`: a volume of the pod's own specification, instead of the webhook's.
    pub(crate) own_volume: Option<String>,
    /// The volume also has another source, a ConfigMap with a CA.
    pub(crate) other_source: bool,
    /// How long ago the kubelet wrote the file, in its directory's name and in the time of modification; by default the token's age.
    pub(crate) written_seconds_ago: Option<i64>,
    pub(crate) owner: Option<u32>,
    pub(crate) group: Option<u32>,
    #[serde(deserialize_with = "octal")]
    pub(crate) mode: Option<u32>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Layout {
    /// The kubelet's layout: the file is a link into a directory that is swapped.
    #[default]
    Projected,
    /// A plain file, which somebody has copied: it never rotates.
    Copy,
    /// One file of the volume is mounted. The kubelet has since rotated and removed it, so the old content stays.
    SubPath,
}

/// Reads `"0640"`, because JSON has no octal numbers.
fn octal<'de, D: Deserializer<'de>>(input: D) -> Result<Option<u32>, D::Error> {
    let text = String::deserialize(input)?;
    u32::from_str_radix(&text, 8)
        .map(Some)
        .map_err(|_| D::Error::custom(format!("`{text}` is not an octal mode")))
}
