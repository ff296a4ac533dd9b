import ClusterStore
import Crypto
import FoundationEssentials
import KubeSchema
import Synchronization

/// The tokens by which pods and robots show who they are: JSON Web Tokens (RFC 7519) signed with the cluster's key by
/// ES256 (RFC 7518 section 3.4).
///
/// The key lives in the cluster's store, where the first server to need it puts it, so that all servers of a cluster
/// accept each other's tokens.
final class ServiceAccountTokens: Sendable {
    static let issuer = "https://kubernetes.default.svc.cluster.local"
    private static let storeKey = "/fjord/service-account-key"

    private let store: any ClusterStore
    private let known = Mutex<P256.Signing.PrivateKey?>(nil)

    init(store: any ClusterStore) { self.store = store }

    /// The cluster's key, made if there is none yet.
    private func key() async throws(APIFailure) -> P256.Signing.PrivateKey {
        if let key = known.withLock({ $0 }) { return key }
        let new = P256.Signing.PrivateKey()
        let name = Array(Self.storeKey.utf8)
        let response: TransactionResponse
        do throws(StoreError) {
            response = try await store.transact(
                Transaction(
                    if: [Comparison(name, .equal, .version(0))],
                    then: [.put(key: name, value: Array(new.rawRepresentation))],
                    else: [.range(RangeRequest(.key(Self.storeKey)))]))
        } catch {
            throw APIFailure(error)
        }
        var key = new
        if !response.succeeded {
            guard case .range(let found)? = response.results.first, let value = found.keyValues.first?.value,
                let stored = try? P256.Signing.PrivateKey(rawRepresentation: value)
            else {
                throw APIFailure(
                    .internalError,
                    "the store's \(Self.storeKey) is no P-256 key; remove it to have a new one made, "
                        + "which makes all tokens invalid")
            }
            key = stored
        }
        known.withLock { $0 = key }
        return key
    }

    /// Signs `claims`.
    func sign(_ claims: JSON) async throws(APIFailure) -> String {
        let key = try await key()
        let header: JSON = ["alg": "ES256", "kid": .string(Self.identifier(key.publicKey)), "typ": "JWT"]
        let text = "\(Self.encode(header.encoded())).\(Self.encode(claims.encoded()))"
        guard let signature = try? key.signature(for: Array(text.utf8)) else {
            throw APIFailure(.internalError, "the token could not be signed")
        }
        return "\(text).\(Self.encode(signature.rawRepresentation))"
    }

    /// The claims of a token that this cluster has signed and whose time has neither passed nor is still to come; `nil` of
    /// any other.
    func verify(_ token: String, now: Int64) async throws(APIFailure) -> JSON? {
        let parts = token.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, let header = Self.decode(parts[0]), let body = Self.decode(parts[1]),
            let raw = Self.decode(parts[2]), (try? JSON(parsing: header))?["alg"] == "ES256",
            let signature = try? P256.Signing.ECDSASignature(rawRepresentation: raw)
        else { return nil }
        let signed = token.utf8.prefix(parts[0].count + 1 + parts[1].count)
        guard try await key().publicKey.isValidSignature(signature, for: Array(signed)),
            let claims = try? JSON(parsing: body), claims["iss"] == .string(Self.issuer),
            let expiry = claims["exp"]?.integer, now < expiry, now >= (claims["nbf"]?.integer ?? 0) - Self.leeway
        else { return nil }
        return claims
    }

    /// Seconds that the clocks of servers may differ by.
    private static let leeway: Int64 = 10

    /// What OpenID Connect clients look for to find the keys.
    static let discovery: JSON = [
        "issuer": .string(issuer), "jwks_uri": .string("\(issuer)/openid/v1/jwks"),
        "response_types_supported": ["id_token"], "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
    ]

    /// The public half as a JSON Web Key Set (RFC 7517), for those who check tokens themselves.
    func keySet() async throws(APIFailure) -> JSON {
        let key = try await key().publicKey
        let point = Array(key.rawRepresentation)  // x and y, 32 bytes each
        return [
            "keys": [
                [
                    "use": "sig", "kty": "EC", "kid": .string(Self.identifier(key)), "crv": "P-256", "alg": "ES256",
                    "x": .string(Self.encode(point[..<32])), "y": .string(Self.encode(point[32...])),
                ]
            ]
        ]
    }

    private static func identifier(_ key: P256.Signing.PublicKey) -> String {
        encode(Array(SHA256.hash(data: key.derRepresentation)))
    }

    /// Base64 for URLs, without padding (RFC 4648 section 5).
    private static func encode(_ bytes: some Collection<UInt8>) -> String {
        String(
            decoding: Base64.encode(bytes).utf8.compactMap { byte -> UInt8? in
                switch byte {
                case UInt8(ascii: "+"): UInt8(ascii: "-")
                case UInt8(ascii: "/"): UInt8(ascii: "_")
                case UInt8(ascii: "="): nil
                default: byte
                }
            }, as: UTF8.self)
    }

    private static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        var standard = text.map { byte -> UInt8 in
            switch byte {
            case UInt8(ascii: "-"): UInt8(ascii: "+")
            case UInt8(ascii: "_"): UInt8(ascii: "/")
            default: byte
            }
        }
        while standard.count % 4 != 0 { standard.append(UInt8(ascii: "=")) }
        return try? Base64.decode(String(decoding: standard, as: UTF8.self))
    }
}
