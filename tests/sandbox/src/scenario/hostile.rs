//! A server that breaks the rules on purpose: which server, by which misdeed, and which of its requests are affected.
//! `serve::hostile` writes the bytes of each misdeed.

use serde::Deserialize;

use super::Scenario;

/// One server's misdeed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Hostile {
    pub(crate) peer: Peer,
    pub(crate) misdeed: Misdeed,
    /// Only requests that contain this text are affected; a sound server answers the others. For misdeeds of HTTP only.
    #[serde(default)]
    pub(crate) on: String,
}

/// A server that the probe asks.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Peer {
    Sts,
    Issuer,
    ApiServer,
    Agent,
    /// Only with misdeeds of HTTP, in answer to CONNECT.
    Proxy,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Misdeed {
    /// Nobody listens.
    Refuse,
    /// Connections are never answered: no SYN-ACK.
    Drop,
    ExpiredCertificate,
    /// From an authority that no client here trusts.
    ForeignCertificate,
    WrongNameCertificate,
    /// Connections are accepted, then there is silence.
    BlackHole,
    /// Some bytes are read, then the connection is reset.
    Reset,
    /// Some bytes are read, then the connection is closed properly.
    Close,
    /// Plain HTTP where the client speaks TLS.
    PlainHttp,
    /// A TLS record, byte by byte.
    TlsDrip,
    /// Endless handshake records of one message that is never complete.
    TlsFlood,
    /// Endless TLS records that contain nothing.
    TlsEmptyRecords,
    /// From here on, the request has been read.
    Silence,
    ResetAfterRequest,
    CloseAfterRequest,
    HeaderDrip,
    HeaderCut,
    HeaderFlood,
    HeaderEndless,
    StatusLineEndless,
    /// Endless interim answers: 100, and 103 for `EarlyHintsFlood`.
    InterimFlood,
    EarlyHintsFlood,
    /// Interim answers, one every tenth of a second.
    InterimDrip,
    BodyDrip,
    BodyCut,
    /// Endless chunks.
    BodyEndless,
    /// Neither a length nor chunks.
    BodyUntilClose,
    /// A body that is announced as a gigabyte.
    BodyHuge,
    /// One chunk with as many bytes as fit into a number.
    ChunkHuge,
    /// One chunk with more bytes than fit into a number.
    ChunkOverflow,
    ChunkExtensionEndless,
    TrailerFlood,
    NotHttp,
    Http2,
    LengthTwice,
    LengthNegative,
    /// Ten megabytes, compressed to sixty kilobytes.
    GzipBomb,
    /// Compressed unasked by a proxy in between, which passes STS's own headers on.
    GzipPassedOn,
    DeepXml,
    DeepJson,
    /// Entities that expand to entities, several levels deep.
    XmlEntities,
    Html200,
    Html403,
    Html502,
    Status429,
    Status500,
    Status503,
    /// Redirects to the address of instance metadata, where the sandbox counts clients that follow.
    Redirect302,
    Redirect307,
    /// From here on, an answer repeats the whole request, token and credentials included. Here it is in the status.
    EchoStatus,
    /// In the reason phrase.
    EchoReason,
    /// In each header that a client may read.
    EchoHeaders,
    EchoLocation,
    /// In a page.
    EchoHtml,
    EchoText,
    /// In each field of STS's refusal.
    EchoXml,
    /// In each field of STS's success.
    EchoXmlSuccess,
    /// In each field of a JSON error.
    EchoJson,
    EchoJsonSuccess,
}

impl Scenario {
    /// The misdeed of that server, if it has one.
    pub(crate) fn misdeed(&self, peer: Peer) -> Option<Misdeed> {
        self.hostile.as_ref().filter(|hostile| hostile.peer == peer).map(|hostile| hostile.misdeed)
    }
}
