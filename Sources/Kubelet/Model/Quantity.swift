/// Reads resource quantities such as `250m`, `1.5`, `64Mi` and `2e3`.
///
/// Source: Kubernetes API reference, "Quantity".
enum Quantity {
    private static let suffixes: [String: Double] = [
        "": 1, "n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
        "Ki": 0x1p10, "Mi": 0x1p20, "Gi": 0x1p30, "Ti": 0x1p40, "Pi": 0x1p50, "Ei": 0x1p60,
    ]

    /// Returns `text` as a number of whole units (cores, bytes); `nil` when it is no quantity.
    static func value(_ text: String) -> Double? {
        if let plain = Double(text), plain.isFinite, text.last?.isLetter != true { return plain }
        let digits = text.prefix { $0.isNumber || "+-.".contains($0) }
        guard let number = Double(digits), let factor = suffixes[String(text.dropFirst(digits.count))] else {
            return nil
        }
        return number * factor
    }

    /// Returns `text` in thousandths, rounded up, as CPU time is counted.
    static func thousandths(_ text: String) -> Int64? {
        value(text).flatMap { Int64(exactly: ($0 * 1000).rounded(.up)) }
    }

    /// Returns `text` in whole units, rounded up, as bytes are counted.
    static func units(_ text: String) -> Int64? { value(text).flatMap { Int64(exactly: $0.rounded(.up)) } }
}
