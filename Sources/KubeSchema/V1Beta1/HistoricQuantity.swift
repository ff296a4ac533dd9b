/// Kubernetes quantities as the whole numbers that `v1beta1` counts in.
enum HistoricQuantity {
    /// `value` (a quantity string such as `250m`, `1.5Gi`, `1e3`, or a number) times `scale`, rounded up; `nil` if it is
    /// none, or beyond 64 bits.
    static func scaled(_ value: JSON?, by scale: Int64) -> Int64? {
        switch value {
        case .integer(let number)?:
            let (result, overflow) = number.multipliedReportingOverflow(by: scale)
            return overflow ? nil : result
        case .double(let number)?: return scaled(.string("\(number)"), by: scale)
        case .string(let text)?: return scaled(text, by: scale)
        default: return nil
        }
    }

    private static func scaled(_ text: String, by scale: Int64) -> Int64? {
        var rest = text[...]
        let isNegative = rest.first == "-"
        if isNegative || rest.first == "+" { rest.removeFirst() }
        var mantissa: Int128 = 0
        var exponent = 0
        var digits = 0
        var afterPoint = false
        while let character = rest.first {
            if character == ".", !afterPoint {
                afterPoint = true
            } else if let digit = character.wholeNumberValue, character.isASCII, digits < 30 {
                mantissa = mantissa * 10 + Int128(digit)
                digits += 1
                if afterPoint { exponent -= 1 }
            } else {
                break
            }
            rest.removeFirst()
        }
        guard digits > 0, let suffix = suffixes[String(rest)] ?? decimalExponent(rest) else { return nil }
        exponent += suffix.ten
        guard (-30...24).contains(exponent) else { return nil }
        let (shifted, tooBig) = mantissa.multipliedReportingOverflow(by: Int128(scale) << suffix.two)
        guard !tooBig else { return nil }
        let power = (0..<abs(exponent)).reduce(Int128(1)) { product, _ in product * 10 }
        let result: Int128
        if exponent < 0 {
            result = isNegative ? -(shifted / power) : (shifted + power - 1) / power
        } else {
            let (product, overflow) = shifted.multipliedReportingOverflow(by: power)
            guard !overflow else { return nil }
            result = isNegative ? -product : product
        }
        return Int64(exactly: result)
    }

    private static let suffixes: [String: (ten: Int, two: Int)] = [
        "n": (-9, 0), "u": (-6, 0), "m": (-3, 0), "": (0, 0), "k": (3, 0), "M": (6, 0), "G": (9, 0), "T": (12, 0),
        "P": (15, 0), "E": (18, 0), "Ki": (0, 10), "Mi": (0, 20), "Gi": (0, 30), "Ti": (0, 40), "Pi": (0, 50),
        "Ei": (0, 60),
    ]

    private static func decimalExponent(_ rest: Substring) -> (ten: Int, two: Int)? {
        guard let first = rest.first, first == "e" || first == "E", let value = Int(rest.dropFirst()) else { return nil }
        return (value, 0)
    }

    /// Thousandths of a core as a canonical quantity: `2`, `250m`.
    static func cores(milli: Int64) -> JSON { .string(milli % 1000 == 0 ? "\(milli / 1000)" : "\(milli)m") }

    /// Thousandths of a core as a decimal number of cores: `1`, `0.5`.
    static func decimal(milli: Int64) -> String {
        let fraction = milli % 1000
        if fraction == 0 { return "\(milli / 1000)" }
        var digits = String(String(1000 + fraction).dropFirst())
        while digits.hasSuffix("0") { digits.removeLast() }
        return "\(milli / 1000).\(digits)"
    }
}
