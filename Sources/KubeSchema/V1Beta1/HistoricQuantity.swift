/// Kubernetes quantities as the whole numbers that `v1beta1` counts in.
enum HistoricQuantity {
    /// Thousandths of `value` (a quantity string such as `250m` or a number), rounded up; `nil` if it is no quantity.
    static func milli(_ value: JSON?) -> Int64? { quantity(value)?.milliValue }

    /// Whole units of `value`, rounded up.
    static func units(_ value: JSON?) -> Int64? { quantity(value)?.value }

    private static func quantity(_ value: JSON?) -> ResourceQuantity? {
        switch value {
        case .integer(let number)?: ResourceQuantity(number)
        case .double(let number)?: ResourceQuantity("\(number)")
        case .string(let text)?: ResourceQuantity(text)
        default: nil
        }
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
