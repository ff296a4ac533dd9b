/// An amount of a resource in the API's notation: `500m`, `1.5`, `64Mi`, `2e3` (reference: Kubernetes, "Quantity").
///
/// Held exactly, as a whole number of nano-units; what is finer is rounded up, as Kubernetes does. Amounts beyond what
/// 128 bits of nano-units hold (over 10^29) are refused.
package struct ResourceQuantity: Sendable, Hashable, Comparable {
    /// How the amount was written, which the canonical form keeps.
    package enum Format: Sendable {
        /// `1500m`, `2k`, `3G`.
        case decimalSI
        /// `512Ki`, `1Gi`.
        case binarySI
        /// `15e2`.
        case decimalExponent
    }

    /// The amount in units of 10^-9.
    package let nanos: Int128
    package let format: Format

    package init(nanos: Int128, format: Format = .decimalSI) {
        self.nanos = nanos
        self.format = format
    }

    package init(_ value: Int64, format: Format = .decimalSI) {
        self.init(nanos: Int128(value) * 1_000_000_000, format: format)
    }
    package init(milli: Int64, format: Format = .decimalSI) {
        self.init(nanos: Int128(milli) * 1_000_000, format: format)
    }

    /// Reads a quantity; `nil` when `text` is none.
    package init?(_ text: String) {
        var reader = QuantityReader(Array(text.utf8))
        guard let (nanos, format) = reader.read() else { return nil }
        self.init(nanos: nanos, format: format)
    }

    /// Whole units, rounded up; the nearest that fits 64 bits when it does not.
    package var value: Int64 { Self.clamped(Self.dividedUp(nanos, by: 1_000_000_000)) }
    /// Thousandths, rounded up; the nearest that fits 64 bits when it does not.
    package var milliValue: Int64 { Self.clamped(Self.dividedUp(nanos, by: 1_000_000)) }
    package var isZero: Bool { nanos == 0 }

    package static func == (left: Self, right: Self) -> Bool { left.nanos == right.nanos }
    package func hash(into hasher: inout Hasher) { hasher.combine(nanos) }
    package static func < (left: Self, right: Self) -> Bool { left.nanos < right.nanos }
    package static func + (left: Self, right: Self) -> Self {
        Self(nanos: left.nanos &+ right.nanos, format: left.isZero ? right.format : left.format)
    }
    package static func - (left: Self, right: Self) -> Self {
        Self(nanos: left.nanos &- right.nanos, format: left.isZero ? right.format : left.format)
    }

    private static func dividedUp(_ value: Int128, by divisor: Int128) -> Int128 {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder > 0 ? quotient + 1 : quotient
    }

    private static func clamped(_ value: Int128) -> Int64 { Int64(clamping: value) }
}

extension ResourceQuantity: CustomStringConvertible {
    /// The canonical form: the largest suffix with which no digit is lost and none is needed behind the point.
    package var description: String {
        if nanos == 0 { return "0" }
        switch format {
        case .binarySI:
            // Without binary suffix below 1Ki, and decimal for fractions, as Kubernetes writes them.
            guard nanos % 1_000_000_000 == 0, (nanos / 1_000_000_000).magnitude >= 1024 else { return decimal }
            var value = nanos / 1_000_000_000
            var suffix = 0
            while suffix < Self.binarySuffixes.count - 1, value % 1024 == 0 {
                value /= 1024
                suffix += 1
            }
            return "\(value)\(Self.binarySuffixes[suffix])"
        case .decimalSI: return decimal
        case .decimalExponent:
            let (mantissa, exponent) = scaled
            return exponent == 0 ? "\(mantissa)" : "\(mantissa)e\(exponent)"
        }
    }

