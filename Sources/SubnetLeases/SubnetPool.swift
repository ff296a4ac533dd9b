import Addressing

/// Which subnets of a configuration are free, given those that are not.
struct SubnetPool {
    private let config: NetworkConfig
    /// Indices in the pool that are taken, merged and in order.
    private var taken: [ClosedRange<Int>]

    /// - Parameter leased: Subnets of any length, in any order; those outside the pool do not matter.
    init(_ config: NetworkConfig, leased: some Sequence<IPv4Prefix>) {
        self.config = config
        let shift = UInt32(32 - config.subnetLength)
        let first = config.subnetMin.bits >> shift
        let last = config.subnetMax.bits >> shift
        let ranges = leased.compactMap { subnet -> ClosedRange<Int>? in
            let low = max(subnet.address.bits >> shift, first)
            let high = min(subnet.last.bits >> shift, last)
            return low <= high ? Int(low - first)...Int(high - first) : nil
        }
        taken = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let previous = taken.last, range.lowerBound <= previous.upperBound {
                taken[taken.count - 1] = previous.lowerBound...max(previous.upperBound, range.upperBound)
            } else {
                taken.append(range)
            }
        }
    }

    /// How many subnets are free.
    var freeCount: Int { config.capacity - taken.reduce(0) { $0 + $1.count } }

    func isFree(_ subnet: IPv4Prefix) -> Bool {
        guard config.offers(subnet) else { return false }
        let index = Int((subnet.address.bits - config.subnetMin.bits) >> UInt32(32 - config.subnetLength))
        return !taken.contains { $0.contains(index) }
    }

    /// A free subnet, each with equal chance; `nil` when there is none.
    ///
    /// - Complexity: O(leases), whatever the size of the network.
    func randomFree(using generator: inout some RandomNumberGenerator) -> IPv4Prefix? {
        let free = freeCount
        guard free > 0 else { return nil }
        var index = Int.random(in: 0..<free, using: &generator)
        for range in taken where range.lowerBound <= index { index += range.count }
        return config.subnet(at: index)
    }
}
