"""A certificate authority of our own and one certificate for `localhost`; both exist only during a run."""

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


class Certificates:
    """Three PEM files in a folder: the authority, the certificate, its key."""

    def __init__(self, folder: Path, others: Sequence[str] = ()):
        """`others`: more names for the certificate."""
        self.authority, self.certificate, self.key = (folder / name for name in ("ca.pem", "cert.pem", "key.pem"))
        authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        issuer = common_name("credprobe peers CA")
        authority = (
            template(issuer, issuer, authority_key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(key_usage(key_cert_sign=True, crl_sign=True), critical=True)
            .sign(authority_key, hashes.SHA256())
        )
        names = [x509.DNSName(name) for name in ("localhost", *others)]
        certificate = (
            template(common_name("localhost"), issuer, key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(key_usage(digital_signature=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            # OpenSSL 3 requires it in its strict mode, which is Python's default from 3.13 on.
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
            )
            .sign(authority_key, hashes.SHA256())
        )
        self.authority.write_bytes(authority.public_bytes(Encoding.PEM))
        self.certificate.write_bytes(certificate.public_bytes(Encoding.PEM))
        self.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def template(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(timezone.utc)
    builder = x509.CertificateBuilder(issuer, subject, key, x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(hours=1))
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)


def common_name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def key_usage(**used: bool) -> x509.KeyUsage:
    purposes = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    purposes += ("key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
    return x509.KeyUsage(**{purpose: used.get(purpose, False) for purpose in purposes})
