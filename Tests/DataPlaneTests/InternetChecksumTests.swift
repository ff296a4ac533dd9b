import DataPlane
import DataPlaneTesting
import Testing

@Suite struct InternetChecksumTests {
    /// The definition of RFC 1071, word by word.
    private func plain(_ bytes: [UInt8]) -> UInt16 {
        var sum: UInt32 = 0
        for index in stride(from: 0, to: bytes.count, by: 2) {
            let low = index + 1 < bytes.count ? bytes[index + 1] : 0
            sum += UInt32(bytes[index]) << 8 | UInt32(low)
            sum = (sum & 0xFFFF) + (sum >> 16)
        }
        return ~UInt16(sum)
    }

    @Test(arguments: [0, 1, 2, 3, 20, 31, 32, 33, 63, 64, 65, 1447, 1448, 65_495])
    func fastAndPlainSumsAgree(length: Int) {
        var generator = SeededGenerator(seed: UInt64(length) &+ 1)
        for fill in [nil, UInt8(0), UInt8(0xFF)] {  // all ones carry the most
            let bytes = (0..<length).map { _ in fill ?? UInt8.random(in: 0...255, using: &generator) }
            var sum = InternetChecksum()
            bytes.withUnsafeBytes { if let base = $0.baseAddress { sum.add(base, bytes.count) } }
            #expect(sum.checksum.bigEndian == plain(bytes))
        }
    }
}
