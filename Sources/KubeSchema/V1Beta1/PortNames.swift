/// Port names: up to 63 characters then, 15 now. A longer one gets a short form that depends on nothing but itself, so
/// that a service and the pods behind it agree on it, and an annotation keeps the original.
struct PortNames {
    /// Originals by their short form, in order of appearance.
    private(set) var originals: [(short: String, original: String)] = []

    /// The name to use in `v1` for `name`.
    mutating func short(_ name: String) -> String {
        let result = Self.shortened(name)
        if result != name, !originals.contains(where: { $0.short == result }) { originals.append((result, name)) }
        return result
    }

    static let limit = 15

    private static func shortened(_ name: String) -> String {
        let hasLetter = name.utf8.contains { ($0 | 0x20) >= UInt8(ascii: "a") && ($0 | 0x20) <= UInt8(ascii: "z") }
        guard name.utf8.count > limit || !hasLetter else { return name }
        var hash: UInt32 = 2_166_136_261  // FNV-1a
        for byte in name.utf8 { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
        let digits = String(hash & 0xFFFFF | 0x10_0000, radix: 16)
        let head = name.prefix(8).drop { $0 == "-" }.reversed().drop { $0 == "-" }.reversed()
        return "p\(digits.dropFirst())-\(String(head))"
    }

    /// The annotation's value; `nil` when no name had to be shortened.
    var annotation: String? {
        originals.isEmpty ? nil : originals.map { "\($0.short)=\($0.original)" }.joined(separator: ",")
    }

    init() {}

    /// Reads the annotation of a `v1` object.
    init(metadata: JSON?) {
        let text = metadata?["annotations", V1Beta1.portNamesAnnotation]?.string ?? ""
        for pair in text.split(separator: ",") {
            let halves = pair.split(separator: "=", maxSplits: 1)
            if halves.count == 2 { originals.append((String(halves[0]), String(halves[1]))) }
        }
    }

    func original(_ short: String) -> String { originals.first { $0.short == short }?.original ?? short }
}
