import Addressing
import DataPlane
import Testing

@Suite struct ForwardingTableTests {
    /// The obvious search.
    private func longestMatch(_ routes: [ForwardingRoute], _ address: IPv4Address) -> IPv4Prefix? {
        routes.map(\.prefix).filter { $0.contains(address) }.max { $0.length < $1.length }
    }

    @Test(arguments: [0, 1, 10, 1_000])
    func lookupsFindTheLongestPrefix(count: Int) {
        var generator = SeededGenerator(seed: UInt64(count))
        var prefixes: Set<IPv4Prefix> = []
        while prefixes.count < count {
            let length = Bool.random(using: &generator) ? 24 : Int.random(in: 8...32, using: &generator)
            let bits = 0x0A00_0000 | UInt32.random(in: 0...0xFF_FFFF, using: &generator)
            prefixes.insert(IPv4Prefix(IPv4Address(bits: bits), length: length))
        }
        let routes = prefixes.map {
            ForwardingRoute(prefix: $0, endpoint: IPv4Address(bits: $0.address.bits ^ 1), port: 8285)
        }
        let table = ForwardingTable(routes: routes)
        for _ in 0..<2_000 {
            let near = routes.randomElement(using: &generator)?.prefix.address.bits ?? 0x0A00_0000
            let address = IPv4Address(bits: near ^ (UInt32(truncatingIfNeeded: generator.next()) & 0x3FF))
            #expect(table.lookup(address)?.prefix == longestMatch(routes, address))
        }
    }
}
