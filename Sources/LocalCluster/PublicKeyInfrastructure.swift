import Addressing
import Crypto
import FoundationEssentials
import LinuxKit
import SwiftASN1
import X509

/// The cluster's certificates: an authority of its own, one server certificate for the API server and for each
/// kubelet, one
/// client certificate for each component and the administrator. What is there and valid is used again.
struct PublicKeyInfrastructure {
    /// What a certificate is for.
    struct Subject {
        /// The name of the files, without `.crt` and `.key`.
        var file: String
        var commonName: String
        var organization: String?
        /// Names and addresses of a server; a client has none.
        var names: [String] = []
        var addresses: [IPv4Address] = []
    }

    /// The cluster lives on one machine and is made anew in minutes; ten years keep its certificates out of the way.
    private static let validity = 10 * 365 * 86_400.0
    /// Certificates that end sooner are made anew.
    private static let margin = 30 * 86_400.0

    let directory: String

    func certificatePath(_ file: String) -> String { "\(directory)/\(file).crt" }
    func keyPath(_ file: String) -> String { "\(directory)/\(file).key" }
    var authorityPath: String { certificatePath("ca") }

    /// Makes what is missing, damaged, near its end or signed by another authority.
    func prepare(_ subjects: [Subject]) throws {
        try FileContents.makeDirectories(directory, mode: 0o700)
        let authority = try authority()
        for subject in subjects where !isUsable(subject, authority.certificate) {
            let key = P256.Signing.PrivateKey()
            try write(subject.file, try certificate(subject, key, authority), key)
        }
    }

    private struct Authority {
        let certificate: Certificate
        let key: P256.Signing.PrivateKey
    }

    private func authority() throws -> Authority {
        if let certificate = try? load("ca"), isCurrent(certificate), let pem = FileContents.text(keyPath("ca")),
            let key = try? P256.Signing.PrivateKey(pemRepresentation: pem),
            Certificate.PublicKey(key.publicKey) == certificate.publicKey
        {
            return Authority(certificate: certificate, key: key)
        }
        let key = P256.Signing.PrivateKey()
        let name = try DistinguishedName { CommonName("fjord-ca") }
        let certificate = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: .init(key.publicKey),
            notValidBefore: Date(timeIntervalSinceNow: -3600), notValidAfter: Date(timeIntervalSinceNow: Self.validity),
            issuer: name,
            subject: name, signatureAlgorithm: .ecdsaWithSHA256,
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
                Critical(KeyUsage(digitalSignature: true, keyCertSign: true, cRLSign: true))
                SubjectKeyIdentifier(keyIdentifier: Self.identifier(key.publicKey))
            }, issuerPrivateKey: .init(key))
        try write("ca", certificate, key)
        return Authority(certificate: certificate, key: key)
    }

    private func certificate(_ subject: Subject, _ key: P256.Signing.PrivateKey, _ authority: Authority) throws
        -> Certificate
    {
        var attributes: [RelativeDistinguishedName] = []
        if let organization = subject.organization {
            attributes.append(
                RelativeDistinguishedName(try .init(type: .RDNAttributeType.organizationName, utf8String: organization))
            )
        }
        attributes.append(
            RelativeDistinguishedName(try .init(type: .RDNAttributeType.commonName, utf8String: subject.commonName)))
        let isServer = !subject.names.isEmpty || !subject.addresses.isEmpty
        let names =
            subject.names.map { GeneralName.dnsName($0) }
            + subject.addresses.map { GeneralName.ipAddress(ASN1OctetString(contentBytes: Self.octets($0)[...])) }
        return try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: .init(key.publicKey),
            notValidBefore: Date(timeIntervalSinceNow: -3600), notValidAfter: Date(timeIntervalSinceNow: Self.validity),
            issuer: authority.certificate.subject, subject: DistinguishedName(attributes),
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                try ExtendedKeyUsage(isServer ? [.serverAuth, .clientAuth] : [.clientAuth])
                AuthorityKeyIdentifier(keyIdentifier: Self.identifier(authority.key.publicKey))
                if isServer { SubjectAlternativeNames(names) }
            }, issuerPrivateKey: .init(authority.key))
    }

    private func isUsable(_ subject: Subject, _ authority: Certificate) -> Bool {
        guard let certificate = try? load(subject.file), isCurrent(certificate),
            FileContents.exists(keyPath(subject.file)),
            authority.publicKey.isValidSignature(certificate.signature, for: certificate)
        else { return false }
        guard let names = try? certificate.extensions.subjectAlternativeNames else {
            return subject.names.isEmpty && subject.addresses.isEmpty
        }
        let wanted =
            subject.names.map { GeneralName.dnsName($0) }
            + subject.addresses.map { GeneralName.ipAddress(ASN1OctetString(contentBytes: Self.octets($0)[...])) }
        return wanted.allSatisfy { names.contains($0) }
    }

    private func isCurrent(_ certificate: Certificate) -> Bool {
        certificate.notValidBefore < Date() && certificate.notValidAfter > Date(timeIntervalSinceNow: Self.margin)
    }

    private func load(_ file: String) throws -> Certificate {
        try Certificate(pemEncoded: String(decoding: try FileContents.read(certificatePath(file)), as: UTF8.self))
    }

    private func write(_ file: String, _ certificate: Certificate, _ key: P256.Signing.PrivateKey) throws {
        try FileContents.replace(keyPath(file), with: Array((key.pemRepresentation + "\n").utf8), mode: 0o600)
        try FileContents.replace(
            certificatePath(file), with: Array((try certificate.serializeAsPEM().pemString + "\n").utf8))
    }

    /// RFC 5280 section 4.2.1.2: a hash of the public key.
    private static func identifier(_ key: P256.Signing.PublicKey) -> ArraySlice<UInt8> {
        Array(Insecure.SHA1.hash(data: key.x963Representation))[...]
    }

    private static func octets(_ address: IPv4Address) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: address.bits >> UInt32(24 - 8 * $0)) }
    }
}
