import Crypto
import FoundationEssentials
import HTTPTransport
import SwiftASN1
import X509

/// An authority and certificates of it, made anew for each test.
struct TestCredentials {
    let authority: [UInt8]
    private let authorityKey = P256.Signing.PrivateKey()
    private let authorityName: DistinguishedName

    init() throws {
        authorityName = try DistinguishedName { CommonName("test authority") }
        let certificate = try Self.certificate(
            subject: authorityName, key: authorityKey, issuer: authorityName, issuerKey: authorityKey,
            extensions: Certificate.Extensions { Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil)) }
        )
        authority = Array(try certificate.serializeAsPEM().pemString.utf8)
    }

    /// A certificate for 127.0.0.1 with its key, both PEM.
    func issue(commonName: String, organizations: [String] = []) throws -> (certificate: [UInt8], key: [UInt8]) {
        let key = P256.Signing.PrivateKey()
        let subject = try DistinguishedName {
            for organization in organizations { OrganizationName(organization) }
            CommonName(commonName)
        }
        let certificate = try Self.certificate(
            subject: subject, key: key, issuer: authorityName, issuerKey: authorityKey,
            extensions: Certificate.Extensions {
                SubjectAlternativeNames([.ipAddress(.init(contentBytes: [127, 0, 0, 1])), .dnsName("localhost")])
            })
        return (Array(try certificate.serializeAsPEM().pemString.utf8), Array(key.pemRepresentation.utf8))
    }

    private static func certificate(
        subject: DistinguishedName, key: P256.Signing.PrivateKey, issuer: DistinguishedName,
        issuerKey: P256.Signing.PrivateKey, extensions: Certificate.Extensions
    ) throws -> Certificate {
        try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: .init(key.publicKey),
            notValidBefore: Date(timeIntervalSinceNow: -3600), notValidAfter: Date(timeIntervalSinceNow: 3600),
            issuer: issuer,
            subject: subject, signatureAlgorithm: .ecdsaWithSHA256, extensions: extensions,
            issuerPrivateKey: .init(issuerKey))
    }
}
