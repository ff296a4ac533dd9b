import FoundationEssentials
import KubeSchema

/// The contents of secrets and config maps as bytes.
enum SecretData {
    /// The values of a secret by key: `data` in base 64, and `stringData` as written.
    static func bytes(of secret: JSON) -> [String: [UInt8]] {
        var values: [String: [UInt8]] = [:]
        for (key, text) in secret["data"].stringMap {
            if let data = Data(base64Encoded: text, options: .ignoreUnknownCharacters) { values[key] = [UInt8](data) }
        }
        for (key, text) in secret["stringData"].stringMap { values[key] = Array(text.utf8) }
        return values
    }

    /// The values of a config map by key: `data` as text and `binaryData` in base 64.
    static func bytes(ofConfigMap map: JSON) -> [String: [UInt8]] {
        var values: [String: [UInt8]] = [:]
        for (key, text) in map["binaryData"].stringMap {
            if let data = Data(base64Encoded: text, options: .ignoreUnknownCharacters) { values[key] = [UInt8](data) }
        }
        for (key, text) in map["data"].stringMap { values[key] = Array(text.utf8) }
        return values
    }
}
