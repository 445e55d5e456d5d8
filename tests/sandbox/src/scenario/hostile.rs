//! A server that breaks the rules on purpose: which one, by which misdeed, and which of its requests meet it.
//! How the bytes of each leave is `serve::hostile`'s.

use serde::Deserialize;

use super::Scenario;

/// One server's misdeed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Hostile {
    pub(crate) peer: Peer,
    pub(crate) misdeed: Misdeed,
    /// Only requests that contain this text meet it, the others a sound server; misdeeds of HTTP only.
    #[serde(default)]
    pub(crate) on: String,
}

/// Whom the probe asks.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Peer {
    Sts,
    Issuer,
    ApiServer,
    Agent,
    /// Of the misdeeds those of HTTP, in answer to CONNECT.
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
    /// From an authority that nobody here trusts.
    ForeignCertificate,
    WrongNameCertificate,
    /// Accepted, then silence.
    BlackHole,
    /// Some bytes are read, then the connection is reset.
    Reset,
    /// The same, with a proper end.
    Close,
    /// Plain HTTP where TLS is spoken.
    PlainHttp,
    /// A TLS record, byte by byte.
    TlsDrip,
    /// Handshake records without end, of one message that is never whole.
    TlsFlood,
    /// TLS records that hold nothing, without end.
    TlsEmptyRecords,
    /// From here on the request has been read.
    Silence,
    ResetAfterRequest,
    CloseAfterRequest,
    HeaderDrip,
    HeaderCut,
    HeaderFlood,
    HeaderEndless,
    StatusLineEndless,
    /// Answers that only announce one (100, 103), without end.
    InterimFlood,
    EarlyHintsFlood,
    /// The same, one each tenth of a second.
    InterimDrip,
    BodyDrip,
    BodyCut,
    /// Chunks without end.
    BodyEndless,
    /// Neither length nor chunks.
    BodyUntilClose,
    /// A gigabyte, announced.
    BodyHuge,
    /// One chunk of as many bytes as fit into a number.
    ChunkHuge,
    /// More than fits.
    ChunkOverflow,
    ChunkExtensionEndless,
    TrailerFlood,
    NotHttp,
    Http2,
    LengthTwice,
    LengthNegative,
    /// Ten megabytes in sixty kilobytes.
    GzipBomb,
    /// Compressed unasked by what lies between, which passes STS's own headers on.
    GzipPassedOn,
    DeepXml,
    DeepJson,
    /// Entities of entities of entities.
    XmlEntities,
    Html200,
    Html403,
    Html502,
    Status429,
    Status500,
    Status503,
    /// To where instance metadata would be: whoever follows is caught there.
    Redirect302,
    Redirect307,
    /// The whole request, token and credentials included, where the answer has its status,
    EchoStatus,
    /// what the status means,
    EchoReason,
    /// each header that somebody may read,
    EchoHeaders,
    EchoLocation,
    /// a page or a text,
    EchoHtml,
    EchoText,
    /// each field of STS's refusal,
    EchoXml,
    /// of its success,
    EchoXmlSuccess,
    /// and of whatever speaks JSON.
    EchoJson,
    EchoJsonSuccess,
}

impl Scenario {
    /// What is wrong with that server.
    pub(crate) fn misdeed(&self, peer: Peer) -> Option<Misdeed> {
        self.hostile.as_ref().filter(|hostile| hostile.peer == peer).map(|hostile| hostile.misdeed)
    }
}
