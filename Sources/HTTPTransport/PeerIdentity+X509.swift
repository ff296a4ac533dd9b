import NIOSSL
import SwiftASN1
import X509

extension PeerIdentity {
    /// Reads subject CN and O (RFC 5280 section 4.1.2.6) of a certificate that has been verified; `nil` without a CN.
    init?(_ certificate: NIOSSLCertificate) {
        guard let der = try? certificate.toDERBytes(), let parsed = try? Certificate(derEncoded: der) else {
            return nil
        }
        var commonName: String?
        var organizations: [String] = []
        for attribute in parsed.subject.lazy.flatMap({ $0 }) {
            switch attribute.type {
            case .RDNAttributeType.commonName: commonName = String(attribute.value)
            case .RDNAttributeType.organizationName:
                if let value = String(attribute.value) { organizations.append(value) }
            default: break
            }
        }
        guard let commonName else { return nil }
        self.init(commonName: commonName, organizations: organizations)
    }
}