    private static let binarySuffixes = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]
    private static let decimalSuffixes = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"]

    private var decimal: String {
        let (mantissa, exponent) = scaled
        return "\(mantissa)\(Self.decimalSuffixes[exponent / 3 + 3])"
    }

    /// The amount with the largest exponent of ten, divisible by three and at most 18, that leaves a whole number.
    private var scaled: (mantissa: Int128, exponent: Int) {
        var mantissa = nanos
        var exponent = -9
        while exponent < 18, mantissa % 1000 == 0 {
            mantissa /= 1000
            exponent += 3
        }
        return (mantissa, exponent)
    }
}

/// Reads sign, digits, suffix or exponent.
private struct QuantityReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func read() -> (nanos: Int128, format: ResourceQuantity.Format)? {
        guard !bytes.isEmpty, bytes.count <= 64 else { return nil }
        var isNegative = false
        if bytes[0] == UInt8(ascii: "-") || bytes[0] == UInt8(ascii: "+") {
            isNegative = bytes[0] == UInt8(ascii: "-")
            position = 1
        }
        var mantissa: Int128 = 0
        var fractionDigits = 0
        var digits = 0
        var isFraction = false
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "."), !isFraction {
                isFraction = true
            } else if UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte {
                let (product, high) = mantissa.multipliedReportingOverflow(by: 10)
                guard !high, product <= Int128.max - 9 else { return nil }
                mantissa = product + Int128(byte - UInt8(ascii: "0"))
                digits += 1
                if isFraction { fractionDigits += 1 }
            } else {
                break
            }
            position += 1
        }
        guard digits > 0, let (exponent, shift, format) = suffix() else { return nil }
        guard let nanos = Self.scale(mantissa, byTenTo: exponent - fractionDigits + 9, byTwoTo: shift, isNegative)
        else {
            return nil
        }
        return (nanos, format)
    }

    private mutating func suffix() -> (exponent: Int, shift: Int, format: ResourceQuantity.Format)? {
        let rest = String(decoding: bytes[position...], as: UTF8.self)
        switch rest {
        case "n": return (-9, 0, .decimalSI)
        case "u": return (-6, 0, .decimalSI)
        case "m": return (-3, 0, .decimalSI)
        case "": return (0, 0, .decimalSI)
        case "k": return (3, 0, .decimalSI)
        case "M": return (6, 0, .decimalSI)
        case "G": return (9, 0, .decimalSI)
        case "T": return (12, 0, .decimalSI)
        case "P": return (15, 0, .decimalSI)
        case "E": return (18, 0, .decimalSI)
        case "Ki": return (0, 10, .binarySI)
        case "Mi": return (0, 20, .binarySI)
        case "Gi": return (0, 30, .binarySI)
        case "Ti": return (0, 40, .binarySI)
        case "Pi": return (0, 50, .binarySI)
        case "Ei": return (0, 60, .binarySI)
        default:
            guard rest.utf8.first.map({ $0 | 0x20 }) == UInt8(ascii: "e"), let exponent = Int(rest.dropFirst()),
                abs(exponent) <= 64
            else { return nil }
            return (exponent, 0, .decimalExponent)
        }
    }

    /// `nil` when the result does not fit; what is lost to the right is rounded away from zero.
    private static func scale(_ mantissa: Int128, byTenTo exponent: Int, byTwoTo shift: Int, _ isNegative: Bool)
        -> Int128?
    {
        var value = mantissa
        var dropped = false
        var exponent = exponent
        if mantissa == 0 { return 0 }
        // Binary first: a fraction such as 0.5Gi becomes whole before its decimals are cut.
        let (shifted, overflow) = value.multipliedReportingOverflow(by: Int128(1) << shift)
        guard !overflow else { return nil }
        value = shifted
        while exponent > 0 {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            guard !overflow else { return nil }
            value = product
            exponent -= 1
        }
        while exponent < 0, value > 0 {
            let (quotient, remainder) = value.quotientAndRemainder(dividingBy: 10)
            dropped = dropped || remainder != 0
            value = quotient
            exponent += 1
        }
        if dropped || value == 0 { value += 1 }
        return isNegative ? -value : value
    }
}
