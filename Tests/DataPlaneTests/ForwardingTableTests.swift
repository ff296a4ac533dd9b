import Addressing
import DataPlane
import DataPlaneTesting
import Testing

@Suite struct ForwardingTableTests {
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
            let expected = routes.map(\.prefix).filter { $0.contains(address) }.max { $0.length < $1.length }
            #expect(table.lookup(address)?.prefix == expected)
        }
    }

    @Test(arguments: [0, 1, 10, 500])
    func lookupsFindTheLongestIPv6Prefix(count: Int) {
        var generator = SeededGenerator(seed: UInt64(count) &+ 7)
        var prefixes: Set<IPv6Prefix> = []
        while prefixes.count < count {
            let length = Bool.random(using: &generator) ? 64 : Int.random(in: 16...128, using: &generator)
            let bits = UInt128(0xFD) << 120 | UInt128(UInt16.random(in: 0 ... .max, using: &generator)) << 80
            prefixes.insert(
                IPv6Prefix(IPv6Address(bits: bits | UInt128(generator.next() & 3)), length: length))
        }
        let endpoint = IPv4Address(192, 0, 2, 1)
        let routes = prefixes.map { ForwardingRoute6(prefix: $0, endpoint: endpoint, port: 8285) }
        let table = ForwardingTable(routes: [], routes6: routes)
        for _ in 0..<2_000 {
            let near = routes.randomElement(using: &generator)?.prefix.address.bits ?? 1
            let noise = UInt128(generator.next() & 1) << 80 | UInt128(generator.next() & 3)
            let address = IPv6Address(bits: near ^ noise)
            let expected = routes.map(\.prefix).filter { $0.contains(address) }.max { $0.length < $1.length }
            #expect(table.lookup(address)?.prefix == expected)
        }
    }

    @Test func ofTwoRoutesToOnePrefixTheLastCounts() {
        let prefix = IPv4Prefix(IPv4Address(10, 1, 2, 0), length: 24)
        let table = ForwardingTable(routes: [
            ForwardingRoute(prefix: prefix, endpoint: IPv4Address(192, 0, 2, 1), port: 1),
            ForwardingRoute(prefix: prefix, endpoint: IPv4Address(192, 0, 2, 2), port: 2),
        ])
        #expect(table.lookup(IPv4Address(10, 1, 2, 3))?.port == 2)
    }
}
